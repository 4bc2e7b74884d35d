# SPDX-License-Identifier: ISC
"""Conversations on the wire, written down message by message (tests/data/wire), and a player
that has one of them with a server or with a gate and returns every byte of the answer.

A case is a list of steps. A step is one message and, where the next one must not go out
before, the kinds of message to wait for (or, as bytes, a text in one):

    case(Q("SELECT 1"))                               waits for ReadyForQuery
    case(Q("COPY t FROM STDIN", "G"), d("1\\n"), c()) waits for CopyInResponse, then for Z

`refused()` marks a text that policy refuses; the server gets one that fails in its raw
parser in its place, since exactly that is what a refusal has to look like."""
import os
import re
import select
import socket
import struct
import time

import wire

__all__ = ["case", "refused", "Q", "P", "B", "D", "E", "C", "S", "H", "d", "c", "f", "F", "X", "raw",
           "wait", "act", "pause", "glue", "extended", "startup", "NO", "struct", "wire"]

NO = "CREATE TABLE no_table (a int)"  # what the suite's policy refuses
REFUSED = "refused_text"              # what the server gets instead
SECONDS = float(os.environ.get("DG_SECONDS", "25"))  # no answer takes longer, on however busy a machine


class Step:
    """data: bytes, or a function of the seat's names; direct: what the server gets. @own@ in
    it is a name that no other conversation uses at the time."""

    def __init__(self, data, until="", direct=None):
        self.data, self.until = data, until
        self.direct = data if direct is None else direct

    def bytes(self, names, is_direct):
        data = self.direct if is_direct else self.data
        if callable(data):
            return data(names)
        if b"@own@" in data:  # a text of one message, which is longer then
            data = data.replace(b"@own@", names["own"].encode())
            data = data[:1] + struct.pack("!I", len(data) - 1) + data[5:]
        return data


class Act(Step):
    """Something that happens elsewhere: SQL of a superuser, or time."""

    def __init__(self, sql=None, seconds=0):
        super().__init__(b"")
        self.sql, self.seconds = sql, seconds


class Case:
    def __init__(self, steps, user="app", params=None, is_bare=False, mask=None, drop="",
                 manners=("written", "dribbled", "glued"), ends=True, has_refusal=False,
                 is_walsender=False):
        self.steps, self.user, self.params, self.is_bare = steps, user, params, is_bare
        self.mask, self.drop, self.manners, self.ends = mask, drop, manners, ends
        self.has_refusal, self.is_walsender = has_refusal, is_walsender


def flat(steps):
    for s in steps:
        if isinstance(s, (list, tuple)):
            yield from flat(s)
        else:
            yield s


def case(*steps, **kw):
    """user, params: of the login. is_bare: the steps begin with the startup packet. mask: expression for what differs from run to run (positions of the log).
    drop: kinds of messages that come when they like. ends=False: no Terminate at the end."""
    return Case(list(flat(steps)), **kw)


def refused(*steps, **kw):
    return Case(list(flat(steps)), has_refusal=True, **kw)


# --- messages -----------------------------------------------------------------------------

def texts(make, sql):
    """The message with sql, and what goes to the server directly."""
    text = sql if isinstance(sql, bytes) else sql.encode()
    return make(text), make(REFUSED.encode()) if NO.encode() in text else make(text)


def Q(sql, until="Z"):
    through, direct = texts(wire.query, sql)
    return Step(through, until, direct)


def P(sql, name="", *oids, until=""):
    through, direct = texts(lambda t: wire.parse(t, name, oids), sql)
    return Step(through, until, direct)


def B(*values, portal="", name="", formats=(), results=(), until=""):
    return Step(wire.bind(values, portal, name, formats, results), until)


def D(what="P", name="", until=""):
    return Step(wire.describe(what, name), until)


def E(portal="", rows=0, until=""):
    return Step(wire.execute(portal, rows), until)


def C(what, name="", until=""):
    return Step(wire.close(what, name), until)


