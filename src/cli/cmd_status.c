// SPDX-License-Identifier: ISC
/* `ddlgate status`: migration files against the history table, per database, and with
 * --drift the live schema against what the applied ones make. */
#include "app/historian.h"
#include "app/standing.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"
#include "cli/cli.h"
#include "cli/drift.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct arguments {
    const char *config, *database, *base;
    bool is_json, has_drift;
    struct scratch_opts scratch;
};

/* Two lists grow side by side. */
struct output {
    const struct arguments *a;
    struct apply_base *base; /* owned; NULL: none */
    struct scratch *scratch; /* owned; NULL without --drift */
    struct buf rows, drift;  /* owned; text or JSON */
    struct json rows_json, drift_json;
};

#define MAX_OUTPUT ((size_t)256 << 20)

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
print_row(struct output *out, const struct standing *s)
{
    struct json *j = &out->rows_json;
    if (!out->a->is_json) {
        printf("%-12s %-12s %-32s %-14s %s%s%s\n", s->database,
            s->version ? s->version : "repeatable", s->name ? s->name : "",
            dg_migration_state_name(s->state), s->file ? s->file : "(no file)",
            s->refused_by ? "  refused by rule " : "",
            s->refused_by ? s->refused_by : "");
        return;
    }
    json_object(j);
    json_kv(j, "database", s->database);
    json_kv(j, "version", s->version);
    json_kv(j, "name", s->name);
    json_kv(j, "file", s->file);
    json_kv(j, "state", dg_migration_state_name(s->state));
    json_kv(j, "refused_by", s->refused_by);
    json_object_end(j);
}

/* Of one database. */
struct listing {
    struct output *out;
    bool has_trouble;
};

static void
list_one(void *ctx, const struct standing *s)
{
    struct listing *l = ctx;
    print_row(l->out, s);
    l->has_trouble |= s->is_trouble;
}

static void
print_drift(struct output *out, const char *database, const struct drift *d)
{
    struct json *j = &out->drift_json;
    if (out->a->is_json) {
        json_object(j);
        json_kv(j, "database", database);
        json_kv_int(j, "migrations", (int64_t)d->n_applied);
        json_key(j, "changes");
        cat_diff_json(&d->diff, j);
        json_key(j, "notes");
        json_array(j);
        for (size_t i = 0; i < d->n_notes; i++)
            json_strz(j, d->notes[i]);
        json_array_end(j);
        json_object_end(j);
        return;
    }
    if (d->diff.n)
        buf_putf(&out->drift,
            "%s: drift, %zu difference%s from what its %zu applied migration%s make%s "
            "(+ only live, - only in the files):\n",
            database, d->diff.n, d->diff.n == 1 ? "" : "s", d->n_applied,
            d->n_applied == 1 ? "" : "s", d->n_applied == 1 ? "s" : "");
    else
        buf_putf(&out->drift,
            "%s: no drift, the schema is what its %zu applied "
            "migration%s make%s\n",
            database, d->n_applied, d->n_applied == 1 ? "" : "s",
            d->n_applied == 1 ? "s" : "");
    if (!cat_diff_text(&d->diff, "  ", 0, &out->drift))
        buf_puts(&out->drift, "\n");
    for (size_t i = 0; i < d->n_notes; i++)
        buf_putf(&out->drift, "  note: %s\n", d->notes[i]);
}

static int
show_drift(struct output *out, const struct gate_snapshot *snap, const char *database,
    const struct hist_view *view)
{
    AUTO(drift_deinit) struct drift d;
    struct err err = { "" };
    bool is_private = !out->a->scratch.server;
    if (drift_find(snap, database, view, out->base, out->scratch, is_private, &d, &err)
        != 0)
        return cli_error(&cmd_status, "%s: %s", database, err.text);
    print_drift(out, database, &d);
    return d.diff.n ? CLI_FINDINGS : CLI_OK;
}

static int
show(struct output *out, const struct gate_snapshot *snap, const char *database)
{
    struct err err = { "" };
    AUTO(view_unref) struct hist_view *view = NULL;
    struct listing l = { .out = out };
    if (historian_read(snap, database, &view, &err) != 0)
        return cli_error(&cmd_status, "%s: %s", database, err.text);
    standing_each(snap, database, view, list_one, &l);
    int status = out->scratch ? show_drift(out, snap, database, view) : CLI_OK;
    return status == CLI_OK && l.has_trouble ? CLI_FINDINGS : status;
}

static int
show_databases(struct output *out, const struct gate_snapshot *snap)
{
    int status = CLI_OK;
    size_t shown = 0, pos = 0;
    const char *name;
    if (out->a->database)
        return show(out, snap, out->a->database);
    for (; (name = standing_next_database(snap, &pos)); shown++) {
        int one = show(out, snap, name);
        status = one > status ? one : status;
    }
    if (!shown)
        return cli_error(&cmd_status,
            "no database with a [migrations] section is named in "
            "[databases]; name one with -d");
    return status;
}

static void
output_deinit_p(struct output *out)
{
    scratch_free(out->scratch);
    apply_base_free(out->base);
    buf_deinit(&out->rows);
    buf_deinit(&out->drift);
}

