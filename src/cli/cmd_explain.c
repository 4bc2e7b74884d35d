// SPDX-License-Identifier: ISC
/* `ddlgate explain`: what would happen to this statement, and why, without running it. The
 * decision comes from gate_decide, the function that the wire calls. */
#include "app/historian.h"
#include "app/survey.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/names.h"
#include "cli/cli.h"
#include "gate/judge.h"
#include "gate/message.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct arguments {
    const char *config, *database, *role, *application_name, *client_addr;
    const char *tls, *client_cert_cn, *peer_uid, *listener;
    char **texts;
    size_t n_texts;
    bool is_offline, in_transaction, is_json;
};

static void
snapshot_unref_p(struct gate_snapshot **s)
{
    ref_drop(*s);
}

static void
view_unref_p(struct hist_view **v)
{
    ref_drop(*v);
}

static void
print_facts(const struct gate_text *t)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        char what[256];
        sql_facts_describe(f, what, sizeof(what));
        printf("statement %zu: %s%s, class %s%s\n", f->stmt + 1,
            f->parent >= 0 ? "hidden in it: " : "", what, dg_class_name(f->cls),
            f->flags & SQL_F_UNPARSABLE ? ", unparsable" : "");
    }
    if (t->tree->is_unparsable)
        printf("parser: %s\n", t->tree->error);
}

static const char *
match_text(enum hist_match_kind kind)
{
    switch (kind) {
    case HIST_MATCH_NONE:
        return "in no migration file";
    case HIST_MATCH_PENDING:
        return "listed in a pending migration";
    case HIST_MATCH_REPEAT:
        return "listed in an applied migration, may run again (repeat)";
    case HIST_MATCH_APPLIED:
        return "listed in an applied migration, does not run again";
    case HIST_MATCH_OUT_OF_ORDER:
        return "listed in a pending migration below an applied version";
    case HIST_MATCH_BLOCKED_FAILED:
        return "listed, but a failed migration stands in the history";
    case HIST_MATCH_OWN:
        return "the migration tool's own bookkeeping";
    case HIST_MATCH_DOWN:
        return "listed in the rollback of an applied migration";
    case HIST_MATCH_DOWN_BLOCKED:
        return "listed in a rollback that has nothing to roll back now";
    }
    return "";
}

static void
print_history(
    const struct gate_text *t, const struct pol_history *h, const struct pol *pol)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        bool needs = false;
        if (f->parent >= 0 || !pol_is_tracked(pol, f, &needs) || !needs)
            continue;
        const struct hist_migration *m = h[i].match.migration;
        printf("statement %zu: %s%s%s\n", f->stmt + 1,
            h[i].is_known ? match_text(h[i].match.kind) : "history not known: ",
            h[i].is_known ? (m ? ": " : "") : (h[i].why ? h[i].why : ""),
            h[i].is_known && m ? m->shown : "");
    }
}

static int
print_decision(const struct gate_message_ctx *mctx, const struct pol_findings *found)
{
    printf("decision: %s\n", dg_action_name(found->action));
    if (found->action < DG_HOLD) {
        for (size_t i = 0; i < found->n; i++)
            printf("  %s%s %s: %s\n", found->items[i].is_observed ? "would " : "",
                dg_action_name(found->items[i].action), found->items[i].rule,
                found->items[i].message);
        return CLI_OK;
    }
    struct gate_message m;
    gate_message_refusal(mctx, found, &m);
    printf("ERROR:  %s: %s\n", m.sqlstate, m.message);
    if (m.detail)
        printf("DETAIL:  %s\n", m.detail);
    if (m.hint)
        printf("HINT:  %s\n", m.hint);
    printf("LOCATION:  %s, %s:%d\n", m.routine ? m.routine : "",
        m.file ? m.file : "built-in", m.line);
    return CLI_FINDINGS;
}

static void
live_unref_p(struct pol_live **live)
{
    ref_drop(*live);
}

/* As on the wire, nobody asks without a `control` login. */
static bool
may_ask(const struct arguments *a, const struct gate_snapshot *snap)
{
    return !a->is_offline && snap->cfg->control;
}

