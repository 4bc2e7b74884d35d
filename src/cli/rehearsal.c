// SPDX-License-Identifier: ISC
/* The recording gate is `serve` with a configuration of our own: every tool's history table
 * is tracked, everything is allowed, the audit goes away with the scratch database. */
#include "cli/rehearsal.h"

#include "app/app.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "control/control.h"
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PASSWORD_SIZE 25
#define MAX_TEXT      ((size_t)1 << 20)
#define LINK_MS       30000
#define END_MS        5000           /* for a command that is told to end */
#define NO_DATABASE   "ddlgate/none" /* what no section's `databases` matches */
#define ADDRESS       "127.0.0.1"
#define MAX_FORMATS   100
#define PRIVATE_MODE  0600
#define WITHOUT_GATE                                                           \
    "it must connect to where DATABASE_URL or PGHOST and PGPORT say, or have " \
    "{url}, {host} and {port} in its words"

/* A statement that was committed; the last one of a transaction ends it. */
struct ran {
    struct gate_step *step; /* owned */
    bool ends_tx;
};

struct rehearsal {
    char *folder, *conninfo, *table; /* owned; table may be NULL */
    char *user, *dbname;             /* owned */
    char password[PASSWORD_SIZE];
    struct ran *list; /* owned */
    size_t n, cap, n_fed;
    bool is_incomplete;
    /* of the run under way */
    struct app *app;
    struct task_queue *queue; /* borrowed from app */
    pid_t child;              /* 0: it has ended */
    int status;
};

/* --- the gate's files ------------------------------------------------------------------- */

static int
put_file(const struct rehearsal *r, const char *name, const char *text, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/%s", r->folder, name);

    return fs_replace(path, text, strlen(text), PRIVATE_MODE, err);
}

/* keyword='value', as [databases] wants it. */
static void
put_pair(struct buf *b, const char *keyword, const char *value)
{
    buf_putf(b, " %s='", keyword);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            buf_puts(b, "\\");
        buf_put(b, value, 1);
    }
    buf_puts(b, "'");
}

/* What the gate takes of a connection string. */
static void
put_entry(struct buf *b, const char *conninfo)
{
    static const char *const keys[] = { "host", "hostaddr", "port", "dbname", "user",
        "password", "sslmode", "sslkey", "sslcert", "sslrootcert", "sslcrl", "sslsni",
        "sslnegotiation" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(keys); i++) {
        AUTO(mem_free) char *value = ctl_conninfo_get(conninfo, keys[i]);
        if (value)
            put_pair(b, keys[i], value);
    }
}

static int
write_config(const struct rehearsal *r, struct err *err)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(MAX_TEXT);

    buf_puts(&b,
        "[ddlgate]\nlisten_addr = " ADDRESS "\nlisten_port = 0\nworkers = 1\n"
        "policy = policy.ini\naudit_file = audit.jsonl\naudit_durable = no\n"
        "auth_type = scram-sha-256\nauth_file = users\nmax_client_conn = 200\n"
        "shutdown_timeout = 5\n\n[databases]\n* =");
    put_entry(&b, r->conninfo);
    for (size_t i = 0; hist_format_name(i); i++)
        buf_putf(&b,
            "\n\n[migrations tool%zu]\ndatabases = " NO_DATABASE
            "\nformat = lockfile\npath = tool%zu.lock",
            i, i);
    if (r->table)
        buf_putf(&b,
            "\n\n[migrations own]\ndatabases = " NO_DATABASE
            "\nformat = lockfile\npath = tool0.lock\nhistory_table = %s",
            r->table);
    buf_puts(&b, "\n");
    return put_file(r, "ddlgate.ini", buf_cstr(&b), err);
}

/* A lockfile without migrations for each tool: that is how its table is tracked. */
static int
write_tools(const struct rehearsal *r, struct err *err)
{
    int ret = 0;

    for (size_t i = 0; !ret && hist_format_name(i); i++) {
        char name[32], text[128];
        snprintf(name, sizeof(name), "tool%zu.lock", i);
        snprintf(text, sizeof(text), "ddlgate-lock 1\ntool %s\n", hist_format_name(i));
        ret = put_file(r, name, text, err);
    }
    return ret;
}

