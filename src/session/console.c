// SPDX-License-Identifier: ISC
/* Greeting, framing, and both query protocols around a handful of commands. One command at
 * a time: while it runs, or its rows wait for the client, nothing more is read. */
#include "session/console.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "gate/record.h"
#include "session/links.h"
#include "session/login.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What libpq of PostgreSQL 12 and newer takes for a server of no newer version. */
#define SERVER_VERSION "12.0 (ddlgate " DG_VERSION ")"

#define MAX_BODY      ((size_t)16 << 10) /* of a client's message */
#define MAX_KEPT      64                 /* statements, and portals */
#define REPLY_TAIL    ((size_t)4 << 10)  /* what comes before and after the rows */
#define CHUNK         ((size_t)64 << 10)
#define KEY_BYTES     4
#define KEY_BYTES_3_2 32

struct sess_console {
    struct buf reply;                 /* not handed to the client yet */
    struct map *statements, *portals; /* name -> struct sess_command, owned */
    char tx;                          /* I or T */
    bool is_asked;                    /* a command runs */
    bool is_simple;                   /* ... of a Query */
    bool is_skipping;                 /* failed: until the next Sync */
};

/* Messages without a body, and one that says that there are no parameters. */
static const char parse_complete[] = "1\0\0\0\4", bind_complete[] = "2\0\0\0\4",
                  close_complete[] = "3\0\0\0\4", no_data[] = "n\0\0\0\4",
                  empty_query[] = "I\0\0\0\4", no_parameters[] = "t\0\0\0\6\0\0";
#define SEND(s, literal) sess_send(s, &(s)->client, literal, sizeof(literal) - 1)

void
sess_console_ask_free(struct sess_console_ask *ask)
{
    mem_free(ask->who);
    buf_deinit(&ask->reply);
    mem_free(ask);
}

void
sess_console_free(struct sess_console *c)
{
    if (!c)
        return;
    buf_deinit(&c->reply);
    map_free(c->statements);
    map_free(c->portals);
    mem_free(c);
}

bool
sess_console_is_amid(const struct sess *s)
{
    return buf_len(&s->console->reply) > 0;
}

bool
sess_console_is_free(const struct sess *s)
{
    return !s->console->is_asked && !sess_console_is_amid(s)
        && buf_len(&s->client.out) == 0;
}

/* --- who comes in ----------------------------------------------------------------------- */

bool
sess_console_is_trusted(const struct sess *s)
{
    char own[sizeof(s->gate.peer_uid)];
    snprintf(own, sizeof(own), "%u", (unsigned)geteuid());
    return strcmp(s->gate.peer_uid, "0") == 0 || strcmp(s->gate.peer_uid, own) == 0;
}

static void
greet(struct sess *s)
{
    static const char *const parameters[][2] = {
        { "server_version", SERVER_VERSION },
        { "server_encoding", "UTF8" },
        { "client_encoding", "UTF8" },
        { "DateStyle", "ISO, MDY" },
        { "IntervalStyle", "postgres" },
        { "TimeZone", "UTC" },
        { "integer_datetimes", "on" },
        { "standard_conforming_strings", "on" },
        { "is_superuser", "off" },
        { "default_transaction_read_only", "off" },
        { "in_hot_standby", "off" },
    };
    AUTO(buf_deinit) struct buf b = BUF_INIT(4 * PGW_MAX_STARTUP);
    unsigned char key[KEY_BYTES_3_2];
    bool is_new = (s->login->protocol & 0xffff) >= 2;
    const char *app = s->gate.application_name;
    pgw_build_auth_ok(&b);
    for (size_t i = 0; i < DG_ARRAY_SIZE(parameters); i++)
        pgw_build_parameter_status(&b, parameters[i][0], str_of(parameters[i][1]));
    pgw_build_parameter_status(&b, "session_authorization", str_of(s->gate.role));
    pgw_build_parameter_status(&b, "application_name", str_of(app ? app : ""));
    /* A key that nobody looks for: there is nothing to cancel. */
    hash_random(key, sizeof(key));
    pgw_build_backend_key(&b, (uint32_t)(s->id & INT32_MAX),
        (struct str){ (const char *)key, is_new ? KEY_BYTES_3_2 : KEY_BYTES });
    pgw_build_ready(&b, s->console->tx);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
}

