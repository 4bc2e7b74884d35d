// SPDX-License-Identifier: ISC
/* `ddlgate check`: the policy's checks over files, with the code the wire uses. */
#include "cli/check.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/task.h"
#include "cli/cli.h"
#include "sql/tree.h"

/* --- on a thread whose stack parsing needs ------------------------------------------------ */

struct job {
    struct task task;
    struct check *check;
    struct report *report;
};

static void
run_job(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    check_run(j->check, j->report);
}

static void
run_in_pool(struct check *c, struct report *r)
{
    struct job job = { .task.run = run_job, .check = c, .report = r };
    struct task_pool *pool = task_pool_new(1, SQL_TREE_PARSER_STACK, "check");
    task_pool_post(pool, &job.task);
    task_pool_free(pool);
}

/* --- the catalogue ------------------------------------------------------------------------ */

static void
list_check(struct json *j, const struct pol *policy, size_t check)
{
    const struct pol_check_info *k = pol_check_info(check);
    const char *form = pol_rewrite_form(check);
    bool observed = false;
    const char *now = policy
        ? dg_action_name(pol_check_action(policy, k->id, &observed))
        : "";
    if (!j) {
        printf("%-32s %-12s %-8s %-8s %-10s %s%s%s\n    %s\n", k->id, k->group,
            dg_action_name(k->development), dg_action_name(k->staging),
            dg_action_name(k->production), now, observed ? " (observed)" : "",
            k->is_standard ? " (where a policy asks for it)" : "", k->summary);
        if (*k->params)
            printf("    keys: %s\n", k->params);
        if (form)
            printf("    rewritable: %s\n", form);
        return;
    }
    json_object(j);
    json_kv(j, "id", k->id);
    json_kv(j, "group", k->group);
    json_kv(j, "summary", k->summary);
    json_kv(j, "development", dg_action_name(k->development));
    json_kv(j, "staging", dg_action_name(k->staging));
    json_kv(j, "production", dg_action_name(k->production));
    json_kv(j, "parameters", k->params);
    json_kv(j, "scope", k->is_standard ? "standard" : "safety");
    json_kv(j, "when", k->when);
    if (form)
        json_kv(j, "rewrite", form);
    if (policy)
        json_kv(j, "action", now);
    json_object_end(j);
}

static void
list_left_out(struct json *j, const struct pol_left_out *k)
{
    if (!j) {
        printf("%-32s %-12s %-8s %-8s %-10s left out: %s\n    %s\n", k->id, k->group,
            dg_action_name(k->development), dg_action_name(k->staging),
            dg_action_name(k->production), k->needs, k->why);
        return;
    }
    json_object(j);
    json_kv(j, "id", k->id);
    json_kv(j, "group", k->group);
    json_kv(j, "development", dg_action_name(k->development));
    json_kv(j, "staging", dg_action_name(k->staging));
    json_kv(j, "production", dg_action_name(k->production));
    json_kv(j, "left_out", k->needs);
    json_kv(j, "why", k->why);
    json_object_end(j);
}

static int
list_checks(const struct pol *policy, bool is_json)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT((size_t)1 << 20);
    struct json json = JSON_INIT(&out), *j = is_json ? &json : NULL;

    json_array(&json);
    if (!is_json)
        printf("%-32s %-12s %-8s %-8s %-10s %s\n", "CHECK", "GROUP", "dev", "staging",
            "production", policy ? "this policy" : "");
    for (size_t i = 0; i < pol_n_checks(); i++)
        list_check(j, policy, i);
    for (size_t i = 0; i < pol_n_left_out(); i++)
        list_left_out(j, pol_left_out(i));
    json_array_end(&json);
    if (is_json)
        printf("%s\n", buf_cstr(&out));
    return cli_finish(&cmd_check, CLI_OK);
}

/* --- options ------------------------------------------------------------------------------ */

struct arguments {
    struct check_input in;
    const char *format, *output, *fail_level;
    bool is_list, has_suppressed;
};

static const char *
set_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* GitLab reads its report from a file, so that the log of a job gets text. */
static const char *
format_by_ci(bool is_to_file)
{
    const char *github = set_variable("GITHUB_ACTIONS");
    if (github && strcmp(github, "true") == 0)
        return "github";
    return set_variable("GITLAB_CI") && is_to_file ? "gitlab" : "text";
}

