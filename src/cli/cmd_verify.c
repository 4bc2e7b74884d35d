// SPDX-License-Identifier: ISC
/* `ddlgate verify`: migrations tried out on a scratch database. */
#include "cli/verify.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/task.h"
#include "cli/cli.h"
#include "scratch/scratch.h"
#include "sql/tree.h"

#define MAX_OUTPUT ((size_t)512 << 20)

struct arguments {
    struct check_input in;
    const char *source, *format, *output, *attest_file, *base;
    struct scratch_opts scratch;
    bool attests;
};

/* One run of the command. */
struct verify {
    const struct arguments *a;
    struct apply_base *base; /* owned; NULL: none */
    struct check *check;     /* owned */
    struct report findings;  /* owned */
    const struct verify_writer *writer;
    struct verify_totals totals;
    struct buf body; /* owned */
    bool has_progress;
    /* of the source under way */
    const struct gate_source *source;
    char server[32];
    struct hist_attested *attested; /* owned; one for each verified migration */
    size_t n_attested;
    struct arena *arena; /* owned; its strings */
};

/* --- policy's findings, on a thread whose stack judging needs ----------------------------- */

struct job {
    struct task task;
    struct verify *v;
    size_t source;
    unsigned *required;
};

static void
run_job(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    const struct hist_set *set = check_snapshot(j->v->check)->sources[j->source].set;

    for (size_t i = 0; i < set->n; i++)
        check_migration_of(j->v->check, &j->v->findings, j->source, i, &j->required[i]);
}

static void
judge(struct verify *v, size_t source, unsigned *required)
{
    struct job job = {
        .task.run = run_job, .v = v, .source = source, .required = required
    };
    struct task_pool *pool = task_pool_new(1, SQL_TREE_PARSER_STACK, "verify");

    task_pool_post(pool, &job.task);
    task_pool_free(pool);
}

/* --- what happens meanwhile --------------------------------------------------------------- */

static void
clear_progress(const struct verify *v)
{
    if (v->has_progress)
        fputs("\r\033[K", stderr);
}

static void
show_progress(void *ctx, size_t i, const char *what)
{
    const struct verify *v = ctx;
    const struct hist_set *set = v->source->set;

    clear_progress(v);
    if (v->has_progress)
        fprintf(stderr, "[%zu/%zu] %.60s: %s", i + 1, set->n, set->migrations[i].file,
            what);
}

static void
on_begin(void *ctx, const char *server)
{
    struct verify *v = ctx;

    snprintf(v->server, sizeof(v->server), "%s", server);
    v->writer->source(&v->body, v->source->set, server);
}

static void
note_attested(struct verify *v, const struct verify_result *r)
{
    struct hist_attested *a = &v->attested[v->n_attested++];
    const struct hist_attested *old;
    char now[CLK_RFC3339_SIZE], server[40];

    hist_attest_describe(r->set, r->m, a);
    a->tested = r->tested;
    /* What says the same stays as it is, so that only news show up in a review. */
    old = hist_attest_find(v->source->attest, a->key);
    size_t n_major = strcspn(v->server, ".");
    snprintf(server, sizeof(server), "PostgreSQL %.*s.", (int)n_major, v->server);
    if (old && old->tested == a->tested && hist_attest_is_same(old, a)
        && str_prefix(old->with, server)) {
        a->with = old->with;
        return;
    }
    clk_rfc3339(clk_real.wall_us(&clk_real), now);
    a->with = arena_printf(
        v->arena, "PostgreSQL %s, ddlgate %s, %.19sZ", v->server, DG_VERSION, now);
}

