// SPDX-License-Identifier: ISC
/* `ddlgate audit`: checks the chain of audit files, and shows them to people. */
#include "cli/cli.h"
#include "cli/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/file.h"
#include "audit/line.h"
#include "audit/when.h"
#include "base/mem.h"

#define FOLLOW_MS    200
#define MAX_BAD      10  /* bad lines that are named */
#define TEXT_COLUMNS 200 /* characters of a statement that a row shows */

/* --- which files ---------------------------------------------------------------------- */

/* Series to read: one made of the files as given, or what a single file or folder is. */
struct inputs {
    struct aud_series *series; /* owned */
    size_t n;
};

static void
inputs_deinit_p(struct inputs *in)
{
    aud_series_free(in->series, in->n);
}

static int
find_inputs(char **args, int n, struct inputs *in)
{
    struct err err;

    if (n == 1) {
        if (aud_series_find(args[0], &in->series, &in->n, &err))
            return cli_error(&cmd_audit, "%s", err.text);
        return CLI_OK;
    }
    struct aud_series *s = mem_zalloc(sizeof(*s));
    s->path = mem_strdup(args[n - 1]);
    s->n = (size_t)n;
    s->files = mem_array(s->n, sizeof(*s->files));
    for (size_t i = 0; i < s->n; i++)
        s->files[i] = mem_strdup(args[i]);
    *in = (struct inputs){ .series = s, .n = 1 };
    return CLI_OK;
}

/* --- verify --------------------------------------------------------------------------- */

