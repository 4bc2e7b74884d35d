// SPDX-License-Identifier: ISC
/* Walks the catalogue: every check has an example that it finds and one that it lets pass
 * (tests/data/policy, whose README tells the format), and what it says can be used. */
#include "lib/live.h"
#include "lib/policy.h"

#include "base/fs.h"
#include "policy/rules.h"

#define FOLDER TEST_DATA "/policy"
#define MAX    1000

struct example {
    const char *where; /* file:line */
    const char *rule, *sql, *file, *hint, *says;
    const char *live;        /* lines of tests/lib/live.h; NULL: nobody is asked */
    char set[400], top[200]; /* lines of the INI */
    const char *back; /* "missing", "found", "empty TEXT"; NULL: no way to say it */
    bool is_fail, is_wire;
    int version;
    unsigned times;
};

static struct example examples[MAX];
static size_t n_examples;
static struct arena *arena; /* of everything above */

/* ---- reading ---- */

/* Check's own asserts work in tests only. */
static void
must(bool holds, const char *file, int line, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    exit(1);
}

struct reader {
    const char *name;
    int line;
    const char *rule;
    struct example common; /* what stands before the rule's first example */
    struct example *now;   /* NULL before that */
};

static const char *
after(const char *line, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != '\0'))
        return NULL;
    return line[n] ? line + n + 1 : line + n;
}

static void
begin(struct reader *r, bool is_fail)
{
    must(n_examples < MAX, r->name, r->line, "too many examples");
    struct example *x = &examples[n_examples++];
    *x = r->common;
    x->where = arena_printf(arena, "%s:%d", r->name, r->line);
    x->rule = r->rule;
    x->is_fail = is_fail;
    x->sql = "";
    x->times = 1;
    r->now = x;
}

static void
directive(struct reader *r, const char *line)
{
    struct example *to = r->now ? r->now : &r->common;
    const char *rest;

    if ((rest = after(line, "rule"))) {
        r->rule = arena_strdup(arena, rest);
        r->common = (struct example){ .times = 1 };
        r->now = NULL;
    } else if (after(line, "fails") || after(line, "passes")) {
        must(r->rule, r->name, r->line, "no rule yet");
        begin(r, after(line, "fails") != NULL);
    } else if ((rest = after(line, "set"))) {
        strcat(strcat(to->set, rest), "\n");
    } else if ((rest = after(line, "top"))) {
        strcat(strcat(to->top, rest), "\n");
    } else if ((rest = after(line, "file"))) {
        to->file = arena_strdup(arena, rest);
    } else if ((rest = after(line, "wire"))) {
        to->is_wire = true;
        to->version = atoi(rest);
    } else if ((rest = after(line, "live"))) {
        to->live = arena_printf(arena, "%s%s\n", to->live ? to->live : "", rest);
    } else if ((rest = after(line, "hint"))) {
        to->hint = arena_strdup(arena, rest);
    } else if ((rest = after(line, "says"))) {
        to->says = arena_strdup(arena, rest);
    } else if ((rest = after(line, "back"))) {
        to->back = arena_strdup(arena, rest);
    } else if ((rest = after(line, "times"))) {
        to->times = (unsigned)atoi(rest);
    } else {
        must(false, r->name, r->line, line);
    }
}

static int
read_file(void *ctx, const char *relpath)
{
    struct reader r = { .name = relpath };
    struct err err = { "" };
    char *text, *next;
    size_t n;

    (void)ctx;
    if (!str_suffix(relpath, ".sql"))
        return 0;
    AUTO(mem_free) char *path = mem_printf("%s/%s", FOLDER, relpath);
    must(fs_read(path, 1 << 20, &text, &n, &err) == 0, relpath, 0, err.text);
    for (char *line = text; line && *line; line = next) {
        r.line++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (strncmp(line, "--: ", 4) == 0)
            directive(&r, line + 4);
        else if (r.now)
            r.now->sql = arena_printf(arena, "%s%s\n", r.now->sql, line);
    }
    mem_free(text);
    return 0;
}

static void
read_examples(void)
{
    struct err err = { "" };
    arena = arena_new();
    must(fs_walk(FOLDER, read_file, NULL, &err) == 0, FOLDER, 0, err.text);
}

