# SPDX-License-Identifier: ISC
"""Real migration tools in front of a gate: what every one of them has to go through.

A test file has a class for its tool, and `cases(Class)` makes the test functions:

    class Goose(Tool):
        fmt = "goose"
        def write(self, n, up, down): ...
        def up(self): return self.tool("goose", "up")

The tools come from contrib/deps (deps_real_tools) and stay in the user's cache. A file whose
tool is missing is skipped, with the reason."""
import json
import os
import re
import shlex
import shutil

import proc
import wire
from gate import POLICY
from harness import Skip

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "ddlgate")

# Rolling back drops things; that is not what these tests are about.
TOOL_POLICY = POLICY + """
[check drop-table]
action = allow

[check drop-column]
action = allow

# Django's way to drop a column.
[check drop-cascade]
action = allow

# Honest tools record what they run, where their row stands in the same transaction.
[check migration-complete]

[access 10 may look]
role = reader
class = ddl, code, dcl
action = reject

[access 20 whoever repairs]
role = restore
action = allow
unmigrated = allow
checks = off
"""

BODY = """CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  -- a comment; with a semicolon
  NEW.email := coalesce(NEW.email, 'none; yet');
  RETURN NEW;
END
$body$"""

# What the migrations do, one statement each, and how it is undone.
STEPS = {
    1: ("CREATE TABLE users (id bigint PRIMARY KEY, email text)", "DROP TABLE users"),
    2: (BODY, "DROP FUNCTION touch()"),
    3: ("ALTER TABLE users ADD COLUMN nick text", "ALTER TABLE users DROP COLUMN nick"),
    4: ("CREATE TABLE later (id bigint PRIMARY KEY)", "DROP TABLE later"),
}


def cached(name, *parts):
    path = os.path.join(CACHE, "tools-" + name, *parts)
    if not os.path.exists(path):
        raise Skip(f"{os.path.basename(path)} is not in {os.path.dirname(path)}; "
                   "contrib/test --suite tools gets it")
    return path


class Tool:
    """A database, a folder of migrations, a gate that knows them, a tool that runs them
    through the gate."""
    fmt = None
    folder = "migrations"     # of the files that the tool reads, below the gate's folder
    table = None              # history table, as SQL
    versions = {}             # n -> what the table holds
    version_column = "version"
    has_down = True
    has_checksum = False      # the history tells an edited file
    late = "runs"             # what the tool does with a late migration: runs, ignored, refused
    # A row for migration 4 that nobody ran.
    forged = None
    user = "app"

    def __init__(self, t, steps=(1, 2, 3), **kw):
        self.t, self.db = t, t.db()
        kw.setdefault("policy", TOOL_POLICY)
        self.gate = t.new_gate(migrations={}, fmt=self.fmt, **kw)
        self.prepare()
        for n in steps:
            self.write(n, *STEPS[n])
        self.gate.start()

    # --- for the tool's own class ------------------------------------------------------

    def prepare(self):
        """Files that the tool wants beside the migrations."""

    def write(self, n, up, down):
        raise NotImplementedError

    def up(self):
        raise NotImplementedError

    def down(self):
        raise NotImplementedError

    def pending(self):
        """Numbers of the migrations that the tool itself calls pending; None: it can't say."""
        return None

    # --- helpers ----------------------------------------------------------------------

    def numbers_in(self, r, pattern):
        """Of the versions that fit the pattern with %s for the version, in what r printed."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.ok(r).out + r.err)
        return [n for n in sorted(self.versions)
                if re.search(pattern % re.escape(str(self.versions[n])), text, re.M)]

    @property
    def port(self):
        return self.gate.port

    def url(self, scheme="postgres", options="?sslmode=disable"):
        return f"{scheme}://{self.user}@127.0.0.1:{self.port}/{self.db}{options}"

    def tool(self, *argv, **env):
        env.setdefault("PGHOST", "127.0.0.1")
        env.setdefault("PGPORT", str(self.port))
        env.setdefault("PGUSER", self.user)
        env.setdefault("PGDATABASE", self.db)
        env.setdefault("DATABASE_URL", self.url())
        env = proc.environment(**env)
        for name in "PGSYSCONFDIR", "PGPASSFILE":
            env.pop(name)  # lib/pq panics when it sees the first
        return proc.run(list(argv), env=env, cwd=self.gate.folder, timeout=80)

    def file(self, name, text):
        path = self.gate.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.gate.write(name, text)

    def add(self, *numbers):
        """Files that the running gate has to notice."""
        for n in numbers:
            self.write(n, *STEPS[n])
        self.reload()

    def add_behind_its_back(self, n):
        """A file that the tool has and the gate has not."""
        with open(self.gate.config) as f:
            text = f.read()
        shutil.copytree(self.gate.path("migrations"), self.gate.path("reviewed"))
        self.gate.write("ddlgate.ini", text.replace("path = migrations", "path = reviewed"))
        self.reload()
        self.write(n, *STEPS[n])

    def reload(self):
        self.t.contains(self.gate.reload(), "reloaded")

    def ok(self, r):
        self.t.eq(r.status, 0, r.out + r.err + "\n" + self.gate.text()[-1500:])
        return r

    def fails(self, r, *parts):
        assert r.status != 0, r.out + r.err
        self.t.contains(r.out + r.err, *parts)
        return r.out + r.err

    def columns(self):
        return self.t.columns(self.db, "users")

    def rows(self):
        return [r[0] for r in self.t.cluster.sql(
            f"SELECT {self.version_column} FROM {self.table} ORDER BY 1", self.db)]

    def holds(self, *numbers):
        """Does the history say that just these are applied?"""
        self.t.eq(sorted(self.rows()), sorted(str(self.versions[n]) for n in numbers), "history")

    def status(self):
        """The states that the gate sees."""
        r = proc.run([proc.BINARY, "status", "-c", self.gate.config, "-d", self.db,
                      "--format", "json"])
        return [s["state"] for s in json.loads(r.out)]

    def refused(self, sql, **kw):
        """42501: policy says no; 55000: a rollback whose turn it is not."""
        answer = self.t.keep(self.gate.wire(self.db, **kw)).query(sql)
        assert answer.error and answer.error["M"].startswith("ddlgate: "), (sql, answer)
        assert answer.error["C"] in ("42501", "55000"), (sql, answer)


class Folder:
    """What a tool's class needs of a gate while nothing but its files is wanted."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)


