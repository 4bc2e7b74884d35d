# SPDX-License-Identifier: ISC
"""A PostgreSQL that costs nothing: logs everybody in, answers every Query with one row. For
tests with more sessions than a real server takes. Prints its port, ends with its input.

    python3 mockserver.py"""
import select
import socket
import struct
import sys
import threading

import wire

SETTINGS = {"server_version": "15.4", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
READY = wire.message("Z", b"I")


def login(number):
    return (wire.message("R", struct.pack("!I", 0))
            + b"".join(wire.message("S", wire.cstr(k) + wire.cstr(v)) for k, v in SETTINGS.items())
            + wire.message("K", struct.pack("!II", number, number)) + READY)


ANSWER = (wire.message("T", struct.pack("!H", 1) + b"one\0" + struct.pack("!IHIHIH", 0, 0, 25, 65535, 0, 0))
          + wire.message("D", struct.pack("!Hi", 1, 1) + b"1") + wire.message("C", b"SELECT 1\0") + READY)


def serve(listener):
    epoll, peers = select.epoll(), {}
    epoll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                for _ in range(64):
                    try:
                        s, _ = listener.accept()
                    except BlockingIOError:
                        break
                    s.setblocking(False)
                    peers[s.fileno()] = [s, False]
                    epoll.register(s, select.EPOLLIN)
                continue
            peer = peers[fd]
            try:
                data = peer[0].recv(65536)
                if data and not peer[1]:
                    peer[1] = True
                    peer[0].send(login(fd))
                elif data:
                    # Clients of these tests send nothing but whole Query messages.
                    peer[0].send(ANSWER * data.count(b"Q\0\0"))
            except OSError:
                data = b""
            if not data:
                epoll.unregister(fd)
                peers.pop(fd)[0].close()


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
