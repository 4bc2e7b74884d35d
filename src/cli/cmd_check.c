// SPDX-License-Identifier: ISC
/* `ddlgate check`: the policy's checks over files, with the code the wire uses. */
#include "base/fs.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/task.h"
#include "cli/cli.h"
#include "gate/snapshot.h"
#include "gate/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct check {
    const struct pol *policy;
    bool is_json;
    struct buf out; /* JSON findings so far */
    struct json json;
    size_t n_files, n_findings;
    struct err err;
};

/* --- one file --------------------------------------------------------------------------- */

static void
place_of(const struct gate_text *t, const struct pol_finding *f, int *line, int *column)
{
    const struct sql_facts *fact = &t->tree->facts[f->fact];
    size_t pos = t->scan.n ? t->scan.stmts[fact->stmt].start : 0;
    if (f->pos >= 0)
        pos = (size_t)f->pos;
    else if (f->object && f->object->pos >= 0)
        pos = (size_t)f->object->pos;
    else if (fact->pos >= 0)
        pos = (size_t)fact->pos;
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < pos && i < t->len; i++) {
        if (t->sql[i] == '\n') {
            ++*line;
            start = i + 1;
        }
    }
    *column = (int)str_utf8_count(t->sql + start, pos - start) + 1;
}

static void
print_finding(struct check *c, const char *file, const struct gate_text *t,
    const struct pol_finding *f)
{
    int line, column;
    char object[256] = "", what[256];
    place_of(t, f, &line, &column);
    const struct sql_facts *fact = &t->tree->facts[f->fact];
    if (f->object)
        sql_object_name(f->object, object, sizeof(object));
    else if (fact->n_objects)
        sql_object_name(&fact->objects[0], object, sizeof(object));
    sql_facts_describe(fact, what, sizeof(what));
    if (!c->is_json) {
        printf("%s:%d:%d: %s [%s] %s: %s\n", file, line, column,
            dg_action_name(f->action), f->rule, what, f->message);
        if (f->detail)
            printf("    %s\n", f->detail);
        if (f->hint)
            printf("    hint: %s\n", f->hint);
        return;
    }
    json_object(&c->json);
    json_kv(&c->json, "rule", f->rule);
    json_kv(&c->json, "file", file);
    json_kv_int(&c->json, "line", line);
    json_kv_int(&c->json, "column", column);
    json_kv_int(&c->json, "statement", (int64_t)fact->stmt + 1);
    json_kv(&c->json, "command", fact->tag);
    json_kv(&c->json, "object", object[0] ? object : NULL);
    json_kv(&c->json, "action", dg_action_name(f->action));
    json_kv_bool(&c->json, "observed", f->is_observed);
    json_kv(&c->json, "message", f->message);
    json_kv(&c->json, "detail", f->detail);
    json_kv(&c->json, "hint", f->hint);
    json_object_end(&c->json);
}

static int
check_text(struct check *c, const char *file, const char *sql, size_t len)
{
    AUTO(gate_text_unref)
    struct gate_text *t = gate_text_whole(NULL, NULL, sql, len, SQL_TREE_DEFAULT_DEPTH);
    AUTO(pol_findings_deinit) struct pol_findings found;
    pol_findings_init(&found);
    struct pol_text unit = {
        .text = t->sql, .len = t->len, .scan = &t->scan, .tree = t->tree
    };
    pol_judge_unit(c->policy, &unit, &found);
    for (size_t i = 0; i < found.n; i++) {
        if (found.items[i].action < DG_NOTE)
            continue;
        print_finding(c, file, t, &found.items[i]);
        c->n_findings += found.items[i].action >= DG_WARN
            && !found.items[i].is_observed;
    }
    c->n_files++;
    return 0;
}

static int
check_file(struct check *c, const char *path)
{
    AUTO(mem_free) char *text = NULL;
    size_t len;
    int r = hist_file_text(path, &text, &len, &c->err);
    return r ? r : check_text(c, path, text, len);
}

struct folder {
    struct check *c;
    const char *path;
};

static int
check_in_folder(void *ctx, const char *relpath)
{
    const struct folder *f = ctx;
    AUTO(mem_free) char *path = mem_printf("%s/%s", f->path, relpath);
    return str_suffix(relpath, ".sql") ? check_file(f->c, path) : 0;
}

static int
check_path(struct check *c, const char *path)
{
    struct stat st;
    struct folder f = { c, path };
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return fs_walk(path, check_in_folder, &f, &c->err);
    return check_file(c, path);
}

/* --- everything, on a thread whose stack parsing needs ------------------------------------ */

struct job {
    struct task task;
    struct check *c;
    char **paths;
    int n, result;
};

static void
run_job(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    for (int i = 0; i < j->n && j->result == 0; i++)
        j->result = check_path(j->c, j->paths[i]);
}

static int
check_all(struct check *c, char **paths, int n)
{
    struct job job = { .task.run = run_job, .c = c, .paths = paths, .n = n };
    struct task_pool *pool = task_pool_new(1, SQL_TREE_PARSER_STACK, "check");
    task_pool_post(pool, &job.task);
    task_pool_free(pool);
    return job.result;
}

/* --- the catalogue ------------------------------------------------------------------------ */

