// SPDX-License-Identifier: ISC
/* `ddlgate status`: migration files against the history table, per database. */
#include "app/historian.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct arguments {
    const char *config, *database;
    bool is_json;
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

/* States that somebody has to do something about. */
static bool
is_trouble(enum dg_migration_state state)
{
    return state == DG_MIG_EDITED || state == DG_MIG_OUT_OF_ORDER
        || state == DG_MIG_MISSING || state == DG_MIG_FAILED;
}

static void
print_row(struct json *j, bool is_json, const char *database, const char *version,
    const char *name, const char *file, enum dg_migration_state state,
    const char *refused)
{
    if (!is_json) {
        printf("%-12s %-12s %-32s %-14s %s%s%s\n", database,
            version ? version : "repeatable", name ? name : "",
            dg_migration_state_name(state), file ? file : "(no file)",
            refused ? "  refused by rule " : "", refused ? refused : "");
        return;
    }
    json_object(j);
    json_kv(j, "database", database);
    json_kv(j, "version", version);
    json_kv(j, "name", name);
    json_kv(j, "file", file);
    json_kv(j, "state", dg_migration_state_name(state));
    json_kv(j, "refused_by", refused);
    json_object_end(j);
}

static int
show(const struct gate_snapshot *snap, const char *database, bool is_json,
    struct json *j)
{
    struct err err = { "" };
    AUTO(view_unref) struct hist_view *view = NULL;
    struct gate_target t = gate_snapshot_find(snap, database);
    bool trouble = false;
    if (historian_read(snap, database, &view, &err) != 0)
        return cli_error(&cmd_status, "%s: %s", database, err.text);
    const struct hist_set *set = t.source->set;
    for (size_t i = 0; i < set->n; i++) {
        const struct hist_migration *m = &set->migrations[i];
        enum dg_migration_state state = hist_view_state(view, i);
        const struct pol_findings *f = &t.units->findings[i];
        bool refused = state != DG_MIG_APPLIED && f->action >= DG_HOLD;
        print_row(j, is_json, database, m->version, m->name, m->shown, state,
            refused ? pol_findings_lead(f)->rule : NULL);
        trouble |= is_trouble(state) || refused;
    }
    for (size_t i = 0; i < hist_view_n_missing(view); i++) {
        const char *version, *name;
        hist_view_missing(view, i, &version, &name);
        print_row(j, is_json, database, version, name, NULL, DG_MIG_MISSING, NULL);
        trouble = true;
    }
    return trouble ? CLI_FINDINGS : CLI_OK;
}

static int
show_all(const struct gate_snapshot *snap, const struct arguments *a)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT((size_t)256 << 20);
    struct json j = JSON_INIT(&out);
    int status = CLI_OK;
    size_t shown = 0;
    json_array(&j);
    if (!a->is_json)
        printf("%-12s %-12s %-32s %-14s %s\n", "DATABASE", "VERSION", "NAME", "STATE",
            "FILE");
    if (a->database) {
        status = show(snap, a->database, a->is_json, &j);
        shown++;
    }
    for (size_t i = 0; !a->database && i < snap->cfg->n_databases; i++) {
        const char *name = snap->cfg->databases[i].name;
        if (strcmp(name, "*") == 0 || !gate_snapshot_find(snap, name).source)
            continue;
        int one = show(snap, name, a->is_json, &j);
        status = one > status ? one : status;
        shown++;
    }
    json_array_end(&j);
    if (!shown)
        return cli_error(&cmd_status,
            "no database with a [migrations] section is named in "
            "[databases]; name one with -d");
    if (a->is_json)
        printf("%s\n", buf_cstr(&out));
    return cli_finish(&cmd_status, status);
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "database", required_argument, NULL, 'd' },
        { "format", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 },
    };
    int opt;
    while ((opt = getopt_long(argc, argv, "c:d:f:", options, NULL)) != -1) {
        if (opt == 'c')
            a->config = optarg;
        else if (opt == 'd')
            a->database = optarg;
        else if (opt == 'f'
            && (strcmp(optarg, "json") == 0 || strcmp(optarg, "text") == 0))
            a->is_json = strcmp(optarg, "json") == 0;
        else if (opt == 'f')
            return cli_misuse(
                &cmd_status, "--format is text or json, not '%s'", optarg);
        else
            return cli_misuse(&cmd_status, "bad option");
    }
    if (!a->config)
        return cli_misuse(&cmd_status, "no configuration file given (-c FILE)");
    if (optind < argc)
        return cli_misuse(&cmd_status, "unexpected argument '%s'", argv[optind]);
    return CLI_OK;
}

static int
run(int argc, char **argv)
{
    struct arguments a = { .config = NULL };
    struct err err = { "" };
    struct cfg *cfg = NULL;
    AUTO(snapshot_unref) struct gate_snapshot *snap = NULL;
    int status = parse_options(argc, argv, &a);
    if (status)
        return status;
    if (cfg_load(a.config, false, &cfg, &err) != 0)
        return cli_error(&cmd_status, "%s", err.text);
    int r = gate_snapshot_new(cfg, false, &snap, &err);
    ref_drop(cfg);
    if (r)
        return cli_error(&cmd_status, "%s", err.text);
    return show_all(snap, &a);
}

const struct cli_command cmd_status = {
    .name = "status",
    .summary = "show which migrations are pending, applied, edited or missing",
    .usage =
        "Usage: ddlgate status -c FILE [-d DATABASE] [--format text|json]\n"
        "\n"
        "Compares the migration files with the history table of each database that is\n"
        "named in [databases] and has a [migrations] section, or of the one given.\n"
        "\n"
        "  -c, --config FILE    the gate's configuration\n"
        "  -d, --database NAME  only this one (needed where only * matches)\n"
        "  -f, --format FORM    text or json\n"
        "\n"
        "Exit status: 0 only applied and pending ones, 1 something is edited, out of\n"
        "order, missing, failed, or pending and refused by policy; 2 usage,\n"
        "configuration or connection error.\n",
    .run = run,
};