static void
print_rewrite(const struct gate_rewrite *rw)
{
    printf("rewritten by %s: %s\n", rw->rules, rw->did);
    if (rw->sent || rw->text)
        printf("  sent: %s\n", rw->sent ? rw->sent : rw->text->sql);
    for (int i = 0; i < POL_N_TIMEOUTS; i++) {
        if (rw->timeout_ms[i])
            printf("  around it: %s = %lldms, unless the session's own is shorter\n",
                pol_timeout_name((enum pol_timeout)i), (long long)rw->timeout_ms[i]);
    }
    if (rw->follow_up)
        printf("  later: %s\n", rw->follow_up);
    if (rw->remark)
        printf("  note: %s\n", rw->remark);
}

/* --- JSON: an object a line ------------------------------------------------------------- */

static void
put_facts(struct json *j, const struct gate_text *t, const struct pol_history *h)
{
    json_key(j, "statements");
    json_array(j);
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        json_object(j);
        json_kv_int(j, "statement", (int64_t)f->stmt + 1);
        json_kv_bool(j, "hidden", f->parent >= 0);
        json_kv(j, "command", f->tag);
        json_kv(j, "class", dg_class_name(f->cls));
        json_kv_bool(j, "unparsable", f->flags & SQL_F_UNPARSABLE);
        if (h[i].view || !h[i].is_known)
            json_kv(j, "history",
                h[i].is_known ? match_text(h[i].match.kind) : "history not known");
        if (h[i].match.migration)
            json_kv(j, "migration", h[i].match.migration->shown);
        json_object_end(j);
    }
    json_array_end(j);
}

static void
put_findings(
    struct json *j, const struct gate_text *t, const struct pol_findings *found)
{
    json_key(j, "findings");
    json_array(j);
    for (size_t i = 0; i < found->n; i++) {
        const struct pol_finding *f = &found->items[i];
        json_object(j);
        json_kv(j, "rule", f->rule);
        json_kv(j, "action", dg_action_name(f->action));
        json_kv_bool(j, "observed", f->is_observed);
        if (f->fact < t->tree->n)
            json_kv_int(j, "statement", (int64_t)t->tree->facts[f->fact].stmt + 1);
        json_kv(j, "message", f->message);
        json_kv(j, "detail", f->detail);
        json_kv(j, "hint", f->hint);
        json_kv(j, "sqlstate", f->action >= DG_HOLD ? f->sqlstate : NULL);
        json_kv(j, "file", f->origin_file);
        if (f->origin_file)
            json_kv_int(j, "line", f->origin_line);
        json_object_end(j);
    }
    json_array_end(j);
}

static int
print_json(const struct gate_text *t, const struct pol_history *h,
    const struct pol_findings *f, const struct gate_rewrite *rw)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT((size_t)256 << 20);
    struct json j = JSON_INIT(&out);
    json_object(&j);
    json_kv(&j, "decision", dg_action_name(f->action));
    put_facts(&j, t, h);
    put_findings(&j, t, f);
    if (rw->did) {
        json_kv(&j, "rewritten_by", rw->rules);
        json_kv(&j, "sent", rw->sent ? rw->sent : rw->text ? rw->text->sql : NULL);
    }
    json_object_end(&j);
    printf("%s\n", buf_cstr(&out));
    return f->action < DG_HOLD ? CLI_OK : CLI_FINDINGS;
}

