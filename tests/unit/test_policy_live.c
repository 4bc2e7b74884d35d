// SPDX-License-Identifier: ISC
/* Live facts without a server: what is wanted, how it is asked for, what an answer says, and
 * what follows for sizes, types, and tables that a transaction made. What rules make of them:
 * tests/data/policy; the query itself: tests/e2e/policy_live. */
#include "lib/live.h"
#include "lib/policy.h"

#include "policy/params.h"
#include "policy/retype.h"

/* ---- the question ---- */

static char *
query_of(const struct pol_live_path *path, const struct pol_want *wants, size_t n)
{
    struct buf sql = BUF_INIT((size_t)1 << 20);
    pol_live_query(path, wants, n, &sql);
    (void)buf_cstr(&sql);
    return buf_steal(&sql);
}

START_TEST(names_are_constants_whatever_they_hold)
{
    const struct pol_live_path path = { .kind = POL_PATH_SERVER, .role = "o'neil" };
    const struct pol_want wants[] = { { NULL, "it's", false }, { "s'", "a\\'b", true },
        { NULL, "bad \xff byte", false }, { NULL, "", false } };
    AUTO(mem_free) char *sql = query_of(&path, wants, DG_ARRAY_SIZE(wants));

    ck_assert_ptr_nonnull(strstr(sql,
        "VALUES (0, NULL::text, 'it''s'::text, false), "
        "(1, 's'''::text, 'a\\''b'::text, true)),"));
    ck_assert_ptr_nonnull(strstr(sql, "r.rolname = 'o''neil'::text"));
    ck_assert_ptr_null(strstr(sql, "bad"));
    ck_assert_ptr_null(strstr(sql, "%s"));
}
END_TEST

START_TEST(path_of_the_session_goes_along_in_its_order)
{
    static const char *const schemas[] = { "a", "b'c" };
    const struct pol_live_path path = { POL_PATH_KNOWN, schemas, 2, "app" };
    const struct pol_want want = { NULL, "t", false };
    AUTO(mem_free) char *sql = query_of(&path, &want, 1);
    ck_assert_ptr_nonnull(strstr(sql, "ARRAY['a'::text, 'b''c'::text]::text[]"));

    const struct pol_live_path none = { .kind = POL_PATH_UNKNOWN };
    AUTO(mem_free) char *any = query_of(&none, &want, 1);
    ck_assert_ptr_nonnull(strstr(any, "(0, NULL::text, 't'::text, true)"));
}
END_TEST

START_TEST(wants_are_counted_once_and_have_an_end)
{
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(pol_wants) struct pol_wants w = { .arena = a };
    struct pol_want same = { "s", "t", false }, other = { "s.t", "", false };

    pol_wants_add(&w, &same);
    pol_wants_add(&w, &same);
    pol_wants_add(&w, &other); /* no name */
    ck_assert_uint_eq(w.n, 1);
    same.is_anywhere = true;
    pol_wants_add(&w, &same);
    ck_assert_uint_eq(w.n, 2);
    /* one name with a dot is not two names */
    struct pol_want dotted = { NULL, "s.t", false }, split = { "s", "t", false };
    struct pol_want_key k1, k2;
    ck_assert_str_ne(pol_want_key(&dotted, &k1), pol_want_key(&split, &k2));
    for (unsigned i = 0; i < 3 * POL_MAX_WANTS; i++) {
        AUTO(mem_free) char *name = mem_printf("t%u", i);
        struct pol_want one = { NULL, name, false };
        pol_wants_add(&w, &one);
    }
    ck_assert_uint_eq(w.n, POL_MAX_WANTS);
}
END_TEST

/* ---- the answer ---- */

static const char ANSWER[] =
    "orders R public|orders|r||||1048576|1000|0|k\n"
    "orders C:1 id|int8|int8|bigint|-1|ni\n"
    "orders C:2 tags|text|text|text[]|-1|ad\n"
    "orders I:7 public|orders_pkey|btree|uvp|orders_pkey|2|8192|5\n"
    "orders J:7 id\n"
    "orders I:8 public|orders_x|btree|vwl||0|8192|0\n"
    "orders J:8 tags\n"
    "orders J:8 \n"
    "orders N:9 filled|c|v||| tags\n"
    "orders D:9 tags\n"
    "orders L:1 12|app|active|AccessShareLock|g|50\n";

