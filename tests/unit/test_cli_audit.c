// SPDX-License-Identifier: ISC
/* The command line as a person sees it: help, version, exit status, and the subcommand
 * `audit` on good and bad files. Each run is a child, as getopt and stdout want it. */
#include "lib/audit.h"

#include <signal.h>
#include <sys/wait.h>

#include "cli/cli.h"

struct run {
    int status;
    char out[65536], err[65536];
};

static void
read_back(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");

    ck_assert_ptr_nonnull(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = 0;
    fclose(f);
}

static pid_t
start(const struct place *p, const char *out, const char *const *args)
{
    char *err_path = mem_printf("%s/err", p->dir);
    char *argv[16] = { mem_strdup("ddlgate") };
    int argc = 1;

    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        ck_assert_ptr_nonnull(freopen(out, "w", stdout));
        ck_assert_ptr_nonnull(freopen(err_path, "w", stderr));
        for (; args[argc - 1]; argc++)
            argv[argc] = mem_strdup(args[argc - 1]);
        int status = cli_main(argc, argv);
        fflush(NULL);
        _exit(status);
    }
    mem_free(err_path);
    mem_free(argv[0]);
    return pid;
}

static void
finish(const struct place *p, pid_t pid, struct run *r)
{
    char *out = mem_printf("%s/out", p->dir), *err = mem_printf("%s/err", p->dir);
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "ended by a signal: %d", status);
    r->status = WEXITSTATUS(status);
    read_back(out, r->out, sizeof(r->out));
    read_back(err, r->err, sizeof(r->err));
    mem_free(out);
    mem_free(err);
}

static void
run_cli(const struct place *p, struct run *r, const char *const *args)
{
    char *out = mem_printf("%s/out", p->dir);

    finish(p, start(p, out, args), r);
    mem_free(out);
}

#define RUN(p, r, ...) run_cli((p), (r), (const char *const[]){ __VA_ARGS__, NULL })

/* --- the table ------------------------------------------------------------------------ */

static const char *const names[] = {
#define CLI_COMMAND(name) #name,
#include "cli/commands.h"
#undef CLI_COMMAND
};

START_TEST(every_command_has_its_help)
{
    struct place p;
    struct run list, r;

    place_make(&p);
    RUN(&p, &list, "--help");
    ck_assert_int_eq(list.status, 0);
    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++) {
        char *usage = mem_printf("Usage: ddlgate %s", names[i]);
        char *entry = mem_printf("\n  %s ", names[i]);
        ck_assert_msg(strstr(list.out, entry), "%s is not in the list", names[i]);
        RUN(&p, &r, names[i], "--help");
        ck_assert_int_eq(r.status, 0);
        ck_assert_msg(str_prefix(r.out, usage), "%s --help says %s", names[i], r.out);
        ck_assert_int_eq(r.out[strlen(r.out) - 1], '\n');
        ck_assert_str_eq(r.err, "");
        for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
            ck_assert_msg(strcspn(line, "\n") <= 90, "too wide: %s", line);
        RUN(&p, &r, "help", names[i]);
        ck_assert_msg(str_prefix(r.out, usage), "help %s says %s", names[i], r.out);
        mem_free(usage);
        mem_free(entry);
    }
    place_drop(&p);
}
END_TEST

START_TEST(version_is_told)
{
    struct place p;
    struct run r;

    place_make(&p);
    RUN(&p, &r, "--version");
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.out, "ddlgate " DG_VERSION "\n");
    place_drop(&p);
}
END_TEST

