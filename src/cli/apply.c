// SPDX-License-Identifier: ISC
/* One migration on one connection, with one that looks on. */
#include "cli/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clk.h"
#include "base/mem.h"
#include "control/control.h"
#include "history/psql.h"

#define STATEMENT_LIMIT_MS 600000
#define MAX_SQL            ((size_t)64 << 10)
#define MAX_ROLES          100 /* made for one migration */

void
apply_result_deinit(struct apply_result *r)
{
    arena_free(r->arena);
    *r = (struct apply_result){ .arena = NULL };
}

/* --- the one that looks on -------------------------------------------------------------- */

/* In the order of strictness (manual, 13.3.1). */
static const char *const modes[] = { "", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE",
    "ACCESS EXCLUSIVE" };

/* "AccessShareLock" of pg_locks is "ACCESS SHARE" without blanks, without case. */
static unsigned
mode_of(const char *lock)
{
    for (unsigned i = 1; i < DG_ARRAY_SIZE(modes); i++) {
        const char *a = modes[i], *b = lock;
        for (; *a; a++) {
            if (*a != ' ' && ascii_lower(*a) != ascii_lower(*b++))
                break;
        }
        if (!*a && strcmp(b, "Lock") == 0)
            return i;
    }
    return 0;
}

struct table {
    int64_t oid, filenode;
    const char *name; /* "public.orders", of the result's arena */
    const char *bare;
    unsigned mode; /* index of modes; 0: not locked */
};

struct watch {
    struct ctl_link *link; /* owned */
    struct table *tables;  /* owned; by oid */
    size_t n;
    int pid;
};

static void
watch_deinit_p(struct watch *w)
{
    ctl_link_free(w->link);
    mem_free(w->tables);
}

static int64_t
number(const char *s)
{
    int64_t n = 0;

    return s && str_int64(str_of(s), 0, INT64_MAX, &n) == 0 ? n : 0;
}

static int
read_tables(struct watch *w, const struct hist_set *set, const struct dg_rows **rows,
    struct err *err)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);

    buf_puts(&sql,
        "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname,"
        " pg_catalog.pg_relation_filenode(c.oid)"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
        " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm')"
        " AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
        " AND n.nspname <> 'information_schema' AND NOT ");
    hist_put_own_tables(set, &sql);
    buf_puts(&sql, " ORDER BY c.oid");
    return ctl_link_run(w->link, buf_cstr(&sql), rows, err);
}

static int
watch_open(
    struct watch *w, const struct apply_place *at, struct arena *a, struct err *err)
{
    const struct dg_rows *rows = NULL;
    int r = ctl_link_open(at->conninfo, STATEMENT_LIMIT_MS, &w->link, err);

    if (!r)
        r = read_tables(w, at->set, &rows, err);
    if (r)
        return r;
    w->n = rows->n_rows;
    w->tables = mem_array(w->n + 1, sizeof(*w->tables));
    for (size_t i = 0; i < w->n; i++)
        w->tables[i] = (struct table){ .oid = number(dg_cell(rows, i, 0)),
            .name = arena_strdup(a, dg_cell(rows, i, 1)),
            .bare = arena_strdup(a, dg_cell(rows, i, 2)),
            .filenode = number(dg_cell(rows, i, 3)) };
    return 0;
}

static struct table *
find_table(const struct watch *w, int64_t oid)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (w->tables[mid].oid < oid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < w->n && w->tables[low].oid == oid ? &w->tables[low] : NULL;
}

/* What is locked right now. A look that fails shows nothing more. */
static void
look(void *ctx)
{
    struct watch *w = ctx;
    const struct dg_rows *rows = NULL;
    char sql[256];

    snprintf(sql, sizeof(sql),
        "SELECT relation, mode FROM pg_catalog.pg_locks WHERE pid = %d AND granted"
        " AND locktype = 'relation'",
        w->pid);
    if (!w->n || ctl_link_run(w->link, sql, &rows, NULL) != 0)
        return;
    for (size_t i = 0; i < rows->n_rows; i++) {
        struct table *t = find_table(w, number(dg_cell(rows, i, 0)));
        unsigned mode = t ? mode_of(dg_cell(rows, i, 1)) : 0;
        if (t && mode > t->mode)
            t->mode = mode;
    }
}

/* --- a migration under way --------------------------------------------------------------- */

struct run {
    const struct apply_place *at;
    const struct hist_migration *m;
    struct ctl_link *link; /* owned */
    struct watch watch;
    struct apply_result *out;
    enum hist_run how;
    bool has_own_tx; /* we have begun it, and nothing has ended it */
    struct ctl_outcome last;
    bool tells_place;  /* the error in it names file and line itself */
    int64_t safe_rows; /* rows at the last point to which a retry goes back */
};