static void
print_all(struct output *out)
{
    if (!out->a->is_json) {
        printf("%s", buf_cstr(&out->drift));
        return;
    }
    json_array_end(&out->rows_json);
    json_array_end(&out->drift_json);
    if (out->a->has_drift)
        printf("{\"migrations\":%s,\"drift\":%s}\n", buf_cstr(&out->rows),
            buf_cstr(&out->drift));
    else
        printf("%s\n", buf_cstr(&out->rows));
}

static int
show_all(const struct gate_snapshot *snap, const struct arguments *a)
{
    AUTO(output_deinit)
    struct output out = {
        .a = a, .rows = BUF_INIT(MAX_OUTPUT), .drift = BUF_INIT(MAX_OUTPUT)
    };
    struct err err = { "" };
    out.rows_json.out = &out.rows;
    out.drift_json.out = &out.drift;
    if (a->base && apply_base_load(a->base, &out.base, &err) != 0)
        return cli_error(&cmd_status, "--base: %s", err.text);
    if (a->has_drift && scratch_open(&a->scratch, &out.scratch, &err) != 0)
        return cli_error(&cmd_status, "%s", err.text);
    if (a->is_json) {
        json_array(&out.rows_json);
        json_array(&out.drift_json);
    } else {
        printf("%-12s %-12s %-32s %-14s %s\n", "DATABASE", "VERSION", "NAME", "STATE",
            "FILE");
    }
    int status = show_databases(&out, snap);
    print_all(&out);
    if (out.scratch && scratch_close(out.scratch, &err) != 0)
        status = cli_error(&cmd_status, "%s", err.text);
    out.scratch = NULL;
    return cli_finish(&cmd_status, status);
}

enum {
    OPT_DRIFT = 256,
    OPT_SERVER,
    OPT_PG_BIN,
    OPT_BASE,
};

static int
take_option(struct arguments *a, int opt, char **argv)
{
    switch (opt) {
    case 'c':
        a->config = optarg;
        return CLI_OK;
    case 'd':
        a->database = optarg;
        return CLI_OK;
    case 'f':
        a->is_json = strcmp(optarg, "json") == 0;
        if (!a->is_json && strcmp(optarg, "text") != 0)
            return cli_misuse(
                &cmd_status, "--format is text or json, not '%s'", optarg);
        return CLI_OK;
    case OPT_DRIFT:
        a->has_drift = true;
        return CLI_OK;
    case OPT_BASE:
        a->base = optarg;
        return CLI_OK;
    case OPT_SERVER:
        a->scratch.server = optarg;
        return CLI_OK;
    case OPT_PG_BIN:
        a->scratch.pg_bin = optarg;
        return CLI_OK;
    }
    return cli_bad_option(&cmd_status, argv);
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "database", required_argument, NULL, 'd' },
        { "format", required_argument, NULL, 'f' },
        { "drift", no_argument, NULL, OPT_DRIFT },
        { "base", required_argument, NULL, OPT_BASE },
        { "server", required_argument, NULL, OPT_SERVER },
        { "pg-bin", required_argument, NULL, OPT_PG_BIN },
        { NULL, 0, NULL, 0 },
    };
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":c:d:f:", options, NULL)) != -1) {
        int status = take_option(a, opt, argv);
        if (status)
            return status;
    }
    if (!a->config)
        return cli_misuse(&cmd_status, "no configuration file given (-c FILE)");
    if (optind < argc)
        return cli_misuse(&cmd_status, "unexpected argument '%s'", argv[optind]);
    if (!a->has_drift && (a->scratch.server || a->scratch.pg_bin || a->base))
        return cli_misuse(&cmd_status, "--server, --pg-bin and --base are for --drift");
    if (a->base && !a->database)
        return cli_misuse(&cmd_status, "--base needs a database (-d NAME)");
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
        "Usage: ddlgate status -c FILE [-d DATABASE] [--format text|json] [--drift]\n"
        "\n"
        "Compares the migration files with the history table of each database that is\n"
        "named in [databases] and has a [migrations] section, or of the one given.\n"
        "\n"
        "  -c, --config FILE    the gate's configuration\n"
        "  -d, --database NAME  only this one (needed where only * matches)\n"
        "  -f, --format FORM    text or json\n"
        "      --drift          also compare the live schema (read with the `control` login)\n"
        "                       with the one that the applied migrations make, run in order\n"
        "                       on a scratch database\n"
        "      --base FILE      for a source with a `baseline`: its schema, as\n"
        "                       pg_dump --schema-only writes it\n"
        "      --server CONNINFO  make the scratch databases on this server; default: a\n"
        "                       private PostgreSQL that lives as long as the command\n"
        "      --pg-bin DIR     where initdb and postgres of the private one are\n"
        "\n"
        "Drift leaves out the tool's own tables, owners, and the order of columns.\n"
        "\n"
        "Exit status: 0 only applied and pending ones, 1 something is edited, out of\n"
        "order, missing, failed, or pending and refused by policy, or there is drift; 2\n"
        "usage, configuration or connection error.\n",
    .run = run,
};
