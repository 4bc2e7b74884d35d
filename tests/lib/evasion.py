# SPDX-License-Identifier: ISC
"""What tests/e2e/ddl_evasion and ddl_evasion_wire share: the texts of tests/data/evasion, a
database that they work on, and what they change in its catalogue with and without a gate."""
import codecs
import os
import re

import proc
import wire
from wire import Closed, Wire

DATA = os.path.join(proc.TOP, "tests/data/evasion")
OPTIONS = {"su", "same", "fails", "simple", "escaped", "own", "passes"}

with open(os.path.join(proc.TOP, "policies/staging.ini")) as f:
    STAGING = f.read()

# --- texts -------------------------------------------------------------------------------


class Case:
    def __init__(self, file, line, paragraph):
        self.name, self.options, self.why = f"{file}:{line}", set(), ""
        messages = [[]]
        for l in paragraph:
            if l.startswith("--:"):
                self._option(l[3:].split())
            elif l == "--;":
                messages.append([])
            elif not l.startswith("--#"):
                messages[-1].append(l)
        self.texts = ["\n".join(m) for m in messages]
        if "escaped" in self.options:
            self.texts = [codecs.decode(m, "unicode_escape") for m in self.texts]
        self.user = "postgres" if "su" in self.options else "app"

    def _option(self, words):
        for i, w in enumerate(words):
            if w not in OPTIONS:
                raise ValueError(f"{self.name}: unknown option {w}")
            self.options.add(w)
            if w == "passes":
                self.why = " ".join(words[i + 1:])
                return

    def __repr__(self):
        return f"{self.name} {' ;; '.join(self.texts)[:150]!r}"


def read_cases(file):
    """The paragraphs of a file that hold more than remarks."""
    found, paragraph, start = [], [], 0
    with open(os.path.join(DATA, file), newline="\n") as f:
        for number, l in enumerate([*f.read().split("\n"), ""], 1):
            if l:
                start = start if paragraph else number
                paragraph.append(l)
                continue
            if any(not p.startswith(("--:", "--#")) for p in paragraph):
                found.append(Case(file, start, paragraph))
            paragraph = []
    return found


# --- what the catalogue holds ------------------------------------------------------------

# Catalogue, rows that count, columns that change by themselves.
USER = "oid >= 16384"
NO_TEMP = "n NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%temp%')"
CATALOGUES = [
    ("pg_class", USER + " AND relpersistence <> 't' AND relkind <> 't'",
     "relpages reltuples relallvisible relfrozenxid relminmxid relfilenode reltoastrelid"),
    ("pg_attribute", "attrelid >= 16384 AND attrelid NOT IN (SELECT oid FROM pg_class WHERE"
     " relpersistence = 't' OR relkind = 't')", ""),
    ("pg_attrdef", "adrelid NOT IN (SELECT oid FROM pg_class WHERE relpersistence = 't')", ""),
    ("pg_constraint", USER + " AND conrelid NOT IN (SELECT oid FROM pg_class WHERE"
     " relpersistence = 't')", ""),
    ("pg_index", "indexrelid >= 16384 AND indrelid NOT IN (SELECT oid FROM pg_class WHERE"
     " relpersistence = 't' OR relkind = 't')", "indcheckxmin"),
    ("pg_type", USER + " AND " + NO_TEMP.replace("n NOT", "typnamespace NOT"), ""),
    ("pg_proc", USER + " AND " + NO_TEMP.replace("n NOT", "pronamespace NOT"), ""),
    ("pg_namespace", "nspname NOT LIKE 'pg\\_%temp%'", ""),
    ("pg_description", "objoid >= 16384 OR classoid = 'pg_namespace'::regclass", ""),
    ("pg_inherits", "true", ""), ("pg_partitioned_table", "true", ""),
    ("pg_sequence", "seqrelid NOT IN (SELECT oid FROM pg_class WHERE relpersistence = 't')", ""),
    ("pg_enum", "true", ""), ("pg_range", "rngtypid >= 16384", ""),
    ("pg_trigger", "true", ""), ("pg_rewrite", "ev_class >= 16384 AND ev_class NOT IN"
     " (SELECT oid FROM pg_class WHERE relpersistence = 't')", ""),
    ("pg_policy", "true", ""), ("pg_statistic_ext", "true", ""), ("pg_extension", "true", ""),
    ("pg_collation", USER, ""), ("pg_conversion", USER, ""), ("pg_cast", USER, ""),
    ("pg_operator", USER, ""), ("pg_opclass", USER, ""), ("pg_opfamily", USER, ""),
    ("pg_amop", USER, ""), ("pg_amproc", USER, ""), ("pg_am", "true", ""),
    ("pg_aggregate", "aggfnoid::oid >= 16384", ""), ("pg_language", "true", ""),
    ("pg_ts_config", USER, ""), ("pg_ts_config_map", "mapcfg >= 16384", ""),
    ("pg_ts_dict", USER, ""), ("pg_ts_parser", USER, ""), ("pg_ts_template", USER, ""),
    ("pg_publication", "true", ""), ("pg_publication_rel", "true", ""),
    ("pg_publication_namespace", "true", ""), ("pg_event_trigger", "true", ""),
    ("pg_foreign_data_wrapper", "true", ""), ("pg_foreign_server", "true", ""),
    ("pg_foreign_table", "true", ""), ("pg_user_mapping", "true", ""),
    ("pg_transform", "true", ""), ("pg_default_acl", "true", ""), ("pg_seclabel", "true", ""),
    ("pg_database", "datname = current_database()", "datfrozenxid datminmxid"),
]
HISTORY_TABLES = ["public.schema_migrations", "ev_sch.schema_migrations"]