static int
step(struct run *r, const char *sql, struct str copy, void (*idle)(void *ctx))
{
    int64_t start = clk_real.mono_us(&clk_real);
    int ret = ctl_link_step(r->link, sql, copy, idle, &r->watch, &r->last);

    r->out->us += clk_real.mono_us(&clk_real) - start;
    r->out->n_rows += r->last.n_rows;
    return ret;
}

static int
command(struct run *r, const char *sql)
{
    return step(r, sql, STR(""), NULL);
}

static const struct sql_facts *
facts_of(const struct hist_migration *m, size_t stmt)
{
    for (size_t i = 0; i < m->tree->n; i++) {
        if (m->tree->facts[i].stmt == stmt && m->tree->facts[i].parent < 0)
            return &m->tree->facts[i];
    }
    return NULL;
}

static bool
ends_transaction(const struct sql_facts *f)
{
    return f
        && (f->tx == SQL_TX_COMMIT || f->tx == SQL_TX_ROLLBACK
            || f->tx == SQL_TX_PREPARE);
}

/* Would a transaction around it alone make no difference? Code may end transactions. */
static bool
may_be_wrapped(const struct sql_facts *f)
{
    return f && f->tx == SQL_TX_NONE && !(f->flags & (SQL_F_NO_TX | SQL_F_UNPARSABLE))
        && strcmp(f->tag, "DO") != 0
        && strcmp(f->tag, "CALL") != 0
        /* outside of a transaction the server refuses them */
        && strcmp(f->tag, "LOCK TABLE") != 0 && strcmp(f->tag, "DECLARE CURSOR") != 0;
}

static bool
reads_stdin(const struct sql_stmt *s, const char *text)
{
    struct sql_lexer lx;
    struct sql_token tok;

    if (strcmp(s->first[0], "COPY") != 0)
        return false;
    sql_lex_init(&lx, text, s->len, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.kind == SQL_T_WORD
            && str_ieqz((struct str){ text + tok.start, tok.len }, "stdin"))
            return true;
    }
    return false;
}

static int
run_statement(struct run *r, size_t stmt)
{
    const struct sql_stmt *s = &r->m->scan.stmts[stmt];
    const struct sql_facts *f = facts_of(r->m, stmt);
    AUTO(mem_free) char *sql = mem_strndup(r->m->text + s->start, s->len);
    AUTO(mem_free) char *data = NULL;
    struct err why = { "" };
    struct str copy = { NULL, 0 };

    if (reads_stdin(s, sql)) {
        if (hist_copy_data(r->m, stmt, &data, &copy.n, &why) != 0) {
            r->last = (struct ctl_outcome){ .position = 0 };
            snprintf(r->last.error, sizeof(r->last.error), "%s", why.text);
            r->tells_place = true;
            return -EINVAL;
        }
        copy.p = data;
    }
    bool is_open = ctl_link_in_tx(r->link);
    if (is_open && ends_transaction(f))
        look(&r->watch);
    if (is_open || !may_be_wrapped(f))
        return step(r, sql, copy, is_open ? NULL : look);
    int ret = command(r, "BEGIN");
    if (!ret)
        ret = step(r, sql, copy, NULL);
    if (!ret)
        look(&r->watch);
    return ret ? ret : command(r, "COMMIT");
}

/* --- errors ------------------------------------------------------------------------------- */

/* The line of a position, which counts characters of the statement. */
static int
line_of(const struct hist_migration *m, size_t stmt, int position)
{
    const struct sql_stmt *s = &m->scan.stmts[stmt];
    const char *p = m->text + s->start, *end = p + s->len;
    int line = s->line;

    for (; position > 1 && p < end; position--) {
        size_t n = str_utf8_len(p, (size_t)(end - p));
        line += *p == '\n';
        p += n ? n : 1;
    }
    return line;
}

/* The name in `role "app" does not exist`; owned by the arena. NULL: another error. */
static const char *
missing_role(struct run *r)
{
    static const char head[] = "role \"";
    const char *end = strrchr(r->last.error, '"');
    const char *from = r->last.error + sizeof(head) - 1;

    if (strcmp(r->last.sqlstate, "42704") != 0 || !str_prefix(r->last.error, head)
        || end <= from)
        return NULL;
    return arena_strndup(r->out->arena, from, (size_t)(end - from));
}

/* psql may have run it from another file. */
static const char *
file_of(const struct hist_migration *m, size_t stmt)
{
    return m->sent && stmt < m->scan.n
        ? hist_sent_file(m->sent, m->scan.stmts[stmt].start)
        : m->path;
}