class LockTool(Tool):
    """A tool without SQL files: `ddlgate record` writes what it runs on a scratch database
    into a lockfile, which is all that the gate knows."""
    tool_format = None
    wanted = None             # instead of running a command: here is how

    def __init__(self, t, steps=(1, 2, 3), **kw):
        self.t = t
        kw.setdefault("policy", TOOL_POLICY)
        self.gate = t.new_gate(**kw, extra="\n[migrations m]\ndatabases = *\n"
                               "format = lockfile\npath = ddlgate.lock\n")
        self.prepare()
        self.db, self.steps = t.db(), set()
        for n in steps:
            self.write(n, *STEPS[n])
        self.lock(*steps)
        self.gate.start()

    @property
    def port(self):
        return self.gate.port if self.wanted is None else "{port}"

    def url(self, *args, **kw):
        return super().url(*args, **kw) if self.wanted is None else "{url}"

    def tool(self, *argv, **env):
        if self.wanted is None:
            return super().tool(*argv, **env)
        self.wanted.append((argv, env))
        return proc.Run("", "", 0)

    def rows(self):
        """While commands are collected: what would be there after them."""
        if self.wanted is None:
            return super().rows()
        steps = sorted(self.steps)
        return [self.versions[n] for n in steps[:len(steps) + 1 - len(self.wanted)]]

    def down_all(self):
        """Rolls all steps back; a tool that starts slowly may know how to do it at once."""
        for _ in self.steps:
            self.down()

    def commands(self):
        """The command that applies all steps, and those that roll them back."""
        self.wanted = []
        self.up()
        if self.has_down:
            self.down_all()
        wanted, self.wanted = self.wanted, None
        return wanted[0], wanted[1:]

    def record(self, *options):
        """Of the steps' files, as they are meant, in a folder of their own."""
        gate, self.gate = self.gate, Folder(self.gate.path(f"record-{len(self.steps)}"))
        try:
            self.prepare()
            for n in sorted(self.steps):
                self.write(n, *STEPS[n])
            (up, env), downs = self.commands()
            if downs:
                options += ("--down", " && ".join(shlex.join(argv) for argv, _ in downs))
            options += ("--server", f"host=127.0.0.1 port={self.t.cluster.port} user=postgres")
            r = proc.run([proc.BINARY, "record", *options, "--", *up],
                         env=proc.environment(**env), cwd=self.gate.folder, timeout=240)
            assert r.status == 0, r
            with open(self.gate.path("ddlgate.lock")) as f:
                return f.read()
        finally:
            shutil.rmtree(self.gate.folder)
            self.gate = gate

    def lock(self, *steps):
        """Adds these to the lockfile, in the order of their numbers. A lockfile of the same
        steps is the same for all cases of a file."""
        self.steps |= set(steps)
        made = type(self).__dict__.get("made")
        if made is None:
            made = type(self).made = {}
        key = tuple(sorted(self.steps))
        if key not in made:
            made[key] = self.record()
        self.gate.write("ddlgate.lock", made[key])

    def add(self, *numbers):
        for n in numbers:
            self.write(n, *STEPS[n])
        self.lock(*numbers)
        self.reload()

    def add_behind_its_back(self, n):
        self.write(n, *STEPS[n])


def link_modules(folder, name="node"):
    """node finds its modules in a folder above the script."""
    os.symlink(cached(name, "node_modules"), os.path.join(folder, "node_modules"))


