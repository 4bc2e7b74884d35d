// SPDX-License-Identifier: ISC
/* `ddlgate replay`: what another policy would have decided on recorded traffic. */
#include "cli/replay.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/file.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/names.h"
#include "cli/cli.h"
#include "cli/plain.h"

#define TEXT_COLUMNS 200 /* characters of a statement that a row shows */

struct arguments {
    const char *policy, *environment, *config;
    bool is_json, is_unverified;
    char **files;
    int n_files;
};

/* ---- the files ---- */

static int
verify(const struct aud_series *s)
{
    struct aud_verify v;
    struct err err = { "" };
    AUTO(mem_free) const char **files = mem_array(s->n, sizeof(*files));

    for (size_t i = 0; i < s->n; i++)
        files[i] = s->files[i];
    int r = aud_verify(files, s->n, &v, &err);
    if (r == -EBADMSG)
        return cli_error(&cmd_replay,
            "%s; the chain is broken, so these decisions may not be what the gate "
            "decided (--no-verify reads them all the same)",
            err.text);
    if (r)
        return cli_error(&cmd_replay, "%s", err.text);
    if (v.untrusted)
        fprintf(stderr,
            "ddlgate replay: %s: %" PRIu64 " lines that a later record disowns are "
            "replayed, too\n",
            s->path, v.untrusted);
    return CLI_OK;
}

static int
read_series(struct replay *r, const struct arguments *a, const struct aud_series *s)
{
    struct err err = { "" };
    int status = a->is_unverified ? CLI_OK : verify(s);

    for (size_t i = 0; !status && i < s->n; i++) {
        if (replay_read(r, s->files[i], &err) != 0)
            status = cli_error(&cmd_replay, "%s", err.text);
    }
    return status;
}

static int
read_files(struct replay *r, const struct arguments *a)
{
    int status = CLI_OK;

    for (int i = 0; !status && i < a->n_files; i++) {
        struct aud_series *series = NULL;
        size_t n = 0;
        struct err err = { "" };
        if (aud_series_find(a->files[i], &series, &n, &err))
            return cli_error(&cmd_replay, "%s", err.text);
        for (size_t k = 0; !status && k < n; k++)
            status = read_series(r, a, &series[k]);
        aud_series_free(series, n);
    }
    if (!status && r->n_bad)
        fprintf(stderr, "ddlgate replay: %" PRIu64 " lines are no record\n", r->n_bad);
    return status;
}

/* ---- counting ---- */

enum {
    REFUSED,
    PASSES,
    OTHER,
    N_KINDS
};

static const char *const kind_words[] = {
    [REFUSED] = "newly refused",
    [PASSES] = "no longer refused",
    [OTHER] = "otherwise changed",
};
static const char *const kind_keys[] = { "newly_refused", "no_longer_refused",
    "otherwise_changed" };

/* Strict: refused, or would be. */
static enum dg_action
strictness(const struct replay_verdict *v)
{
    return v->observed > v->enforced ? v->observed : v->enforced;
}

static int
kind_of(const struct replay_request *q)
{
    bool was = strictness(&q->was) >= DG_HOLD, is = strictness(&q->now) >= DG_HOLD;

    if (was != is)
        return is ? REFUSED : PASSES;
    return OTHER;
}

/* The rule that a change is put down to: the one that refuses now, or did. */
static const struct replay_verdict *
cause_of(const struct replay_request *q)
{
    if (kind_of(q) == PASSES || (strictness(&q->was) > strictness(&q->now)))
        return &q->was;
    return &q->now;
}

struct count {
    uint64_t n[N_KINDS];
    const char *rule, *rule_set;
};

struct summary {
    uint64_t n, n_same, n_changed, n_skipped, n_masked, n_blind, n_other_rule;
    uint64_t n_kind[N_KINDS];
    struct map *rules;   /* owned; rule and place -> struct count, owned */
    struct map *skipped; /* owned; reason -> number */
};

static void
summary_deinit_p(struct summary *s)
{
    map_free(s->rules);
    map_free(s->skipped);
}

static void
count_change(struct summary *s, const struct replay_request *q)
{
    const struct replay_verdict *v = cause_of(q);
    AUTO(mem_free)
    char *key = mem_printf(
        "%s\n%s", v->rule ? v->rule : "", v->rule_set ? v->rule_set : "");
    struct count *c = map_get(s->rules, str_of(key));

    if (!c) {
        c = mem_zalloc(sizeof(*c));
        c->rule = v->rule;
        c->rule_set = v->rule_set;
        map_set(s->rules, str_of(key), c);
    }
    c->n[kind_of(q)]++;
    s->n_kind[kind_of(q)]++;
    s->n_changed++;
}