static void
tell(struct run *r, size_t stmt, const char *what)
{
    const struct ctl_outcome *o = &r->last;
    struct apply_result *out = r->out;
    bool has_code = !what && o->sqlstate[0];

    out->is_ok = false;
    out->line = stmt < r->m->scan.n ? line_of(r->m, stmt, what ? 0 : o->position) : 1;
    if (!what && r->tells_place) {
        err_set(&out->err, 0, "%s", o->error); /* tells file and line itself */
        return;
    }
    err_set(&out->err, 0, "%s:%d: %s%s%s%s", file_of(r->m, stmt), out->line,
        what ? what : o->error, has_code ? " (" : "", has_code ? o->sqlstate : "",
        has_code ? ")" : "");
    if (!what) {
        out->detail = arena_strdup(out->arena, o->detail);
        out->hint = missing_role(r) && !o->hint
            ? "this server is somebody's, so no role is made on it; make it there"
            : arena_strdup(out->arena, o->hint);
    }
}

void
apply_put_ident(struct buf *out, const char *name)
{
    buf_puts(out, "\"");
    for (; *name; name++) {
        if (*name == '"')
            buf_puts(out, "\"");
        buf_put(out, name, 1);
    }
    buf_puts(out, "\"");
}

static bool
make_role(struct run *r)
{
    struct apply_result *out = r->out;
    const char *name = r->at->is_private && out->n_roles < MAX_ROLES ? missing_role(r)
                                                                     : NULL;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);

    if (!name)
        return false;
    buf_puts(&sql, "CREATE ROLE ");
    apply_put_ident(&sql, name);
    if (ctl_link_run(r->watch.link, buf_cstr(&sql), NULL, NULL) != 0)
        return false;
    if (!out->roles)
        out->roles = arena_alloc(out->arena, MAX_ROLES * sizeof(*out->roles));
    out->roles[out->n_roles++] = name;
    return true;
}

/* --- all of it ---------------------------------------------------------------------------- */

/* Back to where nothing is half done. */
static bool
go_back(struct run *r)
{
    int ret = ctl_link_in_tx(r->link) ? command(r, "ROLLBACK") : 0;

    if (!ret && r->has_own_tx)
        ret = command(r, "BEGIN");
    r->out->n_rows = r->safe_rows;
    return ret == 0;
}

static bool
run_statements(struct run *r)
{
    size_t n = r->m->scan.n, safe = 0, i = 0;

    while (i < n) {
        if (run_statement(r, i) != 0) {
            if (!make_role(r) || !go_back(r)) {
                tell(r, i, NULL);
                return false;
            }
            i = safe;
            continue;
        }
        i++;
        if (!ctl_link_in_tx(r->link)) {
            r->has_own_tx = false;
            r->safe_rows = r->out->n_rows;
            safe = i;
        }
    }
    return true;
}

static void
run_migration(struct run *r)
{
    size_t last = r->m->scan.n ? r->m->scan.n - 1 : 0;

    r->has_own_tx = r->how != HIST_RUN_WRITTEN;
    if (r->has_own_tx && command(r, "BEGIN") != 0) {
        tell(r, 0, NULL);
        return;
    }
    if (!run_statements(r))
        return;
    bool is_open = ctl_link_in_tx(r->link);
    if (is_open && !r->has_own_tx) {
        tell(r, last,
            "the file ends inside a transaction, so nothing of it would stay; end it with "
            "COMMIT");
        return;
    }
    if (is_open) {
        look(&r->watch);
        if (command(r, "COMMIT") != 0) {
            tell(r, last, NULL);
            return;
        }
    }
    r->out->is_ok = true;
}

static bool
is_emptied(const struct hist_migration *m, const char *bare)
{
    for (size_t i = 0; i < m->tree->n; i++) {
        const struct sql_facts *f = &m->tree->facts[i];
        for (size_t k = 0; k < f->n_objects && strcmp(f->tag, "TRUNCATE TABLE") == 0;
             k++) {
            if (strcmp(f->objects[k].name, bare) == 0)
                return true;
        }
    }
    return false;
}

/* TRUNCATE makes new storage, too, and copies nothing. */
static int
note_rewritten(struct run *r, struct err *err)
{
    struct apply_result *out = r->out;
    const struct dg_rows *rows = NULL;
    int ret = read_tables(&r->watch, r->at->set, &rows, err);

    if (ret)
        return ret;
    out->rewritten = arena_alloc(
        out->arena, (r->watch.n + 1) * sizeof(*out->rewritten));
    for (size_t i = 0; i < rows->n_rows; i++) {
        const struct table *t = find_table(&r->watch, number(dg_cell(rows, i, 0)));
        if (t && t->filenode != number(dg_cell(rows, i, 3))
            && !is_emptied(r->m, t->bare))
            out->rewritten[out->n_rewritten++] = t->name;
    }
    return 0;
}

