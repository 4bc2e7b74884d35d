// SPDX-License-Identifier: ISC
/* A migration that is judged when somebody asks gets the findings that it would have got at
 * load, whoever asks, when, and how many at once. */
#include "base/buf.h"
#include "base/fs.h"
#include "gate/units.h"
#include "lib/hist.h"
#include "lib/policy.h"

#include <dirent.h>
#include <pthread.h>

#define LONG_FILE "900_long.sql"
#define N_THREADS 8
#define N_ROUNDS  6

static struct hist_env env;
static struct hist_attest *attest;

/* The corpus of migrations that the end-to-end tests judge, and a long one. */
static void
load(void)
{
    const char *folder = TEST_DATA "/corpus/migrations";
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    struct err err = { "" };
    struct dirent *e;
    DIR *dir = opendir(folder);

    ck_assert_ptr_nonnull(dir);
    hist_env_files(&env, "numbered-sql", NULL);
    while ((e = readdir(dir))) {
        char path[512];
        char *sql = NULL;
        size_t n;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        ck_assert_int_eq(fs_read(path, 1 << 20, &sql, &n, &err), 0);
        hist_env_write(env.dir, e->d_name, sql);
        mem_free(sql);
    }
    closedir(dir);
    for (int i = 0; buf_len(&text) <= GATE_UNITS_LATER_BYTES; i++)
        buf_putf(&text, "CREATE TABLE long_%d (a int);\nDROP TABLE old_%d;\n", i, i);
    hist_env_write(env.dir, LONG_FILE, buf_cstr(&text));
    hist_env_load(&env);
    ck_assert_uint_gt(env.set->n, 30);
    ck_assert_int_eq(hist_attest_load("/nowhere/attestation", &attest, &err), 0);
}

static void
unload(void)
{
    ref_drop(attest);
    hist_env_free(&env);
}

static const struct {
    const char *name, *text;
} policies[] = {
    { "production", "[policy]\nenvironment = production\n" },
    { "staging", "[policy]\nenvironment = staging\n" },
    { "development", "[policy]\nenvironment = development\n" },
    { "verified", "[policy]\nenvironment = production\nrequire = verified\n" },
    { "rewriting",
        "[policy]\nenvironment = production\n[check drop-table]\naction = rewrite\nquarantine = gone\n"
        "[check add-index-concurrently]\naction = rewrite\n" },
    { "watching", "[policy]\nenvironment = production\nmode = observe\n" },
};

static void
put(struct buf *out, const char *what, const char *text)
{
    if (text)
        buf_putf(out, " %s=<%s>", what, text);
}

/* Everything that findings say. */
static const char *
told(struct buf *out, const struct pol_findings *f)
{
    buf_reset(out);
    buf_putf(out, "%s off=%d free=%d\n", dg_action_name(f->action), f->checks_off,
        f->is_free);
    for (size_t i = 0; i < f->n; i++) {
        const struct pol_finding *x = &f->items[i];
        buf_putf(out, "%s%d%d%d%d %s:%d fact=%zu pos=%d", dg_action_name(x->action),
            x->is_observed, x->is_excepted, x->is_captured, x->needs_live,
            x->origin_file ? x->origin_file : "", x->origin_line, x->fact, x->pos);
        put(out, "rule", x->rule);
        put(out, "message", x->message);
        put(out, "detail", x->detail);
        put(out, "hint", x->hint);
        put(out, "wanted", x->wanted);
        put(out, "column", x->column);
        put(out, "sqlstate", x->sqlstate);
        put(out, "no_rewrite", x->no_rewrite);
        put(out, "schema", x->object ? x->object->schema : NULL);
        put(out, "object", x->object ? x->object->name : NULL);
        buf_puts(out, "\n");
    }
    for (size_t i = 0; i < f->wants.n; i++) {
        put(out, "want", f->wants.items[i].schema);
        put(out, "want", f->wants.items[i].name);
        buf_putf(out, " anywhere=%d\n", f->wants.items[i].is_anywhere);
    }
    return buf_cstr(out);
}

/* What is told of each migration when all are judged one after the other. */
struct reference {
    char **texts;
    size_t n_found;
};

static struct reference
judge_all(const struct pol *policy)
{
    struct reference r = { .texts = mem_array(env.set->n_all, sizeof(*r.texts)) };
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 22);

    for (size_t i = 0; i < env.set->n_all; i++) {
        const struct hist_migration *m = &env.set->migrations[i];
        struct hist_attest_answer attested;
        struct pol_text unit = { .text = m->text,
            .len = m->len,
            .file = m->file,
            .scan = &m->scan,
            .tree = m->tree,
            .attested = &attested };
        AUTO(pol_findings_deinit) struct pol_findings f;
        hist_attest_ask(attest, env.set, m, &attested);
        pol_findings_init(&f);
        pol_judge_unit(policy, &unit, &f);
        r.n_found += f.n;
        r.texts[i] = mem_strdup(told(&out, &f));
    }
    return r;
}

static void
reference_deinit(struct reference *r)
{
    for (size_t i = 0; i < env.set->n_all; i++)
        mem_free(r->texts[i]);
    mem_free(r->texts);
}