void
sess_console_begin(struct sess *s)
{
    const struct cfg *cfg = s->links->cfg;
    if (s->login->is_gates && !cfg_is_admin_user(cfg, s->gate.role)) {
        struct err text;
        err_set(&text, 0, "ddlgate: user \"%s\" may not use the gate's own database",
            s->gate.role);
        sess_fatal(s, SESS_END_LOGIN_FAILED, "28000", text.text,
            "name the user in admin_users in ddlgate.ini");
        return;
    }
    s->console = mem_zalloc(sizeof(*s->console));
    s->console->statements = map_new(mem_free);
    s->console->portals = map_new(mem_free);
    s->console->tx = 'I';
    sess_set_state(s, SESS_ST_ADMIN);
    sess_timer_done(s);
    greet(s);
    sess_login_free(s->login);
    s->login = NULL;
    if (s->worker->env.snap->cfg->log_connections)
        sess_log(s, false, "login to the gate's own database%s%s",
            s->client.tls ? ", " : "",
            s->client.tls ? net_tls_version(s->client.tls) : "");
    if (s->worker->env.snap->cfg->audit_sessions)
        gate_record_session(&s->gate, true, NULL);
}

/* --- what is said to the client --------------------------------------------------------- */

static void
ready(struct sess *s)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(16);
    pgw_build_ready(&b, s->console->tx);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
}

/* is_simple: of a Query, which is over with it; else all is skipped up to the Sync. */
static void
fail(struct sess *s, bool is_simple, const char *sqlstate, const char *message,
    const char *hint)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(PGW_MAX_ERROR);
    struct err text;
    err_set(&text, 0, "ddlgate: %s", message);
    struct pgw_error e = { .severity = "ERROR",
        .sqlstate = sqlstate,
        .message = text.text,
        .hint = hint && *hint ? hint : NULL };
    pgw_error_build(&b, false, &e);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
    if (is_simple)
        ready(s);
    else
        s->console->is_skipping = true;
}

static size_t
broken(struct sess *s, const char *what)
{
    struct err text;
    err_set(&text, 0, "ddlgate: %s", what);
    sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01", text.text, NULL);
    return 0;
}

static void
describe(struct sess *s, const struct sess_command *cmd)
{
    const struct sess_command_info *info = sess_command_info(cmd->id);
    AUTO(buf_deinit) struct buf b = BUF_INIT(REPLY_TAIL);
    if (!info || info->n_columns == 0) {
        SEND(s, no_data);
        return;
    }
    pgw_build_row_description(&b, info->columns, info->n_columns);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
}

/* The rows go out as the client takes them. */
static void
pump(struct sess *s)
{
    struct buf *reply = &s->console->reply;
    while (buf_len(reply) > 0 && buf_len(&s->client.out) == 0 && !s->client.is_broken) {
        size_t n = buf_len(reply) < CHUNK ? buf_len(reply) : CHUNK;
        sess_send(s, &s->client, buf_ptr(reply), n);
        buf_consume(reply, n);
    }
    if (buf_len(reply) == 0 || s->client.is_broken)
        buf_deinit(reply);
}

void
sess_console_written(struct sess *s)
{
    pump(s);
    if (sess_console_is_free(s))
        sess_resume(s);
}

/* --- commands --------------------------------------------------------------------------- */

static void
answered(struct task *task)
{
    struct sess_console_ask *ask = LIST_ENTRY(task, struct sess_console_ask, task);
    struct sess *s = ask->owner;
    if (sess_answered(s)) {
        sess_console_ask_free(ask);
        return;
    }
    struct sess_console *c = s->console;
    const struct sess_command_info *info = sess_command_info(ask->command.id);
    c->is_asked = false;
    if (ask->sqlstate) {
        fail(s, c->is_simple, ask->sqlstate, ask->message.text, ask->hint.text);
    } else {
        if (c->is_simple && info->n_columns)
            describe(s, &ask->command);
        buf_deinit(&c->reply);
        c->reply = ask->reply;
        buf_init(&ask->reply, 0);
        pgw_build_command_complete(&c->reply, info->tag);
        if (c->is_simple)
            pgw_build_ready(&c->reply, c->tx);
        pump(s);
    }
    sess_console_ask_free(ask);
    sess_resume(s);
}