static const struct {
    const char *name;
    const char *args[6];
    const char *says;
} misuses[] = {
    { "nothing", { NULL }, "ddlgate: no command given; try 'ddlgate --help'" },
    { "unknown command", { "adit" }, "there is no command 'adit'" },
    { "unknown help", { "help", "adit" }, "there is no command 'adit'" },
    { "audit alone", { "audit" }, "ddlgate audit: verify or show?" },
    { "audit what", { "audit", "list" }, "there is no 'list'" },
    { "no file", { "audit", "verify" }, "verify: which file?" },
    { "no file to show", { "audit", "show" }, "show: which file?" },
    { "unknown option", { "audit", "verify", "--foo", "x" },
        "option --foo is unknown" },
    { "unknown letter", { "audit", "show", "-x", "y" }, "option -x is unknown" },
    { "no value", { "audit", "show", "--since" },
        "option --since is unknown or lacks" },
    { "no time", { "audit", "show", "--since", "soon", "x" }, "--since soon: neither" },
    { "no hash", { "audit", "verify", "--anchor", "12ab", "x" }, "64 hex digits" },
    { "no such file", { "audit", "verify", "/nonexistent/a" }, "/nonexistent" },
    { "no such file of two", { "audit", "verify", "/nonexistent/a", "/nonexistent/b" },
        "/nonexistent/a: No such file" },
    { "no such file to show", { "audit", "show", "/nonexistent/a" }, "/nonexistent" },
    { "device", { "audit", "verify", "/dev/null" }, "/dev/null: neither a file" },
};

START_TEST(misuse_is_told_in_one_line)
{
    struct place p;
    struct run r;

    place_make(&p);
    run_cli(&p, &r, misuses[_i].args);
    CASE_INT(&misuses[_i], r.status, 2);
    ck_assert_msg(strstr(r.err, misuses[_i].says), "%s: %s", misuses[_i].name, r.err);
    ck_assert_msg(strchr(r.err, '\n') == r.err + strlen(r.err) - 1, "%s: %s",
        misuses[_i].name, r.err);
    CASE_STR(&misuses[_i], r.out, "");
    place_drop(&p);
}
END_TEST

START_TEST(full_disk_is_no_success)
{
    struct place p;
    struct run r;

    place_make(&p);
    free(unit_write(p.dir, "out", "", 0));
    finish(&p, start(&p, "/dev/full", (const char *const[]){ "--version", NULL }), &r);
    ck_assert_int_eq(r.status, 2);
    ck_assert_ptr_nonnull(strstr(r.err, "No space left on device"));
    place_drop(&p);
}
END_TEST

/* --- verify --------------------------------------------------------------------------- */