static bool
is_hex_hash(const char *s)
{
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static void
print_verified(const struct aud_series *s, const struct aud_verify *v)
{
    printf("%s: ok, %" PRIu64 " records in %" PRIu64 " files", s->path, v->records,
        v->files);
    if (v->records)
        printf(
            ", sequence %" PRIu64 " to %" PRIu64, v->first_sequence, v->last_sequence);
    printf(", %" PRIu64 " open intents", v->open_intents);
    if (v->gaps)
        printf(", %" PRIu64 " gaps", v->gaps);
    if (v->untrusted)
        printf(", %" PRIu64 " disowned lines", v->untrusted);
    printf(", last hash %s\n", v->last_hash);
}

/* One series. *has_anchor is set when the anchor was met in it. */
static int
verify_series(const struct aud_series *s, const char *anchor, bool *has_anchor)
{
    struct aud_verify v;
    struct err err;
    const char **files = mem_array(s->n, sizeof(*files));

    for (size_t i = 0; i < s->n; i++)
        files[i] = s->files[i];
    int r = aud_verify_anchored(files, s->n, anchor, &v, &err);
    mem_free(files);
    if (r == -EBADMSG) {
        printf("%s\n", err.text);
        return CLI_FINDINGS;
    }
    if (r)
        return cli_error(&cmd_audit, "%s", err.text);
    print_verified(s, &v);
    *has_anchor = *has_anchor || v.has_anchor;
    return CLI_OK;
}

static int
run_verify(int argc, char **argv)
{
    static const struct option options[] = {
        { "anchor", required_argument, NULL, 'a' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    AUTO(inputs_deinit) struct inputs in = { 0 };
    const char *anchor = NULL;
    bool has_anchor = false;
    int status = CLI_OK, c;

    while ((c = getopt_long(argc, argv, "a:h", options, NULL)) != -1) {
        if (c == 'h')
            return cli_help(&cmd_audit);
        if (c != 'a')
            return cli_bad_option(&cmd_audit, argv);
        anchor = optarg;
    }
    if (anchor && !is_hex_hash(anchor))
        return cli_misuse(&cmd_audit, "--anchor wants 64 hex digits in lower case");
    if (optind == argc)
        return cli_misuse(&cmd_audit, "verify: which file?");
    int r = find_inputs(argv + optind, argc - optind, &in);
    if (r)
        return r;
    for (size_t i = 0; i < in.n; i++) {
        r = verify_series(&in.series[i], anchor, &has_anchor);
        status = r > status ? r : status;
    }
    if (anchor && !has_anchor && status == CLI_OK) {
        printf("no record has the hash %s: the end of the chain is missing or was "
               "changed\n",
            anchor);
        status = CLI_FINDINGS;
    }
    return cli_finish(&cmd_audit, status);
}

/* --- show ----------------------------------------------------------------------------- */

struct filter {
    const char *database, *user, *decision, *event; /* NULL: any */
    bool has_since;
    int64_t since_us;
};

struct show {
    struct filter filter;
    bool is_json, is_full, follows;
    unsigned n_bad; /* lines that are no record */
    int status;
};

static bool
matches(const struct aud_line *l, const char *key, const char *pattern)
{
    const struct aud_field *f = aud_line_find(l, key);

    if (!pattern)
        return true;
    if (!f || f->type != AUD_T_STRING)
        return false;
    AUTO(buf_deinit) struct buf b = BUF_INIT(f->raw.n + 4);
    aud_line_unescape(f->raw, &b);
    return str_glob(pattern, buf_cstr(&b));
}

static bool
is_wanted(const struct filter *w, const struct aud_line *l)
{
    int64_t us;

    if (w->has_since) {
        const struct aud_field *f = aud_line_find(l, "@timestamp");
        if (!f || aud_when_parse(f->raw, 0, &us) || us < w->since_us)
            return false;
    }
    return matches(l, "db.namespace", w->database) && matches(l, "user.name", w->user)
        && matches(l, "ddlgate.decision", w->decision)
        && (matches(l, "event.action", w->event) || matches(l, "event.code", w->event));
}

/* The value of key, "" if there is none, safe to print. */
static void
put_field(struct buf *out, const struct aud_line *l, const char *key, size_t max)
{
    const struct aud_field *f = aud_line_find(l, key);

    if (!f || f->type == AUD_T_NULL)
        return;
    AUTO(buf_deinit) struct buf b = BUF_INIT(f->raw.n + 4);
    aud_line_unescape(f->raw, &b);
    cli_put_plain(out, (struct str){ buf_cstr(&b), buf_len(&b) }, max);
}

/* A column: at least `width` characters, then two spaces. */
static void
end_column(struct buf *out, size_t start, size_t width)
{
    size_t have = str_utf8_count(buf_ptr(out) + start, buf_len(out) - start);

    for (size_t i = have; i < width; i++)
        buf_puts(out, " ");
    buf_puts(out, "  ");
}

static void
put_who(struct buf *out, const struct aud_line *l)
{
    size_t start = buf_len(out);

    put_field(out, l, "user.name", 0);
    if (aud_line_find(l, "db.namespace"))
        buf_puts(out, "@");
    put_field(out, l, "db.namespace", 0);
    if (buf_len(out) == start)
        buf_puts(out, "-");
    end_column(out, start, 16);
}

static void
put_what(struct buf *out, const struct aud_line *l)
{
    size_t start = buf_len(out);

    put_field(out, l, "db.query.summary", 0);
    if (buf_len(out) == start)
        put_field(out, l, "event.action", 0);
    end_column(out, start, 32);
}

/* What became of it: "intent", the decision, or the outcome with the server's SQLSTATE. */
static void
put_verdict(struct buf *out, const struct aud_line *l)
{
    size_t start = buf_len(out);

    if (aud_line_find(l, "ddlgate.outcome"))
        put_field(out, l, "ddlgate.outcome", 0);
    else
        put_field(out, l, "ddlgate.decision", 0);
    if (aud_line_is(l, "event.action", "ddl.intent"))
        buf_puts(out, " (intent)");
    if (aud_line_find(l, "ddlgate.observed"))
        buf_puts(out, " (observed)");
    if (aud_line_find(l, "db.response.status_code")) {
        buf_puts(out, " ");
        put_field(out, l, "db.response.status_code", 0);
    }
    if (buf_len(out) == start)
        put_field(out, l, "event.outcome", 0);
    end_column(out, start, 16);
}

static void
put_named(struct buf *out, const struct aud_line *l, const char *name, const char *key)
{
    if (!aud_line_find(l, key))
        return;
    buf_putf(out, "%s=", name);
    put_field(out, l, key, 0);
    buf_puts(out, "  ");
}

static void
print_row(const struct show *s, const struct aud_line *l, size_t line_bytes)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(16 * line_bytes + 4096);

    put_field(&out, l, "@timestamp", 0);
    buf_puts(&out, "  ");
    put_who(&out, l);
    put_what(&out, l);
    put_verdict(&out, l);
    put_named(&out, l, "rule", "rule.name");
    put_named(&out, l, "at", "rule.ruleset");
    put_named(&out, l, "migration", "ddlgate.migration.version");
    put_named(&out, l, "request", "ddlgate.request.id");
    put_named(&out, l, "reason", "event.reason");
    put_named(&out, l, "error", "error.message");
    put_named(&out, l, "lost", "ddlgate.audit.lost_records");
    put_field(&out, l, "db.query.text", s->is_full ? 0 : TEXT_COLUMNS);
    size_t n = buf_len(&out);
    while (n > 0 && buf_ptr(&out)[n - 1] == ' ')
        n--;
    fwrite(buf_ptr(&out), 1, n, stdout);
    putchar('\n');
}

static void
show_line(struct show *s, const char *file, uint64_t number, struct str text)
{
    struct aud_line l;
    const char *why;
    size_t at;

    if (aud_line_parse(text, &l, &why, &at)) {
        fflush(stdout);
        if (s->n_bad++ < MAX_BAD)
            fprintf(stderr, "%s:%" PRIu64 ": no audit record: %s (byte %zu)\n", file,
                number, why, at + 1);
        s->status = CLI_FINDINGS;
        return;
    }
    if (!is_wanted(&s->filter, &l))
        return;
    if (s->is_json) {
        fwrite(text.p, 1, text.n, stdout);
        putchar('\n');
    } else {
        print_row(s, &l, text.n);
    }
}

static void
nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = FOLLOW_MS * 1000000L }, NULL);
}

