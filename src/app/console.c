// SPDX-License-Identifier: ISC
/* A function for each command. SHOW MIGRATIONS reads several histories at a time and
 * answers when the last one is there; all others answer at once. */
#include "app/console.h"

#include "app/standing.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"

#include <string.h>

#define MAX_AT_ONCE 8 /* histories that are read at the same time */

struct console {
    struct net_loop *loop;
    struct console_ops ops;
    bool is_stopped;
};

struct console *
console_new(struct net_loop *loop, const struct console_ops *ops)
{
    struct console *c = mem_zalloc(sizeof(*c));
    c->loop = loop;
    c->ops = *ops;
    return c;
}

void
console_stop(struct console *c)
{
    if (c)
        c->is_stopped = true;
}

void
console_free(struct console *c)
{
    mem_free(c);
}

/* --- answers ---------------------------------------------------------------------------- */

static void
answer(struct sess_console_ask *ask)
{
    ask->task.run = ask->answered;
    task_post(ask->queue, &ask->task);
}

static void
refuse(struct sess_console_ask *ask, const char *sqlstate, const char *message,
    const char *hint)
{
    ask->sqlstate = sqlstate;
    err_set(&ask->message, 0, "%s", message);
    err_set(&ask->hint, 0, "%s", hint);
}

/* As many values as the command has columns; NULL: null. What is too much makes the whole
 * command fail: nobody should take a part for all. */
static void
put_row(struct sess_console_ask *ask, const char *const *values)
{
    size_t n = sess_command_info(ask->command.id)->n_columns,
           size = PGW_HEADER_SIZE + 2;
    for (size_t i = 0; i < n; i++)
        size += 4 + (values[i] ? strlen(values[i]) : 0);
    if (ask->sqlstate)
        return;
    if (size > SESS_MAX_ROWS - buf_len(&ask->reply))
        refuse(ask, "54000", "the answer is longer than 64 MB",
            "name one database: SHOW MIGRATIONS NAME");
    else
        pgw_build_data_row(&ask->reply, values, n);
}

/* --- commands --------------------------------------------------------------------------- */

static void
show_help(struct sess_console_ask *ask)
{
    for (int i = 0; i < SESS_N_COMMANDS; i++) {
        const struct sess_command_info *info = sess_command_info(
            (enum sess_command_id)i);
        if (!info->summary)
            continue;
        AUTO(mem_free)
        char *words = mem_printf(
            "%s%s%s", info->words, *info->takes ? " " : "", info->takes);
        put_row(ask, (const char *const[]){ words, info->summary });
    }
}

static void
show_version(struct sess_console_ask *ask)
{
    put_row(ask, (const char *const[]){ "ddlgate " DG_VERSION });
}

/* The hosts of an entry, or their ports, as it lists them. */
static const char *
host_list(struct arena *a, const struct cfg_database *d, bool is_port)
{
    const char *list = NULL;
    for (size_t i = 0; i < d->n_hosts; i++) {
        const struct cfg_host *h = &d->hosts[i];
        const char *one = is_port ? h->port : h->host ? h->host : h->hostaddr;
        list = list ? arena_printf(a, "%s,%s", list, one) : one;
    }
    return list;
}

static void
show_databases(struct sess_console_ask *ask, const struct gate_snapshot *snap)
{
    const struct cfg *cfg = snap->cfg;
    for (size_t i = 0; i < cfg->n_databases; i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        const struct cfg_database *d = &cfg->databases[i];
        bool is_rest = strcmp(d->name, "*") == 0;
        const struct cfg_migrations *m = is_rest ? NULL
                                                 : cfg_find_migrations(cfg, d->name);
        put_row(ask,
            (const char *const[]){ d->name, host_list(a, d, false),
                host_list(a, d, true),
                d->dbname     ? d->dbname
                    : is_rest ? NULL
                              : d->name,
                d->policy ? d->policy : cfg->policy, m ? m->name : NULL });
    }
}