# --- the cases ---------------------------------------------------------------------------

def three_are_applied_and_again_none(make, t):
    p = make(t)
    p.ok(p.up())
    t.eq(p.columns(), ["id", "email", "nick"])
    p.holds(1, 2, 3)
    t.eq(p.status(), ["applied"] * 3)
    before = len(p.gate.audit(event_action="ddl.decision"))
    p.ok(p.up())
    p.holds(1, 2, 3)
    t.eq(len(p.gate.audit(event_action="ddl.decision")), before, "refusals")
    p.add(4)
    t.eq(p.status(), ["applied"] * 3 + ["pending"])
    assert p.pending() in (None, [4]), p.pending()
    p.ok(p.up())
    assert t.has_table(p.db, "later")
    t.eq(p.status(), ["applied"] * 4)


def a_hand_typed_statement_is_refused(make, t):
    p = make(t)
    p.ok(p.up())
    for sql in ("ALTER TABLE users ADD COLUMN phone text", "DROP TABLE users",
                STEPS[3][0], f"DELETE FROM {p.table}", f"TRUNCATE {p.table}",
                f"DROP TABLE {p.table}", f"ALTER TABLE {p.table} ADD COLUMN x int"):
        if sql.startswith("TRUNCATE") and p.fmt == "golang-migrate":
            continue  # that is how it writes its row
        p.refused(sql)
    p.add(4)
    if p.forged:
        p.refused(p.forged)
    w = t.keep(p.gate.wire(p.db))
    answer = w.send(wire.query(f"COPY {p.table} FROM STDIN")).until("GZ")
    if answer.msgs[-1].kind == "G":  # what counts are the rows
        answer = w.send(wire.message("d", b"x\n"), wire.message("c")).until()
    t.refused(answer)
    t.eq(p.columns(), ["id", "email", "nick"])
    p.holds(1, 2, 3)


def an_edited_applied_migration_is_refused(make, t):
    p = make(t)
    p.ok(p.up())
    p.write(1, "CREATE TABLE users (id bigint PRIMARY KEY, email varchar)", STEPS[1][1])
    p.add(4)
    r = p.up()
    if p.has_checksum:
        assert r.status != 0, r.out + r.err
        assert not t.has_table(p.db, "later")
        p.holds(1, 2, 3)
    # With or without a checksum: what the edited file says does not run any more.
    p.refused("CREATE TABLE users (id bigint PRIMARY KEY, email varchar)")


def a_late_migration_is_refused(make, t):
    if not make.late:
        raise Skip("the tool wants numbers without a gap")
    p = make(t, steps=(1, 3))
    p.ok(p.up())
    p.add(2)
    r = p.up()
    if p.late == "runs":
        t.contains(p.fails(r), "ddlgate")
    functions = t.cluster.value("SELECT count(*) FROM pg_proc WHERE proname = 'touch'", p.db)
    t.eq(functions, "0", "the late migration ran")
    p.holds(1, 3)


def rollbacks_run_newest_first(make, t):
    p = make(t)
    p.ok(p.up())
    p.refused(STEPS[2][1])
    p.ok(p.down())
    t.eq(p.columns(), ["id", "email"])
    p.holds(1, 2)
    p.refused(STEPS[3][1])
    p.ok(p.down())
    p.holds(1)
    p.ok(p.up())
    p.holds(1, 2, 3)
    t.eq(p.columns(), ["id", "email", "nick"])


def a_file_that_the_gate_does_not_have_is_refused(make, t):
    p = make(t)
    p.ok(p.up())
    p.add_behind_its_back(4)
    text = p.fails(p.up())
    t.contains(text, "ddlgate")
    assert not t.has_table(p.db, "later")


def who_may_not_change_the_schema_may_not_run_it(make, t):
    p = make(t)
    t.cluster.sql("DO $$BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN"
                  " NULL; END$$", p.db)
    t.cluster.sql("GRANT ALL ON SCHEMA public TO reader; GRANT CREATE ON DATABASE "
                  f"{p.db} TO reader", p.db)
    p.user = "reader"
    p.fails(p.up(), "ddlgate")
    assert not t.has_table(p.db, "users")


def cases(make, *more):
    """The test functions for a tool, to be put into the file's globals()."""
    functions = [three_are_applied_and_again_none, a_hand_typed_statement_is_refused,
                 an_edited_applied_migration_is_refused, a_late_migration_is_refused,
                 a_file_that_the_gate_does_not_have_is_refused,
                 who_may_not_change_the_schema_may_not_run_it]
    functions += [rollbacks_run_newest_first] if make.has_down else []
    prefix = re.sub(r"[^a-z0-9]+", "_", (make.__name__).lower())
    result = {}
    for f in functions + list(more):
        def case(t, f=f):
            f(make, t)
        result[f"test_{prefix}_{f.__name__}"] = case
    return result
