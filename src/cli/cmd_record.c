// SPDX-License-Identifier: ISC
/* `ddlgate record`: a migration tool runs on a scratch database, and what it ran is written
 * into a lockfile. */
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/lockdiff.h"
#include "cli/rehearsal.h"
#include "config/config.h"
#include "control/control.h"
#include "scratch/scratch.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_LOCK_BYTES HIST_MAX_FILE_BYTES
#define DEFAULT_FILE   "ddlgate.lock"
#define FILE_MODE      0644
#define PREPARE_MS     600000

struct arguments {
    const char *config, *source, *output, *format, *table, *server, *pg_bin, *dbname;
    const char *prepare, *down;
    bool is_check, is_verbose;
    char **command; /* NULL-terminated */
};

/* All of one call. */
struct job {
    struct arguments a;
    struct cfg *cfg;    /* owned reference, NULL: none */
    const char *output; /* where the lockfile is */
    const char *table;  /* the history table if it isn't the tool's default; NULL */
    struct hist_set
        *old;       /* owned reference; the lockfile as it is; NULL: none, or broken */
    char *old_text; /* owned; NULL: there is no file */
    size_t old_len;
    struct arena *arena;
    struct scratch *scratch; /* owned */
    const char *conninfo;
    struct hist_recorded stats;
    struct buf text; /* the new lockfile */
};

/* What is wrong with what was looked at, not with how we were called. */
static int
finding(const char *text)
{
    cli_error(&cmd_record, "%s", text);
    return CLI_FINDINGS;
}

static int
fault(const struct err *err)
{
    return cli_error(&cmd_record, "%s", err->text);
}

/* --- arguments --------------------------------------------------------------------------- */

static const char **
place_of(struct arguments *a, int opt)
{
    switch (opt) {
    case 'c':
        return &a->config;
    case 's':
        return &a->source;
    case 'o':
        return &a->output;
    case 't':
        return &a->format;
    case 'T':
        return &a->table;
    case 'S':
        return &a->server;
    case 'B':
        return &a->pg_bin;
    case 'd':
        return &a->dbname;
    case 'p':
        return &a->prepare;
    case 'D':
        return &a->down;
    default:
        return NULL;
    }
}

static bool
is_format(const char *name)
{
    size_t i = 0;

    while (hist_format_name(i) && strcmp(hist_format_name(i), name) != 0)
        i++;
    return hist_format_name(i);
}

static int
check_arguments(const struct arguments *a)
{
    if (!a->command[0])
        return cli_misuse(&cmd_record, "no command given; write it after --");
    if (a->source && !a->config)
        return cli_misuse(&cmd_record, "--source names a section of --config FILE");
    if (a->server && (a->pg_bin || a->dbname))
        return cli_misuse(&cmd_record,
            "--server excludes --pg-bin and --dbname, which are for a private "
            "server");
    if (a->format && !is_format(a->format))
        return cli_misuse(&cmd_record,
            "--tool '%s' is not known; it is a format such as alembic, django, knex",
            a->format);
    return CLI_OK;
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "source", required_argument, NULL, 's' },
        { "output", required_argument, NULL, 'o' },
        { "tool", required_argument, NULL, 't' },
        { "table", required_argument, NULL, 'T' },
        { "server", required_argument, NULL, 'S' },
        { "pg-bin", required_argument, NULL, 'B' },
        { "dbname", required_argument, NULL, 'd' },
        { "prepare", required_argument, NULL, 'p' },
        { "down", required_argument, NULL, 'D' },
        { "check", no_argument, NULL, 'k' },
        { "verbose", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 },
    };
    int opt;

    opterr = 0;
    /* + : what follows the first other word is the command's */
    while ((opt = getopt_long(argc, argv, "+c:s:o:t:d:p:v", options, NULL)) != -1) {
        const char **place = place_of(a, opt);
        if (place)
            *place = optarg;
        else if (opt == 'k')
            a->is_check = true;
        else if (opt == 'v')
            a->is_verbose = true;
        else
            return cli_bad_option(&cmd_record, argv);
    }
    a->command = argv + optind;
    return check_arguments(a);
}

/* --- configuration and the lockfile as it is --------------------------------------------- */

