# SPDX-License-Identifier: ISC
"""A raw client of PostgreSQL's frontend/backend protocol 3.0: sends any bytes, returns
every message as it came. Knows trust, cleartext, md5 and SCRAM-SHA-256."""
import base64
import hashlib
import hmac
import os
import socket
import struct

CANCEL, SSL, GSSENC, V3 = 80877102, 80877103, 80877104, 196608


class Closed(Exception):
    """The other side closed the connection."""


class ServerError(Exception):
    def __init__(self, fields):
        super().__init__(f"{fields.get('S')} {fields.get('C')}: {fields.get('M')}")
        self.fields = fields


class Msg:
    """One message of the server."""

    def __init__(self, kind, body):
        self.kind, self.body = kind, body

    @property
    def fields(self):
        """ErrorResponse and NoticeResponse: code -> text."""
        return {p[:1].decode(): p[1:].decode("utf-8", "replace")
                for p in self.body.split(b"\0") if p}

    @property
    def tag(self):
        return self.body.rstrip(b"\0").decode()

    @property
    def status(self):
        return self.body.decode()

    @property
    def row(self):
        n, = struct.unpack_from("!H", self.body)
        at, row = 2, []
        for _ in range(n):
            size, = struct.unpack_from("!i", self.body, at)
            at += 4
            row.append(None if size < 0 else self.body[at:at + size].decode("utf-8", "replace"))
            at += max(size, 0)
        return row

    @property
    def names(self):
        """RowDescription: the columns' names."""
        n, = struct.unpack_from("!H", self.body)
        at, names = 2, []
        for _ in range(n):
            end = self.body.index(b"\0", at)
            names.append(self.body[at:end].decode())
            at = end + 19
        return names

    @property
    def pair(self):
        """ParameterStatus."""
        k, v = self.body.split(b"\0")[:2]
        return k.decode(), v.decode()

    def __repr__(self):
        if self.kind in "EN":
            f = self.fields
            return f"<{self.kind} {f.get('S')} {f.get('C')} {f.get('M')!r}>"
        return f"<{self.kind} {self.body[:60]!r}>"


class Answer:
    """All messages up to a ReadyForQuery."""

    def __init__(self, msgs):
        self.msgs = msgs

    def kinds(self):
        """"TDDCZ": notices and parameter changes left out, for they may come anywhere."""
        return "".join(m.kind for m in self.msgs if m.kind not in "NSA")

    @property
    def rows(self):
        return [m.row for m in self.msgs if m.kind == "D"]

    @property
    def tags(self):
        return [m.tag for m in self.msgs if m.kind == "C"]

    @property
    def errors(self):
        return [m.fields for m in self.msgs if m.kind == "E"]

    @property
    def error(self):
        e = self.errors
        return e[0] if e else None

    @property
    def notices(self):
        return [m.fields for m in self.msgs if m.kind == "N"]

    @property
    def status(self):
        return self.msgs[-1].status if self.msgs and self.msgs[-1].kind == "Z" else None

    def must(self):
        if self.error:
            raise ServerError(self.error)
        return self

    def __repr__(self):
        return repr(self.msgs)