static int
explain_one(const struct arguments *a, const char *sql, struct gate_snapshot *snap,
    struct hist_view *view, const char *why)
{
    AUTO(gate_text_unref)
    struct gate_text *t = gate_text_whole(
        snap->words, snap, sql, strlen(sql), (unsigned)snap->cfg->max_depth);
    AUTO(pol_findings_deinit) struct pol_findings found;
    AUTO(mem_free) struct pol_history *h = mem_array(t->tree->n + 1, sizeof(*h));
    AUTO(arena_free) struct arena *arena = arena_new();
    struct gate_context ctx = {
        .target = gate_snapshot_find(snap, a->database),
        .snap = snap,
        .view = view,
        .why_unknown = why,
    };
    struct pol_session session = {
        .database = a->database,
        .role = a->role,
        .client_addr = a->client_addr,
        .application_name = a->application_name,
        .tls = a->tls,
        .client_cert_cn = a->client_cert_cn,
        .peer_uid = a->peer_uid,
        .listener = a->listener,
        .in_transaction = a->in_transaction,
        .now_us = clk_real.wall_us(&clk_real),
    };
    AUTO(gate_judged_clear) struct gate_judged_list judged = { NULL, 0, 0 };
    AUTO(live_unref) struct pol_live *live = NULL;
    AUTO(pol_wants) struct pol_wants asked = { .arena = arena };
    ctx.judged = &judged;
    pol_findings_init(&found);
    gate_decide(&ctx, &session, t, h, &found);
    for (int i = 0; i < 2 && found.wants.n && ctx.target.policy && may_ask(a, snap);
         i++) {
        for (size_t k = 0; k < found.wants.n; k++)
            pol_wants_add(&asked, &found.wants.items[k]);
        ref_drop(live);
        live = survey_read_database(snap, a->database, &session, &asked);
        if (!live->is_known)
            fprintf(
                stderr, "ddlgate explain: live facts can't be read: %s\n", live->why);
        ctx.live = live;
        gate_judged_clear(&judged);
        pol_findings_deinit(&found);
        pol_findings_init(&found);
        gate_decide(&ctx, &session, t, h, &found);
        if (!live->is_known)
            break;
    }
    AUTO(gate_rewrite_deinit) struct gate_rewrite rewrite;
    const struct gate_moment at = { .kind = GATE_QUERY,
        .tx_status = a->in_transaction ? 'T' : 'I' };
    gate_rewrite(
        ctx.target.policy, t, &at, (unsigned)snap->cfg->max_depth, &found, &rewrite);
    struct gate_message_ctx mctx = {
        .arena = arena,
        .text = t,
        .session = &session,
        .policy = ctx.target.policy,
        .view = view,
        .request_id = "----",
        .now_us = session.now_us,
    };
    if (a->is_json)
        return print_json(t, h, &found, &rewrite);
    print_facts(t);
    print_history(t, h, ctx.target.policy);
    int status = print_decision(&mctx, &found);
    if (rewrite.did)
        print_rewrite(&rewrite);
    return status;
}

static int
explain(const struct arguments *a, struct gate_snapshot *snap, struct hist_view *view,
    const char *why)
{
    int status = CLI_OK;
    for (size_t i = 0; i < a->n_texts; i++) {
        int r = explain_one(a, a->texts[i], snap, view, why);
        status = r > status ? r : status;
    }
    return cli_finish(&cmd_explain, status);
}

/* --- on a thread whose stack parsing needs -------------------------------------------------- */

struct job {
    struct task task;
    const struct arguments *a;
    struct gate_snapshot *snap;
    struct hist_view *view;
    const char *why;
    int status;
};

static void
run_job(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    j->status = explain(j->a, j->snap, j->view, j->why);
}