/* ---- judging ---- */

static void
judge_once(const struct pol *p, const struct example *x, struct pol_text *t,
    struct pol_findings *f)
{
    struct pol_session s = { .server_version = x->version };

    if (x->is_wire)
        pol_judge_text(p, &s, t, f);
    else
        pol_judge_unit(p, t, f);
}

/* As the gate does it: what is wanted is read, and the text judged again. */
static void
judge_live(const struct pol *p, const struct example *x, struct pol_text *t,
    struct pol_findings *f)
{
    struct pol_wants asked = { .arena = arena };

    for (int i = 0; x->live && i < 2 && f->wants.n; i++) {
        for (size_t k = 0; k < f->wants.n; k++)
            pol_wants_add(&asked, &f->wants.items[k]);
        struct pol_live *live = live_of_lines(x->live, &asked);
        t->live = live;
        pol_findings_deinit(f);
        pol_findings_init(f);
        judge_once(p, x, t, f);
        t->live = NULL;
        ref_drop(live);
    }
    pol_wants_deinit(&asked);
}

static const struct hist_rollback *
rollback_of(const struct example *x, struct hist_rollback *room)
{
    const char *text = x->back ? after(x->back, "empty") : NULL;

    *room = (struct hist_rollback){ .is_found = x->back
            && strcmp(x->back, "found") == 0,
        .is_empty = text,
        .wanted = "1_x.down.sql",
        .text = text,
        .len = text ? strlen(text) : 0 };
    return x->back ? room : NULL;
}

static void
judge(const struct example *x, struct pol_findings *f)
{
    struct hist_rollback rollback;
    AUTO(mem_free)
    char *ini = mem_printf("[policy]\nenvironment = production\nchecks = listed\n%s"
                           "[check %s]\naction = warn\n%s",
        x->top, x->rule, x->set);
    struct pol *p = policy_of(ini);
    struct policy_text t;

    policy_text_init(&t, x->sql, NULL);
    t.text.file = x->file;
    t.text.rollback = rollback_of(x, &rollback);
    judge_once(p, x, &t.text, f);
    judge_live(p, x, &t.text, f);
    if (strcmp(x->rule, "idle-after-ddl") == 0 && f->n_locking)
        pol_idle_judge(
            p, t.text.tree->facts[f->locking[0]].tag, pol_idle_after_ms(p), f);
    policy_text_deinit(&t);
    ref_drop(p);
}

static const struct pol_finding *
first_of(const struct pol_findings *f, const char *rule, unsigned *n)
{
    const struct pol_finding *first = NULL;
    *n = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->items[i].rule, rule) != 0)
            continue;
        if (!first)
            first = &f->items[i];
        ++*n;
    }
    return first;
}