def S(until="Z"):
    return Step(wire.SYNC, until)


def H(until=""):
    return Step(wire.FLUSH, until)


def d(data=b"", until=""):
    return Step(wire.message("d", data if isinstance(data, bytes) else data.encode()), until)


def c(until="Z"):
    return Step(wire.message("c"), until)


def f(reason="changed my mind", until="Z"):
    return Step(wire.message("f", wire.cstr(reason)), until)


def F(function, *args, formats=(), result=0, until="Z"):
    """function: its oid, or its name in the seat's names."""
    def make(names):
        oid = names[function] if isinstance(function, str) else function
        body = struct.pack(f"!IH{len(formats)}HH", oid, len(formats), *formats, len(args))
        for a in args:
            body += struct.pack("!i", -1) if a is None else struct.pack("!i", len(a)) + a
        return wire.message("F", body + struct.pack("!H", result))
    return Step(make, until)


def X():
    return Step(wire.TERMINATE)


def raw(data, until=""):
    return Step(data, until)


def startup(params, until="Z", protocol=wire.V3):
    """A startup packet of one's own, for case(..., is_bare=True); @db@ is the database."""
    def make(names):
        full = {k: v.replace("@db@", names["db"]) for k, v in params.items()}
        return wire.startup_packet(full, protocol)
    return Step(make, until)


def wait(until="Z"):
    return Step(b"", until)


def act(sql):
    """@pid@ in it is the server process of the conversation."""
    return Act(sql)


def pause(seconds):
    return Act(seconds=seconds)


def glue(*steps):
    """These go out in one write in every manner (but byte by byte)."""
    steps = list(flat(steps))
    return Step(lambda n: b"".join(s.bytes(n, False) for s in steps),
                "".join(s.until for s in steps)[-1:],
                lambda n: b"".join(s.bytes(n, True) for s in steps))


def extended(sql, *values, name="", portal="", rows=0):
    """Parse, Bind, Describe, Execute."""
    return [P(sql, name), B(*values, name=name, portal=portal), D("P", portal), E(portal, rows)]


# --- playing ------------------------------------------------------------------------------