static int
write_users(const struct rehearsal *r, struct err *err)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(MAX_TEXT);

    b.is_secret = true;
    buf_puts(&b, "\"");
    for (const char *c = r->user; *c; c++) {
        if (*c == '"')
            buf_puts(&b, "\"");
        buf_put(&b, c, 1);
    }
    buf_putf(&b, "\" \"%s\"\n", r->password);
    return put_file(r, "users", buf_cstr(&b), err);
}

int
rehearsal_new(
    const struct rehearsal_opts *opts, struct rehearsal **out, struct err *err)
{
    static const char policy[] = "[policy]\nenvironment = development\n"
                                 "unparsable = allow\n\n[access everything]\n"
                                 "action = allow\nunmigrated = allow\n"
                                 "unparsable = allow\nchecks = off\n";
    AUTO(rehearsal_free) struct rehearsal *r = mem_zalloc(sizeof(*r));

    r->folder = mem_strdup(opts->folder);
    r->conninfo = mem_strdup(opts->conninfo);
    r->table = mem_strdup(opts->table);
    r->user = ctl_conninfo_get(r->conninfo, "user");
    r->dbname = ctl_conninfo_get(r->conninfo, "dbname");
    DG_ASSERT(r->user && r->dbname, "a scratch database without user or name");
    hash_random_id(r->password, sizeof(r->password) - 1);
    int ret = write_config(r, err);
    if (!ret)
        ret = write_tools(r, err);
    if (!ret)
        ret = write_users(r, err);
    if (!ret)
        ret = put_file(r, "policy.ini", policy, err);
    if (ret)
        return ret;
    *out = r;
    r = NULL;
    return 0;
}

static void
wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    mem_free(text);
}

void
rehearsal_free(struct rehearsal *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        gate_step_free(NULL, r->list[i].step);
    mem_free(r->list);
    mem_free(r->folder);
    mem_free(r->table);
    mem_free(r->user);
    mem_free(r->dbname);
    wipe(r->conninfo);
    explicit_bzero(r->password, sizeof(r->password));
    mem_free(r);
}

/* --- what is committed ------------------------------------------------------------------ */

/* A transaction on its way from a worker to us. */
struct chunk {
    struct task task;
    struct rehearsal *r;
    bool is_complete;
    size_t n;
    struct gate_step *steps[];
};

static void
on_chunk(struct task *task)
{
    struct chunk *c = (struct chunk *)(void *)task;
    struct rehearsal *r = c->r;

    r->is_incomplete |= !c->is_complete;
    for (size_t i = 0; i < c->n; i++) {
        MEM_GROW(r->list, r->n, r->cap);
        r->list[r->n++] = (struct ran){ c->steps[i], i + 1 == c->n };
    }
    mem_free(c);
}

/* A query that is nothing but one: tools send a lot of them. */
static bool
is_query(const struct gate_step *step)
{
    return !step->is_tracked && strcmp(gate_step_facts(step)->tag, "SELECT") == 0
        && gate_text_end(step->text, step->fact) == step->fact + 1;
}

/* thread: worker */
static void
on_committed(void *ctx, struct gate_trail *trail)
{
    struct rehearsal *r = ctx;
    struct chunk *c = mem_zalloc(sizeof(*c) + trail->n * sizeof(struct gate_step *));

    c->task.run = on_chunk;
    c->r = r;
    c->is_complete = trail->is_complete;
    for (size_t i = 0; i < trail->n; i++) {
        if (!is_query(trail->steps[i]))
            c->steps[c->n++] = gate_trail_take(trail, i);
    }
    task_post(r->queue, &c->task);
}

/* --- the command ------------------------------------------------------------------------ */

struct place {
    char port[16];
    char *url; /* owned */
};

