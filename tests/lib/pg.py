#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""A private, throwaway PostgreSQL cluster (15 or newer) in a temporary folder.

As a program it serves contrib/quickstart:
    pg.py start FOLDER     makes and starts a cluster there, prints PORT and PID
    pg.py stop FOLDER      stops it
    pg.py bindir           where PostgreSQL's programs are
"""
import glob
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time

import proc
import wire

OLDEST = 15


def bindir():
    """The folder of the newest PostgreSQL server on this machine."""
    found = []
    for path in glob.glob("/usr/lib/postgresql/*/bin/initdb") + [shutil.which("initdb")]:
        if path and os.access(path, os.X_OK):
            folder = os.path.dirname(os.path.realpath(path))
            out = proc.run([os.path.join(folder, "postgres"), "--version"]).out
            version = re.search(r"(\d+)", out)
            if version and int(version.group(1)) >= OLDEST:
                found.append((int(version.group(1)), folder))
    if not found:
        raise proc.Missing(f"no PostgreSQL server of version {OLDEST} or newer: "
                           "install the Debian package postgresql")
    return max(found)[1]


# Settings of a server that is thrown away: speed instead of durability, and a log that
# tells what the server really got.
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "250",
    "wal_level": "logical",
    "max_wal_senders": "4",
    "max_prepared_transactions": "4",
    "password_encryption": "'scram-sha-256'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
}
LOG_SETTINGS = {
    "logging_collector": "on",
    "log_destination": "'jsonlog'",
    "log_directory": "'log'",
    "log_filename": "'server'",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    "log_statement": "'all'",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_messages": "'info'",
}
# Roles: app owns the test databases, deploy_ci and restore may do what app may; ddlgate is
# the gate's own login; pw_scram and pw_md5 must show a password.
ROLES = """
CREATE ROLE app LOGIN;
CREATE ROLE deploy_ci LOGIN IN ROLE app;
CREATE ROLE restore LOGIN IN ROLE app;
CREATE ROLE intern LOGIN;
CREATE ROLE ddlgate LOGIN IN ROLE pg_read_all_data;
CREATE ROLE pw_scram LOGIN PASSWORD 'sesame' IN ROLE app;
SET password_encryption = 'md5';
CREATE ROLE pw_md5 LOGIN PASSWORD 'sesame' IN ROLE app;
"""
HBA = """
local all all trust
host all pw_scram 127.0.0.1/32 scram-sha-256
host all pw_md5 127.0.0.1/32 md5
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""