START_TEST(answer_is_read_in_parts)
{
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(pol_wants) struct pol_wants w = { .arena = a };
    struct pol_want orders = { NULL, "orders", false }, none = { NULL, "none", false };
    struct pol_want never = { NULL, "never asked", false };
    const struct pol_live_relation *rel;

    pol_wants_add(&w, &none);
    pol_wants_add(&w, &orders);
    struct pol_live *live = live_of_lines(ANSWER, &w);
    ck_assert_int_eq(pol_live_find(live, &none, &rel), POL_LIVE_ABSENT);
    ck_assert_int_eq(pol_live_find(live, &never, &rel), POL_LIVE_UNKNOWN);
    ck_assert_int_eq(pol_live_find(NULL, &orders, &rel), POL_LIVE_NOBODY);
    ck_assert_int_eq(pol_live_find(live, &orders, &rel), POL_LIVE_FOUND);
    ck_assert_str_eq(pol_live_size_words(a, rel), "1 MB, about 1000 rows");
    ck_assert_uint_eq(rel->n_columns, 2);
    ck_assert(rel->columns[0].is_not_null && rel->columns[0].is_identity);
    ck_assert(rel->columns[1].is_array && rel->columns[1].has_default);
    ck_assert_uint_eq(rel->n_indexes, 2);
    ck_assert_uint_eq(rel->indexes[0].n_columns, 1);
    ck_assert_uint_eq(rel->indexes[1].n_columns, 2);
    ck_assert_ptr_null(rel->indexes[1].columns[1]);
    ck_assert_uint_eq(rel->indexes[0].n_fks, 2);
    ck_assert_uint_eq(rel->constraints[0].n_columns, 1);
    ck_assert_int_eq(rel->locks[0].pid, 12);
    ref_drop(live);

    live = pol_live_unknown("because");
    ck_assert_int_eq(pol_live_find(live, &orders, &rel), POL_LIVE_UNKNOWN);
    ref_drop(live);
}
END_TEST

START_TEST(answer_of_another_shape_is_an_error)
{
    char *cells[] = { (char *)(uintptr_t) "0", (char *)(uintptr_t) "R" };
    const struct dg_rows rows = { .n_rows = 1, .n_cols = 2, .cells = cells };
    const struct pol_want want = { NULL, "t", false };
    struct pol_live *live = NULL;
    struct err err = { "" };

    ck_assert_int_ne(pol_live_read(&want, 1, &rows, &live, &err), 0);
    ck_assert_str_eq(err.text, "the catalogue query gave 2 columns, not 13");
    ck_assert_ptr_null(live);
}
END_TEST

START_TEST(index_finds_rows_by_its_leading_columns)
{
    const char *keys[] = { "a", "b", NULL };
    const char *const ab[] = { "b", "a" }, *const b[] = { "b" };
    struct pol_live_index x = {
        .method = "btree", .columns = keys, .n_columns = 3, .is_valid = true
    };

    ck_assert(pol_live_leads(&x, ab, 2));
    ck_assert(!pol_live_leads(&x, b, 1));
    x.has_where = true;
    ck_assert(!pol_live_leads(&x, ab, 2));
    x.leaves_out_nulls = true;
    ck_assert(pol_live_leads(&x, ab, 2));
    x.is_valid = false;
    ck_assert(!pol_live_leads(&x, ab, 2));
    x.is_valid = true;
    x.method = "gin";
    ck_assert(!pol_live_leads(&x, ab, 2));
}
END_TEST

static const struct {
    int64_t n;
    const char *bytes, *rows;
} words[] = {
    { 0, "0 bytes", "about 0 rows" },
    { 1, "1 bytes", "about 1 row" },
    { 1536, "1.5 kB", "about 1536 rows" },
    { 12000, "11 kB", "about 12,000 rows" },
    { 80000000, "76 MB", "about 80 million rows" },
    { 3400000, "3.2 MB", "about 3.4 million rows" },
    { 12884901888, "12 GB", "about 12 billion rows" },
    { INT64_MAX, "8191 PB", "about 9223372036 billion rows" },
};

START_TEST(amounts_are_words)
{
    AUTO(arena_free) struct arena *a = arena_new();
    ck_assert_str_eq(pol_bytes_words(a, words[_i].n), words[_i].bytes);
    ck_assert_str_eq(pol_rows_words(a, words[_i].n), words[_i].rows);
}
END_TEST

/* ---- types ---- */

#define FREE      POL_RETYPE_FREE
#define REWRITE   POL_RETYPE_REWRITE
#define NARROW    POL_RETYPE_NARROWER
#define OTHER     POL_RETYPE_OTHER
#define VC(n)     "varchar", (n) + 4
#define NUM(p, s) "numeric", (((p) << 16) | ((s)&0x7ff)) + 4

