// SPDX-License-Identifier: ISC
/* What the name of a prepared statement may mean, while batches are on their way, fail
 * half-way or go through. A case is a script of words:
 *   x=1@2.3   Parse of text 1 under name x as message 3 of unit 2; x=0: untracked or Close;
 *             x=B: BEGIN; @2.q: by SQL's PREPARE or DEALLOCATE in a Query
 *   *@2.q     DEALLOCATE ALL
 *   Z2        unit 2 went through; Z2/3: it failed after 3 messages
 * and then what a Bind of x in unit `unit` may run, newest first; ? is a text that nobody
 * can read, B that it is a harmless transaction statement for sure. */
#include "base/mem.h"
#include "gate/client.h"
#include "lib/unit.h"

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *name, *script;
    unsigned unit; /* 0: SQL's EXECUTE */
    const char *want;
} cases[] = {
    { "nothing known", "", 1, "" },
    { "an untracked one is not kept", "x=0@1.0", 1, "" },
    { "in its own batch", "x=1@1.0", 1, "1" },
    { "after its unit", "x=1@1.0 Z1", 2, "1" },
    { "before its unit is answered", "x=1@1.0", 2, "1" },
    { "another name", "y=1@1.0 Z1", 2, "" },
    { "closed", "x=1@1.0 Z1 x=0@2.0 Z2", 3, "" },
    { "closed, but that may fail", "x=1@1.0 Z1 x=0@2.0", 3, "1" },
    { "closed in this very batch", "x=1@1.0 Z1 x=0@2.0", 2, "" },
    { "Close was skipped", "x=1@1.0 Z1 x=0@2.1 Z2/1", 3, "1" },
    { "Close took effect before the error", "x=1@1.0 Z1 x=0@2.0 Z2/1", 3, "" },
    { "made anew", "x=1@1.0 x=2@1.1 Z1", 2, "2" },
    { "made anew, may fail", "x=1@1.0 Z1 x=2@2.1", 3, "21" },
    { "made anew in this batch", "x=1@1.0 Z1 x=2@2.1", 2, "2" },
    { "the first of two took effect", "x=1@1.0 x=2@1.4 Z1/3", 2, "1" },
    { "none of two took effect", "x=1@1.3 x=2@1.4 Z1/3", 2, "" },
    { "both took effect before the error", "x=1@1.0 x=2@1.1 Z1/3", 2, "2" },
    { "by a Query that failed: nobody knows", "x=1@1.q Z1/0", 2, "1" },
    { "undone by a Query that failed", "x=1@1.0 Z1 x=0@2.q Z2/0", 3, "1" },
    { "undone by a Query", "x=1@1.0 Z1 x=0@2.q Z2", 3, "" },
    { "all undone", "x=1@1.0 y=2@1.1 Z1 *@2.q Z2", 3, "" },
    { "all undone, not sure yet", "x=1@1.0 y=2@1.1 Z1 *@2.q", 3, "1" },
    { "EXECUTE sees what is on its way", "x=1@1.0 Z1 x=2@2.0", 0, "21" },
    { "units go through together", "x=1@1.0 x=0@2.0 x=2@3.0 Z3", 4, "2" },
    { "cut at 63 bytes", X63 "abc=1@1.0 Z1", 2, "1" },

    { "BEGIN", "x=B@1.0", 1, "B" },
    { "BEGIN, settled", "x=B@1.0 Z1", 2, "B" },
    { "BEGIN that may not be there yet", "x=B@1.0", 2, "" },
    { "BEGIN that was skipped", "x=B@1.1 Z1/1", 2, "" },
    { "BEGIN over a change", "x=1@1.0 Z1 x=B@2.0", 3, "1" },
    { "BEGIN over a change, settled", "x=1@1.0 Z1 x=B@2.0 Z2", 3, "B" },
    { "something else over BEGIN", "x=B@1.0 Z1 x=0@2.0", 2, "" },
    { "BEGIN and something else in one batch", "x=B@1.0 x=0@1.1", 1, "" },
    { "BEGIN by a Query that failed", "x=B@1.q Z1/0", 2, "" },

    { "too often in one go, and it fails early",
        "x=1@1.0 x=2@1.1 x=1@1.2 x=2@1.3 x=1@1.4 x=2@1.5 x=1@1.6 x=2@1.7 x=1@1.8 Z1/1",
        2, "?" },
    { "too often in one go, the newest is known in its batch",
        "x=1@1.0 x=2@1.1 x=1@1.2 x=2@1.3 x=1@1.4 x=2@1.5 x=1@1.6 x=2@1.7 x=1@1.8", 1,
        "1" },
    { "too often in one go, it goes through",
        "x=1@1.0 x=2@1.1 x=1@1.2 x=2@1.3 x=1@1.4 x=2@1.5 x=1@1.6 x=2@1.7 x=1@1.8 Z1", 2,
        "1" },
};