static int
list_checks(const struct pol *policy, bool is_json)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT((size_t)1 << 20);
    struct json j = JSON_INIT(&out);
    json_array(&j);
    if (!is_json)
        printf("%-24s %-12s %-8s %-8s %-10s %s\n", "CHECK", "GROUP", "dev", "staging",
            "production", policy ? "this policy" : "");
    for (size_t i = 0; i < pol_n_checks(); i++) {
        const struct pol_check_info *k = pol_check_info(i);
        bool observed = false;
        const char *now = policy
            ? dg_action_name(pol_check_action(policy, k->id, &observed))
            : "";
        if (!is_json) {
            printf("%-24s %-12s %-8s %-8s %-10s %s%s\n    %s\n", k->id, k->group,
                dg_action_name(k->development), dg_action_name(k->staging),
                dg_action_name(k->production), now, observed ? " (observed)" : "",
                k->summary);
            continue;
        }
        json_object(&j);
        json_kv(&j, "id", k->id);
        json_kv(&j, "group", k->group);
        json_kv(&j, "summary", k->summary);
        json_kv(&j, "development", dg_action_name(k->development));
        json_kv(&j, "staging", dg_action_name(k->staging));
        json_kv(&j, "production", dg_action_name(k->production));
        json_kv(&j, "parameters", k->params);
        if (policy)
            json_kv(&j, "action", now);
        json_object_end(&j);
    }
    json_array_end(&j);
    if (is_json)
        printf("%s\n", buf_cstr(&out));
    return cli_finish(&cmd_check, CLI_OK);
}

/* --- options ------------------------------------------------------------------------------ */

struct arguments {
    const char *policy;
    bool is_json, is_list;
};

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "policy", required_argument, NULL, 'p' },
        { "format", required_argument, NULL, 'f' },
        { "list", no_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    int opt;
    while ((opt = getopt_long(argc, argv, "p:f:l", options, NULL)) != -1) {
        if (opt == 'p')
            a->policy = optarg;
        else if (opt == 'l')
            a->is_list = true;
        else if (opt == 'f' && strcmp(optarg, "json") == 0)
            a->is_json = true;
        else if (opt == 'f' && strcmp(optarg, "text") == 0)
            a->is_json = false;
        else if (opt == 'f')
            return cli_misuse(&cmd_check, "--format is text or json, not '%s'", optarg);
        else
            return cli_misuse(&cmd_check, "bad option");
    }
    return CLI_OK;
}

static int
report(struct check *c)
{
    if (c->is_json) {
        json_array_end(&c->json);
        json_kv_int(&c->json, "files", (int64_t)c->n_files);
        json_object_end(&c->json);
        printf("%s\n", buf_cstr(&c->out));
    } else {
        printf("%zu file%s checked, %zu finding%s\n", c->n_files,
            c->n_files == 1 ? "" : "s", c->n_findings, c->n_findings == 1 ? "" : "s");
    }
    return cli_finish(&cmd_check, c->n_findings ? CLI_FINDINGS : CLI_OK);
}

static void
pol_unref_p(struct pol **p)
{
    ref_drop(*p);
}

static int
run(int argc, char **argv)
{
    struct arguments a = { .policy = NULL };
    AUTO(pol_unref) struct pol *policy = NULL;
    struct err err = { "" };
    int status = parse_options(argc, argv, &a);
    if (status)
        return status;
    if (a.policy && pol_load(a.policy, false, &policy, &err) != 0)
        return cli_error(&cmd_check, "%s", err.text);
    if (a.is_list)
        return list_checks(policy, a.is_json);
    if (!policy)
        return cli_misuse(&cmd_check, "no policy given (--policy FILE)");
    if (optind == argc)
        return cli_misuse(&cmd_check, "no files given (- is standard input)");
    struct check c = { .policy = policy, .is_json = a.is_json };
    buf_init(&c.out, (size_t)256 << 20);
    c.json = (struct json)JSON_INIT(&c.out);
    json_object(&c.json);
    json_key(&c.json, "findings");
    json_array(&c.json);
    if (check_all(&c, argv + optind, argc - optind) != 0)
        status = cli_error(&cmd_check, "%s", c.err.text);
    else
        status = report(&c);
    buf_deinit(&c.out);
    return status;
}

const struct cli_command cmd_check = {
    .name = "check",
    .summary = "check migration files or SQL on standard input against a policy",
    .usage =
        "Usage: ddlgate check --policy FILE [--format text|json] PATH...\n"
        "       ddlgate check --list [--policy FILE] [--format text|json]\n"
        "\n"
        "Judges each file as one migration with the checks of the policy, as the gate\n"
        "does when it loads the file. A folder stands for its *.sql files, - for\n"
        "standard input. What needs a session or a database (access, migration\n"
        "history) is judged on the wire only; see `ddlgate explain`.\n"
        "\n"
        "  -p, --policy FILE   the policy\n"
        "  -f, --format FORM   text (file:line:column: action [rule] ...) or json\n"
        "  -l, --list          the catalogue of checks, with the policy's own actions\n"
        "\n"
        "Exit status: 0 nothing to warn of, 1 findings of warn or more, 2 usage,\n"
        "policy or file error.\n",
    .run = run,
};