static void
on_done(void *ctx, const struct verify_result *r)
{
    struct verify *v = ctx;
    static const unsigned bits[] = { HIST_VERIFIED, HIST_REVERSIBLE, HIST_IDEMPOTENT };

    clear_progress(v);
    v->totals.n++;
    if (r->apply.outcome == VERIFY_NOT_DONE)
        v->totals.n_not_run++;
    else if (r->apply.outcome == VERIFY_IN_BASE)
        v->totals.n_in_base++;
    else
        v->totals.n_failed += verify_is_failure(r);
    for (size_t i = 0; i < DG_ARRAY_SIZE(bits); i++)
        v->totals.n_tested[i] += (r->tested & bits[i]) != 0;
    if (r->tested & HIST_VERIFIED)
        note_attested(v, r);
    v->writer->migration(&v->body, r, &v->totals);
}

/* --- the attestation ---------------------------------------------------------------------- */

/* Written aside and renamed: a gate may read it at any time. */
static int
write_whole(const char *path, struct buf *text, struct err *err)
{
    AUTO(mem_free) char *aside = mem_printf("%s.%ld.new", path, (long)getpid());
    FILE *f = fopen(aside, "wxe");

    if (!f)
        return err_errno(err, -errno, "%s", aside);
    size_t n = fwrite(buf_ptr(text), 1, buf_len(text), f);
    bool is_bad = n != buf_len(text) || fflush(f) != 0 || fsync(fileno(f)) != 0;
    int e = errno;
    is_bad |= fclose(f) != 0;
    if (!is_bad && rename(aside, path) == 0)
        return 0;
    e = is_bad ? e : errno;
    unlink(aside);
    return err_errno(err, -e, "%s", path);
}

static int
write_attestation(struct verify *v, struct err *err)
{
    const char *path = v->a->attest_file ? v->a->attest_file
                                         : v->source->cfg->attestation;
    AUTO(buf_deinit) struct buf text = BUF_INIT((size_t)64 << 20);

    if (hist_attest_write(v->attested, v->n_attested, &text) != 0)
        return err_set(err, -EFBIG, "%s: it would be too large", path);
    int r = write_whole(path, &text, err);
    if (!r && strcmp(v->a->format, "text") == 0)
        buf_putf(&v->body, "%s: %zu migration%s attested\n", path, v->n_attested,
            v->n_attested == 1 ? "" : "s");
    return r;
}

/* --- sources ------------------------------------------------------------------------------ */

/* The first database that the section names, so that ALTER DATABASE in a file finds it. */
static char *
database_name(const struct cfg_migrations *m)
{
    struct str rest = str_of(m->databases), item;

    while (str_next_item(&rest, &item)) {
        bool is_plain = item.n && item.n < 64;
        for (size_t i = 0; i < item.n; i++)
            is_plain &= item.p[i] != '*' && item.p[i] != '?' && item.p[i] != '!';
        if (is_plain && !str_eqz(item, "postgres") && !str_prefix(item.p, "template"))
            return mem_strndup(item.p, item.n);
    }
    return NULL;
}

static int
verify_with(struct verify *v, struct scratch *scratch, size_t source, struct err *err)
{
    const struct hist_set *set = v->source->set;
    AUTO(mem_free) unsigned *required = mem_array(set->n + 1, sizeof(*required));
    struct verify_job job = { .set = set,
        .scratch = scratch,
        .is_private = !v->a->scratch.server,
        .base = v->base,
        .findings = &v->findings,
        .first_file = v->findings.n_files,
        .required = required,
        .begin = on_begin,
        .progress = v->has_progress ? show_progress : NULL,
        .done = on_done,
        .ctx = v };

    judge(v, source, required);
    int r = verify_source(&job, err);
    clear_progress(v);
    return r;
}

static int
verify_section(struct verify *v, size_t source)
{
    struct scratch_opts opts = v->a->scratch;
    AUTO(scratch_free) struct scratch *scratch = NULL;
    AUTO(mem_free) char *name = NULL;
    struct err err = { "" };

    v->source = &check_snapshot(v->check)->sources[source];
    name = database_name(v->source->cfg);
    opts.dbname = name;
    v->attested = mem_array(v->source->set->n + 1, sizeof(*v->attested));
    v->n_attested = 0;
    int r = scratch_open(&opts, &scratch, &err);
    if (!r)
        r = verify_with(v, scratch, source, &err);
    if (!r)
        v->writer->source_end(&v->body);
    if (!r && v->a->attests)
        r = write_attestation(v, &err);
    mem_free(v->attested);
    v->attested = NULL;
    if (!r) {
        r = scratch_close(scratch, &err);
        scratch = NULL;
    }
    return r ? cli_error(&cmd_verify, "%s", err.text) : CLI_OK;
}