/* The path names another file than fd, or none. */
static bool
is_replaced(int fd, const char *path)
{
    struct stat ours, named;

    return fstat(fd, &ours) != 0 || stat(path, &named) != 0
        || ours.st_dev != named.st_dev || ours.st_ino != named.st_ino;
}

/* Reads to the end; with `waits` for ever, until the path names another file. */
static int
show_fd(struct show *s, int fd, const char *file, bool waits)
{
    AUTO(aud_reader_deinit) struct aud_reader r;
    struct str text;
    bool is_last_round = false;
    int e;

    aud_reader_init(&r, fd);
    for (;;) {
        e = aud_reader_next(&r, &text);
        if (e == AUD_READ_LINE) {
            show_line(s, file, r.line, text);
            continue;
        }
        if (e < 0 || !waits || is_last_round || fflush(stdout) != 0)
            break;
        /* After a rotation what was written before it is still to be read. */
        is_last_round = is_replaced(fd, file);
        if (!is_last_round)
            nap();
    }
    if (e < 0)
        return cli_error(&cmd_audit, "%s: %s", file, strerror(-e));
    if (e == AUD_READ_TORN && !aud_file_is_live(fd)) {
        fflush(stdout);
        fprintf(stderr, "%s:%" PRIu64 ": the last line has no end\n", file, r.line + 1);
        s->status = CLI_FINDINGS;
    }
    return CLI_OK;
}

