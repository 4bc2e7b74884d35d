# SPDX-License-Identifier: ISC
"""unmigrated = capture: changes made by hand, the files they become, schemas to compare."""
import os

import pg
import proc

CAPTURE = """\
[policy]
environment = development
unmigrated = capture
"""

BODY = """CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  -- a comment; with a semicolon
  NEW.note := coalesce(NEW.note, 'none; yet');
  RETURN NEW;
END
$body$"""
ARGUMENTS = """CREATE FUNCTION f(a int DEFAULT length('a,b'), /* , */ INOUT "B" numeric(10,2) = 2,
  VARIADIC c text[] DEFAULT '{}') LANGUAGE sql AS 'SELECT $2; ; SELECT $2'"""

# Transactions, each a list of statements; the last one can't run in a transaction block.
WORK = [
    ["CREATE TABLE orders (id bigint PRIMARY KEY, note text)",
     "CREATE INDEX orders_note ON orders (note)"],
    [BODY],
    [ARGUMENTS, "CREATE TRIGGER t BEFORE INSERT ON orders EXECUTE FUNCTION touch()"],
    ["ALTER TABLE orders ADD COLUMN state text, ADD CONSTRAINT state_known CHECK (state <> '')",
     "ALTER TABLE orders ALTER state SET NOT NULL"],
    ["CREATE TYPE mood AS ENUM ('fine', 'it''s ok')", "CREATE SEQUENCE numbers"],
    ['CREATE VIEW "Odd Name" AS SELECT id AS "user" FROM orders'],
    ["ALTER TABLE orders RENAME COLUMN note TO \"order\""],
    ["CREATE SCHEMA billing", "CREATE TABLE billing.invoices (id int REFERENCES orders (id))"],
]
LATE = "CREATE INDEX CONCURRENTLY orders_state ON orders (state)"


def names(gate):
    found = []
    for folder, _, files in os.walk(gate.path("migrations")):
        found += [os.path.relpath(os.path.join(folder, f), gate.path("migrations")) for f in files]
    return sorted(found)


def read(gate, name):
    with open(gate.path("migrations/" + name)) as f:
        return f.read()


def wait_for_files(gate, n):
    return proc.wait_for(f"{n} files", lambda: len(names(gate)) >= n and names(gate))


def captured(gate, n):
    """The names of the first n captured files, from the audit."""
    return [r["ddlgate.migration.file"] for r in
            gate.wait_audit(n, event_action="migration.captured", event_code="DG61I")]


def dump(t, db, *more):
    """The schema as pg_dump writes it, without what differs from run to run."""
    r = proc.run([os.path.join(pg.bindir(), "pg_dump"), "-h", "127.0.0.1", "-p",
                  str(t.cluster.port), "-U", "postgres", "--schema-only", *more, db])
    t.eq(r.status, 0, r.err)
    return "\n".join(l for l in r.out.splitlines() if l and not l.startswith(("--", "\\")))


def work(gate, db, transactions):
    """Runs the transactions through the gate."""
    w = gate.wire(db)
    for statements in transactions:
        if len(statements) > 1:
            w.query("BEGIN").must()
        for s in statements:
            w.query(s).must()
        if len(statements) > 1:
            w.query("COMMIT").must()
    w.close()