static int
take_option(struct arguments *a, int opt)
{
    switch (opt) {
    case 'p':
        a->in.policy = optarg;
        return 0;
    case 'e':
        a->in.environment = optarg;
        return 0;
    case 'c':
        a->in.config = optarg;
        return 0;
    case 'd': /* a name of the configuration, or where the server is */
        if (strchr(optarg, '=') || strstr(optarg, "://"))
            a->in.conninfo = optarg;
        else
            a->in.database = optarg;
        return 0;
    case 'L':
        a->in.is_live = true;
        return 0;
    case 'n':
        a->in.stdin_name = optarg;
        return 0;
    case 'f':
        a->format = optarg;
        return 0;
    case 'o':
        a->output = optarg;
        return 0;
    case 'F':
        a->fail_level = optarg;
        return 0;
    case 'l':
        a->is_list = true;
        return 0;
    case 'S':
        a->has_suppressed = true;
        return 0;
    }
    return -EINVAL;
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "policy", required_argument, NULL, 'p' },
        { "environment", required_argument, NULL, 'e' },
        { "config", required_argument, NULL, 'c' },
        { "database", required_argument, NULL, 'd' },
        { "live", no_argument, NULL, 'L' },
        { "name", required_argument, NULL, 'n' },
        { "format", required_argument, NULL, 'f' },
        { "output", required_argument, NULL, 'o' },
        { "fail-level", required_argument, NULL, 'F' },
        { "list", no_argument, NULL, 'l' },
        { "sarif-include-suppressed", no_argument, NULL, 'S' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int opt;
    opterr = 0;
    while (
        (opt = getopt_long(argc, argv, ":p:e:c:d:n:f:o:F:lh", options, NULL)) != -1) {
        if (opt != 'h' && take_option(a, opt) != 0)
            return cli_bad_option(&cmd_check, argv);
    }
    a->in.paths = argv + optind;
    a->in.n_paths = (size_t)(argc - optind);
    if (strcmp(a->format, "auto") == 0)
        a->format = format_by_ci(a->output != NULL);
    if (a->is_list && (a->in.n_paths || a->in.config))
        return cli_misuse(&cmd_check, "--list takes no files and no configuration");
    if (a->is_list)
        return CLI_OK;
    if (a->in.database && !a->in.config)
        return cli_misuse(&cmd_check,
            "--database NAME needs a configuration (-c FILE); a server is written as "
            "--database 'host=... dbname=...'");
    if (a->in.is_live && !a->in.database)
        return cli_misuse(&cmd_check,
            "--live needs the name of a database in the configuration (-d NAME)");
    if (!a->in.policy && !a->in.config && !a->in.environment)
        return cli_misuse(&cmd_check,
            "no policy given (--policy FILE, -c FILE or --environment NAME)");
    if (!a->in.n_paths && !a->in.config)
        return cli_misuse(&cmd_check, "no files given (- is standard input)");
    return CLI_OK;
}

static int
parse_fail_level(const char *word, struct report *r)
{
    r->never_fails = strcmp(word, "never") == 0;
    if (r->never_fails)
        return CLI_OK;
    if (dg_action_parse(str_of(word), &r->fail_level) != 0 || r->fail_level == DG_ALLOW)
        return cli_misuse(&cmd_check,
            "--fail-level is note, warn, rewrite, hold, reject or never, not '%s'",
            word);
    return CLI_OK;
}

/* --- writing ------------------------------------------------------------------------------ */

/* https://no-color.org: any value but an empty one. */
static bool
wants_color(FILE *file)
{
    const char *term = set_variable("TERM");
    return isatty(fileno(file)) && !set_variable("NO_COLOR") && term
        && strcmp(term, "dumb") != 0;
}

static int
write_report(struct report *r, const struct report_writer *writer, const char *path)
{
    struct report_out out = { .file = stdout };

    if (path && strcmp(path, "-") != 0) {
        out.file = fopen(path, "we");
        if (!out.file)
            return cli_error(&cmd_check, "%s: %s", path, strerror(errno));
    }
    r->is_color = wants_color(out.file);
    buf_init(&out.buf, (size_t)256 << 20);
    writer->write(r, &out);
    bool is_bad = false;
    if (out.file != stdout) {
        is_bad = ferror(out.file);
        is_bad |= fclose(out.file) != 0;
        /* the log of a job shall say why it failed */
        report_summary(r, &out.buf);
        printf("%s: %s\n", path, buf_cstr(&out.buf));
    }
    buf_deinit(&out.buf);
    return is_bad ? cli_error(&cmd_check, "%s: %s", path, strerror(errno)) : CLI_OK;
}

static void
print_troubles(const struct report *r)
{
    for (size_t i = 0; i < r->n_files; i++) {
        if (r->files[i].trouble)
            cli_error(&cmd_check, "%s", r->files[i].trouble);
    }
}