/* From a column as the server has it to a type as people write it. */
static const struct {
    const char *from;
    int typmod;
    const char *to;
    enum pol_retype want;
} retypes[] = {
    { "int4", -1, "int", FREE },
    { "int4", -1, "bigint", REWRITE },
    { "int8", -1, "int", NARROW },
    { "int2", -1, "real", REWRITE },
    { "int4", -1, "real", NARROW },
    { "int4", -1, "double precision", REWRITE },
    { "int8", -1, "double precision", NARROW },
    { "int8", -1, "numeric", REWRITE },
    { "int8", -1, "numeric(4,0)", NARROW },
    { "float8", -1, "real", NARROW },
    { "numeric", -1, "int", NARROW },
    { VC(20), "varchar(20)", FREE },
    { VC(20), "varchar(40)", FREE },
    { VC(20), "varchar(10)", NARROW },
    { VC(20), "varchar", FREE },
    { VC(20), "text", FREE },
    { "varchar", -1, "varchar(20)", NARROW },
    { "text", -1, "varchar", FREE },
    { "text", -1, "varchar(9)", NARROW },
    { "text", -1, "char(9)", NARROW },
    { "text", -1, "int", OTHER },
    { "bpchar", 8, "char(8)", REWRITE },
    { "bpchar", 8, "char(3)", NARROW },
    { NUM(10, 2), "numeric(12,2)", FREE },
    { NUM(10, 2), "numeric(12,4)", REWRITE },
    { NUM(10, 2), "numeric(11,4)", NARROW },
    { NUM(10, 2), "numeric(10,1)", NARROW },
    { NUM(10, 2), "numeric", FREE },
    { NUM(5, 0), "numeric(5)", FREE },
    { "numeric", -1, "numeric(10,2)", NARROW },
    { "timestamptz", -1, "timestamptz", FREE },
    { "timestamptz", 3, "timestamptz", FREE },
    { "timestamptz", -1, "timestamptz(0)", NARROW },
    { "timestamptz", -1, "date", NARROW },
    { "timestamp", -1, "timestamptz", OTHER },
    { "date", -1, "timestamp", REWRITE },
    { "cidr", -1, "inet", FREE },
    { "interval", 1234, "interval(3)", OTHER },
    { "citext", -1, "text", OTHER },
    { "mood", -1, "public.mood", FREE },
};

static const struct sql_column *
column_of(struct policy_text *t, const char *type)
{
    AUTO(mem_free)
    char *sql = mem_printf("ALTER TABLE t ALTER COLUMN c TYPE %s", type);
    /* the text must outlive the tree */
    static char kept[200];
    snprintf(kept, sizeof(kept), "%s", sql);
    policy_text_init(t, kept, NULL);
    ck_assert_msg(t->tree->n == 1 && t->tree->facts[0].subs[0].def, "%s", kept);
    return t->tree->facts[0].subs[0].def;
}

START_TEST(change_of_type_is_what_was_measured)
{
    struct pol_live_column from = { .name = "c",
        .type = retypes[_i].from,
        .base = retypes[_i].from,
        .shown = "",
        .typmod = retypes[_i].typmod };
    struct policy_text t;
    const struct sql_column *to = column_of(&t, retypes[_i].to);

    ck_assert_msg(pol_retype(&from, to) == retypes[_i].want, "%s %d to %s: %d",
        from.type, from.typmod, retypes[_i].to, (int)pol_retype(&from, to));
    policy_text_deinit(&t);
    /* an expression may do anything */
    AUTO(mem_free) char *with = mem_printf("%s USING c::text", retypes[_i].to);
    to = column_of(&t, with);
    ck_assert(pol_retype(&from, to) != POL_RETYPE_FREE);
    policy_text_deinit(&t);
    from.is_array = true;
    to = column_of(&t, retypes[_i].to);
    ck_assert(pol_retype(&from, to) == POL_RETYPE_OTHER);
    policy_text_deinit(&t);
}
END_TEST

START_TEST(domain_becomes_its_base_type_for_free)
{
    const struct pol_live_column from = {
        .name = "c", .type = "email", .base = "text", .shown = "email", .typmod = -1
    };
    struct policy_text t;
    ck_assert_int_eq(pol_retype(&from, column_of(&t, "text")), POL_RETYPE_FREE);
    policy_text_deinit(&t);
    ck_assert_int_eq(pol_retype(&from, column_of(&t, "email")), POL_RETYPE_FREE);
    policy_text_deinit(&t);
    ck_assert_int_eq(pol_retype(&from, column_of(&t, "int")), POL_RETYPE_OTHER);
    policy_text_deinit(&t);
}
END_TEST