static void
count_all(struct summary *s, const struct replay *r)
{
    s->rules = map_new(mem_free);
    s->skipped = map_new(NULL);
    s->n = r->n;
    for (size_t i = 0; i < r->n; i++) {
        const struct replay_request *q = &r->requests[i];
        const char *a = q->was.rule ? q->was.rule : "", *b = q->now.rule;
        if (q->skipped) {
            uintptr_t n = (uintptr_t)map_get(s->skipped, str_of(q->skipped));
            map_set(s->skipped, str_of(q->skipped), (void *)(n + 1));
            s->n_skipped++;
            continue;
        }
        s->n_masked += q->is_masked;
        s->n_blind += q->is_blind;
        if (replay_is_changed(q)) {
            count_change(s, q);
            continue;
        }
        s->n_same++;
        s->n_other_rule += q->now.enforced >= DG_HOLD && strcmp(a, b ? b : "") != 0;
    }
}

/* ---- text ---- */

/* The request's statements as one text. */
static void
put_text(struct buf *out, const struct replay_request *q, size_t max)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(SIZE_MAX / 2);

    for (size_t i = 0; !q->whole && i < q->n_stmts; i++)
        buf_putf(&b, "%s%s", i ? "; " : "", q->stmts[i].text);
    if (q->whole)
        buf_puts(&b, q->whole);
    struct str s = { buf_cstr(&b), buf_len(&b) };
    if (max)
        cli_put_plain(out, s, max);
    else
        buf_put(out, s.p, s.n);
}

static void
put_plain(struct buf *out, const char *s)
{
    cli_put_plain(out, str_of(s ? s : "-"), TEXT_COLUMNS);
}

static void
print_change(const struct replay_request *q)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT((size_t)1 << 20);
    const struct replay_verdict *v = cause_of(q);
    char was[32], now[32];

    replay_verdict_text(&q->was, was);
    replay_verdict_text(&q->now, now);
    buf_putf(&b, "%s  ", q->time ? q->time : "-");
    put_plain(&b, q->user);
    buf_puts(&b, "@");
    put_plain(&b, q->database);
    buf_putf(&b, "  %s -> %s", was, now);
    if (v->rule) {
        buf_putf(&b, "  %s", v == &q->was ? "was " : "");
        put_plain(&b, v->rule);
        if (v->rule_set) {
            buf_puts(&b, " (");
            put_plain(&b, v->rule_set);
            buf_puts(&b, ")");
        }
    }
    buf_puts(&b, "  ");
    put_text(&b, q, TEXT_COLUMNS);
    if (v == &q->now && v->message) {
        buf_puts(&b, "\n    ");
        put_plain(&b, v->message);
    }
    printf("%s\n", buf_cstr(&b));
}

static void
print_rules(const struct summary *s, int kind)
{
    size_t pos = 0;
    struct str key;
    void *value;

    if (!s->n_kind[kind])
        return;
    printf("%s:\n", kind_words[kind]);
    while (map_next(s->rules, &pos, &key, &value)) {
        const struct count *c = value;
        if (c->n[kind])
            printf("  %6" PRIu64 "  %s%s%s%s\n", c->n[kind], c->rule ? c->rule : "-",
                c->rule_set ? " (" : "", c->rule_set ? c->rule_set : "",
                c->rule_set ? ")" : "");
    }
}

static void
print_text(const struct replay *r, const struct summary *s)
{
    size_t pos = 0;
    struct str key;
    void *n;

    for (size_t i = 0; i < r->n; i++) {
        if (replay_is_changed(&r->requests[i]))
            print_change(&r->requests[i]);
    }
    printf("%s%" PRIu64 " decisions: %" PRIu64 " the same, %" PRIu64 " changed",
        s->n_changed ? "\n" : "", s->n, s->n_same, s->n_changed);
    if (s->n_skipped)
        printf(", %" PRIu64 " not judged", s->n_skipped);
    printf("\n");
    for (int kind = 0; kind < N_KINDS; kind++)
        print_rules(s, kind);
    if (s->n_other_rule)
        printf("refused as before, by another rule: %" PRIu64 "\n", s->n_other_rule);
    if (s->n_masked)
        printf("judged with masked constants: %" PRIu64 "\n", s->n_masked);
    if (s->n_blind)
        printf("judged without what rules ask of the server (sizes, indexes): %" PRIu64
               "\n",
            s->n_blind);
    while (map_next(s->skipped, &pos, &key, &n))
        printf("not judged: %" PRIuPTR ": %.*s\n", (uintptr_t)n, (int)key.n, key.p);
}