def cstr(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def message(kind, body=b""):
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def startup_packet(params, protocol=V3):
    body = struct.pack("!I", protocol)
    for k, v in params.items():
        body += cstr(k) + cstr(v)
    body += b"\0"
    return struct.pack("!I", len(body) + 4) + body


def query(sql):
    return message("Q", cstr(sql))


def parse(sql, name="", oids=()):
    return message("P", cstr(name) + cstr(sql) + struct.pack(f"!H{len(oids)}I", len(oids), *oids))


def bind(values=(), portal="", name="", formats=(), results=()):
    body = cstr(portal) + cstr(name)
    body += struct.pack(f"!H{len(formats)}H", len(formats), *formats)
    body += struct.pack("!H", len(values))
    for v in values:
        if v is None:
            body += struct.pack("!i", -1)
        else:
            v = v if isinstance(v, bytes) else str(v).encode()
            body += struct.pack("!i", len(v)) + v
    return message("B", body + struct.pack(f"!H{len(results)}H", len(results), *results))


def describe(what="P", name=""):
    return message("D", what.encode() + cstr(name))


def execute(portal="", rows=0):
    return message("E", cstr(portal) + struct.pack("!I", rows))


def close(what, name=""):
    return message("C", what.encode() + cstr(name))


SYNC, FLUSH, TERMINATE = message("S"), message("H"), message("X")


def extended(sql, values=(), name="", oids=()):
    """Parse, Bind, Describe, Execute without a Sync."""
    return (parse(sql, name, oids) + bind(values, name=name) + describe("P") + execute())


class Wire:
    def __init__(self, port, host="127.0.0.1", timeout=20):
        self.sock = socket.create_connection((host, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.parameters, self.pid, self.key, self.login = {}, None, None, []
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self, politely=True):
        """With Terminate, as a well-behaved client; or just gone."""
        if self.sock:
            try:
                if politely:
                    self.sock.sendall(TERMINATE)
            except OSError:
                pass
            self.sock.close()
            self.sock = None

    # --- bytes ------------------------------------------------------------------------

    def send(self, *chunks):
        self.sock.sendall(b"".join(chunks))
        return self

    def dribble(self, data):
        """One byte per packet."""
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])

    def _fill(self, n):
        while len(self.buffer) < n:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Closed(f"closed with {len(self.buffer)} of {n} bytes read")
            self.buffer += data

    def take(self, n):
        self._fill(n)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def at_end(self):
        """True when the other side closes without another byte."""
        try:
            self._fill(1)
            return False
        except Closed:
            return True

    def is_silent(self, seconds=0.3):
        """True when nothing comes for that long."""
        if self.buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            self._fill(1)
            return False
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(20)

    # --- messages ---------------------------------------------------------------------

    def recv(self):
        head = self.take(5)
        size, = struct.unpack("!I", head[1:])
        return Msg(head[:1].decode("latin-1"), self.take(size - 4))

    def until(self, kinds="Z"):
        msgs = []
        while not msgs or msgs[-1].kind not in kinds:
            msgs.append(self.recv())
        return Answer(msgs)

    def rest(self):
        """Everything up to the close."""
        msgs = []
        try:
            while True:
                msgs.append(self.recv())
        except Closed:
            return Answer(msgs)

    def query(self, sql):
        return self.send(query(sql)).until()

    def sync(self, *chunks):
        return self.send(*chunks, SYNC).until()

    # --- login ------------------------------------------------------------------------

    def start_tls(self, context, direct=False, name="localhost"):
        """SSLRequest and handshake, or the handshake at once (PostgreSQL 17's direct TLS)."""
        if not direct:
            self.send(struct.pack("!II", 8, SSL))
            answer = self.take(1)
            assert answer == b"S", f"answer to SSLRequest: {answer!r}"
        self.sock = context.wrap_socket(self.sock, server_hostname=name)
        return self

    def startup(self, user, database, password=None, **params):
        self.send(startup_packet({"user": user, "database": database, **params}))
        return self.log_in(user, password)

    def log_in(self, user, password=None):
        while True:
            m = self.recv()
            self.login.append(m)
            if m.kind == "E":
                self.close(False)
                raise ServerError(m.fields)
            if m.kind == "R":
                self._authenticate(m.body, user, password or "")
            elif m.kind == "S":
                self.parameters.update([m.pair])
            elif m.kind == "K":
                self.pid, = struct.unpack_from("!I", m.body)
                self.key = m.body[4:]
            elif m.kind == "Z":
                return self

    def _authenticate(self, body, user, password):
        kind, = struct.unpack_from("!I", body)
        if kind == 3:
            self.send(message("p", cstr(password)))
        elif kind == 5:
            inner = hashlib.md5((password + user).encode()).hexdigest().encode()
            self.send(message("p", cstr("md5" + hashlib.md5(inner + body[4:8]).hexdigest())))
        elif kind == 10:
            self._scram(password)
        elif kind != 0:
            raise AssertionError(f"unknown authentication request {kind}")

    def _scram(self, password):
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        initial = ("n,," + first).encode()
        self.send(message("p", cstr("SCRAM-SHA-256") + struct.pack("!I", len(initial)) + initial))
        m = self.recv()
        if m.kind == "E":
            raise ServerError(m.fields)
        server_first = m.body[4:].decode()
        part = dict(p.split("=", 1) for p in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                     base64.b64decode(part["s"]), int(part["i"]))

        def mac(key, text):
            return hmac.new(key, text.encode(), "sha256").digest()
        client_key = mac(salted, "Client Key")
        bare = f"c=biws,r={part['r']}"
        text = f"{first},{server_first},{bare}"
        signature = mac(hashlib.sha256(client_key).digest(), text)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature))).decode()
        self.send(message("p", f"{bare},p={proof}".encode()))
        m = self.recv()
        if m.kind == "E":
            raise ServerError(m.fields)
        expected = base64.b64encode(mac(mac(salted, "Server Key"), text)).decode()
        assert m.body[4:].decode() == f"v={expected}", "the server's signature is wrong"


def cancel(port, pid, key):
    """A CancelRequest on a connection of its own; returns once the peer has closed it."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall(struct.pack("!II", 12 + len(key), CANCEL) + struct.pack("!I", pid) + key)
        return s.recv(1)
