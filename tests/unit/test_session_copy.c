// SPDX-License-Identifier: ISC
/* What is in flight around COPY FROM STDIN: never counted too low, and settled by what the
 * server says. A case is a conversation, a letter a message:
 *   client: q Query, e Execute (one message of a batch), s Sync, c CopyDone
 *   server: G CopyInResponse, C CommandComplete, E ErrorResponse, Z ReadyForQuery,
 *           P both answers to our own question
 * and then what holds: units in flight, Syncs in doubt, may a Query go now. */
#include "base/mem.h"
#include "lib/unit.h"
#include "session/session.h"

static const struct {
    const char *name, *script;
    unsigned in_flight, in_doubt;
    enum sess_copy query;
    bool is_asking; /* our own question is on its way */
} cases[] = {
    { "a query", "qCZ", 0, 0, SESS_COPY_GO, false },
    { "two queries in flight", "qq", 2, 0, SESS_COPY_GO, false },
    { "copy of a Query", "qG", 1, 0, SESS_COPY_VIOLATION, false },
    { "its data ended", "qGc", 1, 0, SESS_COPY_WAIT, false },
    { "it is done", "qGcCZ", 0, 0, SESS_COPY_GO, false },
    { "it failed", "qGcEZ", 0, 0, SESS_COPY_GO, false },
    { "data sent ahead", "qc", 1, 0, SESS_COPY_WAIT, false },
    { "data sent ahead, then CopyInResponse", "qcG", 1, 0, SESS_COPY_WAIT, false },
    { "data sent ahead, done", "qcGCZ", 0, 0, SESS_COPY_GO, false },
    { "data sent ahead of no copy at all", "qcEZ", 0, 0, SESS_COPY_GO, false },
    { "two copies of one text, sent ahead", "qccGC", 1, 0, SESS_COPY_WAIT, false },
    { "both done", "qccGCGCZ", 0, 0, SESS_COPY_GO, false },
    { "a stray CopyDone", "qCZcq", 1, 0, SESS_COPY_GO, false },

    { "extended, as libpq: the Sync may be dropped", "esG", 1, 1, SESS_COPY_VIOLATION,
        false },
    { "the data ended and was synced", "esGcs", 2, 1, SESS_COPY_WAIT, false },
    { "done: the first Sync was dropped", "esGcsC", 1, 0, SESS_COPY_GO, false },
    { "and all is answered", "esGcsCZ", 0, 0, SESS_COPY_GO, false },
    { "all sent at once", "escsGCZ", 0, 0, SESS_COPY_GO, false },
    { "done, and the batch goes on", "esGcC", 0, 0, SESS_COPY_GO, false },
    { "failed before a second Sync: nobody knows", "esGcE", 1, 1, SESS_COPY_UNSYNCED,
        false },
    { "failed, one more answer is sure", "esGcsE", 2, 1, SESS_COPY_WAIT, false },
    { "failed, one came: we ask", "esGcsEZ", 1, 1, SESS_COPY_WAIT, true },
    { "answered: the Sync was dropped", "esGcsEZP", 0, 0, SESS_COPY_GO, false },
    { "the server answers both after all", "esGcsEZZ", 0, 0, SESS_COPY_WAIT, true },
    { "and our question then", "esGcsEZZP", 0, 0, SESS_COPY_GO, false },
    { "a view: it fails at once and answers", "esGEZ", 0, 0, SESS_COPY_GO, false },
    { "a view in the midst of a pipeline", "esesGEZ", 1, 0, SESS_COPY_GO, false },
    { "a view, with a Query behind it", "esqGEZ", 1, 0, SESS_COPY_GO, false },
    { "Syncs in the midst of the data", "esGss", 3, 3, SESS_COPY_VIOLATION, false },
    { "all dropped", "esGsscCs", 1, 0, SESS_COPY_GO, false },
    { "in a Query", "qGsscC", 1, 0, SESS_COPY_GO, false },
    { "in a Query that fails: the Query is answered, then we ask", "qGscEZ", 1, 1,
        SESS_COPY_WAIT, true },
    { "nothing was dropped in an error without a copy", "esE", 1, 0, SESS_COPY_GO,
        false },
};