/* ---- JSON ---- */

static void
put_verdict(struct json *j, const char *key, const struct replay_verdict *v)
{
    bool is_observed = v->observed > v->enforced;

    json_key(j, key);
    json_object(j);
    json_kv(j, "decision", dg_action_name(v->enforced));
    if (is_observed)
        json_kv(j, "observed", dg_action_name(v->observed));
    json_kv(j, "rule", v->rule);
    json_kv(j, "ruleset", v->rule_set);
    json_kv(j, "message", v->message);
    json_object_end(j);
}

static void
put_change(struct json *j, const struct replay_request *q)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(SIZE_MAX / 2);

    put_text(&text, q, 0);
    json_object(j);
    json_kv(j, "time", q->time);
    json_kv(j, "user", q->user);
    json_kv(j, "database", q->database);
    json_kv(j, "session", q->session);
    json_kv(j, "request", q->id);
    put_verdict(j, "was", &q->was);
    put_verdict(j, "now", &q->now);
    json_kv(j, "change", kind_keys[kind_of(q)]);
    json_kv(j, "migration", q->n_stmts ? q->stmts[0].version : NULL);
    json_kv_bool(j, "masked", q->is_masked);
    json_kv_str(j, "text", (struct str){ buf_cstr(&text), buf_len(&text) });
    json_object_end(j);
}

static void
put_rules(struct json *j, const struct summary *s)
{
    size_t pos = 0;
    struct str key;
    void *value;

    json_key(j, "rules");
    json_array(j);
    while (map_next(s->rules, &pos, &key, &value)) {
        const struct count *c = value;
        json_object(j);
        json_kv(j, "rule", c->rule);
        json_kv(j, "ruleset", c->rule_set);
        for (int kind = 0; kind < N_KINDS; kind++)
            json_kv_int(j, kind_keys[kind], (int64_t)c->n[kind]);
        json_object_end(j);
    }
    json_array_end(j);
}

static void
put_summary(struct json *j, const struct summary *s)
{
    size_t pos = 0;
    struct str key;
    void *n;

    json_key(j, "summary");
    json_object(j);
    json_kv_int(j, "decisions", (int64_t)s->n);
    json_kv_int(j, "same", (int64_t)s->n_same);
    json_kv_int(j, "same_by_another_rule", (int64_t)s->n_other_rule);
    json_kv_int(j, "changed", (int64_t)s->n_changed);
    for (int kind = 0; kind < N_KINDS; kind++)
        json_kv_int(j, kind_keys[kind], (int64_t)s->n_kind[kind]);
    json_kv_int(j, "masked", (int64_t)s->n_masked);
    json_kv_int(j, "without_live_facts", (int64_t)s->n_blind);
    json_kv_int(j, "not_judged", (int64_t)s->n_skipped);
    put_rules(j, s);
    json_key(j, "reasons");
    json_array(j);
    while (map_next(s->skipped, &pos, &key, &n)) {
        json_object(j);
        json_kv_str(j, "reason", key);
        json_kv_int(j, "decisions", (int64_t)(uintptr_t)n);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void
print_json(const struct replay *r, const struct summary *s)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(SIZE_MAX / 2);
    struct json j = JSON_INIT(&out);

    json_object(&j);
    json_key(&j, "changes");
    json_array(&j);
    for (size_t i = 0; i < r->n; i++) {
        if (!replay_is_changed(&r->requests[i]))
            continue;
        put_change(&j, &r->requests[i]);
        fwrite(buf_ptr(&out), 1, buf_len(&out), stdout);
        buf_reset(&out);
    }
    json_array_end(&j);
    put_summary(&j, s);
    json_object_end(&j);
    printf("%s\n", buf_cstr(&out));
}

/* ---- the command ---- */

static void
pol_unref_p(struct pol **p)
{
    ref_drop(*p);
}

static void
snapshot_unref_p(struct gate_snapshot **s)
{
    ref_drop(*s);
}

static int
load(const struct arguments *a, struct pol **pol, struct gate_snapshot **snap)
{
    struct err err = { "" };
    struct cfg *cfg = NULL;

    if ((a->policy || a->environment)
        && pol_load_as(a->policy, a->environment, false, pol, &err) != 0)
        return cli_error(&cmd_replay, "%s", err.text);
    if (!a->config)
        return CLI_OK;
    if (cfg_load(a->config, false, &cfg, &err) != 0)
        return cli_error(&cmd_replay, "%s", err.text);
    int r = gate_snapshot_new(cfg, false, snap, &err);
    ref_drop(cfg);
    return r ? cli_error(&cmd_replay, "%s", err.text) : CLI_OK;
}

static int
replay(const struct arguments *a)
{
    AUTO(pol_unref) struct pol *pol = NULL;
    AUTO(snapshot_unref) struct gate_snapshot *snap = NULL;
    AUTO(replay_deinit) struct replay r;
    AUTO(summary_deinit) struct summary s = { 0 };

    replay_init(&r);
    int status = load(a, &pol, &snap);
    if (!status)
        status = read_files(&r, a);
    if (status)
        return status;
    replay_judge(&r, pol, snap);
    count_all(&s, &r);
    if (a->is_json)
        print_json(&r, &s);
    else
        print_text(&r, &s);
    return cli_finish(&cmd_replay, s.n_changed ? CLI_FINDINGS : CLI_OK);
}

/* On a thread whose stack parsing needs. */
struct job {
    struct task task;
    const struct arguments *a;
    int status;
};

static void
run_job(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    j->status = replay(j->a);
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "policy", required_argument, NULL, 'p' },
        { "environment", required_argument, NULL, 'e' },
        { "config", required_argument, NULL, 'c' },
        { "format", required_argument, NULL, 'f' },
        { "no-verify", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    const char *format = "text";
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, "p:e:c:f:", options, NULL)) != -1) {
        switch (opt) {
        case 'p':
            a->policy = optarg;
            break;
        case 'e':
            a->environment = optarg;
            break;
        case 'c':
            a->config = optarg;
            break;
        case 'f':
            format = optarg;
            break;
        case 'V':
            a->is_unverified = true;
            break;
        default:
            return cli_bad_option(&cmd_replay, argv);
        }
    }
    a->is_json = strcmp(format, "json") == 0;
    if (!a->is_json && strcmp(format, "text") != 0)
        return cli_misuse(&cmd_replay, "--format is text or json, not '%s'", format);
    a->files = argv + optind;
    a->n_files = argc - optind;
    if (!a->n_files)
        return cli_misuse(&cmd_replay, "which audit file?");
    if (!a->policy && !a->environment && !a->config)
        return cli_misuse(&cmd_replay,
            "no policy given (--policy FILE, -c FILE or --environment NAME)");
    return CLI_OK;
}