static void
put_percent(struct buf *b, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_put(b, text, 1);
        else
            buf_putf(b, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

static void
make_place(const struct rehearsal *r, struct place *p)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(MAX_TEXT);

    snprintf(p->port, sizeof(p->port), "%d", app_port(r->app));
    buf_puts(&b, "postgresql://");
    put_percent(&b, r->user);
    buf_putf(&b, ":%s@" ADDRESS ":%s/", r->password, p->port);
    put_percent(&b, r->dbname);
    p->url = buf_steal(&b);
}

/* Owned by the caller. */
static char *
fill_in(const struct rehearsal *r, const struct place *p, const char *word)
{
    const char *const names[][2] = { { "{url}", p->url }, { "{host}", ADDRESS },
        { "{port}", p->port }, { "{user}", r->user }, { "{password}", r->password },
        { "{dbname}", r->dbname } };
    AUTO(buf_deinit) struct buf b = BUF_INIT(16 * MAX_TEXT);

    while (*word) {
        size_t i = 0;
        while (i < DG_ARRAY_SIZE(names) && !str_prefix(word, names[i][0]))
            i++;
        if (i < DG_ARRAY_SIZE(names)) {
            buf_puts(&b, names[i][1]);
            word += strlen(names[i][0]);
        } else {
            buf_put(&b, word++, 1);
        }
    }
    return buf_steal(&b);
}

/* Variables that would lead libpq's users somewhere else, or want more than the gate has. */
static bool
is_replaced(const char *entry)
{
    static const char *const names[] = { "DATABASE_URL", "PGHOST", "PGHOSTADDR",
        "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE",
        "PGSERVICEFILE", "PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLROOTCERT", "PGSSLCERT",
        "PGSSLKEY", "PGREQUIRESSL", "PGREQUIREAUTH", "PGCHANNELBINDING", "PGGSSENCMODE",
        "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++) {
        size_t n = strlen(names[i]);
        if (strncmp(entry, names[i], n) == 0 && entry[n] == '=')
            return true;
    }
    return false;
}

/* NULL-terminated; the strings and the list are the arena's. */
static char **
make_environment(const struct rehearsal *r, const struct place *p, struct arena *a)
{
    size_t n = 0, to = 0;

    while (environ[n])
        n++;
    char **env = arena_alloc(a, (n + 9) * sizeof(*env));
    for (size_t i = 0; i < n; i++) {
        if (!is_replaced(environ[i]))
            env[to++] = environ[i];
    }
    env[to++] = arena_printf(a, "DATABASE_URL=%s", p->url);
    env[to++] = arena_printf(a, "PGHOST=" ADDRESS);
    env[to++] = arena_printf(a, "PGPORT=%s", p->port);
    env[to++] = arena_printf(a, "PGUSER=%s", r->user);
    env[to++] = arena_printf(a, "PGPASSWORD=%s", r->password);
    env[to++] = arena_printf(a, "PGDATABASE=%s", r->dbname);
    env[to++] = arena_printf(a, "PGSSLMODE=disable");
    env[to] = NULL;
    return env;
}

/* Signals as a shell would have left them. */
static int
spawn(pid_t *pid, char *const *argv, char *const *env)
{
    posix_spawnattr_t attr;
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawnp(pid, argv[0], NULL, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    return -r;
}

static int
start_command(struct rehearsal *r, char *const *argv, struct err *err)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct place place;
    size_t n = 0;

    make_place(r, &place);
    while (argv[n])
        n++;
    char **words = arena_alloc(a, (n + 1) * sizeof(*words));
    for (size_t i = 0; i < n; i++) {
        AUTO(mem_free) char *word = fill_in(r, &place, argv[i]);
        words[i] = arena_strdup(a, word);
    }
    int ret = spawn(&r->child, words, make_environment(r, &place, a));
    wipe(place.url);
    if (ret)
        return err_errno(err, ret, "can't run %s", argv[0]);
    return 0;
}

static void
on_child(void *ctx, int signum)
{
    struct rehearsal *r = ctx;

    (void)signum;
    if (r->child && waitpid(r->child, &r->status, WNOHANG) == r->child) {
        r->child = 0;
        app_stop(r->app);
    }
}

/* The gate was told to end before the command had. */
static void
end_command(struct rehearsal *r)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

    kill(r->child, SIGTERM);
    for (int ms = 0; ms < END_MS; ms += 20) {
        if (waitpid(r->child, &r->status, WNOHANG) == r->child)
            return;
        nanosleep(&pause, NULL);
    }
    kill(r->child, SIGKILL);
    waitpid(r->child, &r->status, 0);
}