static void
show_checks(struct sess_console_ask *ask, const struct gate_snapshot *snap)
{
    const struct pol *pol = NULL;
    for (size_t i = 0; i < snap->n_policies; i++) {
        if (strcmp(snap->policies[i].path, snap->cfg->policy) == 0)
            pol = snap->policies[i].pol;
    }
    DG_ASSERT(pol, "every policy that cfg names was loaded");
    for (size_t i = 0; i < pol_n_checks(); i++) {
        const struct pol_check_info *k = pol_check_info(i);
        bool is_observed = false;
        const char *action = dg_action_name(pol_check_action(pol, k->id, &is_observed));
        AUTO(mem_free)
        char *text = mem_printf("%s%s", action, is_observed ? " (observed)" : "");
        put_row(ask, (const char *const[]){ k->id, k->group, text, k->summary });
    }
}

static void
show_policy(struct sess_console_ask *ask, const struct gate_snapshot *snap)
{
    const struct cfg *cfg = snap->cfg;
    for (size_t i = 0; i < snap->n_policies; i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        const struct gate_policy *p = &snap->policies[i];
        const char *names = NULL;
        for (size_t k = 0; k < cfg->n_databases; k++) {
            const struct cfg_database *d = &cfg->databases[k];
            if (strcmp(d->policy ? d->policy : cfg->policy, p->path) == 0)
                names = names ? arena_printf(a, "%s, %s", names, d->name) : d->name;
        }
        put_row(ask,
            (const char *const[]){ p->path, pol_environment(p->pol),
                pol_is_observe(p->pol) ? "observe" : "enforce", names });
    }
}

static void
do_reload(struct console *c, struct sess_console_ask *ask)
{
    struct err err = { "" };
    log_info("%s: RELOAD", ask->who);
    if (c->ops.reload(c->ops.ctx, &err) != 0)
        refuse(ask, "F0000", err.text, "the running configuration stays");
}

/* --- SHOW MIGRATIONS -------------------------------------------------------------------- */

/* The reading of one database. */
struct stop {
    struct gate_history_ask ask;
};

struct tour {
    struct console *console;
    struct sess_console_ask *ask; /* owned until it is answered */
    struct stop *stops;           /* owned */
    size_t n, next, n_open;
};

static void
put_standing(void *ctx, const struct standing *s)
{
    AUTO(mem_free)
    char *note = s->refused_by ? mem_printf("refused by rule %s", s->refused_by) : NULL;
    put_row(ctx,
        (const char *const[]){ s->database, s->source, s->version, s->name,
            dg_migration_state_name(s->state), s->file, s->checksum, note });
}

static void
put_stop(struct sess_console_ask *ask, const struct gate_snapshot *now,
    const struct gate_history_ask *h)
{
    if (h->view) {
        standing_each(h->snap, h->database, h->view, put_standing, ask);
        return;
    }
    struct gate_target t = gate_snapshot_find(h->snap ? h->snap : now, h->database);
    put_row(ask,
        (const char *const[]){ h->database, t.source ? t.source->set->conf.name : NULL,
            NULL, NULL, "unknown", NULL, NULL, h->why.text });
}

static void
finish(struct tour *t)
{
    const struct gate_snapshot *now = t->console->ops.current(t->console->ops.ctx);
    for (size_t i = 0; i < t->n; i++) {
        struct gate_history_ask *h = &t->stops[i].ask;
        put_stop(t->ask, now, h);
        ref_drop(h->view);
        ref_drop(h->snap);
        mem_free(h->database);
    }
    answer(t->ask);
    mem_free(t->stops);
    mem_free(t);
}

static void go_on(struct tour *t);

static void
got_history(struct task *task)
{
    struct gate_history_ask *h = LIST_ENTRY(task, struct gate_history_ask, task);
    struct tour *t = h->owner;
    t->n_open--;
    go_on(t);
}

