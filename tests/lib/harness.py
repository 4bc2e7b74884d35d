# SPDX-License-Identifier: ISC
"""Runs the test functions of one e2e file and reports them as TAP.

    from harness import *

    def test_unmigrated_alter_is_refused(t):
        db = t.db("CREATE TABLE t (a int)")
        gate = t.gate()
        ...

    main()

Each function gets a fresh `T`, which makes databases, gates and clients and takes them away
again; a gate that ended badly or made a sanitizer speak fails the case. One PostgreSQL
serves the whole file (or the whole run: DG_CLUSTER, see tests/e2e/run)."""
import contextlib
import faulthandler
import fnmatch
import json
import os
import re
import signal
import sys
import time
import traceback

import pg
import proc
import wire
from gate import POLICY, Gate, command, outcome, psql
from proc import run, wait_for
from wire import Closed, ServerError, Wire

__all__ = ["main", "slow", "needs", "POLICY", "Gate", "command", "outcome", "psql", "run", "wait_for",
           "Closed", "ServerError", "Wire", "wire", "proc", "os", "re", "json", "time",
           "signal", "Skip", "stream", "RESTORE_POLICY", "HISTORY", "migration"]

CASE_SECONDS = int(os.environ.get("DG_CASE_SECONDS", "90"))

# The access section that lets a dump be restored (design part 5).
RESTORE_POLICY = """\
[policy]
environment = staging

[access 20 restore]
role = restore
action = allow
unmigrated = allow
checks = off
"""


# The history table of format numbered-sql.
HISTORY = """\
CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY, name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now())"""


def migration(version, name, *statements):
    """A file of format numbered-sql: one transaction that records itself."""
    body = "".join(f"{s};\n" for s in statements)
    return (f"-- {version} {name}\nBEGIN;\n{body}INSERT INTO schema_migrations (version, name)"
            f" VALUES ('{version}', '{name}') ON CONFLICT DO NOTHING;\nCOMMIT;\n")


class Skip(Exception):
    """This machine can't run the case; the text says why."""


def slow(function):
    """Runs with --slow only."""
    function.is_slow = True
    return function


def needs(program):
    def mark(function):
        function.needs = program
        return function
    return mark


def stream(answer):
    """What must be equal with and without a gate: message types, texts, tags, error codes."""
    result = []
    for m in answer.msgs:
        if m.kind in "EN":
            f = m.fields
            result.append((m.kind, f.get("S"), f.get("C"), f.get("M"), f.get("P")))
        elif m.kind == "K":
            result.append((m.kind,))
        else:
            result.append((m.kind, m.body))
    return result