START_TEST(example_is_found_or_passes)
{
    const struct example *x = &examples[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    unsigned n;

    pol_findings_init(&f);
    judge(x, &f);
    const struct pol_finding *found = first_of(&f, x->rule, &n);
    ck_assert_msg(n == (x->is_fail ? x->times : 0), "%s: %s has %u findings%s%s in %s",
        x->where, x->rule, n, found ? ", the first: " : "", found ? found->message : "",
        x->sql);
    for (size_t i = 0; i < f.n; i++) {
        const struct pol_finding *y = &f.items[i];
        bool is_ours = strcmp(y->rule, x->rule) == 0;
        if (!is_ours)
            continue;
        ck_assert_msg(
            strlen(y->message) <= 110, "%s: too long: %s", x->where, y->message);
        ck_assert_msg(y->detail && strlen(y->detail) > 20, "%s: no detail", x->where);
        ck_assert_msg(y->hint && strlen(y->hint) > 5, "%s: no hint", x->where);
        ck_assert_msg(!strstr(y->message, "(null)") && !strstr(y->hint, "(null)"),
            "%s: %s %s", x->where, y->message, y->hint);
        ck_assert_msg(
            y->pos < (int)strlen(x->sql), "%s: position %d", x->where, y->pos);
    }
    if (x->is_fail && x->hint)
        ck_assert_msg(
            strstr(found->hint, x->hint), "%s: hint is: %s", x->where, found->hint);
    if (x->is_fail && x->says)
        ck_assert_msg(strstr(found->message, x->says), "%s: message is: %s", x->where,
            found->message);
}
END_TEST

/* ---- the catalogue ---- */

static bool
has_example(const char *rule, bool is_fail)
{
    for (size_t i = 0; i < n_examples; i++) {
        if (examples[i].is_fail == is_fail && strcmp(examples[i].rule, rule) == 0)
            return true;
    }
    return false;
}

/* Checks that need a history are looked at there. */
static bool
is_in_history_test(const char *rule)
{
    static char *text;
    size_t n;
    struct err err = { "" };
    if (!text)
        ck_assert_int_eq(fs_read(SOURCE_ROOT "/tests/unit/test_policy_history.c",
                             1 << 20, &text, &n, &err),
            0);
    AUTO(mem_free) char *word = mem_printf("%s\"", rule);
    return strstr(text, word) != NULL;
}

START_TEST(every_check_has_an_example_of_both)
{
    enum pol_check check = (enum pol_check)_i;
    const struct pol_check_row *row = pol_check_row(check);
    const char *id = row->info.id;

    if (row->when == POL_ON_EXEMPT)
        return;
    /* an attestation isn't in a file's text either */
    if (row->when == POL_ON_HISTORY || check == POL_C_ATTESTED) {
        ck_assert_msg(is_in_history_test(id), "%s has no example", id);
        return;
    }
    ck_assert_msg(has_example(id, true), "%s has no example that it finds", id);
    ck_assert_msg(has_example(id, false), "%s has no example that passes", id);
}
END_TEST

START_TEST(every_example_is_about_a_check)
{
    for (size_t i = 0; i < n_examples; i++) {
        enum pol_check check;
        ck_assert_msg(pol_check_find(str_of(examples[i].rule), &check), "%s: %s",
            examples[i].where, examples[i].rule);
    }
}
END_TEST

START_TEST(ids_are_unique_and_rules_left_out_say_why)
{
    for (size_t i = 0; i < pol_n_checks(); i++) {
        enum pol_check check;
        ck_assert(pol_check_find(str_of(pol_check_info(i)->id), &check));
        ck_assert_uint_eq((size_t)check, i);
        ck_assert_uint_gt(strlen(pol_check_info(i)->summary), 10);
    }
    for (size_t i = 0; i < pol_n_left_out(); i++) {
        const struct pol_left_out *x = pol_left_out(i);
        enum pol_check check;
        ck_assert_msg(!pol_check_find(str_of(x->id), &check), "%s is both", x->id);
        ck_assert_msg(strlen(x->why) > 10, "%s", x->id);
    }
    /* the catalogue has 173 rules; exception-comment, migration-attested and
     * migration-complete are our own */
    ck_assert_uint_eq(pol_n_checks() - 3 + pol_n_left_out(), 173);
}
END_TEST

/* ---- checks = ... ---- */

/* A varchar becomes text for free, and an integer doesn't: nobody can tell here. */
START_TEST(change_to_a_roomy_type_is_a_note_only)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct policy_text t;
    struct pol *p = policy_of("[policy]\nenvironment = production\n");
    char got[200];
    pol_findings_init(&f);
    policy_text_init(
        &t, "ALTER TABLE a ALTER x TYPE text; ALTER TABLE a ALTER y TYPE bigint", NULL);
    pol_judge_unit(p, &t.text, &f);
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)),
        "note change-column-type, reject change-column-type");
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

struct scope_case {
    const char *name, *top, *check;
    enum dg_action action;
};

static const struct scope_case scopes[] = {
    { "danger", "", "add-fk-not-valid", DG_REJECT },
    { "standard nobody asked for", "", "snake-case", DG_ALLOW },
    { "standard with a section", "[check snake-case]\n", "snake-case", DG_REJECT },
    { "all", "checks = all\n", "snake-case", DG_REJECT },
    { "listed", "checks = listed\n", "add-fk-not-valid", DG_ALLOW },
    { "listed, with a section", "checks = listed\n[check add-fk-not-valid]\n",
        "add-fk-not-valid", DG_REJECT },
    { "listed, history", "checks = listed\n", "migration-first", DG_REJECT },
    { "listed, unreadable", "checks = listed\n", "unparsable-statement", DG_REJECT },
};