static int
no_section(const struct job *j, size_t n)
{
    if (j->a.source)
        return cli_error(&cmd_record,
            "%s: there is no [migrations %s] with format = lockfile", j->a.config,
            j->a.source);
    return cli_error(&cmd_record,
        n == 0
            ? "%s: no [migrations] section has format = lockfile"
            : "%s: several [migrations] sections have format = lockfile; name one with "
              "--source",
        j->a.config);
}

/* The database's name in a section for one: statements may name it. */
static void
take_dbname(struct job *j, const struct cfg_migrations *m)
{
    if (j->a.dbname || j->a.server || strpbrk(m->databases, ",*? \t"))
        return;
    j->a.dbname = m->databases;
}

static int
take_section(struct job *j)
{
    const struct cfg_migrations *found = NULL;
    struct err err = { "" };
    size_t n = 0;

    if (!j->a.config)
        return CLI_OK;
    if (cfg_load(j->a.config, false, &j->cfg, &err) != 0)
        return fault(&err);
    for (size_t i = 0; i < j->cfg->n_migrations; i++) {
        const struct cfg_migrations *m = &j->cfg->migrations[i];
        if (strcmp(m->format, "lockfile") != 0
            || (j->a.source && strcmp(m->name, j->a.source) != 0))
            continue;
        found = m;
        n++;
    }
    if (n != 1 || !found)
        return no_section(j, n);
    if (!j->output)
        j->output = found->path;
    if (!j->table)
        j->table = found->history_table;
    take_dbname(j, found);
    return CLI_OK;
}

static int
load_lock(const struct job *j, const char *path, struct hist_set **out, struct err *err)
{
    struct hist_conf conf = { .name = "record",
        .format = "lockfile",
        .path = path,
        .history_table = j->table,
        .repeat = HIST_REPEAT_CREATE,
        .file = path };

    return hist_set_load(&conf, out, err);
}

/* The table that the lockfile names, if it names one. */
static void
take_old_table(struct job *j)
{
    const char *found = strstr(j->old_text, "\ntable ");

    if (!found || j->table)
        return;
    found += strlen("\ntable ");
    j->table = arena_strndup(j->arena, found, strcspn(found, "\r\n"));
}

/* A broken one is as good as none: it is written anew. */
static int
read_old(struct job *j)
{
    struct err err = { "" };
    int r = access(j->output, F_OK) == 0
        ? fs_read(j->output, MAX_LOCK_BYTES, &j->old_text, &j->old_len, &err)
        : 0;

    if (r)
        return fault(&err);
    if (!j->old_text)
        return CLI_OK;
    if (load_lock(j, j->output, &j->old, &err) == 0)
        take_old_table(j);
    else if (j->a.is_check)
        return finding(err.text);
    return CLI_OK;
}

/* --- running ----------------------------------------------------------------------------- */

static int
prepare(const struct job *j)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    AUTO(mem_free) char *text = NULL;
    struct err err = { "" };
    size_t n = 0;

    if (!j->a.prepare)
        return CLI_OK;
    if (hist_file_text(j->a.prepare, &text, &n, &err) != 0
        || ctl_link_open(j->conninfo, PREPARE_MS, &link, &err) != 0)
        return fault(&err);
    if (ctl_link_run(link, text, NULL, &err) != 0)
        return cli_error(&cmd_record, "%s: %s", j->a.prepare, err.text);
    return CLI_OK;
}

static int
open_database(struct job *j)
{
    struct scratch_opts opts = {
        .server = j->a.server, .pg_bin = j->a.pg_bin, .dbname = j->a.dbname
    };
    struct err err = { "" };

    if (scratch_open(&opts, &j->scratch, &err) != 0
        || scratch_new_database(j->scratch, &j->conninfo, &err) != 0)
        return fault(&err);
    return prepare(j);
}

/* The commands' faults are findings, ours are not. */
static int
outcome(int r, const struct err *err)
{
    if (r == 0)
        return CLI_OK;
    return r > 0 || r == -EINVAL ? finding(err->text) : fault(err);
}

/* The rollbacks, by a shell. */
static int
run_down(
    struct job *j, struct rehearsal *r, struct hist_recording *rec, struct err *err)
{
    char shell[] = "sh", option[] = "-c";
    AUTO(mem_free) char *words = mem_strdup(j->a.down);
    char *argv[] = { shell, option, words, NULL };
    int ret = hist_recording_turn(rec, err);