START_TEST(judged_later_it_is_judged_the_same)
{
    struct pol *policy = policy_of(policies[_i].text);
    struct reference want = judge_all(policy);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 22);
    struct gate_units u;

    ck_assert_uint_gt(want.n_found, 20);
    gate_units_init(&u, env.set, attest, policy);
    for (size_t i = u.n; i-- > 0;)
        CASE_STR(&policies[_i], told(&out, gate_units_findings(&u, i)), want.texts[i]);
    for (size_t i = 0; i < u.n; i++)
        CASE_STR(&policies[_i], told(&out, gate_units_findings(&u, i)), want.texts[i]);
    gate_units_deinit(&u);
    reference_deinit(&want);
    ref_drop(policy);
}
END_TEST

/* --- many who ask ------------------------------------------------------------------------ */

struct asker {
    pthread_t thread;
    pthread_barrier_t *start;
    const struct gate_units *units;
    const struct pol_findings **got;
};

static void *
ask(void *arg)
{
    struct asker *a = arg;

    pthread_barrier_wait(a->start);
    for (size_t i = 0; i < a->units->n; i++)
        a->got[i] = gate_units_findings(a->units, i);
    return NULL;
}

static void
ask_at_once(const struct gate_units *u, const struct reference *want)
{
    struct asker askers[N_THREADS];
    pthread_barrier_t start;
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 22);

    pthread_barrier_init(&start, NULL, N_THREADS);
    for (size_t t = 0; t < N_THREADS; t++) {
        askers[t] = (struct asker){
            .start = &start, .units = u, .got = mem_array(u->n, sizeof(void *))
        };
        ck_assert_int_eq(pthread_create(&askers[t].thread, NULL, ask, &askers[t]), 0);
    }
    for (size_t t = 0; t < N_THREADS; t++)
        pthread_join(askers[t].thread, NULL);
    for (size_t i = 0; i < u->n; i++) {
        for (size_t t = 1; t < N_THREADS; t++)
            ck_assert_ptr_eq(askers[t].got[i], askers[0].got[i]);
        ck_assert_str_eq(told(&out, askers[0].got[i]), want->texts[i]);
    }
    for (size_t t = 0; t < N_THREADS; t++)
        mem_free(askers[t].got);
    pthread_barrier_destroy(&start);
}

START_TEST(threads_that_ask_at_once_get_one_answer)
{
    struct pol *policy = policy_of(policies[0].text);
    struct reference want = judge_all(policy);

    for (int round = 0; round < N_ROUNDS; round++) {
        struct gate_units u;
        gate_units_init(&u, env.set, attest, policy);
        ask_at_once(&u, &want);
        gate_units_deinit(&u);
    }
    reference_deinit(&want);
    ref_drop(policy);
}
END_TEST

/* --- when --------------------------------------------------------------------------------- */

START_TEST(only_what_is_long_is_judged_at_load)
{
    struct pol *policy = policy_of(policies[0].text);
    struct gate_units u;
    size_t n_long = 0;

    gate_units_init(&u, env.set, attest, policy);
    for (size_t i = 0; i < u.n; i++) {
        bool is_long = strcmp(env.set->migrations[i].file, LONG_FILE) == 0;
        ck_assert_int_eq(gate_units_is_judged(&u, i), is_long);
        n_long += is_long;
    }
    ck_assert_uint_eq(n_long, 1);
    (void)gate_units_findings(&u, 3);
    ck_assert(!gate_units_is_judged(&u, 2));
    ck_assert(gate_units_is_judged(&u, 3));
    ck_assert(!gate_units_is_judged(&u, 4));
    gate_units_deinit(&u); /* and nothing of the others leaks */
    ref_drop(policy);
}
END_TEST

START_TEST(given_findings_stand)
{
    struct pol *policy = policy_of(policies[0].text);
    struct gate_units u;
    struct pol_findings f;

    gate_units_init_given(&u, env.set, policy);
    for (size_t i = 0; i < u.n; i++)
        ck_assert(!gate_units_is_judged(&u, i));
    pol_findings_init(&f);
    pol_findings_add(&f,
        &(struct pol_finding){ .action = DG_REJECT, .rule = "mine", .message = "no" });
    gate_units_give(&u, 0, &f);
    ck_assert_uint_eq(f.n, 0);
    ck_assert_ptr_null(f.arena);
    ck_assert_uint_eq(gate_units_findings(&u, 0)->n, 1);
    ck_assert_str_eq(gate_units_findings(&u, 0)->items[0].rule, "mine");
    ck_assert_int_eq(gate_units_findings(&u, 0)->action, DG_REJECT);
    gate_units_deinit(&u);
    ref_drop(policy);
}
END_TEST

START_TEST(nobody_gives_twice)
{
    struct pol *policy = policy_of(policies[0].text);
    struct gate_units u;
    struct pol_findings f;

    gate_units_init_given(&u, env.set, policy);
    for (int i = 0; i < 2; i++) {
        pol_findings_init(&f);
        gate_units_give(&u, 0, &f);
    }
}
END_TEST

START_TEST(nobody_asks_beyond_the_set)
{
    struct pol *policy = policy_of(policies[0].text);
    struct gate_units u;

    gate_units_init_given(&u, env.set, policy);
    (void)gate_units_findings(&u, env.set->n_all);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("gate_units");
    TCase *tc = tcase_create("units");

    tcase_add_checked_fixture(tc, load, unload);
    tcase_add_loop_test(
        tc, judged_later_it_is_judged_the_same, 0, DG_ARRAY_SIZE(policies));
    tcase_add_test(tc, threads_that_ask_at_once_get_one_answer);
    tcase_add_test(tc, only_what_is_long_is_judged_at_load);
    tcase_add_test(tc, given_findings_stand);
    unit_add_death(tc, nobody_gives_twice);
    unit_add_death(tc, nobody_asks_beyond_the_set);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