static void
client(struct sess *s, char c)
{
    bool work = c == 'q' || s->batch_sent > 0;

    switch (c) {
    case 'e':
        s->batch_sent++;
        s->execs_sent++;
        return;
    case 'c':
        ck_assert(sess_copy_end_sent(s));
        return;
    case 's':
        s->n_maybe += s->is_in_copy;
        break;
    }
    s->n_sent++;
    sess_unit_set(&s->unit_is_query, s->n_sent, c == 'q');
    sess_unit_set(&s->unit_has_work, s->n_sent, work);
    s->batch_sent = s->execs_sent = 0;
}

static void
server(struct sess *s, char c)
{
    switch (c) {
    case 'G':
        sess_copy_started(s);
        break;
    case 'C':
        s->execs_done++;
        s->batch_done++;
        if (s->is_copying)
            sess_copy_completed(s);
        break;
    case 'E':
        s->has_failed = true;
        sess_copy_failed(s);
        break;
    case 'Z':
        s->n_done++;
        s->batch_done = s->execs_done = 0;
        s->has_failed = false;
        sess_copy_ready(s);
        break;
    case 'P':
        ck_assert(sess_probe_error(s, s->probe_token, SESS_TOKEN_LENGTH));
        ck_assert(sess_probe_ready(s));
        break;
    }
}

START_TEST(what_is_in_flight_is_known)
{
    struct sess s = { .server.fd = -1, .client.fd = -1 };

    for (const char *p = cases[_i].script; *p; p++) {
        if (strchr("qesc", *p))
            client(&s, *p);
        else
            server(&s, *p);
        ck_assert_msg(
            s.n_sent >= s.n_done, "%s: counted too low at %s", cases[_i].name, p);
    }
    CASE_INT(&cases[_i], s.n_sent - s.n_done, cases[_i].in_flight);
    CASE_INT(&cases[_i], s.n_maybe, cases[_i].in_doubt);
    CASE_INT(&cases[_i], sess_copy_allows(&s, 'Q'), cases[_i].query);
    CASE_INT(&cases[_i], s.probe != SESS_PROBE_NONE, cases[_i].is_asking);
    mem_free(s.ends);
}
END_TEST

START_TEST(an_open_batch_is_not_idle_after_its_copy)
{
    struct sess s = { .server.fd = -1, .client.fd = -1 };

    for (const char *p = "esGcC"; *p; p++) {
        if (strchr("qesc", *p))
            client(&s, *p);
        else
            server(&s, *p);
    }
    ck_assert_uint_eq(s.n_sent, s.n_done);
    ck_assert_msg(!sess_is_idle(&s), "its Sync is still to come");
    ck_assert(s.is_reading_unsure);
}
END_TEST

START_TEST(somebody_elses_error_is_no_answer_to_our_question)
{
    struct sess s = { .server.fd = -1, .client.fd = -1 };

    ck_assert(!sess_probe_error(&s, "", 0));
    ck_assert(!sess_probe_ready(&s));
    for (const char *p = "esGcsEZ"; *p; p++) {
        if (strchr("qesc", *p))
            client(&s, *p);
        else
            server(&s, *p);
    }
    ck_assert_int_eq(s.probe, SESS_PROBE_SENT);
    ck_assert(!sess_probe_error(&s, "MABCDEFGHIJKLMNOPQRST", 21));
    ck_assert(!sess_probe_ready(&s));
}
END_TEST

START_TEST(ends_of_data_are_bounded)
{
    struct sess s = { .server.fd = -1, .client.fd = -1 };
    int n = 0;

    client(&s, 'q');
    while (n < 1000 && sess_copy_end_sent(&s))
        n++;
    ck_assert_int_eq(n, 64);
    mem_free(s.ends);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("session_copy");
    TCase *tc = tcase_create("copy");

    tcase_add_loop_test(tc, what_is_in_flight_is_known, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, an_open_batch_is_not_idle_after_its_copy);
    tcase_add_test(tc, somebody_elses_error_is_no_answer_to_our_question);
    tcase_add_test(tc, ends_of_data_are_bounded);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