static void
ask_control(struct sess *s, const struct sess_command *cmd)
{
    struct sess_shared *shared = s->worker->shared;
    struct sess_console_ask *a = mem_zalloc(sizeof(*a));
    char peer[NET_ADDR_TEXT_SIZE];
    net_addr_text(&s->peer, peer);
    a->task.run = answered;
    a->queue = net_loop_queue(s->worker->loop);
    a->owner = s;
    a->command = *cmd;
    a->who = mem_printf("#%llu %s %s", (unsigned long long)s->id, s->gate.role, peer);
    buf_init(&a->reply, SESS_MAX_ROWS + REPLY_TAIL);
    s->n_outstanding++;
    s->console->is_asked = true;
    shared->console(shared->ctx, a);
}

static void
complete(struct sess *s, const char *tag)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(64);
    pgw_build_command_complete(&b, tag);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
}

/* What the session itself knows is answered at once. */
static void
run(struct sess *s, const struct sess_command *cmd, bool is_simple)
{
    struct sess_console *c = s->console;
    c->is_simple = is_simple;
    switch (cmd->id) {
    case SESS_CMD_HELP:
    case SESS_CMD_VERSION:
    case SESS_CMD_DATABASES:
    case SESS_CMD_MIGRATIONS:
    case SESS_CMD_CHECKS:
    case SESS_CMD_POLICY:
    case SESS_CMD_RELOAD:
        ask_control(s, cmd);
        return;
    case SESS_CMD_BEGIN:
    case SESS_CMD_COMMIT:
    case SESS_CMD_ROLLBACK:
        c->tx = cmd->id == SESS_CMD_BEGIN ? 'T' : 'I';
        complete(s, sess_command_info(cmd->id)->tag);
        break;
    case SESS_CMD_EMPTY:
        SEND(s, empty_query);
        break;
    }
    if (is_simple)
        ready(s);
}

static void
query(struct sess *s, struct str sql)
{
    struct sess_command cmd;
    struct err err = { "" }, hint = { "" };
    if (sess_command_parse(sql, &cmd, &err, &hint) != 0)
        fail(s, true, "42601", err.text, hint.text);
    else
        run(s, &cmd, true);
}

/* --- the extended protocol -------------------------------------------------------------- */

/* false: there are too many. */
static bool
keep(struct sess *s, struct map *map, struct str name, const struct sess_command *cmd)
{
    if (!map_get(map, name) && map_count(map) >= MAX_KEPT) {
        fail(s, false, "54000", "too many prepared statements or portals",
            "close those that are not needed");
        return false;
    }
    struct sess_command *copy = mem_alloc(sizeof(*copy));
    *copy = *cmd;
    map_set(map, name, copy);
    return true;
}

static void
take_parse(struct sess *s, const struct pgw_parse *m)
{
    struct sess_command cmd;
    struct err err = { "" }, hint = { "" };
    if (sess_command_parse(m->sql, &cmd, &err, &hint) != 0)
        fail(s, false, "42601", err.text, hint.text);
    else if (m->name.n && map_get(s->console->statements, m->name))
        fail(s, false, "42P05", "a prepared statement of this name exists already",
            NULL);
    else if (keep(s, s->console->statements, m->name, &cmd))
        SEND(s, parse_complete);
}

static void
take_bind(struct sess *s, const struct pgw_bind *m)
{
    const struct sess_command *cmd = map_get(s->console->statements, m->statement);
    if (!cmd)
        fail(s, false, "26000", "there is no prepared statement of this name", NULL);
    else if (m->n_params)
        fail(s, false, "08P01",
            "commands of the gate's own database take no parameters",
            "write the value into the text");
    else if (keep(s, s->console->portals, m->portal, cmd))
        SEND(s, bind_complete);
}

static const struct sess_command *
find_portal(struct sess *s, struct str name)
{
    const struct sess_command *cmd = map_get(s->console->portals, name);
    if (!cmd)
        fail(s, false, "34000", "there is no portal of this name", NULL);
    return cmd;
}