class Player:
    """One connection; it sends without ever blocking its own reading."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.data, self.at, self.closed, self.pid = bytearray(), 0, False, 0
        self.messages = []

    def close(self):
        self.sock.close()

    def pump(self, out=b"", seconds=0.0):
        """Sends out, reading all the while; then reads what comes within that time."""
        out, end = memoryview(out), time.monotonic() + SECONDS
        while out and not self.closed:
            r, w, _ = select.select([self.sock], [self.sock], [], 1)
            if r or w:
                end = time.monotonic() + SECONDS
            assert time.monotonic() < end, "the other side takes no more bytes"
            if r:
                self.read()
            try:
                if w:
                    out = out[self.sock.send(out):]
            except OSError:
                self.drain()
        if seconds and not self.closed and select.select([self.sock], [], [], seconds)[0]:
            self.read()

    def read(self):
        try:
            got = self.sock.recv(1 << 18)
        except OSError:
            got = b""
        self.closed = not got
        self.data += got

    def drain(self):
        """The other side is gone: what it still said."""
        try:
            while True:
                got = self.sock.recv(1 << 18)
                if not got:
                    break
                self.data += got
        except OSError:
            pass
        self.closed = True

    def next(self):
        """The next whole message that is there, or None."""
        if len(self.data) - self.at < 5:
            return None
        size, = struct.unpack_from("!I", self.data, self.at + 1)
        if len(self.data) - self.at < 1 + size:
            return None
        m = wire.Msg(chr(self.data[self.at]), bytes(self.data[self.at + 5:self.at + 1 + size]))
        self.at += 1 + size
        if self.at > 1 << 20:
            del self.data[:self.at]
            self.at = 0
        return m

    def until(self, kinds):
        end = time.monotonic() + SECONDS
        while True:
            m = self.next()
            if m:
                if m.kind == "K":
                    self.pid, = struct.unpack_from("!I", m.body)
                self.messages.append(m)
                if kinds in m.body if isinstance(kinds, bytes) else m.kind in kinds:
                    return
            elif self.closed:
                return
            else:
                assert time.monotonic() < end, (
                    f"waited for {kinds}; the last messages are {self.messages[-5:]}")
                self.pump(seconds=0.5)

    def finish(self, ends):
        """Everything up to the close."""
        if ends and not self.closed:
            self.pump(wire.TERMINATE)
        self.until("")
        if len(self.data) > self.at:
            self.messages.append(wire.Msg("cut off", bytes(self.data[self.at:])))
        self.sock.close()
        return self.messages


def segments(case, names, is_direct, manner):
    """(bytes to send, kinds to wait for one after the other, act) in order."""
    data, untils = b"", []
    for s in case.steps:
        if isinstance(s, Act):
            yield data, untils, s
            data, untils = b"", []
            continue
        data += s.bytes(names, is_direct)
        untils += [s.until] if s.until else []
        if manner != "glued":
            yield data, untils, None
            data, untils = b"", []
    yield data, untils, None


def play(case, manner, port, names, is_direct, admin):
    """Returns the messages. admin: a Wire of a superuser in the same database."""
    p = Player(port)
    try:
        head = b""
        if not case.is_bare:
            head = wire.startup_packet({"user": case.user, "database": names["db"],
                                        **(case.params or {})})
        if head and manner != "glued":
            send(p, head, manner)
            p.until("ZE")
            head = b""
        waits = ["ZE"] if head else []
        for data, untils, action in segments(case, names, is_direct, manner):
            send(p, head + data, manner)
            for kinds in waits + untils:
                p.until(kinds)
            head, waits = b"", []
            if action and action.sql:
                admin.query(action.sql.replace("@own@", names["own"]).replace("@pid@", str(p.pid)))
            elif action:
                time.sleep(action.seconds)
        return p.finish(case.ends)
    finally:
        p.close()


def send(player, data, manner):
    if manner != "dribbled" or len(data) > 20000:
        player.pump(data)
        return
    for i in range(len(data)):
        player.pump(data[i:i + 1])


# --- comparing ----------------------------------------------------------------------------

class AnyRefusal:
    """Equal to any other; shows what it said."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, AnyRefusal)

    def __repr__(self):
        return f"refusal {self.text!r}"

    __hash__ = None


def shape(case, m):
    body = m.body
    if m.kind == "K":
        body = b"%d bytes" % len(body)
    elif m.kind == "A":
        body = body[4:]
    elif m.kind == "E" and case.has_refusal:
        text = m.fields.get("M", "")
        if text.startswith("ddlgate: ") or REFUSED in text:
            return m.kind, AnyRefusal(text)
    if case.mask:
        if m.kind == "D":  # lengths differ, too
            body = b"|".join(b"NULL" if v is None else v.encode() for v in m.row)
        body = re.sub(case.mask, b"", body)
    if case.is_walsender and m.kind == "d" and body[:1] == b"w":
        body = m.body[25:]  # without positions and time
    return m.kind, body


def shapes(case, messages):
    return [shape(case, m) for m in messages if m.kind not in case.drop
            and not (case.is_walsender and m.kind == "d" and m.body[:1] == b"k")]


def difference(through, direct):
    """None, or a text that shows the first message that differs."""
    for i in range(max(len(through), len(direct))):
        a = through[i] if i < len(through) else "nothing"
        b = direct[i] if i < len(direct) else "nothing"
        if a != b:
            return (f"message {i}: through the gate {short(a)}, directly {short(b)};"
                    f" before: {[short(m) for m in direct[max(0, i - 3):i]]}")
    return None


def short(m):
    text = repr(m)
    return text if len(text) < 400 else text[:380] + f"... ({len(text)} characters)"