START_TEST(policy_says_which_checks_run)
{
    const struct scope_case *c = &scopes[_i];
    AUTO(mem_free)
    char *ini = mem_printf("[policy]\nenvironment = production\n%s", c->top);
    struct pol *p = policy_of(ini);
    bool is_observed;
    ck_assert_msg(
        pol_check_action(p, c->check, &is_observed) == c->action, "%s", c->name);
    ref_drop(p);
}
END_TEST

/* ---- sizes and exceptions ---- */

struct allow_case {
    const char *name, *exceptions, *sql;
    enum dg_action action;
    const char *detail; /* stands in it, or NULL */
};

static const struct allow_case allows[] = {
    { "without", "allow", "DROP TABLE t;", DG_REJECT, NULL },
    { "before", "allow", "-- ddlgate: allow drop-table nobody reads it\nDROP TABLE t;",
        DG_NOTE, "Excepted in the file: nobody reads it." },
    { "inside", "allow", "DROP TABLE -- ddlgate: allow drop-table old\n t;", DG_NOTE,
        "Excepted in the file: old." },
    { "behind", "allow", "SELECT 1;\nDROP TABLE t; -- ddlgate: allow drop-table old",
        DG_NOTE, "Excepted in the file: old." },
    { "behind another", "allow",
        "SELECT 1; -- ddlgate: allow drop-table old\nDROP TABLE t;", DG_REJECT, NULL },
    { "whole file", "allow",
        "-- ddlgate: allow-file drop-table old\nSELECT 1;\nDROP TABLE t;", DG_NOTE,
        "Excepted in the file: old." },
    { "another rule", "allow", "-- ddlgate: allow drop-column old\nDROP TABLE t;",
        DG_REJECT, NULL },
    { "no reason", "allow", "-- ddlgate: allow drop-table\nDROP TABLE t;", DG_REJECT,
        NULL },
    { "in a constant", "allow",
        "SELECT '\n-- ddlgate: allow drop-table old\n'\n; DROP TABLE t;", DG_REJECT,
        NULL },
    { "in a block comment", "allow",
        "/* -- ddlgate: allow drop-table old\n*/ DROP TABLE t;", DG_REJECT, NULL },
    { "audit", "audit", "-- ddlgate: allow drop-table old\nDROP TABLE t;", DG_WARN,
        "Excepted in the file: old." },
    { "deny", "deny", "-- ddlgate: allow drop-table old\nDROP TABLE t;", DG_REJECT,
        "The file asks for an exception (old); this policy grants none." },
};

static const struct pol_finding *
judge_drop(const char *ini, const char *sql, bool is_wire, struct pol_findings *f)
{
    struct pol *p = policy_of(ini);
    struct pol_session s = { .role = "app" };
    struct policy_text t;
    unsigned n;
    policy_text_init(&t, sql, NULL);
    if (is_wire)
        pol_judge_text(p, &s, &t.text, f);
    else
        pol_judge_unit(p, &t.text, f);
    policy_text_deinit(&t);
    ref_drop(p);
    return first_of(f, "drop-table", &n);
}

START_TEST(exception_in_a_file_is_worth_what_policy_says)
{
    const struct allow_case *c = &allows[_i];
    AUTO(mem_free)
    char *ini = mem_printf(
        "[policy]\nenvironment = production\nexceptions = %s\n", c->exceptions);
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    const struct pol_finding *x = judge_drop(ini, c->sql, false, &f);
    ck_assert_msg(x && x->action == c->action, "%s: %s", c->name,
        x ? dg_action_name(x->action) : "no finding");
    if (c->detail)
        ck_assert_msg(strstr(x->detail, c->detail), "%s: %s", c->name, x->detail);
    else
        ck_assert_msg(!strstr(x->detail, "xcept"), "%s: %s", c->name, x->detail);
    ck_assert_msg(x->is_excepted == (c->action < DG_REJECT), "%s", c->name);
}
END_TEST

START_TEST(nobody_excepts_himself_on_the_wire)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    const struct pol_finding *x = judge_drop(
        "[policy]\nenvironment = production\nexceptions = allow\nunmigrated = allow\n",
        "-- ddlgate: allow drop-table because I can\nDROP TABLE t;", true, &f);
    ck_assert_int_eq(x->action, DG_REJECT);
    ck_assert_int_eq(f.action, DG_REJECT);
}
END_TEST

