# SPDX-License-Identifier: ISC
"""One PostgreSQL with TLS and SCRAM, one gate in front of it, and databases for drivers."""
import os
import re
import shutil
import ssl
import struct
import threading

import certs
import gate
import harness
import pg
import proc
import wire

USER, PASSWORD = "interop", "open sesame"
SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price numeric(10,2), made timestamptz);
INSERT INTO items SELECT i, 'item ' || i, i + 0.25,
    '2024-01-01 00:00:00+00'::timestamptz + i * interval '1 minute' FROM generate_series(1, 1000) i;
CREATE TABLE bulk (id int, name text, note text);
CREATE TABLE uniq (id int PRIMARY KEY);
"""
REFUSED = "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)"
POLICY = """\
[policy]
environment = staging

[check migration-first]
action = reject
"""
MIGRATIONS = {"001_one.sql": harness.migration("001", "one", "CREATE TABLE one (a int)")}
ROLES = f"""
CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE ddlgate LOGIN IN ROLE pg_read_all_data;
"""
HBA = f"""
local all all trust
host all {USER} all scram-sha-256
host all postgres,ddlgate 127.0.0.1/32 trust
"""


def reachable(programs, folder):
    """A root's cache is closed to user postgres: the server's files, linked or copied to
    where that user can read them."""
    r = proc.run(proc.as_postgres(["test", "-x", os.path.join(programs, "postgres")]))
    if r.status == 0:
        return programs

    def link(source, target):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
    shutil.copytree(os.path.dirname(programs), folder, symlinks=True, copy_function=link)
    os.chmod(folder, 0o755)
    return os.path.join(folder, "bin")


class Pair:
    """mode "plain": TLS only directly at the server, the gate passes the password through.
    mode "tls": TLS on both sides of the gate, which does SCRAM on both sides itself."""

    def __init__(self, major, programs, authority, folder, mode):
        self.major, self.mode, self.folder = major, mode, folder
        self.authority = authority
        self.lock = threading.Lock()
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self.cluster = pg.Cluster(os.path.join(folder, "pg"), log_statements=False, roles=ROLES,
                                  hba=HBA, programs=reachable(programs, os.path.join(folder, "programs")),
                                  settings={"ssl": "on"})
        self.gate = None

    def start(self, with_gate=True):
        self.cluster.make()
        certs.for_server(self.cluster, *self.authority.issue(f"server{self.major}"))
        self.cluster.start().make_roles()
        self.cluster.sql(f"CREATE DATABASE model OWNER {USER}")
        self.cluster.sql(f"SET ROLE {USER};" + SCHEMA, "model")
        if with_gate:
            self.gate = gate.Gate(os.path.join(self.folder, "gate"), self.cluster.port,
                                  policy=POLICY, migrations=MIGRATIONS, **self._tls()).start()
        return self

    def _tls(self):
        """What the mode adds to the gate's configuration."""
        if self.mode == "plain":
            return {}
        secret = self.cluster.value(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{USER}'")
        users = os.path.join(self.folder, "users.txt")
        with open(users, "w") as f:
            f.write(f'"{USER}" "{secret}"\n')
        os.chmod(users, 0o600)
        crt, key = self.authority.issue(f"gate{self.major}")
        return {"conf": {"client_tls_sslmode": "require", "client_tls_cert_file": crt,
                         "client_tls_key_file": key, "server_tls_sslmode": "verify-full",
                         "server_tls_ca_file": self.authority.path,
                         "auth_type": "scram-sha-256", "auth_file": users},
                "databases": f"* = host=localhost port={self.cluster.port}\n"}

    def stop(self):
        """Raises what the gate has to complain of."""
        try:
            if self.gate:
                self.gate.stop()
        finally:
            self.cluster.stop()

    def fresh(self, db):
        with self.lock:
            self.cluster.sql(f"DROP DATABASE IF EXISTS {db} WITH (FORCE)")
            self.cluster.sql(f"CREATE DATABASE {db} OWNER {USER} TEMPLATE model")

    def is_tls(self, through_gate):
        return self.mode == "tls" or not through_gate

    def environment(self, db, through_gate):
        return {"PGHOST": "localhost", "PGDATABASE": db, "PGUSER": USER, "PGPASSWORD": PASSWORD,
                "PGPORT": str(self.gate.port if through_gate else self.cluster.port),
                "PGSSLMODE": "verify-full" if self.is_tls(through_gate) else "disable",
                "PGSSLROOTCERT": self.authority.path, "INTEROP_SERVER": str(self.major)}

    def refusal(self, db):
        """The fields of the gate's refusal as they stand on the wire."""
        with wire.Wire(self.gate.port) as w:
            if self.is_tls(True):
                w.send(struct.pack("!II", 8, wire.SSL))
                assert w.take(1) == b"S", "the gate declines TLS"
                context = ssl.create_default_context(cafile=self.authority.path)
                w.sock = context.wrap_socket(w.sock, server_hostname="localhost")
            f = w.startup(USER, db, PASSWORD).query(REFUSED).error
        assert f and f["M"].startswith("ddlgate: ") and f["C"] == "42501", f
        assert f.get("D") and f.get("H") and f.get("n") == "migration-first", f
        return f


def without_ids(text):
    """A refusal's text without what is new each time."""
    text = re.sub(r"\(request \w+\)", "(request ID)", text)
    return re.sub(r"history read \d+ s(econds?)? ago", "history read N s ago", text)