static int
explain_in_pool(const struct arguments *a, struct gate_snapshot *snap,
    struct hist_view *view, const char *why)
{
    struct job job = {
        .task.run = run_job, .a = a, .snap = snap, .view = view, .why = why
    };
    struct task_pool *pool = task_pool_new(1, SQL_TREE_PARSER_STACK, "explain");
    task_pool_post(pool, &job.task);
    task_pool_free(pool);
    return job.status;
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "database", required_argument, NULL, 'd' },
        { "role", required_argument, NULL, 'U' },
        { "application-name", required_argument, NULL, 'a' },
        { "client-addr", required_argument, NULL, 'A' },
        { "tls", required_argument, NULL, 'T' },
        { "client-cert-cn", required_argument, NULL, 'C' },
        { "peer-uid", required_argument, NULL, 'u' },
        { "listener", required_argument, NULL, 'L' },
        { "format", required_argument, NULL, 'f' },
        { "in-transaction", no_argument, NULL, 't' },
        { "offline", no_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    const char *format = "text";
    int opt;
    while ((opt = getopt_long(argc, argv, "c:d:U:f:", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            a->config = optarg;
            break;
        case 'd':
            a->database = optarg;
            break;
        case 'U':
            a->role = optarg;
            break;
        case 'a':
            a->application_name = optarg;
            break;
        case 'A':
            a->client_addr = optarg;
            break;
        case 'T':
            a->tls = strcmp(optarg, "none") == 0 ? "" : optarg;
            break;
        case 'C':
            a->client_cert_cn = optarg;
            break;
        case 'u':
            a->peer_uid = optarg;
            break;
        case 'L':
            a->listener = optarg;
            break;
        case 'f':
            format = optarg;
            break;
        case 't':
            a->in_transaction = true;
            break;
        case 'o':
            a->is_offline = true;
            break;
        default:
            return cli_misuse(&cmd_explain, "bad option");
        }
    }
    if (!a->config || !a->database || optind == argc)
        return cli_misuse(
            &cmd_explain, "-c FILE, -d DATABASE and one statement are needed");
    a->is_json = strcmp(format, "json") == 0;
    if (!a->is_json && strcmp(format, "text") != 0)
        return cli_misuse(&cmd_explain, "--format is text or json, not '%s'", format);
    a->texts = argv + optind;
    a->n_texts = (size_t)(argc - optind);
    return CLI_OK;
}

static int
run(int argc, char **argv)
{
    struct arguments a = { .config = NULL };
    struct err err = { "" }, why = { "" };
    struct cfg *cfg = NULL;
    AUTO(snapshot_unref) struct gate_snapshot *snap = NULL;
    AUTO(view_unref) struct hist_view *view = NULL;
    int status = parse_options(argc, argv, &a);
    if (status)
        return status;
    if (cfg_load(a.config, false, &cfg, &err) != 0)
        return cli_error(&cmd_explain, "%s", err.text);
    int r = gate_snapshot_new(cfg, false, &snap, &err);
    ref_drop(cfg);
    if (r)
        return cli_error(&cmd_explain, "%s", err.text);
    struct gate_target target = gate_snapshot_find(snap, a.database);
    if (!target.database)
        return cli_error(&cmd_explain, "database \"%s\" is not in [databases] of %s",
            a.database, a.config);
    if (target.source && a.is_offline)
        view = hist_view_new(target.source->set, NULL, 0);
    else if (target.source && historian_read(snap, a.database, &view, &why) != 0)
        fprintf(stderr, "ddlgate explain: %s\n", why.text);
    return explain_in_pool(&a, snap, view, why.text);
}

const struct cli_command cmd_explain = {
    .name = "explain",
    .summary = "tell what the gate would decide about a statement, and why",
    .usage =
        "Usage: ddlgate explain -c FILE -d DATABASE [OPTION]... STATEMENT...\n"
        "\n"
        "Each STATEMENT is explained by itself, as if a client had sent it alone. Nothing\n"
        "is run. The migration history, and what the policy's rules want to know of the\n"
        "tables, are read as the gate reads them, with the `control` login of the\n"
        "configuration.\n"
        "\n"
        "  -c, --config FILE            the gate's configuration\n"
        "  -d, --database NAME          as the client names it\n"
        "  -U, --role NAME              the session's role\n"
        "      --application-name NAME\n"
        "      --client-addr ADDRESS\n"
        "      --tls VERSION            TLSv1.3, or none\n"
        "      --client-cert-cn NAME    of the client's certificate; '' for none\n"
        "      --peer-uid NUMBER        of a unix socket's client; '' for none\n"
        "      --listener ADDRESS:PORT  where the client comes in\n"
        "      --in-transaction         as if inside a transaction block\n"
        "      --offline                ask no server: nothing is applied, no size known\n"
        "  -f, --format FORMAT          text (default), or json: an object a line\n"
        "\n"
        "What isn't given counts as unknown, which may only make the answer stricter.\n"
        "\n"
        "Exit status: 0 it would pass, 1 it would be refused, 2 usage or configuration\n"
        "error.\n",
    .run = run,
};