/* Asks for as many histories as may be read at once; the last one ends the tour. */
static void
go_on(struct tour *t)
{
    struct console *c = t->console;
    while (t->next < t->n && t->n_open < MAX_AT_ONCE) {
        struct gate_history_ask *h = &t->stops[t->next++].ask;
        if (c->is_stopped) {
            err_set(&h->why, 0, "the gate shuts down");
            continue;
        }
        h->task.run = got_history;
        h->queue = net_loop_queue(c->loop);
        h->owner = t;
        t->n_open++;
        c->ops.read_history(c->ops.ctx, h);
    }
    if (t->n_open == 0)
        finish(t);
}

/* What can't be answered with rows: false. */
static bool
is_sensible(struct sess_console_ask *ask, const struct gate_snapshot *snap)
{
    const char *name = ask->command.database;
    struct err text;
    if (!*name || gate_snapshot_find(snap, name).source)
        return true;
    if (gate_snapshot_find(snap, name).database) {
        err_set(&text, 0, "database \"%s\" has no [migrations] section", name);
        refuse(ask, "42704", text.text, "SHOW DATABASES tells which have one");
    } else {
        err_set(&text, 0, "database \"%s\" is not served by this gate", name);
        refuse(ask, "3D000", text.text, "SHOW DATABASES lists the names");
    }
    return false;
}

static void
note_nothing(struct sess_console_ask *ask)
{
    struct pgw_error e = { .severity = "NOTICE",
        .sqlstate = "00000",
        .message = "ddlgate: no database with a [migrations] section is named in "
                   "[databases]",
        .hint = "name one that only * stands for: SHOW MIGRATIONS NAME" };
    pgw_error_build(&ask->reply, true, &e);
}

static void
show_migrations(struct console *c, struct sess_console_ask *ask)
{
    const struct gate_snapshot *snap = c->ops.current(c->ops.ctx);
    size_t pos = 0, cap = snap->cfg->n_databases + 1;
    const char *name = *ask->command.database ? ask->command.database
                                              : standing_next_database(snap, &pos);
    if (!is_sensible(ask, snap) || !name) {
        if (!ask->sqlstate)
            note_nothing(ask);
        answer(ask);
        return;
    }
    struct tour *t = mem_zalloc(sizeof(*t));
    t->console = c;
    t->ask = ask;
    t->stops = mem_array(cap, sizeof(*t->stops));
    for (; name;
         name = *ask->command.database ? NULL : standing_next_database(snap, &pos))
        t->stops[t->n++].ask.database = mem_strdup(name);
    go_on(t);
}

/* --- asking ----------------------------------------------------------------------------- */

static void
start(struct task *task)
{
    struct sess_console_ask *ask = LIST_ENTRY(task, struct sess_console_ask, task);
    struct console *c = ask->service;
    const struct gate_snapshot *snap = c->ops.current(c->ops.ctx);
    switch (ask->command.id) {
    case SESS_CMD_HELP:
        show_help(ask);
        break;
    case SESS_CMD_VERSION:
        show_version(ask);
        break;
    case SESS_CMD_DATABASES:
        show_databases(ask, snap);
        break;
    case SESS_CMD_MIGRATIONS:
        show_migrations(c, ask);
        return;
    case SESS_CMD_CHECKS:
        show_checks(ask, snap);
        break;
    case SESS_CMD_POLICY:
        show_policy(ask, snap);
        break;
    case SESS_CMD_RELOAD:
        do_reload(c, ask);
        break;
    case SESS_CMD_BEGIN:
    case SESS_CMD_COMMIT:
    case SESS_CMD_ROLLBACK:
    case SESS_CMD_EMPTY:
        break; /* the session's own */
    }
    answer(ask);
}

void
console_ask(struct console *c, struct sess_console_ask *ask)
{
    ask->service = c;
    ask->answered = ask->task.run;
    ask->task.run = start;
    task_post(net_loop_queue(c->loop), &ask->task);
}