static int
verify_sections(struct verify *v)
{
    const struct gate_snapshot *snap = check_snapshot(v->check);
    size_t n_done = 0;

    for (size_t i = 0; i < snap->n_sources; i++) {
        if (v->a->source && strcmp(snap->sources[i].cfg->name, v->a->source) != 0)
            continue;
        int status = verify_section(v, i);
        if (status)
            return status;
        n_done++;
    }
    if (!n_done && v->a->source)
        return cli_error(&cmd_verify, "%s has no section [migrations %s]",
            v->a->in.config, v->a->source);
    if (!n_done)
        return cli_error(
            &cmd_verify, "%s has no [migrations] section", v->a->in.config);
    return CLI_OK;
}

/* --- the report --------------------------------------------------------------------------- */

static int
write_report(struct verify *v)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(MAX_OUTPUT);
    const char *path = v->a->output;
    FILE *f = stdout;

    v->writer->all(&out, &v->body, &v->totals);
    if (path && strcmp(path, "-") != 0)
        f = fopen(path, "we");
    if (!f)
        return cli_error(&cmd_verify, "%s: %s", path, strerror(errno));
    bool is_bad = fwrite(buf_ptr(&out), 1, buf_len(&out), f) != buf_len(&out);
    if (f != stdout) {
        is_bad |= fclose(f) != 0;
        printf("%s: %zu migrations, %zu failed, %zu not run\n", path, v->totals.n,
            v->totals.n_failed, v->totals.n_not_run);
    }
    return is_bad && f != stdout
        ? cli_error(&cmd_verify, "%s: %s", path, strerror(errno))
        : CLI_OK;
}

static void
verify_deinit_p(struct verify *v)
{
    apply_base_free(v->base);
    check_free(v->check);
    report_deinit(&v->findings);
    buf_deinit(&v->body);
    arena_free(v->arena);
}

static int
verify(const struct arguments *a)
{
    AUTO(verify_deinit) struct verify v = { .a = a, .arena = arena_new() };
    struct err err = { "" };

    report_init(&v.findings);
    v.findings.fail_level = DG_HOLD; /* what the gate would refuse */
    buf_init(&v.body, MAX_OUTPUT);
    v.has_progress = isatty(STDERR_FILENO);
    v.writer = verify_writer_find(a->format);
    if (!v.writer)
        return cli_misuse(
            &cmd_verify, "--format is text, json or junit, not '%s'", a->format);
    if (check_new(&a->in, &v.check, &err) != 0)
        return cli_error(&cmd_verify, "%s", err.text);
    if ((a->attest_file || a->base) && !a->source
        && check_snapshot(v.check)->n_sources > 1)
        return cli_misuse(
            &cmd_verify, "%s needs one SOURCE", a->base ? "--base" : "--attest=FILE");
    if (a->base && apply_base_load(a->base, &v.base, &err) != 0)
        return cli_error(&cmd_verify, "--base: %s", err.text);
    int status = verify_sections(&v);
    if (status)
        return status;
    status = write_report(&v);
    if (status)
        return status;
    return cli_finish(
        &cmd_verify, v.totals.n_failed || v.totals.n_not_run ? CLI_FINDINGS : CLI_OK);
}

/* --- options ------------------------------------------------------------------------------ */

enum {
    OPT_SERVER = 256,
    OPT_PG_BIN,
    OPT_ATTEST,
    OPT_BASE,
};

