// SPDX-License-Identifier: ISC
/* Which statements become steps of a trail, what a step keeps, and what it may cost. */
#include "base/mem.h"
#include "gate/trail.h"
#include "lib/unit.h"

static void
ignore(void *ctx, struct gate_trail *trail)
{
    (void)ctx, (void)trail;
}

/* A request as it stands when its statements are about to be forwarded. */
struct fixture {
    struct gate_env env;
    struct gate_client c;
    struct gate_request *req;
};

static void
make(struct fixture *f, const char *sql)
{
    f->env = (struct gate_env){ .committed = ignore };
    gate_client_init(&f->c, &f->env);
    f->req = gate_request_new(&f->c, GATE_QUERY,
        gate_text_whole(NULL, NULL, sql, strlen(sql), SQL_TREE_DEFAULT_DEPTH));
    f->req->histories = mem_array(
        f->req->text->tree->n + 1, sizeof(*f->req->histories));
}

static void
unmake(struct fixture *f)
{
    ck_assert_uint_eq(f->c.n_steps, 0);
    ck_assert_uint_eq(f->c.step_bytes, 0);
    gate_request_free(f->req);
    gate_client_deinit(&f->c);
}

static const struct {
    const char *name, *sql;
    unsigned wants;
    bool is_tracked, is_captured, wanted;
} wanted[] = {
    { "nobody listens", "create table a ()", 0, true, true, false },
    { "a change", "create table a ()", GATE_TRAIL_TRACKED, true, false, true },
    { "data is not asked for", "insert into a values (1)", GATE_TRAIL_TRACKED, false,
        false, false },
    { "data", "insert into a values (1)", GATE_TRAIL_DATA, false, false, true },
    { "a query is data, too: functions write", "select f()", GATE_TRAIL_DATA, false,
        false, true },
    { "what is executed", "execute p", GATE_TRAIL_DATA, false, false, true },
    { "preparing runs nothing", "prepare p as select 1", GATE_TRAIL_DATA, false, false,
        false },
    { "transaction control", "begin", GATE_TRAIL_DATA | GATE_TRAIL_TRACKED, false,
        false, false },
    { "captured", "create table a ()", GATE_TRAIL_CAPTURED, true, true, true },
    { "not captured", "create table a ()", GATE_TRAIL_CAPTURED, true, false, false },
};

START_TEST(listeners_get_what_they_want)
{
    struct fixture f;

    make(&f, wanted[_i].sql);
    f.env.trail_wants = wanted[_i].wants;
    if (wanted[_i].is_captured)
        pol_findings_add(&f.req->findings,
            &(struct pol_finding){ .action = DG_NOTE, .is_captured = true });
    ck_assert_msg(
        gate_trail_wants(f.req, 0, wanted[_i].is_tracked) == wanted[_i].wanted, "%s",
        wanted[_i].name);
    unmake(&f);
}
END_TEST

START_TEST(a_finding_of_another_statement_captures_nothing)
{
    struct fixture f;

    make(&f, "create table a (); create table b ()");
    f.env.trail_wants = GATE_TRAIL_CAPTURED;
    pol_findings_add(&f.req->findings,
        &(struct pol_finding){ .action = DG_NOTE, .is_captured = true, .fact = 1 });
    ck_assert(!gate_trail_wants(f.req, 0, true));
    ck_assert(gate_trail_wants(f.req, 1, true));
    unmake(&f);
}
END_TEST

START_TEST(a_step_holds_its_own_statement)
{
    struct fixture f;
    struct gate_intent intent = { .id = "the intent" };

    make(&f, "/* one */ create table a (); drop table b ; select 1");
    f.c.search_path = mem_strdup("billing");
    struct gate_step *step = gate_step_new(f.req, 1, true, &intent);
    ck_assert_str_eq(gate_step_facts(step)->tag, "DROP TABLE");
    struct str sql = gate_step_sql(step);
    ck_assert_int_eq((int)sql.n, (int)strlen("drop table b"));
    ck_assert_mem_eq(sql.p, "drop table b", sql.n);
    ck_assert_mem_eq(gate_step_digest(step), &f.req->text->scan.stmts[1].digest,
        sizeof(struct sql_digest));
    ck_assert_str_eq(step->intent_id, "the intent");
    ck_assert_str_eq(step->search_path, "billing");
    gate_step_free(&f.c, step);
    unmake(&f);
}
END_TEST

START_TEST(values_of_history_writes_only_are_kept)
{
    static const char *const names[] = { "schema_migrations" };
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(names, 1);
    static const char *const texts[] = { "insert into schema_migrations values ($1)",
        "insert into other values ($1)" };
    struct hist_bind bind = { "42", 2, false };

    for (size_t i = 0; i < DG_ARRAY_SIZE(texts); i++) {
        struct fixture f;
        make(&f, texts[i]);
        ref_drop(f.req->text);
        f.req->text = gate_text_whole(
            words, NULL, texts[i], strlen(texts[i]), SQL_TREE_DEFAULT_DEPTH);
        f.req->has_binds = true;
        f.req->binds = &bind;
        f.req->n_binds = 1;
        struct gate_step *step = gate_step_new(f.req, 0, i == 0, NULL);
        ck_assert_int_eq(step->has_binds, i == 0);
        if (i == 0) {
            ck_assert_uint_eq(step->n_binds, 1);
            ck_assert_ptr_ne(step->binds[0].p, bind.p);
            ck_assert_mem_eq(step->binds[0].p, "42", 2);
        }
        gate_step_free(&f.c, step);
        f.req->binds = NULL;
        f.req->n_binds = 0;
        unmake(&f);
    }
}
END_TEST

START_TEST(a_session_can_keep_only_so_much)
{
    struct fixture f;

    make(&f, "drop table b");
    f.c.step_bytes = GATE_TRAIL_MAX_BYTES - strlen("drop table b");
    struct gate_step *step = gate_step_new(f.req, 0, true, NULL);
    ck_assert_ptr_nonnull(step);
    ck_assert_ptr_null(gate_step_new(f.req, 0, true, NULL));
    gate_step_free(&f.c, step);
    f.c.step_bytes = 0;
    f.c.n_steps = GATE_TRAIL_MAX_STEPS;
    ck_assert_ptr_null(gate_step_new(f.req, 0, true, NULL));
    f.c.n_steps = 0;
    unmake(&f);
}
END_TEST

START_TEST(a_taken_step_is_no_longer_charged)
{
    struct fixture f;

    make(&f, "drop table b");
    struct gate_step *steps[] = { gate_step_new(f.req, 0, true, NULL) };
    struct gate_trail trail = { .client = &f.c, .steps = steps, .n = 1 };
    struct gate_step *step = gate_trail_take(&trail, 0);
    ck_assert_ptr_null(steps[0]);
    unmake(&f);
    ck_assert_str_eq(gate_step_facts(step)->tag, "DROP TABLE");
    gate_step_free(NULL, step);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("gate_trail");
    TCase *tc = tcase_create("trail");

    tcase_add_loop_test(tc, listeners_get_what_they_want, 0, DG_ARRAY_SIZE(wanted));
    tcase_add_test(tc, a_finding_of_another_statement_captures_nothing);
    tcase_add_test(tc, a_step_holds_its_own_statement);
    tcase_add_test(tc, values_of_history_writes_only_are_kept);
    tcase_add_test(tc, a_session_can_keep_only_so_much);
    tcase_add_test(tc, a_taken_step_is_no_longer_charged);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