class Cluster:
    """programs: the folder of PostgreSQL's programs, else the newest of this machine."""

    def __init__(self, folder, *, settings=None, log_statements=True, roles=ROLES, hba=HBA,
                 programs=None):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.bindir = programs or bindir()
        self.settings = {**SETTINGS, **(LOG_SETTINGS if log_statements else {}),
                         **(settings or {})}
        self.roles, self.hba = roles, hba
        self.port = self.pid = self.process = None

    def make(self):
        """initdb; the superuser is postgres whoever runs it."""
        os.makedirs(self.folder, exist_ok=True)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres") if _has_postgres() else None
            if user:
                os.chown(self.folder, user.pw_uid, user.pw_gid)
        r = proc.run(proc.as_postgres([os.path.join(self.bindir, "initdb"), "-D", self.data,
                     "-U", "postgres", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
                     "--auth=trust", "--no-instructions"]), cwd=self.folder)
        if r.status != 0:
            raise proc.Missing(f"initdb failed: {r.err.strip() or r.out.strip()}")
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as f:
            f.write(self.hba)
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.writelines(f"{k} = {v}\n" for k, v in self.settings.items())
            f.write(f"unix_socket_directories = '{self.folder}'\n")

    def start(self, port=None, daemon=False):
        """Starts it and waits until it answers. A port lost to somebody else is retried."""
        for attempt in range(5):
            self.port = port or proc.free_port()
            errors = open(os.path.join(self.folder, "postmaster.err"), "w+")
            argv = [os.path.join(self.bindir, "postgres"), "-D", self.data,
                    "-p", str(self.port)]
            argv = proc.as_postgres(argv)
            if daemon:
                argv = [a for a in argv if not a.startswith("--pdeathsig")]
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=errors,
                stderr=errors, env=proc.environment(), cwd=self.folder,
                start_new_session=True,
                preexec_fn=None if daemon or os.geteuid() == 0 else proc.die_with_parent)
            self.pid = self.process.pid
            if self._wait_ready():
                return self
            errors.seek(0)
            text = errors.read() + self.log_text()
            if "Address already in use" not in text or port:
                raise proc.Missing(f"PostgreSQL did not start: {text.strip()[-2000:]}")
        raise proc.Missing("PostgreSQL found no free port in five tries")

    def _wait_ready(self, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                with wire.Wire(self.port).startup("postgres", "postgres"):
                    return True
            except (OSError, wire.Closed, wire.ServerError):
                time.sleep(0.05)
        return False

    def make_roles(self):
        if self.roles:
            self.sql(self.roles)
        return self

    def stop(self, sig=signal.SIGQUIT):
        """SIGQUIT: at once (nothing to keep); SIGINT: fast; SIGTERM: waits for clients."""
        if self.process:
            proc.stop(self.process, sig)
            self.process = None

    # --- looking at it directly ------------------------------------------------------

    def sql(self, sql, db="postgres", user="postgres"):
        """Runs one text directly, past any gate; rows of strings (None is null)."""
        with wire.Wire(self.port).startup(user, db) as w:
            return w.query(sql).must().rows

    def value(self, sql, db="postgres"):
        rows = self.sql(sql, db)
        return rows[0][0] if rows else None

    def columns(self, db, table):
        """Names of a table's columns in order; [] when there is no such table."""
        schema, _, name = table.rpartition(".")
        rows = self.sql("SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid ="
            " a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attnum > 0"
            f" AND NOT a.attisdropped AND c.relname = '{name}' AND n.nspname ="
            f" '{schema or 'public'}' ORDER BY a.attnum", db)
        return [r[0] for r in rows]

    def has_table(self, db, table):
        return self.value(f"SELECT to_regclass('{table}')", db) is not None

    def log_path(self):
        return os.path.join(self.data, "log", "server.json")

    def log_text(self):
        try:
            with open(self.log_path(), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def log_size(self):
        try:
            return os.path.getsize(self.log_path())
        except OSError:
            return 0

    def log_entries(self, start=0, db=None):
        """What the server logged from byte `start` on, everything so far included: one
        pipe carries all messages in order, so a mark of our own tells when all is there."""
        mark = f"mark-{os.urandom(8).hex()}"
        self.sql(f"SELECT '{mark}'")

        def read():
            with open(self.log_path(), "rb") as f:
                f.seek(start)
                data = f.read()
            return data if mark.encode() in data and data.endswith(b"\n") else None
        data = proc.wait_for("the server log", read)
        lines = data.decode("utf-8", "replace").split("\n")
        entries = []
        for i, line in enumerate(lines):
            try:
                entries += [json.loads(line)] if line else []
            except ValueError:
                # Our start may lie inside a long line of another test.
                if i > 0:
                    raise
        return [e for e in entries if mark not in e.get("message", "")
                and (db is None or e.get("dbname") == db)]

    def executed(self, db, start=0, user=None):
        """The statements that the server ran (simple: `statement:`, extended: `execute`),
        the gate's own logins left out."""
        result = []
        for e in self.log_entries(start, db):
            if e.get("user") == (user or e.get("user")) and e.get("user") != "ddlgate":
                m = re.match(r"(?:statement|execute [^:]*|fastpath function call): (.*)",
                             e["message"], re.S)
                if m:
                    result.append(m.group(1))
        return result


def _has_postgres():
    try:
        pwd.getpwnam("postgres")
        return True
    except KeyError:
        return False


def main(argv):
    if argv[:1] == ["bindir"]:
        print(bindir())
    elif argv[:1] == ["start"] and len(argv) == 2:
        c = Cluster(os.path.realpath(argv[1]), log_statements=False, roles="")
        if not os.path.exists(c.data):
            c.make()
        c.start(daemon=True)
        print(c.port, c.pid)
    elif argv[:1] == ["stop"] and len(argv) == 2:
        try:
            with open(os.path.join(argv[1], "data", "postmaster.pid")) as f:
                pid = int(f.readline())
            os.kill(pid, signal.SIGINT)
            proc.wait_for("the end of PostgreSQL", lambda: not os.path.exists(f"/proc/{pid}"))
        except (OSError, ValueError):
            pass
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except proc.Missing as e:
        sys.exit(f"{e}")