static void
play(struct gate_client *c, struct gate_text **texts, char *word)
{
    struct gate_place place = { 0, GATE_IN_QUERY };
    char *at = strchr(word, '@'), *eq = strchr(word, '=');
    unsigned unit = 0, n = GATE_ALL_DONE;

    if (*word == 'Z') {
        ck_assert(sscanf(word, "Z%u/%u", &unit, &n) >= 1);
        gate_prepared_unit_done(c, unit, n);
        return;
    }
    if (sscanf(at, "@%u.%u", &unit, &n) == 2)
        place.message = n;
    place.unit = unit;
    if (*word == '*') {
        gate_prepared_clear(c, unit);
        return;
    }
    struct str name = { word, (size_t)(eq - word) };
    char what = eq[1];
    gate_prepared_set(c, name, what == '1' || what == '2' ? texts[what - '0'] : NULL,
        what == 'B', place);
}

static void
describe(struct gate_client *c, struct gate_text **texts, unsigned unit, char *got)
{
    struct gate_text *found[GATE_MAX_CANDIDATES];
    bool is_tx;
    size_t n = gate_prepared_get(c, STR(X63), unit, found, &is_tx);

    if (n == 0)
        n = gate_prepared_get(c, STR("x"), unit, found, &is_tx);
    for (size_t i = 0; i < n; i++)
        *got++ = found[i] == texts[1] ? '1' : found[i] == texts[2] ? '2' : '?';
    if (is_tx)
        *got++ = 'B';
    *got = '\0';
}

START_TEST(names_mean_what_they_may_mean)
{
    struct gate_env env = { 0 };
    struct gate_client c;
    struct gate_text *texts[] = { NULL, gate_text_unreadable("DROP TABLE a", 12, "one"),
        gate_text_unreadable("DROP TABLE b", 12, "two") };
    char script[512], *rest = script, got[32];

    gate_client_init(&c, &env);
    snprintf(script, sizeof(script), "%s", cases[_i].script);
    for (char *word; (word = strsep(&rest, " "));) {
        if (*word)
            play(&c, texts, word);
    }
    describe(&c, texts, cases[_i].unit, got);
    CASE_STR(&cases[_i], got, cases[_i].want);
    gate_client_deinit(&c);
    for (size_t i = 1; i < 3; i++) {
        ck_assert_msg(atomic_load(&texts[i]->ref.n) == 1, "%s: text %zu leaks",
            cases[_i].name, i);
        ref_drop(texts[i]);
    }
}
END_TEST

START_TEST(a_session_without_changes_keeps_nothing)
{
    struct gate_env env = { 0 };
    struct gate_client c;

    gate_client_init(&c, &env);
    for (unsigned i = 0; i < 1000; i++)
        gate_prepared_set(&c, STR("s"), NULL, false, (struct gate_place){ i + 1, 0 });
    ck_assert_ptr_null(c.prepared);
    gate_client_deinit(&c);
}
END_TEST