START_TEST(size_that_nobody_can_know_exempts_nothing_and_says_so)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    const struct pol_finding *x = judge_drop(
        "[policy]\nenvironment = production\n[check drop-table]\nmin_table_size = 1GB\n",
        "DROP TABLE t;", false, &f);
    ck_assert_int_eq(x->action, DG_REJECT);
    ck_assert_ptr_nonnull(strstr(x->detail, "min_table_size = 1GB exempts nothing"));
}
END_TEST

/* ---- baseline ---- */

static int
load_with_baseline(const char *baseline, struct pol **out, struct err *err)
{
    static const char ini[] =
        "[policy]\nenvironment = production\nbaseline = known.txt\n";
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "policy.ini", ini, strlen(ini));
    char *known = unit_write(dir, "known.txt", baseline, strlen(baseline));
    int ret = pol_load(path, false, out, err);
    free(path);
    free(known);
    unit_rmdir(dir);
    return ret;
}

START_TEST(known_finding_is_a_note_and_a_new_one_is_not)
{
    AUTO(pol_findings_deinit) struct pol_findings f, again;
    struct policy_text t;
    struct pol *p = policy_of("[policy]\nenvironment = production\n");
    struct err err = { "" };

    pol_findings_init(&f);
    pol_findings_init(&again);
    policy_text_init(&t, "DROP TABLE a; DROP TABLE b;", NULL);
    pol_judge_unit(p, &t.text, &f);
    ref_drop(p);
    ck_assert_uint_eq(f.n, 2);
    AUTO(mem_free)
    char *known = mem_printf("# findings of old\n\n%s 001_a.sql:1\n",
        pol_baseline_line(f.arena, &t.text, &f.items[0]));
    ck_assert_msg(load_with_baseline(known, &p, &err) == 0, "%s", err.text);
    pol_judge_unit(p, &t.text, &again);
    ck_assert_uint_eq(again.n, 2);
    ck_assert_int_eq(again.items[0].action, DG_NOTE);
    ck_assert(again.items[0].is_excepted);
    ck_assert_ptr_nonnull(strstr(again.items[0].detail, "baseline"));
    ck_assert_int_eq(again.items[1].action, DG_REJECT);
    ref_drop(p);
    policy_text_deinit(&t);
}
END_TEST

START_TEST(broken_baseline_is_an_error_with_its_line)
{
    struct pol *p = NULL;
    struct err err = { "" };
    ck_assert_int_ne(load_with_baseline("# x\ndrop-table 12\n", &p, &err), 0);
    ck_assert_msg(
        strstr(err.text, "known.txt:2: a line of a baseline is"), "%s", err.text);
    ck_assert_int_ne(load_with_baseline("drop-tabel 12 a\n", &p, &err), 0);
    ck_assert_msg(
        strstr(err.text, "known.txt:1: \"drop-tabel\" is no check"), "%s", err.text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/rules");
    TCase *tc = tcase_create("rules");
    tcase_add_loop_test(tc, example_is_found_or_passes, 0, (int)n_examples);
    tcase_add_loop_test(tc, every_check_has_an_example_of_both, 0, (int)pol_n_checks());
    tcase_add_test(tc, every_example_is_about_a_check);
    tcase_add_test(tc, ids_are_unique_and_rules_left_out_say_why);
    tcase_add_test(tc, change_to_a_roomy_type_is_a_note_only);
    tcase_add_loop_test(tc, policy_says_which_checks_run, 0, DG_ARRAY_SIZE(scopes));
    tcase_add_loop_test(
        tc, exception_in_a_file_is_worth_what_policy_says, 0, DG_ARRAY_SIZE(allows));
    tcase_add_test(tc, nobody_excepts_himself_on_the_wire);
    tcase_add_test(tc, size_that_nobody_can_know_exempts_nothing_and_says_so);
    tcase_add_test(tc, known_finding_is_a_note_and_a_new_one_is_not);
    tcase_add_test(tc, broken_baseline_is_an_error_with_its_line);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    read_examples();
    int ret = unit_main(suite());
    arena_free(arena);
    return ret;
}