static void
describe_target(struct sess *s, char what, struct str name)
{
    const struct sess_command *cmd;
    if (what == 'P') {
        cmd = find_portal(s, name);
    } else {
        cmd = map_get(s->console->statements, name);
        if (cmd)
            SEND(s, no_parameters);
        else
            fail(
                s, false, "26000", "there is no prepared statement of this name", NULL);
    }
    if (cmd)
        describe(s, cmd);
}

/* All rows at once, however many it asks for: they are here anyway. */
static void
execute(struct sess *s, struct str portal)
{
    const struct sess_command *cmd = find_portal(s, portal);
    if (cmd)
        run(s, cmd, false);
}

static void
sync_done(struct sess *s)
{
    s->console->is_skipping = false;
    if (s->console->tx == 'I') {
        map_free(s->console->portals);
        s->console->portals = map_new(mem_free);
    }
    ready(s);
}

/* --- messages --------------------------------------------------------------------------- */

/* 0, or PGW_E_MALFORMED with err. */
static int
extended(struct sess *s, char type, const char *p, size_t n, struct err *err)
{
    struct pgw_parse parsed;
    struct pgw_bind bound;
    struct str name;
    char what;
    int r = 0;
    switch (type) {
    case 'P':
        r = pgw_parse_parse(p, n, &parsed, err);
        if (r == 0)
            take_parse(s, &parsed);
        return r;
    case 'B':
        r = pgw_parse_bind(p, n, &bound, err);
        if (r == 0)
            take_bind(s, &bound);
        return r;
    case 'E':
        r = pgw_parse_execute(p, n, &name, err);
        if (r == 0)
            execute(s, name);
        return r;
    default: /* Describe, Close */
        r = pgw_parse_target(p, n, &what, &name, err);
        if (r == 0 && type == 'D') {
            describe_target(s, what, name);
        } else if (r == 0) {
            map_remove(
                what == 'P' ? s->console->portals : s->console->statements, name);
            SEND(s, close_complete);
        }
        return r;
    }
}

static int
message(struct sess *s, char type, const char *p, size_t n, struct err *err)
{
    struct str sql;
    int r;
    if (s->console->is_skipping && type != 'S' && type != 'X')
        return 0;
    switch (type) {
    case 'Q':
        r = pgw_parse_query(p, n, &sql, err);
        if (r == 0)
            query(s, sql);
        return r;
    case 'F':
        fail(s, true, "0A000", "the gate's own database has no functions", NULL);
        return 0;
    case 'S':
        sync_done(s);
        return 0;
    case 'X':
        sess_end(s, SESS_END_CLIENT_QUIT);
        return 0;
    case 'H': /* nothing is held back */
    case 'c': /* copy data of no copy: ignored, as the server does */
    case 'd':
    case 'f':
        return 0;
    default:
        return extended(s, type, p, n, err);
    }
}

/* Its bytes are dropped as they come. */
static void
too_long(struct sess *s, char type)
{
    bool is_simple = type == 'Q' || type == 'F';
    if (!s->console->is_skipping && type != 'd' && type != 'f')
        fail(s, is_simple, "54000", "the message is too long for a command", NULL);
}

size_t
sess_console_bytes(struct sess *s, const char *p, size_t n)
{
    struct pgw_head h;
    struct err err = { "" };
    struct sess_leg *leg = &s->client;
    if (leg->skip > 0) {
        size_t k = leg->skip < n ? leg->skip : n;
        leg->skip -= k;
        return k;
    }
    if (!sess_console_is_free(s))
        return 0;
    int r = pgw_head_client(p, n, &h, &err);
    if (r == PGW_NEED_MORE)
        return 0;
    if (r != 0)
        return broken(s, err.text);
    if (h.body_len > MAX_BODY) {
        too_long(s, h.type);
        leg->skip = h.body_len;
        return PGW_HEADER_SIZE;
    }
    if (n - PGW_HEADER_SIZE < h.body_len)
        return 0;
    if (message(s, h.type, p + PGW_HEADER_SIZE, h.body_len, &err) != 0)
        return broken(s, err.text);
    return s->state == SESS_ST_CLOSED ? 0 : PGW_HEADER_SIZE + (size_t)h.body_len;
}