    if (!ret)
        ret = rehearsal_run(r, argv, err);
    return ret ? ret : rehearsal_feed(r, rec, err);
}

static void
set_unref_p(struct hist_set **set)
{
    ref_drop(*set);
}

static int
run_all(struct job *j, struct rehearsal *r, struct err *err)
{
    AUTO(set_unref) struct hist_set *set = NULL;
    AUTO(hist_recording_free) struct hist_recording *rec = NULL;
    int ret = rehearsal_run(r, j->a.command, err);

    if (!ret)
        ret = rehearsal_tool(
            r, j->a.format, j->old ? hist_set_format(j->old) : NULL, &set, err);
    if (ret)
        return ret;
    rec = hist_recording_new(set);
    ret = rehearsal_feed(r, rec, err);
    if (!ret && j->a.down)
        ret = run_down(j, r, rec, err);
    return ret ? ret : hist_recording_write(rec, j->table, &j->text, &j->stats, err);
}

static int
record(struct job *j)
{
    struct rehearsal_opts opts = {
        .conninfo = j->conninfo, .folder = scratch_folder(j->scratch), .table = j->table
    };
    AUTO(rehearsal_free) struct rehearsal *r = NULL;
    struct err err = { "" };

    if (rehearsal_new(&opts, &r, &err) != 0)
        return fault(&err);
    return outcome(run_all(j, r, &err), &err);
}

/* --- the result -------------------------------------------------------------------------- */

/* The new text must be one that a gate takes; it also has to be compared. */
static int
load_new(const struct job *j, struct hist_set **out)
{
    AUTO(mem_free)
    char *path = mem_printf("%s/new.lock", scratch_folder(j->scratch));
    struct err err = { "" };

    if (fs_replace(path, buf_ptr(&j->text), buf_len(&j->text), FILE_MODE, &err) != 0
        || load_lock(j, path, out, &err) != 0)
        return cli_error(
            &cmd_record, "what was recorded can't be read back: %s", err.text);
    return CLI_OK;
}

static void
put_counts(const struct job *j, const struct hist_set *set)
{
    const struct hist_recorded *n = &j->stats;

    printf("%s: %zu migration%s of %s, %zu statement%s", j->output, n->n_migrations,
        n->n_migrations == 1 ? "" : "s", hist_set_format(set), n->n_statements,
        n->n_statements == 1 ? "" : "s");
    if (j->a.down)
        printf(", %zu with a rollback", n->n_down);
    if (n->n_left_out)
        printf("; %zu data statement%s after the last migration left out",
            n->n_left_out, n->n_left_out == 1 ? "" : "s");
}

static bool
is_same(const struct job *j)
{
    return j->old_text && j->old_len == buf_len(&j->text)
        && memcmp(j->old_text, buf_ptr(&j->text), j->old_len) == 0;
}

static int
write_result(struct job *j, const char *changes)
{
    struct err err = { "" };

    if (is_same(j)) {
        printf(", unchanged\n");
        return CLI_OK;
    }
    if (fs_replace(j->output, buf_ptr(&j->text), buf_len(&j->text), FILE_MODE, &err)
        != 0) {
        printf("\n");
        fflush(stdout);
        return fault(&err);
    }
    printf("\n%s", changes);
    return CLI_OK;
}

static int
check_result(struct job *j, const char *changes)
{
    if (is_same(j)) {
        printf(", up to date\n");
        return CLI_OK;
    }
    printf("\n%s", changes);
    fflush(stdout);
    AUTO(mem_free)
    char *why = mem_printf(
        "%s %s; record it again without --check, and review the change", j->output,
        j->old_text ? "is out of date" : "does not exist");
    return finding(why);
}

static int
finish(struct job *j)
{
    AUTO(set_unref) struct hist_set *fresh = NULL;
    AUTO(buf_deinit) struct buf changes = BUF_INIT((size_t)64 << 20);
    int status = load_new(j, &fresh);

    if (status)
        return status;
    if (!is_same(j))
        lockdiff(j->old, fresh, &changes);
    if (!is_same(j) && buf_len(&changes) == 0)
        buf_puts(&changes,
            "  ~ nothing but its lines: it was edited by hand, or in a merge\n");
    put_counts(j, fresh);
    return j->a.is_check ? check_result(j, buf_cstr(&changes))
                         : write_result(j, buf_cstr(&changes));
}