static int
take_option(struct arguments *a, int opt)
{
    switch (opt) {
    case 'c':
        a->in.config = optarg;
        return 0;
    case 'p':
        a->in.policy = optarg;
        return 0;
    case 'e':
        a->in.environment = optarg;
        return 0;
    case 'f':
        a->format = optarg;
        return 0;
    case 'o':
        a->output = optarg;
        return 0;
    case OPT_SERVER:
        a->scratch.server = optarg;
        return 0;
    case OPT_PG_BIN:
        a->scratch.pg_bin = optarg;
        return 0;
    case OPT_BASE:
        a->base = optarg;
        return 0;
    case OPT_ATTEST:
        a->attests = true;
        a->attest_file = optarg;
        return 0;
    }
    return -EINVAL;
}

static int
run(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "policy", required_argument, NULL, 'p' },
        { "environment", required_argument, NULL, 'e' },
        { "format", required_argument, NULL, 'f' },
        { "output", required_argument, NULL, 'o' },
        { "server", required_argument, NULL, OPT_SERVER },
        { "pg-bin", required_argument, NULL, OPT_PG_BIN },
        { "attest", optional_argument, NULL, OPT_ATTEST },
        { "base", required_argument, NULL, OPT_BASE },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct arguments a = { .in = { .stdin_name = "<stdin>", .skips_attested = true },
        .format = "text" };
    int opt;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":c:p:e:f:o:h", options, NULL)) != -1) {
        if (opt == 'h')
            return cli_help(&cmd_verify);
        if (take_option(&a, opt) != 0)
            return cli_bad_option(&cmd_verify, argv);
    }
    if (!a.in.config)
        return cli_misuse(&cmd_verify, "no configuration given (-c FILE)");
    if (optind < argc)
        a.source = argv[optind++];
    if (optind < argc)
        return cli_misuse(&cmd_verify, "one SOURCE at most, not '%s'", argv[optind]);
    return verify(&a);
}

const struct cli_command cmd_verify = {
    .name = "verify",
    .summary = "try migrations out on a scratch database: apply, roll back, run twice",
    .usage =
        "Usage: ddlgate verify -c DDLGATE.INI [OPTION]... [SOURCE]\n"
        "\n"
        "Runs the migrations of a [migrations SOURCE] section (of all sections without\n"
        "one) in order on an empty scratch database, in their tool's place: in a\n"
        "transaction or not, as the tool would. After each one, on a copy: its rollback,\n"
        "which must give the schema before; the migration once more, which must give the\n"
        "schema after; and a second run, which may change nothing. Tells for each how\n"
        "long it took, which tables that were there before it locks and rewrites, how\n"
        "many rows it changes, and what policy says.\n"
        "\n"
        "  -c, --config FILE       the gate's configuration\n"
        "  -p, --policy FILE       instead of the configuration's policies\n"
        "  -e, --environment NAME  whose defaults count\n"
        "      --base FILE         a schema to begin with, as pg_dump --schema-only writes it,\n"
        "                          for sources with a `baseline`: what that covers is not\n"
        "                          run\n"
        "      --server CONNINFO   make the scratch databases on this server; default: a\n"
        "                          private PostgreSQL that lives as long as the command\n"
        "      --pg-bin DIR        where initdb and postgres of the private one are\n"
        "  -f, --format FORMAT     text (default), json or junit\n"
        "  -o, --output FILE       write the report there, a summary to standard output\n"
        "      --attest[=FILE]     write what held into the source's attestation (its key\n"
        "                          `attestation`, else its path with .attest at the end),\n"
        "                          which policy can ask for: require = verified,\n"
        "                          reversible, idempotent\n"
        "\n"
        "A table's order of columns is not compared. On a private server, roles that files\n"
        "only mention are made. On a terminal, standard error shows how far it is.\n"
        "\n"
        "Exit status: 0 all is well, 1 a migration or its rollback failed, lacks what\n"
        "policy requires, or is one that policy would refuse; 2 usage, configuration or\n"
        "server trouble.\n",
    .run = run,
};