def fingerprint_function():
    """ev_admin.fp(): a line for each catalogue and history table with a hash of its rows."""
    parts = []
    for name, where, but in CATALOGUES:
        minus = " - '{" + but.replace(" ", ",") + "}'::text[]" if but else ""
        parts.append(f"SELECT '{name} ' || md5(coalesce(string_agg((to_jsonb(t){minus})::text,"
                     f" '' ORDER BY (to_jsonb(t){minus})::text), '')) AS line"
                     f" FROM pg_catalog.{name} t WHERE {where}")
    history = "".join(
        f"IF to_regclass('{h}') IS NOT NULL THEN EXECUTE 'SELECT count(*) || md5(string_agg(h::text,"
        f" '''' ORDER BY h::text)) FROM {h} h' INTO one; RETURN NEXT '{h} ' || coalesce(one, '');"
        " END IF;\n" for h in HISTORY_TABLES)
    return ("CREATE SCHEMA ev_admin; GRANT USAGE ON SCHEMA ev_admin TO PUBLIC;"
            "CREATE FUNCTION ev_admin.fp() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp AS $fp$ DECLARE one text; BEGIN\n"
            + "".join(f"RETURN QUERY {p};\n" for p in parts) + history + "END $fp$")


def send(w, text, extended):
    """Sends one text; COPY from the client gets a row."""
    reads = re.search("(?i)from stdin", text)
    if extended:
        # While the server reads copy data it ignores a Sync: that comes after the data.
        w.send(wire.extended(text), wire.FLUSH if reads else wire.SYNC)
    else:
        w.send(wire.query(text))
    a = w.until("ZGE" if reads else "Z")
    if a.msgs[-1].kind == "E":
        return wire.Answer(a.msgs + w.send(wire.SYNC if extended else b"").until().msgs)
    if a.msgs[-1].kind == "G":
        w.send(wire.message("d", b"99\tx\n"), wire.message("c"),
               wire.SYNC if extended else b"")
        a = wire.Answer(a.msgs + w.until().msgs)
    return a


class Lab:
    """A template with the cases' objects; copies of it, with and without a gate."""

    def __init__(self, t):
        self.t, self.c = t, t.cluster
        self.template = t.db()
        with open(os.path.join(DATA, "setup.sql")) as f:
            self.c.sql(f.read(), self.template, "app")
        with open(os.path.join(DATA, "setup_su.sql")) as f:
            self.c.sql(f.read(), self.template)
        self.c.sql(fingerprint_function(), self.template)
        self.n_copies, self.sessions = 0, {}

    def copy(self):
        self.n_copies += 1
        name = f"{self.template}_{self.n_copies}"
        self.c.sql(f"CREATE DATABASE {name} OWNER app TEMPLATE {self.template}")
        self.t.stack.callback(
            lambda: self.c.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        return name

    def fp(self, db):
        """The catalogue's state, asked from outside."""
        w = self.sessions.get(db)
        if not w:
            w = self.sessions[db] = self.t.direct(db, "postgres")
        return [r[0] for r in w.query("SELECT * FROM ev_admin.fp()").must().rows]


def changed(before, after):
    return sorted({l.split()[0] for l in set(before) ^ set(after)})


class Proof:
    """Runs texts without a gate and says what they change."""

    def __init__(self, lab):
        self.lab, self.db = lab, lab.copy()
        self.before = lab.fp(self.db)

    def run(self, case, extended=False):
        """(changed catalogues, first error's SQLSTATE or None)."""
        what, code, is_over = ([], None, True) if "own" in case.options \
            else self._attempt(case, extended, "BEGIN")
        if is_over or code == "25001":
            self._renew()
            what, code, _ = self._attempt(case, extended, None)
            self._renew()
        return what, code

    def _attempt(self, case, extended, begin):
        code, is_over = None, False
        with Wire(self.lab.c.port).startup(case.user, self.db) as w:
            if begin:
                w.query(begin).must()
            for text in case.texts:
                a = send(w, text, extended)
                code = code or (a.error and a.error["C"])
                is_over |= begin is not None and a.status == "I"
            if is_over or not begin:
                return changed(self.before, self.lab.fp(self.db)), code, is_over
            a = w.query("SELECT * FROM ev_admin.fp()")
            after = [r[0] for r in a.rows] if not a.error else self.before
            w.query("ROLLBACK")
        return changed(self.before, after), code, is_over

    def _renew(self):
        if self.lab.fp(self.db) != self.before:
            self.db = self.lab.copy()
            self.before = self.lab.fp(self.db)


class Guarded:
    """Runs texts through a gate and says what became of them."""

    def __init__(self, lab, policy=STAGING, **kw):
        self.lab, self.t, self.db = lab, lab.t, lab.copy()
        self.gate = self.t.gate(policy=policy, migrations={}, **kw)
        self.before = lab.fp(self.db)
        self.sessions = {}

    def run(self, case, extended=False):
        """(is refused by the gate, changed catalogues, errors)."""
        errors = []
        is_alone = len(case.texts) == 1
        w = self.sessions.get(case.user) if is_alone else None
        if not w:
            w = self.t.keep(self.gate.wire(self.db, case.user))
        try:
            for text in case.texts:
                a = send(w, text, extended)
                errors += a.errors
            if a.status != "I":
                w.query("ROLLBACK")
        except Closed:
            errors.append({"C": "", "M": "closed"})
            w = None
        if is_alone:
            self.sessions[case.user] = w
        elif w:
            w.close()
        what = changed(self.before, self.lab.fp(self.db))
        if what:
            self.db = self.lab.copy()
            self.before = self.lab.fp(self.db)
            self.sessions = {}
        return any(e["M"].startswith("ddlgate: ") for e in errors), what, errors