/* ---- judging ---- */

static const char *
judge(const char *ini, const char *sql, const char *lines, struct pol_made **made,
    bool is_unknown)
{
    static char line[500];
    const struct pol_session session = { .role = "app" };
    struct pol *p = policy_of(ini);
    struct policy_text t;
    struct pol_findings f;
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(pol_wants) struct pol_wants asked = { .arena = a };

    policy_text_init(&t, sql, NULL);
    t.text.made = made ? *made : NULL;
    pol_findings_init(&f);
    pol_judge_text(p, &session, &t.text, &f);
    if (lines || is_unknown) {
        for (size_t i = 0; i < f.wants.n; i++)
            pol_wants_add(&asked, &f.wants.items[i]);
        struct pol_live *live = is_unknown ? pol_live_unknown("no answer within 200 ms")
                                           : live_of_lines(lines, &asked);
        t.text.live = live;
        pol_findings_deinit(&f);
        pol_findings_init(&f);
        pol_judge_text(p, &session, &t.text, &f);
        t.text.live = NULL;
        ref_drop(live);
    }
    policy_line(&f, line, sizeof(line));
    pol_findings_deinit(&f);
    if (made)
        pol_made_note(made, &t.text);
    policy_text_deinit(&t);
    ref_drop(p);
    return line;
}

#define P      "[policy]\nenvironment = staging\nunmigrated = allow\nchecks = listed\n"
#define BIG    "t R public|t|r||||10485760|1000|0|k\n"
#define SMALL  "t R public|t|r||||8192|10|0|k\n"
#define PARTLY "t R public|t|r||||8192|10|0|\n"
#define MIN    P "[check drop-table]\naction = reject\nmin_table_size = 1MB\n"
#define BY_SIZE                                                                   \
    P "[access big]\ncommand = DROP TABLE\ntable_size = >=1MB\naction = reject\n" \
      "[access none]\ncommand = DROP TABLE\ntable_rows = <100\naction = allow\n"  \
      "unmigrated = allow\n[access rest]\naction = warn\n"

static const struct {
    const char *name, *ini, *sql, *lines, *want;
    bool is_unknown;
} judged[] = {
    { "small is exempt", MIN, "DROP TABLE t", SMALL, "", false },
    { "large is not", MIN, "DROP TABLE t", BIG, "reject drop-table", false },
    { "offline nothing is", MIN, "DROP TABLE t", NULL, "reject drop-table", false },
    { "not there", MIN, "DROP TABLE t", "", "reject drop-table", false },
    { "partly known", MIN, "DROP TABLE t", PARTLY, "reject drop-table", false },
    { "unknown is strict", MIN, "DROP TABLE t", NULL, "reject drop-table", true },
    { "unknown may be loose", MIN "when_unknown = loose\n", "DROP TABLE t", NULL, "",
        true },
    { "loose as a whole",
        P
        "when_unknown = loose\n[check drop-table]\naction = reject\nmin_table_size = 1MB\n",
        "DROP TABLE t", NULL, "", true },
    { "offline is not unknown", MIN "when_unknown = loose\n", "DROP TABLE t", NULL,
        "reject drop-table", false },
    { "access by size", BY_SIZE, "DROP TABLE t", BIG, "reject big", false },
    { "access by rows", BY_SIZE, "DROP TABLE t", SMALL, "allow none", false },
    { "access: no table", BY_SIZE, "DROP VIEW t", NULL, "warn rest", false },
    { "access: new", BY_SIZE, "CREATE TABLE x (a int); DROP TABLE x", NULL,
        "warn rest, allow none", false },
    { "access: unknown meets the stricter one", BY_SIZE, "DROP TABLE t", NULL,
        "reject big, warn rest", true },
    { "access: one of two", BY_SIZE, "DROP TABLE t, u",
        BIG "u R public|u|r||||1|1|0|k\n", "reject big, warn rest", false },
    { "live rules are silent offline", P "[check large-table-ddl]\naction = reject\n",
        "ALTER TABLE t ADD COLUMN a int", NULL, "", false },
    { "and strict when unknown", P "[check large-table-ddl]\naction = reject\n",
        "ALTER TABLE t ADD COLUMN a int", NULL, "reject large-table-ddl", true },
    { "unless they are loose",
        P "[check large-table-ddl]\naction = reject\nwhen_unknown = loose\n",
        "ALTER TABLE t ADD COLUMN a int", NULL, "", true },
};