static void
note_locks(struct run *r)
{
    struct apply_result *out = r->out;

    out->locks = arena_alloc(out->arena, (r->watch.n + 1) * sizeof(*out->locks));
    for (unsigned mode = DG_ARRAY_SIZE(modes) - 1; mode > 0; mode--) {
        for (size_t i = 0; i < r->watch.n; i++) {
            if (r->watch.tables[i].mode == mode)
                out->locks[out->n_locks++] =
                    (struct apply_lock){ r->watch.tables[i].name, modes[mode] };
        }
    }
}

static void
put_literal(struct buf *out, const char *s)
{
    buf_puts(out, strchr(s, '\\') ? "E'" : "'");
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\')
            buf_put(out, s, 1);
        buf_put(out, s, 1);
    }
    buf_puts(out, "'");
}

static int
connect_as_tool(const struct apply_place *at, struct ctl_link **out, struct err *err)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    int r = ctl_link_open(at->conninfo, STATEMENT_LIMIT_MS, &link, err);

    if (r)
        return r;
    /* messages are read here; who may not set it gets his own language */
    (void)!ctl_link_run(link, "SET lc_messages = 'C'", NULL, NULL);
    if (at->set->conf.search_path) {
        buf_puts(&sql, "SELECT pg_catalog.set_config('search_path', ");
        put_literal(&sql, at->set->conf.search_path);
        buf_puts(&sql, ", false)");
        r = ctl_link_run(link, buf_cstr(&sql), NULL, err);
    }
    if (r)
        return r;
    *out = link;
    link = NULL;
    return 0;
}

static void
run_deinit_p(struct run *r)
{
    ctl_link_free(r->link);
    watch_deinit_p(&r->watch);
}

int
apply_run(const struct apply_place *at, const struct hist_migration *m,
    struct apply_result *out, struct err *err)
{
    AUTO(run_deinit)
    struct run r = { .at = at, .m = m, .out = out, .how = hist_run_of(at->set, m) };

    *out = (struct apply_result){ .arena = arena_new() };
    int ret = connect_as_tool(at, &r.link, err);
    if (!ret)
        ret = watch_open(&r.watch, at, out->arena, err);
    if (ret)
        return ret;
    r.watch.pid = ctl_link_backend_pid(r.link);
    run_migration(&r);
    note_locks(&r);
    /* what waits for the session's end (temporary tables) must not be in the way */
    ctl_link_free(r.link);
    r.link = NULL;
    return note_rewritten(&r, err);
}

/* --- around it ---------------------------------------------------------------------------- */

static int
run_once(const char *conninfo, const char *sql, struct err *err)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    int r = ctl_link_open(conninfo, STATEMENT_LIMIT_MS, &link, err);

    return r ? r : ctl_link_run(link, sql, NULL, err);
}

int
apply_begin(const struct apply_place *at, struct err *err)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);

    hist_put_table(at->set, &sql);
    return buf_len(&sql) ? run_once(at->conninfo, buf_cstr(&sql), err) : 0;
}

int
apply_forget(const struct apply_place *at, struct err *err)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);

    hist_put_table(at->set, &sql);
    if (!buf_len(&sql))
        return 0;
    buf_reset(&sql);
    buf_puts(&sql, "DELETE FROM ");
    apply_put_ident(&sql, at->set->conf.history_schema);
    buf_puts(&sql, ".");
    apply_put_ident(&sql, at->set->conf.history_table);
    return run_once(at->conninfo, buf_cstr(&sql), err);
}

void
apply_snapshot_query(const struct hist_set *set, bool has_owners, struct buf *sql)
{
    AUTO(buf_deinit) struct buf hidden = BUF_INIT(MAX_SQL);
    const char *schema = set->conf.history_schema;

    hist_put_own_tables(set, &hidden);
    const struct cat_options options = { .hidden = buf_cstr(&hidden),
        .hidden_schema = strcmp(schema, "public") == 0 ? NULL : schema,
        .has_owners = has_owners };
    cat_query(&options, sql);
}

int
apply_snapshot(
    const struct apply_place *at, bool has_owners, struct cat **out, struct err *err)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(CAT_MAX_SQL);
    const struct dg_rows *rows = NULL;
    int r = ctl_link_open(at->conninfo, STATEMENT_LIMIT_MS, &link, err);

    if (!r)
        r = ctl_link_run(link, "SET search_path = ''", NULL, err);
    if (r)
        return r;
    apply_snapshot_query(at->set, has_owners, &sql);
    r = ctl_link_run(link, buf_cstr(&sql), &rows, err);
    return r ? r : cat_new(rows, out, err);
}