static void
report_deinit_p(struct report *r)
{
    report_deinit(r);
}

static void
pol_unref_p(struct pol **p)
{
    ref_drop(*p);
}

static int
run_list(const struct arguments *a)
{
    AUTO(pol_unref) struct pol *policy = NULL;
    struct err err = { "" };

    if ((a->in.policy || a->in.environment)
        && pol_load_as(a->in.policy, a->in.environment, false, &policy, &err) != 0)
        return cli_error(&cmd_check, "%s", err.text);
    if (strcmp(a->format, "json") != 0 && strcmp(a->format, "text") != 0)
        return cli_misuse(&cmd_check, "--list is text or json");
    return list_checks(policy, strcmp(a->format, "json") == 0);
}

static int
run(int argc, char **argv)
{
    struct arguments a = {
        .in.stdin_name = "<stdin>",
        .format = "text",
        .fail_level = "warn",
    };
    AUTO(check_free) struct check *check = NULL;
    AUTO(report_deinit) struct report report;
    struct err err = { "" };

    report_init(&report);
    int status = parse_options(argc, argv, &a);
    if (status)
        return status;
    if (a.is_list)
        return run_list(&a);
    const struct report_writer *writer = report_writer_find(a.format);
    if (!writer)
        return cli_misuse(&cmd_check,
            "--format is text, json, sarif, junit, gitlab, github, baseline or auto, not "
            "'%s'",
            a.format);
    status = parse_fail_level(a.fail_level, &report);
    if (status)
        return status;
    if (check_new(&a.in, &check, &err) != 0)
        return cli_error(&cmd_check, "%s", err.text);
    report.policy = check_policy(check);
    report.has_suppressed = a.has_suppressed;
    run_in_pool(check, &report);
    status = write_report(&report, writer, a.output);
    if (status)
        return status;
    print_troubles(&report);
    if (report.n_trouble)
        return cli_finish(&cmd_check, CLI_USAGE);
    return cli_finish(&cmd_check, report.n_failing ? CLI_FINDINGS : CLI_OK);
}

const struct cli_command cmd_check = {
    .name = "check",
    .summary = "check migration files or SQL on standard input against a policy",
    .usage =
        "Usage: ddlgate check --policy FILE [OPTION]... PATH...\n"
        "       ddlgate check -c DDLGATE.INI [OPTION]... [PATH...]\n"
        "       ddlgate check --list [--policy FILE] [--format text|json]\n"
        "\n"
        "Judges each file as one migration with the checks of the policy, as the gate\n"
        "does when it loads the file. A folder stands for its *.sql files, - for\n"
        "standard input. With a configuration, files of its [migrations] are read as the\n"
        "migration tool reads them and judged by the policies of their databases; without\n"
        "a PATH, all of them. What needs a session or a database (access, migration\n"
        "history) is judged on the wire only; see `ddlgate explain`.\n"
        "\n"
        "  -p, --policy FILE       the policy\n"
        "  -e, --environment NAME  development, staging, production or a policy's own:\n"
        "                          whose defaults count; enough without a policy\n"
        "  -c, --config FILE       the gate's configuration\n"
        "  -d, --database NAME     only what this database of the configuration has\n"
        "      --live              with -d NAME: sizes, locks, types and the like are read\n"
        "                          from the server as the gate reads them\n"
        "  -d, --database CONNINFO the same from this server ('host=... dbname=...'), for\n"
        "                          files outside of a configuration, too\n"
        "  -n, --name NAME         what standard input is called in the report\n"
        "  -f, --format FORMAT     text (default), json, sarif (2.1.0), junit, gitlab\n"
        "                          (Code Quality), github (annotations), baseline (lines\n"
        "                          for the policy's `baseline` file), or auto, which\n"
        "                          goes by the variables of GitHub Actions and GitLab CI\n"
        "  -o, --output FILE       write the report there, a summary to standard output\n"
        "  -F, --fail-level LEVEL  note, warn (default), rewrite, hold, reject or never:\n"
        "                          findings from this action on make the exit status 1\n"
        "      --sarif-include-suppressed\n"
        "                          findings under mode = observe, too, as suppressed\n"
        "  -l, --list              the catalogue of checks, with the policy's own actions\n"
        "\n"
        "Text is coloured on a terminal, unless NO_COLOR is set.\n"
        "\n"
        "Exit status: 0 nothing at or above the fail level, 1 findings, 2 usage, policy\n"
        "or file error.\n",
    .run = run,
};