static int
run(int argc, char **argv)
{
    struct arguments a = { .policy = NULL };
    int status = parse_options(argc, argv, &a);
    struct job job = { .task.run = run_job, .a = &a };

    if (status)
        return status;
    struct task_pool *pool = task_pool_new(1, SQL_TREE_PARSER_STACK, "replay");
    task_pool_post(pool, &job.task);
    task_pool_free(pool);
    return job.status;
}

const struct cli_command cmd_replay = {
    .name = "replay",
    .summary = "tell what another policy would have decided on recorded traffic",
    .usage =
        "Usage: ddlgate replay --policy FILE [OPTION]... AUDITFILE...\n"
        "       ddlgate replay -c DDLGATE.INI [OPTION]... AUDITFILE...\n"
        "\n"
        "Reads the audit (a file with its rotated forms, or a folder) and judges every\n"
        "recorded schema change and refusal again, with the code that the gate runs and\n"
        "the circumstances that the record tells: session, time, transaction, and where\n"
        "the statement stood in the migrations then. Prints each decision that would be\n"
        "another one, and how many changed by which rule. Nothing is run.\n"
        "\n"
        "  -p, --policy FILE       the policy to judge by\n"
        "  -e, --environment NAME  development, staging, production or a policy's own:\n"
        "                          whose defaults count; enough without a policy\n"
        "  -c, --config FILE       a configuration: its policies by database, unless\n"
        "                          --policy is given, and its migration files, so that\n"
        "                          rules about a file as a whole can be judged\n"
        "  -f, --format FORMAT     text (default) or json\n"
        "      --no-verify         go on where the chain of the audit is broken\n"
        "\n"
        "What a record doesn't tell is unknown, which may only make a decision stricter;\n"
        "sizes and indexes of the server's tables are, and decisions of rules that ask\n"
        "for them are counted.\n"
        "Without -c a migration is what the records show of it: its schema changes. Not\n"
        "judged, and counted with the reason: texts that were cut, SQL EXECUTE, refused\n"
        "COMMITs, records of gates that told too little. Statements that were only\n"
        "observed (mode = observe) count as what would have been: would reject.\n"
        "\n"
        "Exit status: 0 all decisions stay, 1 some would change, 2 usage, policy or file\n"
        "error, or a broken chain.\n",
    .run = run,
};