START_TEST(facts_decide)
{
    const char *got = judge(
        judged[_i].ini, judged[_i].sql, judged[_i].lines, NULL, judged[_i].is_unknown);
    ck_assert_msg(strcmp(got, judged[_i].want) == 0, "%s: got \"%s\", want \"%s\"",
        judged[_i].name, got, judged[_i].want);
}
END_TEST

#define LOCKS                                                                 \
    P "[check drop-table]\naction = reject\n[check add-index-concurrently]\n" \
      "action = reject\n"

/* Texts of one transaction, each with what is found. */
static const struct {
    const char *name, *texts[5], *want[5];
} made[] = {
    { "made before",
        { "CREATE TABLE t (a int)", "CREATE INDEX ON t (a)", "DROP TABLE t",
            "DROP TABLE t" },
        { "", "", "", "reject drop-table" } },
    { "renamed",
        { "CREATE TABLE t (a int)", "ALTER TABLE t RENAME TO u", "DROP TABLE u",
            "CREATE INDEX ON t (a)" },
        { "", "", "", "reject add-index-concurrently" } },
    { "rolled back", { "CREATE TABLE t (a int)", "ROLLBACK TO s", "DROP TABLE t" },
        { "", "", "reject drop-table" } },
    { "over",
        { "CREATE TABLE t (a int); COMMIT; CREATE TABLE u (a int)", "DROP TABLE u",
            "DROP TABLE t" },
        { "", "", "reject drop-table" } },
    { "names may mean others",
        { "CREATE TABLE t (a int)", "SET search_path = x", "CREATE INDEX ON t (a)",
            "DROP TABLE t" },
        { "", "", "", "reject drop-table" } },
    { "nothing made", { "ALTER TABLE t ADD COLUMN a int", "DROP TABLE t" },
        { "", "reject drop-table" } },
};

START_TEST(what_a_transaction_made_is_new_to_its_later_texts)
{
    struct pol_made *so_far = NULL;
    for (size_t i = 0; i < 5 && made[_i].texts[i]; i++) {
        const char *got = judge(LOCKS, made[_i].texts[i], NULL, &so_far, false);
        ck_assert_msg(strcmp(got, made[_i].want[i]) == 0, "%s: %s: got \"%s\"",
            made[_i].name, made[_i].texts[i], got);
    }
    pol_made_free(so_far);
}
END_TEST

START_TEST(names_of_a_transaction_have_an_end)
{
    struct pol_made *so_far = NULL;
    AUTO(buf_deinit) struct buf sql = BUF_INIT((size_t)1 << 20);
    for (unsigned i = 0; i < 5000; i++)
        buf_putf(&sql, "CREATE TABLE t%u (a int);", i);
    ck_assert_str_eq(judge(LOCKS, buf_cstr(&sql), NULL, &so_far, false), "");
    ck_assert_str_eq(judge(LOCKS, "DROP TABLE t10", NULL, &so_far, false), "");
    ck_assert_str_eq(
        judge(LOCKS, "DROP TABLE t4000", NULL, &so_far, false), "reject drop-table");
    pol_made_free(so_far);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("policy_live");
    TCase *tc = tcase_create("live");
    tcase_add_test(tc, names_are_constants_whatever_they_hold);
    tcase_add_test(tc, path_of_the_session_goes_along_in_its_order);
    tcase_add_test(tc, wants_are_counted_once_and_have_an_end);
    tcase_add_test(tc, answer_is_read_in_parts);
    tcase_add_test(tc, answer_of_another_shape_is_an_error);
    tcase_add_test(tc, index_finds_rows_by_its_leading_columns);
    tcase_add_loop_test(tc, amounts_are_words, 0, DG_ARRAY_SIZE(words));
    tcase_add_loop_test(
        tc, change_of_type_is_what_was_measured, 0, DG_ARRAY_SIZE(retypes));
    tcase_add_test(tc, domain_becomes_its_base_type_for_free);
    tcase_add_loop_test(tc, facts_decide, 0, DG_ARRAY_SIZE(judged));
    tcase_add_loop_test(
        tc, what_a_transaction_made_is_new_to_its_later_texts, 0, DG_ARRAY_SIZE(made));
    tcase_add_test(tc, names_of_a_transaction_have_an_end);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