class T:
    """What one case may use. Everything it made is gone afterwards."""
    serial = 0

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.folder = proc.temp_folder()
        self.stack = contextlib.ExitStack()
        self.gates = []
        self.log_start = cluster.log_size()

    # --- making things ----------------------------------------------------------------

    def db(self, sql=None, owner="app", cluster=None):
        """A fresh database owned by app; sql runs in it as app, past any gate."""
        cluster = cluster or self.cluster
        T.serial += 1
        name = f"t{os.getpid()}_{T.serial}"
        cluster.sql(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0")
        if cluster is self.cluster:
            self.stack.callback(lambda: cluster.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        if sql:
            cluster.sql(sql, name, owner)
        return name

    def new_gate(self, **kw):
        """A gate that is configured, not started."""
        cluster = kw.pop("cluster", self.cluster)
        mock = kw.pop("upstream_port", None)
        if mock: # it answers no SSLRequest
            kw.setdefault("databases", f"* = host=127.0.0.1 port={mock} sslmode=disable\n")
        port = mock or cluster.port
        g = Gate(os.path.join(self.folder, f"gate{len(self.gates)}"), port, **kw)
        self.gates.append(g)
        return g

    def gate(self, **kw):
        return self.new_gate(**kw).start()

    def own_cluster(self, **kw):
        """A server that this case may kill; what it has committed survives."""
        kw.setdefault("settings", {"synchronous_commit": "on"})
        return self.make_cluster(**kw)

    def make_cluster(self, prepare=None, **kw):
        """A server with settings of its own; prepare(cluster) may add files before it
        starts."""
        T.serial += 1
        c = pg.Cluster(os.path.join(self.folder, f"pg{T.serial}"), **kw)
        os.chmod(self.folder, 0o755)
        c.make()
        if prepare:
            prepare(c)
        self.stack.callback(c.stop)
        return c.start().make_roles()

    def keep(self, thing):
        """Closes it (a Wire, a file) at the end."""
        self.stack.callback(thing.close)
        return thing

    def direct(self, db, user="app", **params):
        return self.keep(Wire(self.cluster.port).startup(user, db, **params))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    # --- what the server did ----------------------------------------------------------

    def executed(self, db):
        """Statements that clients of this case made the server run in db."""
        return self.cluster.executed(db, self.log_start)

    def ran(self, db, pattern):
        return [s for s in self.executed(db) if re.search(pattern, s)]

    def columns(self, db, table):
        return self.cluster.columns(db, table)

    def has_table(self, db, table):
        return self.cluster.has_table(db, table)

    # --- assertions with a text -------------------------------------------------------

    def eq(self, got, want, what=""):
        assert got == want, f"{what}{': ' if what else ''}got {got!r}, want {want!r}"

    def contains(self, text, *parts):
        for part in parts:
            assert part in text, f"{part!r} is not in:\n{text}"

    def lacks(self, text, *parts):
        for part in parts:
            assert part not in text, f"{part!r} is in:\n{text}"

    def matches(self, text, pattern):
        assert re.search(pattern, text, re.M | re.S), f"no match for {pattern!r} in:\n{text}"

    def refused(self, answer, code="42501", rule=None):
        """A refusal by the gate: the first error of the answer. Returns its fields."""
        fields = answer if isinstance(answer, dict) else answer.error
        assert fields, f"no error in {answer!r}"
        assert fields["M"].startswith("ddlgate: "), f"not the gate's error: {fields}"
        assert len(fields["M"]) < 200 and "\n" not in fields["M"], fields["M"]
        self.eq((fields["S"], fields["C"]), ("ERROR", code), fields["M"])
        if rule:
            self.eq(fields.get("n"), rule, f"CONSTRAINT of {fields}")
        return fields

    def server_error(self, answer, code):
        """The server's own error, passed on."""
        assert answer.error, f"no error in {answer!r}"
        assert "ddlgate" not in answer.error["M"], f"the gate's error: {answer.error}"
        self.eq(answer.error["C"], code, answer.error["M"])
        return answer.error

    # --- end --------------------------------------------------------------------------

    def end(self):
        """Takes everything away; raises the first thing that ended badly."""
        problem = None
        for g in self.gates:
            try:
                g.stop()
            except BaseException as e:
                problem = problem or e
        try:
            self.stack.close()
        except BaseException as e:
            problem = problem or e
        proc.remove_folder(self.folder)
        if problem:
            raise problem


class TooLong(Exception):
    pass


def _alarm(signum, frame):
    raise TooLong(f"the case took longer than {CASE_SECONDS} s")


def _interrupted(signum, frame):
    raise KeyboardInterrupt


def _cases(namespace):
    pattern = os.environ.get("DG_K", "")
    area = os.path.basename(sys.argv[0])
    for name, f in namespace.items():
        full = f"{area}::{name}"
        if name.startswith("test_") and callable(f):
            if not pattern or pattern in full or fnmatch.fnmatch(full, pattern):
                yield name, f


def _run_case(cluster, name, f):
    """Returns None, or the text of the failure."""
    t = T(cluster, name)
    signal.alarm(CASE_SECONDS)
    failure = None
    try:
        try:
            f(t)
        except Skip:
            raise
        except Exception:
            failure = traceback.format_exc()
            for i, g in enumerate(t.gates):
                failure += f"--- gate {i}'s log\n" + "\n".join(g.lines[-25:]) + "\n"
    finally:
        signal.alarm(30)
        try:
            t.end()
        except Exception:
            failure = failure or traceback.format_exc()
        signal.alarm(0)
    return failure


@contextlib.contextmanager
def shared_cluster():
    """The run's PostgreSQL (DG_CLUSTER holds folder and port), or one of our own."""
    shared = os.environ.get("DG_CLUSTER")
    if shared:
        folder, port = shared.rsplit(":", 1)
        c = pg.Cluster(folder)
        c.port = int(port)
        yield c
        return
    folder = proc.temp_folder("ddlgate-pg-")
    c = pg.Cluster(folder)
    try:
        c.make()
        yield c.start().make_roles()
    finally:
        c.stop()
        proc.remove_folder(folder)


def main():
    """Runs the calling file's test functions; exit status 1 if one failed."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGALRM, _alarm)
    signal.signal(signal.SIGTERM, _interrupted)
    cases = list(_cases(sys.modules["__main__"].__dict__))
    n_failed = 0
    if not cases:
        print("1..0")
        return
    with shared_cluster() as cluster:
        print(f"1..{len(cases)}", flush=True)
        for i, (name, f) in enumerate(cases, 1):
            start = time.monotonic()
            skip = None
            if getattr(f, "is_slow", False) and not os.environ.get("DG_SLOW"):
                skip = "only with --slow"
            program = getattr(f, "needs", None)
            if program and proc.run(["sh", "-c", f"command -v {program}"]).status != 0:
                skip = f"{program} is not installed"
            failure = None
            if not skip:
                try:
                    failure = _run_case(cluster, name, f)
                except Skip as e:
                    skip = str(e)
            took = time.monotonic() - start
            ok = "not ok" if failure else "ok"
            print(f"{ok} {i} - {name} ({took:.1f} s)" + (f" # SKIP {skip}" if skip else ""))
            if failure:
                n_failed += 1
                print("".join(f"# {line}\n" for line in failure.splitlines()), end="")
            sys.stdout.flush()
    sys.exit(1 if n_failed else 0)