static int
show_file(struct show *s, const char *file, bool waits)
{
    AUTO(aud_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);

    /* While following, the next file may be just about to be made. */
    for (int i = 0; fd < 0 && errno == ENOENT && waits && i < 50; i++) {
        nap();
        fd = open(file, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return cli_error(&cmd_audit, "%s: %s", file, strerror(errno));
    return show_fd(s, fd, file, waits);
}

static int
show_series(struct show *s, const struct aud_series *in)
{
    int r = CLI_OK;

    for (size_t i = 0; i < in->n && r == CLI_OK; i++) {
        bool is_last = i + 1 == in->n;
        do
            r = show_file(s, in->files[i], is_last && s->follows);
        while (is_last && s->follows && r == CLI_OK && !ferror(stdout));
    }
    return r;
}

static const struct option show_options[] = {
    { "database", required_argument, NULL, 'd' },
    { "user", required_argument, NULL, 'u' },
    { "decision", required_argument, NULL, 'D' },
    { "event", required_argument, NULL, 'e' },
    { "since", required_argument, NULL, 's' },
    { "json", no_argument, NULL, 'j' },
    { "full", no_argument, NULL, 'F' },
    { "follow", no_argument, NULL, 'f' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static int
read_since(struct filter *w, const char *text)
{
    if (aud_when_parse(str_of(text), clk_real.wall_us(&clk_real), &w->since_us))
        return cli_misuse(&cmd_audit,
            "--since %s: neither a time (2026-11-20T17:16) nor an age (2h)", text);
    w->has_since = true;
    return CLI_OK;
}

static int
read_show_options(int argc, char **argv, struct show *s, bool *wants_help)
{
    struct filter *w = &s->filter;
    int c;

    while ((c = getopt_long(argc, argv, "d:u:D:e:s:jfh", show_options, NULL)) != -1) {
        switch (c) {
        case 'd':
            w->database = optarg;
            break;
        case 'u':
            w->user = optarg;
            break;
        case 'D':
            w->decision = optarg;
            break;
        case 'e':
            w->event = optarg;
            break;
        case 's':
            if (read_since(w, optarg))
                return CLI_USAGE;
            break;
        case 'j':
            s->is_json = true;
            break;
        case 'F':
            s->is_full = true;
            break;
        case 'f':
            s->follows = true;
            break;
        case 'h':
            *wants_help = true;
            return CLI_OK;
        default:
            return cli_bad_option(&cmd_audit, argv);
        }
    }
    return CLI_OK;
}

static int
run_show(int argc, char **argv)
{
    AUTO(inputs_deinit) struct inputs in = { 0 };
    struct show s = { 0 };
    bool wants_help = false;

    int r = read_show_options(argc, argv, &s, &wants_help);
    if (wants_help)
        return cli_help(&cmd_audit);
    if (r)
        return r;
    if (optind == argc)
        return cli_misuse(&cmd_audit, "show: which file?");
    r = find_inputs(argv + optind, argc - optind, &in);
    if (r)
        return r;
    if (s.follows && in.n != 1)
        return cli_misuse(&cmd_audit, "--follow wants one file, this folder has more");
    for (size_t i = 0; i < in.n; i++) {
        r = show_series(&s, &in.series[i]);
        s.status = r > s.status ? r : s.status;
    }
    if (s.n_bad > MAX_BAD)
        fprintf(stderr, "%u more lines are no audit record\n", s.n_bad - MAX_BAD);
    return cli_finish(&cmd_audit, s.status);
}

/* --- the command ---------------------------------------------------------------------- */

static int
run_audit(int argc, char **argv)
{
    opterr = 0;
    if (argc < 2)
        return cli_misuse(&cmd_audit, "verify or show?");
    if (strcmp(argv[1], "verify") == 0)
        return run_verify(argc - 1, argv + 1);
    if (strcmp(argv[1], "show") == 0)
        return run_show(argc - 1, argv + 1);
    return cli_misuse(&cmd_audit, "there is no '%s', only verify and show", argv[1]);
}

const struct cli_command cmd_audit = {
    .name = "audit",
    .summary = "check the chain of the audit log, or show its records",
    .usage =
        "Usage: ddlgate audit verify [--anchor HASH] FILE...\n"
        "       ddlgate audit show [OPTION]... FILE...\n"
        "\n"
        "FILE is the gate's audit file: its rotated forms (FILE.<time>) are found beside it\n"
        "and read first. A folder stands for every NAME.jsonl in it. Several files are read\n"
        "in the order given, as one chain.\n"
        "\n"
        "verify checks that every line is a record, that none was removed, added, swapped\n"
        "or changed, and prints one line for each chain: counts, and the hash of its last\n"
        "record. The chain can't tell that its own end is missing: keep that hash somewhere\n"
        "else, and give it later as\n"
        "  -a, --anchor HASH      a record with this hash must be there\n"
        "\n"
        "show prints a line for each record: time, user@database, command and object,\n"
        "decision or outcome, rule, migration, text. Only records that match all of:\n"
        "  -d, --database NAME    of this database; `*` and `?` match any\n"
        "  -u, --user NAME        of this user, likewise\n"
        "  -D, --decision WORD    allow, note, warn, rewrite, hold, reject\n"
        "  -e, --event KIND       ddl.intent, ddl.decision, ddl.outcome, session.*, ...,\n"
        "                         or a code: DG20W, DG30*\n"
        "  -s, --since TIME       2026-11-20, 2026-11-20T17:16:03Z, or an age: 30min, 2h, 1d\n"
        "and\n"
        "      --json             the records as they stand in the file\n"
        "      --full             statements in full (as a rule cut at 200 characters)\n"
        "  -f, --follow           wait for more, also after a rotation\n"
        "\n"
        "Exit status: 0 fine, 1 a chain is broken or a line is no record, 2 usage or a file\n"
        "that can't be read.\n",
    .run = run_audit,
};