/* Better now than when all has run. */
static int
check_output(const struct job *j)
{
    AUTO(mem_free) char *folder = fs_relative_to(j->output, ".");

    if (j->a.is_check || access(folder, W_OK) == 0)
        return CLI_OK;
    return cli_error(&cmd_record, "can't write to %s: %s", folder, strerror(errno));
}

static int
run_job(struct job *j)
{
    int status = take_section(j);

    if (!j->output)
        j->output = DEFAULT_FILE;
    if (!status)
        status = check_output(j);
    if (!status)
        status = read_old(j);
    if (!status)
        status = open_database(j);
    if (!status)
        status = record(j);
    return status ? status : finish(j);
}

static int
run(int argc, char **argv)
{
    struct job j = { .text = BUF_INIT(MAX_LOCK_BYTES) };
    struct err err = { "" };
    int status = parse_options(argc, argv, &j.a);

    if (status)
        return status;
    log_set_level(j.a.is_verbose ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
    j.arena = arena_new();
    j.output = j.a.output;
    j.table = j.a.table;
    status = run_job(&j);
    if (scratch_close(j.scratch, &err) != 0)
        status = fault(&err);
    ref_drop(j.old);
    ref_drop(j.cfg);
    mem_free(j.old_text);
    arena_free(j.arena);
    buf_deinit(&j.text);
    return cli_finish(&cmd_record, status);
}

const struct cli_command cmd_record = {
    .name = "record",
    .summary = "write a lockfile of what a migration tool runs on a scratch database",
    .usage =
        "Usage: ddlgate record [OPTION]... -- COMMAND [WORD]...\n"
        "\n"
        "Starts a private PostgreSQL with an empty database and a gate in front of it,\n"
        "runs COMMAND, which migrates it, and writes what each migration ran into a\n"
        "lockfile, for [migrations] sections with format = lockfile. COMMAND finds the\n"
        "gate by DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE; {url},\n"
        "{host}, {port}, {user}, {password} and {dbname} in its words are filled in, for\n"
        "tools that want options or files: sh -c 'echo \"url={url}\" > db.conf; ...'.\n"
        "\n"
        "  -o, --output FILE     the lockfile (default: the section's path, else\n"
        "                        ddlgate.lock)\n"
        "      --check           write nothing; exit 1 and say which migrations differ if\n"
        "                        the lockfile is not what was recorded\n"
        "      --down COMMAND    run by sh after COMMAND: rolls all migrations back, for\n"
        "                        the `down` halves\n"
        "  -c, --config FILE     the gate's configuration: its section with format =\n"
        "                        lockfile says where the file and the history table are\n"
        "  -s, --source NAME     which [migrations NAME], if several are lockfiles\n"
        "  -t, --tool FORMAT     whose history is written (alembic, django, ...); else it\n"
        "                        is told by the table's columns\n"
        "      --table NAME      the history table, if it isn't the tool's default\n"
        "  -p, --prepare FILE    SQL that is run first and not recorded: roles that\n"
        "                        migrations name, extensions\n"
        "      --server CONNINFO use this server instead of a private one: a database\n"
        "                        ddlgate_scratch_... is created there and dropped\n"
        "      --pg-bin DIR      where initdb and postgres are\n"
        "  -d, --dbname NAME     of the private database (default: the section's database,\n"
        "                        else ddlgate_scratch)\n"
        "  -v, --verbose         show the gate's log\n"
        "\n"
        "Recorded are schema changes, TRUNCATE and the like, INSERT, UPDATE, DELETE, MERGE\n"
        "and COPY; not queries, settings, and the tool's own tables. Same input, same\n"
        "bytes.\n"
        "\n"
        "Exit status: 0 done, or up to date; 1 COMMAND failed, did not use the gate, or\n"
        "applied no migration, or with --check the lockfile is out of date; 2 usage,\n"
        "configuration, or no scratch database.\n",
    .run = run,
};