static int
judge_run(const struct rehearsal *r, const char *name, uint64_t n_accepted,
    uint64_t n_texts, struct err *err)
{
    if (WIFSIGNALED(r->status))
        return err_set(err, REHEARSAL_E_FAILED,
            "%s was ended by signal %d; nothing is recorded", name,
            WTERMSIG(r->status));
    if (WEXITSTATUS(r->status) != 0)
        return err_set(err, REHEARSAL_E_FAILED,
            "%s failed with exit status %d, see its output; nothing is recorded%s%s",
            name, WEXITSTATUS(r->status),
            n_accepted ? "" : ". It never came to the gate: ",
            n_accepted ? "" : WITHOUT_GATE);
    if (n_accepted == 0)
        return err_set(err, REHEARSAL_E_FAILED,
            "%s did not connect to the gate; " WITHOUT_GATE, name);
    if (n_texts == 0)
        return err_set(err, REHEARSAL_E_FAILED,
            "%s connected to the gate, but sent no statement; did its login fail? user and "
            "password are PGUSER and PGPASSWORD, {user} and {password}",
            name);
    if (r->is_incomplete)
        return err_set(err, REHEARSAL_E_FAILED,
            "what %s ran could not all be seen: a transaction of more than %d statements or "
            "%zu MiB, or answers that fit no statement; nothing is recorded",
            name, GATE_TRAIL_MAX_STEPS, GATE_TRAIL_MAX_BYTES >> 20);
    return 0;
}

int
rehearsal_run(struct rehearsal *r, char *const *argv, struct err *err)
{
    AUTO(mem_free) char *config = mem_printf("%s/ddlgate.ini", r->folder);
    struct app_listener listener = { .committed = on_committed,
        .wants = GATE_TRAIL_TRACKED | GATE_TRAIL_DATA,
        .ctx = r };
    int ret = app_new(config, &listener, &r->app, err);

    if (ret)
        return ret;
    r->queue = net_loop_queue(app_loop(r->app));
    struct net_signal *sig = net_signal_new(app_loop(r->app), SIGCHLD, on_child, r);
    ret = start_command(r, argv, err);
    if (ret == 0)
        app_run(r->app);
    bool is_interrupted = r->child != 0 && ret == 0;
    if (is_interrupted)
        end_command(r);
    r->child = 0;
    uint64_t n_accepted = app_n_accepted(r->app), n_texts = app_n_texts(r->app);
    net_signal_free(sig);
    app_free(r->app); /* runs the tasks that are left */
    r->app = NULL;
    if (is_interrupted)
        return err_set(err, REHEARSAL_E_FAILED, "interrupted; nothing is recorded");
    return ret ? ret : judge_run(r, argv[0], n_accepted, n_texts, err);
}

/* --- whose history it is ---------------------------------------------------------------- */

static int
load_tool(const struct rehearsal *r, size_t i, const char *table, struct hist_set **out,
    struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/tool%zu.lock", r->folder, i);
    struct hist_conf conf = { .name = hist_format_name(i),
        .format = "lockfile",
        .path = path,
        .history_table = table,
        .repeat = HIST_REPEAT_CREATE,
        .file = path };

    return hist_set_load(&conf, out, err);
}

/* Has a row of this table been written? */
static bool
is_written(const struct rehearsal *r, const struct hist_set *set)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct gate_step *s = r->list[i].step;
        for (size_t k = s->fact, end = gate_text_end(s->text, k); k < end; k++) {
            const struct sql_write *w = s->text->tree->facts[k].write;
            if (w && w->op != SQL_WRITE_LOCK && hist_is_table(set, w->schema, w->table))
                return true;
        }
    }
    return false;
}

/* Is there another table of the tool's own beside the history table? */
static int
has_own_tables(
    struct ctl_link *link, const struct hist_set *set, bool *out, struct err *err)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_TEXT);
    const struct dg_rows *rows = NULL;

    buf_puts(&sql,
        "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.relkind = 'r' AND ");
    hist_put_own_tables(set, &sql);
    int r = ctl_link_run(link, buf_cstr(&sql), &rows, err);
    if (r == 0)
        *out = rows->n_rows > 1;
    return r;
}

/* How well the tables are the tool's: first of all the columns of the history table, then
 * the others (Rails' schema_migrations is that of dbmate, but for ar_internal_metadata). 0:
 * not at all, or there is no table. */