START_TEST(endless_batches_do_not_grow)
{
    struct gate_env env = { 0 };
    struct gate_client c;
    struct gate_text *t = gate_text_unreadable("DROP TABLE a", 12, "one");

    gate_client_init(&c, &env);
    for (unsigned i = 0; i < 100000; i++) {
        gate_prepared_set(
            &c, STR(""), i % 3 ? t : NULL, false, (struct gate_place){ 1, i });
        ck_assert_uint_le(c.n_unsettled, GATE_MAX_CANDIDATES + 2);
    }
    for (unsigned i = 0; i < 100000; i++) {
        gate_prepared_set(&c, STR(""), i % 3 ? t : NULL, false,
            (struct gate_place){ i + 2, GATE_IN_QUERY });
        gate_prepared_unit_done(&c, i + 2, 0);
    }
    ck_assert_uint_le(atomic_load(&t->ref.n), GATE_MAX_CANDIDATES + 2);
    for (unsigned i = 0; i < 3 * GATE_MAX_PREPARED; i++) {
        char name[16];
        snprintf(name, sizeof(name), "b%u", i);
        gate_prepared_set(&c, str_of(name), NULL, true, (struct gate_place){ 1, i });
    }
    ck_assert_uint_le(map_count(c.prepared), GATE_MAX_PREPARED);
    gate_client_deinit(&c);
    ref_drop(t);
}
END_TEST

static const struct {
    const char *name, *key, *value;
    bool std_strings, is_safe;
    int version;
} parameters[] = {
    { "on", "standard_conforming_strings", "on", true, true, 0 },
    { "off", "standard_conforming_strings", "off", false, true, 0 },
    { "UTF8", "client_encoding", "UTF8", true, true, 0 },
    { "SJIS", "client_encoding", "SJIS", true, false, 0 },
    { "gbk in small letters", "client_encoding", "gbk", true, false, 0 },
    { "15.4", "server_version", "15.4 (Debian 15.4-1)", true, true, 150004 },
    { "17beta1", "server_version", "17beta1", true, true, 170000 },
    { "no version", "server_version", "unknown", true, true, 0 },
};

START_TEST(parameters_of_the_server_count)
{
    struct gate_env env = { 0 };
    struct gate_client c;

    gate_client_init(&c, &env);
    gate_client_parameter(&c, parameters[_i].key, parameters[_i].value);
    CASE_INT(&parameters[_i], c.std_strings, parameters[_i].std_strings);
    CASE_INT(&parameters[_i], c.is_safe_encoding, parameters[_i].is_safe);
    CASE_INT(&parameters[_i], c.server_version, parameters[_i].version);
    gate_client_deinit(&c);
}
END_TEST

static const struct {
    const char *name, *sql;
    bool commits;
} texts[] = {
    { "COMMIT", "COMMIT", true },
    { "END in a comment's company", "/* driver /* x */ */ -- y\n end work ;", true },
    { "empty statements before it", ";; commit and chain", true },
    { "the second half of two-phase", "COMMIT PREPARED 'x'", false },
    { "a prepared statement", "PREPARE x AS SELECT 1", false },
    { "ROLLBACK", "ROLLBACK", false },
    { "a query", "SELECT CASE WHEN true THEN 1 END", false },
    { "another word", "commits", false },
    { "nothing", "", false },
};

START_TEST(texts_that_commit_are_known)
{
    struct gate_text *t = gate_text_of_commit(str_of(texts[_i].sql));

    CASE_INT(&texts[_i], t != NULL, texts[_i].commits);
    ref_drop(t);
}
END_TEST

START_TEST(an_end_that_was_skipped_leaves_a_doubt)
{
    struct gate_env env = { 0 };
    struct gate_client c;

    gate_client_init(&c, &env);
    gate_client_failed(&c); /* nothing ended */
    ck_assert(!c.is_tx_unsure && !c.holds_change);
    c.has_ended = true;
    gate_client_failed(&c);
    gate_client_ready(&c, 'E');
    ck_assert(c.is_tx_unsure && c.holds_change && !c.has_ended);
    gate_client_ready(&c, 'T'); /* ROLLBACK TO */
    ck_assert(c.is_tx_unsure && c.holds_change);
    gate_client_ready(&c, 'I');
    ck_assert(!c.is_tx_unsure && !c.holds_change);
    gate_client_deinit(&c);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("gate_client");
    TCase *tc = tcase_create("client");

    tcase_add_loop_test(tc, names_mean_what_they_may_mean, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, a_session_without_changes_keeps_nothing);
    tcase_add_test(tc, endless_batches_do_not_grow);
    tcase_add_loop_test(
        tc, parameters_of_the_server_count, 0, DG_ARRAY_SIZE(parameters));
    tcase_add_loop_test(tc, texts_that_commit_are_known, 0, DG_ARRAY_SIZE(texts));
    tcase_add_test(tc, an_end_that_was_skipped_leaves_a_doubt);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