static void
fill(const struct place *p, uint64_t rotate_bytes, int n)
{
    struct aud *a = open_at(p->path, rotate_bytes);

    for (int i = 0; i < n; i++)
        put_ok(a, p->q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
}

START_TEST(whole_chain_is_one_line)
{
    struct place p;
    struct run r, again;

    place_make(&p);
    fill(&p, 3000, 20);
    RUN(&p, &r, "audit", "verify", p.path);
    ck_assert_int_eq(r.status, 0);
    ck_assert_msg(strstr(r.out, ": ok, ") && strstr(r.out, " open intents, last hash "),
        "%s", r.out);
    ck_assert_ptr_eq(strchr(r.out, '\n'), r.out + strlen(r.out) - 1);
    RUN(&p, &again, "audit", "verify", p.dir); /* the folder is the same chain */
    ck_assert_str_eq(r.out, again.out);
    char *hash = strstr(r.out, "last hash ") + 10;
    hash[64] = 0;
    RUN(&p, &again, "audit", "verify", "--anchor", hash, p.path);
    ck_assert_int_eq(again.status, 0);
    hash[0] = hash[0] == 'a' ? 'b' : 'a';
    RUN(&p, &again, "audit", "verify", "--anchor", hash, p.path);
    ck_assert_int_eq(again.status, 1);
    ck_assert_ptr_nonnull(strstr(again.out, "the end of the chain is missing"));
    place_drop(&p);
}
END_TEST

START_TEST(broken_chain_is_named_by_file_and_line)
{
    struct place p;
    struct run r;
    char text[65536];

    place_make(&p);
    fill(&p, 0, 9);
    read_back(p.path, text, sizeof(text));
    char *at = text;
    for (int i = 0; i < 4; i++)
        at = strchr(at, '\n') + 1;
    memcpy(strstr(at, "\"shop\""), "\"chop\"", 6);
    free(unit_write(p.dir, "audit.jsonl", text, strlen(text)));
    RUN(&p, &r, "audit", "verify", p.path);
    ck_assert_int_eq(r.status, 1);
    char *want = mem_printf("%s:6: ", p.path); /* the record after the edited one */
    ck_assert_msg(str_prefix(r.out, want), "%s", r.out);
    mem_free(want);
    place_drop(&p);
}
END_TEST

/* --- show ----------------------------------------------------------------------------- */

static void
fill_mixed(const struct place *p)
{
    struct aud *a = open_at(p->path, 0);
    struct aud_rec rec = audit_rec(AUD_INTENT, "i1", AUD_NONE);

    rec.rule = "migration-first";
    rec.rule_set = "staging.ini:41";
    rec.migration_version = "13";
    ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    rec.event = AUD_OUTCOME;
    rec.outcome = AUD_FAILED;
    rec.sqlstate = "42P07";
    ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    rec = audit_rec(AUD_DECISION, NULL, AUD_NONE);
    rec.decision = DG_REJECT;
    rec.user = "eve\x1b[2J\xe2\x80\xae";
    rec.database = "billing";
    rec.command = "DROP TABLE";
    rec.text = "DROP\n\t TABLE orders";
    ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    rec = (struct aud_rec){ .event = AUD_RELOAD, .reason = "SIGHUP" };
    ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    aud_close(a);
}

static const struct {
    const char *name;
    const char *args[8]; /* before the file */
    const char *want;    /* which of the four records, 1 to 4 */
} filters[] = {
    { "all", { NULL }, "1234" },
    { "database", { "-d", "shop" }, "12" },
    { "databases", { "--database", "*" }, "123" },
    { "user", { "--user", "app" }, "12" },
    { "users", { "-u", "e*" }, "3" },
    { "decision", { "--decision", "reject" }, "3" },
    { "action", { "--event", "ddl.outcome" }, "2" },
    { "actions", { "-e", "ddl.*" }, "123" },
    { "code", { "-e", "DG20W" }, "3" },
    { "codes", { "-e", "DG30*" }, "2" },
    { "both", { "-d", "shop", "-e", "DG10I" }, "1" },
    { "neither", { "-d", "shop", "-u", "nobody" }, "" },
    { "since", { "--since", "1h" }, "1234" },
    { "since then", { "--since", "9998-01-01" }, "" },
};

START_TEST(filter_chooses_records)
{
    static const char *const marks[] = { "allow (intent)", "failed 42P07", "reject",
        "SIGHUP" };
    const char *args[16] = { "audit", "show" };
    struct place p;
    struct run r;
    size_t n = 2;

    place_make(&p);
    fill_mixed(&p);
    for (size_t i = 0; filters[_i].args[i]; i++)
        args[n++] = filters[_i].args[i];
    args[n] = p.path;
    run_cli(&p, &r, args);
    CASE_INT(&filters[_i], r.status, 0);
    for (size_t i = 0; i < DG_ARRAY_SIZE(marks); i++)
        ck_assert_msg(
            !strstr(r.out, marks[i]) == !strchr(filters[_i].want, (int)('1' + i)),
            "%s: %s", filters[_i].name, r.out);
    place_drop(&p);
}
END_TEST

START_TEST(row_is_safe_and_complete)
{
    struct place p;
    struct run r;

    place_make(&p);
    fill_mixed(&p);
    RUN(&p, &r, "audit", "show", p.path);
    ck_assert_ptr_nonnull(strstr(r.out, "app@shop  "));
    ck_assert_ptr_nonnull(strstr(r.out, "ALTER TABLE public.orders  "));
    ck_assert_ptr_nonnull(
        strstr(r.out, "rule=migration-first  at=staging.ini:41  migration=13"));
    ck_assert_ptr_nonnull(strstr(r.out, "eve\\u001b[2J\\u202e@billing"));
    ck_assert_ptr_nonnull(strstr(r.out, "DROP TABLE orders\n"));
    ck_assert_ptr_null(strchr(r.out, '\x1b'));
    RUN(&p, &r, "audit", "show", "--json", "-e", "DG50I", p.path);
    ck_assert_int_eq(r.out[0], '{');
    ck_assert_ptr_eq(strchr(r.out, '\n'), r.out + strlen(r.out) - 1);
    place_drop(&p);
}
END_TEST

START_TEST(long_text_is_cut_unless_asked_for)
{
    struct place p;
    struct run r;
    char text[1000];

    place_make(&p);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    struct aud *a = open_at(p.path, 0);
    struct aud_rec rec = audit_rec(AUD_INTENT, "i", AUD_NONE);
    rec.text = text;
    ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    aud_close(a);
    RUN(&p, &r, "audit", "show", p.path);
    ck_assert_ptr_null(strstr(r.out, text));
    ck_assert_ptr_nonnull(strstr(r.out, "xxx…\n"));
    RUN(&p, &r, "audit", "show", "--full", p.path);
    ck_assert_ptr_nonnull(strstr(r.out, text));
    place_drop(&p);
}
END_TEST

START_TEST(line_that_is_no_record_is_told_and_passed_over)
{
    struct place p;
    struct run r;

    place_make(&p);
    fill_mixed(&p);
    FILE *f = fopen(p.path, "a");
    for (int i = 0; i < 30; i++)
        fputs("rubbish\n", f);
    fputs("torn", f);
    fclose(f);
    RUN(&p, &r, "audit", "show", p.path);
    ck_assert_int_eq(r.status, 1);
    ck_assert_ptr_nonnull(strstr(r.out, "SIGHUP"));
    ck_assert_ptr_nonnull(strstr(r.err, ":5: no audit record"));
    ck_assert_ptr_nonnull(strstr(r.err, ":35: the last line has no end"));
    ck_assert_ptr_nonnull(strstr(r.err, "20 more lines are no audit record"));
    place_drop(&p);
}
END_TEST

static void
wait_for_text(const char *path, const char *text)
{
    static char out[65536];

    for (int i = 0; i < WAIT_S * 20; i++) {
        read_back(path, out, sizeof(out));
        if (strstr(out, text))
            return;
        usleep(50000);
    }
    ck_abort_msg("%s does not come: %s", text, out);
}

START_TEST(follow_goes_on_after_a_rotation)
{
    struct place p;
    char reason[32];

    place_make(&p);
    char *out = mem_printf("%s/out", p.dir);
    struct aud *a = open_at(p.path, 2000);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    free(unit_write(p.dir, "out", "", 0));
    pid_t pid = start(
        &p, out, (const char *const[]){ "audit", "show", "-f", p.path, NULL });
    wait_for_text(out, "app@shop");
    for (int i = 0; i < 12; i++) {
        snprintf(reason, sizeof(reason), "reason=number %d", i);
        struct aud_rec rec = { .event = AUD_RELOAD, .reason = reason + 7 };
        ck_assert_int_eq(audit_put(a, p.q, &rec), 0);
        wait_for_text(out, reason);
    }
    ck_assert_uint_gt(count_files(p.path), 2);
    kill(pid, SIGKILL); /* SIGTERM has a handler of Check's, that ends the whole test */
    waitpid(pid, NULL, 0);
    aud_close(a);
    mem_free(out);
    place_drop(&p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("cli_audit");
    TCase *tc = tcase_create("cli");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_command_has_its_help);
    tcase_add_test(tc, version_is_told);
    tcase_add_loop_test(tc, misuse_is_told_in_one_line, 0, DG_ARRAY_SIZE(misuses));
    tcase_add_test(tc, full_disk_is_no_success);
    tcase_add_test(tc, whole_chain_is_one_line);
    tcase_add_test(tc, broken_chain_is_named_by_file_and_line);
    tcase_add_loop_test(tc, filter_chooses_records, 0, DG_ARRAY_SIZE(filters));
    tcase_add_test(tc, row_is_safe_and_complete);
    tcase_add_test(tc, long_text_is_cut_unless_asked_for);
    tcase_add_test(tc, line_that_is_no_record_is_told_and_passed_over);
    tcase_add_test(tc, follow_goes_on_after_a_rotation);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