static int
fit(struct ctl_link *link, const struct hist_set *set, size_t *out, struct err *err)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_TEXT);
    const struct dg_rows *rows = NULL;

    hist_query_table(set, &sql);
    int r = ctl_link_run(link, buf_cstr(&sql), &rows, err);
    if (r)
        return r;
    const char *columns = rows->n_rows ? dg_cell(rows, 0, 1) : NULL;
    *out = columns ? 2 * hist_set_fit(set, columns) : 0;
    if (!*out)
        return 0;
    bool has_own = false;
    r = has_own_tables(link, set, &has_own, err);
    *out += has_own;
    return r;
}

/* No table that was tracked has been written: is there another one that looks like it? */
static int
no_tool(const struct rehearsal *r, struct ctl_link *link, struct err *err)
{
    static const char tables[] =
        "SELECT n.nspname || '.' || c.relname, string_agg(a.attname, ',' ORDER BY a.attnum) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a "
        "ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind = 'r' "
        "AND n.nspname !~ '^pg_|^information_schema$' GROUP BY 1 ORDER BY 1";
    const struct dg_rows *rows = NULL;

    if (ctl_link_run(link, tables, &rows, NULL) != 0)
        rows = NULL;
    for (size_t i = 0; hist_format_name(i) && rows; i++) {
        struct hist_set *set = NULL;
        if (load_tool(r, i, NULL, &set, NULL) != 0)
            continue;
        const char *found = NULL;
        for (size_t k = 0; k < rows->n_rows && !found; k++) {
            if (hist_set_fit(set, dg_cell(rows, k, 1)) > 1)
                found = dg_cell(rows, k, 0);
        }
        ref_drop(set);
        if (found)
            return err_set(err, REHEARSAL_E_FAILED,
                "nothing was recorded: no row was written into a migration history. Table "
                "%s looks like that of %s: give --table %s",
                found, hist_format_name(i), found);
    }
    return err_set(err, REHEARSAL_E_FAILED,
        "nothing was recorded: no row was written into a migration history that the gate "
        "knows; did the command find any migration? If its history table has another name "
        "than usual, give --table SCHEMA.NAME; if it has more columns, --tool FORMAT");
}

/* Of the tools whose table was written, the one whose tables fit best. */
static int
best_tool(const struct rehearsal *r, struct ctl_link *link, const char *format,
    const char *hint, struct hist_set **out, struct err *err)
{
    size_t best = 0;

    for (size_t i = 0; hist_format_name(i); i++) {
        struct hist_set *set = NULL;
        size_t n = 0;
        int ret = 0;
        if (format && strcmp(format, hist_format_name(i)) != 0)
            continue;
        ret = load_tool(r, i, r->table, &set, err);
        bool is_candidate = !ret && is_written(r, set);
        if (is_candidate)
            ret = fit(link, set, &n, err);
        n = 2 * n + (n && hint && strcmp(hint, hist_format_name(i)) == 0);
        if (is_candidate && format && n == 0)
            n = 1; /* who names the tool knows about columns of his own */
        if (!ret && n > best) {
            best = n;
            ref_drop(*out);
            *out = ref_take(set);
        }
        ref_drop(set);
        if (ret)
            return ret;
    }
    return *out ? 0 : no_tool(r, link, err);
}

int
rehearsal_tool(struct rehearsal *r, const char *format, const char *hint,
    struct hist_set **out, struct err *err)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    int ret = ctl_link_open(r->conninfo, LINK_MS, &link, err);

    *out = NULL;
    if (!ret)
        ret = best_tool(r, link, format, hint, out, err);
    if (ret) {
        ref_drop(*out);
        *out = NULL;
    }
    return ret;
}

/* --- what ran --------------------------------------------------------------------------- */

int
rehearsal_feed(struct rehearsal *r, struct hist_recording *rec, struct err *err)
{
    int ret = 0;

    for (; ret == 0 && r->n_fed < r->n; r->n_fed++) {
        const struct ran *one = &r->list[r->n_fed];
        const struct gate_step *s = one->step;
        struct hist_ran ran = { .facts = gate_step_facts(s),
            .n_facts = gate_text_end(s->text, s->fact) - s->fact,
            .sql = gate_step_sql(s),
            .digest = gate_step_digest(s),
            .binds = s->binds,
            .n_binds = s->n_binds,
            .is_tracked = s->is_tracked,
            .is_ambiguous = !s->text->std_strings && s->text->scan.two_readings };
        ret = hist_recording_add(rec, &ran, err);
        if (one->ends_tx)
            hist_recording_commit(rec);
    }
    return ret;
}
