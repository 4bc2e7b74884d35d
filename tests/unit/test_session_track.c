// SPDX-License-Identifier: ISC
/* From what the server answers to what the audit says became of each statement. A case is a
 * little script, a word a line of the conversation:
 *   a@1.0=CREATE TABLE   schema change a goes out as statement 0 of unit 1
 *   +s@1.1=x  -s=x  ~s=x SAVEPOINT, ROLLBACK TO, RELEASE of x
 *   C@1.2  R@1.2  P@1.2  COMMIT, ROLLBACK, PREPARE TRANSACTION that the gate has seen
 *   !1.0=CREATE TABLE    the server completed statement 0 of unit 1
 *   ?1.0=22012           an error instead of it; ?1.0/3: by message 3 of the batch
 *   Z1=I                 ReadyForQuery of unit 1; Z1=I! after an error
 *   .  ,                 the session ends, with or without an answer to all
 * In the table of trails x and y are steps that went over the limits. */
#define gate_record_outcome note_outcome /* instead of the audit */
#include "session/track.c"

#include "lib/unit.h"

static char said[512];
/* Transactions handed to the listener: "[ab]", "[ab?]" if incomplete. */
static char trails[128];

void
note_outcome(struct gate_client *c, const struct gate_intent *in,
    enum aud_outcome outcome, const char *sqlstate, const char *reason)
{
    size_t n = strlen(said);

    (void)c, (void)sqlstate, (void)reason;
    snprintf(said + n, sizeof(said) - n, "%s%s %s", n ? ", " : "", in->id,
        aud_outcome_name(outcome));
}

static const struct {
    const char *name, *script, *outcomes;
} cases[] = {
    { "alone in its transaction", "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=I",
        "a committed" },
    { "in a block", "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=T|C@2.0|!2.0=COMMIT|Z2=I",
        "a executed, a committed" },
    { "a block rolled back",
        "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=T|R@2.0|!2.0=ROLLBACK|Z2=I",
        "a executed, a rolled back" },
    { "COMMIT of an aborted block answers ROLLBACK",
        "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=T|Z2=E!|C@3.0|!3.0=ROLLBACK|Z3=I",
        "a executed, a rolled back" },
    { "COMMIT that fails by a deferred constraint",
        "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=T|C@2.0|?2.0=23505|Z2=I!",
        "a executed, a rolled back" },
    { "the implicit commit at Sync fails",
        "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|?1.1=23505|Z1=I!", "a rolled back" },
    { "COMMIT AND CHAIN leaves a block open",
        "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=T|C@2.0|!2.0=COMMIT|Z2=T|b@3.0=DROP TABLE|"
        "!3.0=DROP TABLE|Z3=T|R@4.0|!4.0=ROLLBACK|Z4=T",
        "a executed, a committed, b executed, b rolled back" },
    { "two-phase commit is open to the end",
        "a@1.0=CREATE TABLE|!1.0=CREATE TABLE|Z1=T|P@2.0|!2.0=PREPARE TRANSACTION|Z2=I",
        "a executed, a unknown" },
    { "an error fails one and skips the rest",
        "a@1.0=CREATE TABLE|b@1.1=CREATE TABLE|c@1.2=CREATE TABLE|!1.0=CREATE TABLE|"
        "?1.1=42P07|Z1=I!",
        "b failed, c skipped, a rolled back" },
    { "a cancel", "a@1.0=CREATE INDEX|?1.0=57014|Z1=I!", "a cancelled" },
    { "an error of a Bind before it is not its own",
        "a@1.0/2=CREATE TABLE|?1.0/1=08P01|Z1=I!", "a skipped" },
    { "an error of its own message is", "a@1.0/2=CREATE TABLE|?1.0/2=42P07|Z1=I!",
        "a failed" },
    { "an earlier COMMIT of the same text holds",
        "a@1.0=CREATE TABLE|C@1.1|b@1.2=CREATE TABLE|!1.0=CREATE TABLE|!1.1=COMMIT|"
        "!1.2=CREATE TABLE|?1.3=22012|Z1=I!",
        "a committed, b rolled back" },
    { "another tag than expected", "a@1.0=CREATE TABLE|!1.0=SELECT 1|Z1=I",
        "a unknown" },
    { "a suspended portal ran to its end", "a@1.0=INSERT|!1.0|Z1=I", "a committed" },
    { "no answer at all", "a@1.0=CREATE TABLE|Z1=I", "a unknown" },

    { "ROLLBACK TO undoes what came after",
        "a@1.0=X|+s@1.1=p|b@1.2=X|-s@1.3=p|!1.0=X|!1.1=SAVEPOINT|!1.2=X|!1.3=ROLLBACK|Z1=T|"
        "C@2.0|!2.0=COMMIT|Z2=I",
        "b rolled back, a executed, a committed" },
    { "of two savepoints of one name the newer counts",
        "+s@1.0=p|a@1.1=X|+s@1.2=p|b@1.3=X|-s@1.4=p|!1.0=SAVEPOINT|!1.1=X|!1.2=SAVEPOINT|"
        "!1.3=X|!1.4=ROLLBACK|Z1=T|C@2.0|!2.0=COMMIT|Z2=I",
        "b rolled back, a executed, a committed" },
    { "a released one no longer counts",
        "+s@1.0=p|a@1.1=X|+s@1.2=p|b@1.3=X|~s@1.4=p|-s@1.5=p|!1.0=SAVEPOINT|!1.1=X|"
        "!1.2=SAVEPOINT|!1.3=X|!1.4=RELEASE|!1.5=ROLLBACK|Z1=T|C@2.0|!2.0=COMMIT|Z2=I",
        "a rolled back, b rolled back" },
    { "a savepoint from before the first change",
        "a@1.0=X|!1.0=X|Z1=T|-s@2.0=old|!2.0=ROLLBACK|Z2=T|C@3.0|!3.0=COMMIT|Z3=I",
        "a executed, a rolled back" },

    { "a ROLLBACK nobody saw ends a block", "a@1.0=X|!1.0=X|Z1=T|!2.0=ROLLBACK|Z2=I",
        "a executed, a rolled back" },
    { "one that leaves it open may have been ROLLBACK TO",
        "a@1.0=X|!1.0=X|Z1=T|!2.0=ROLLBACK|Z2=T", "a executed, a unknown" },
    { "what comes after it in the same batch is not touched",
        "a@1.0=X|b@1.2=X|!1.0=X|!1.1=ROLLBACK|!1.2=X|Z1=I",
        "b committed, a rolled back" },

    { "the session ends in a block", "a@1.0=X|!1.0=X|Z1=T|.",
        "a executed, a rolled back" },
    { "the connection breaks", "a@1.0=X|,", "a unknown" },
    { "the connection breaks before the commit is known", "a@1.0=X|!1.0=X|,",
        "a unknown" },
};

static struct gate_run
make_run(char kind, const char *name, unsigned ordinal, const char *text)
{
    struct gate_run r = { .ordinal = ordinal };

    switch (kind) {
    case '+':
        r.tx = SQL_TX_SAVEPOINT;
        break;
    case '-':
        r.tx = SQL_TX_ROLLBACK_TO;
        break;
    case '~':
        r.tx = SQL_TX_RELEASE;
        break;
    case 'C':
        r.tx = SQL_TX_COMMIT;
        r.tag = "COMMIT";
        return r;
    case 'R':
        r.tx = SQL_TX_ROLLBACK;
        r.tag = "ROLLBACK";
        return r;
    case 'P':
        r.tx = SQL_TX_PREPARE;
        r.tag = "PREPARE TRANSACTION";
        return r;
    default:
        r.tag = text;
        r.intent = mem_zalloc(sizeof(*r.intent));
        snprintf(r.intent->id, sizeof(r.intent->id), "%s", name);
        r.is_step_lost = kind == 'x' || kind == 'y';
        if (!r.is_step_lost) {
            r.step = mem_zalloc(sizeof(*r.step));
            snprintf(r.step->request_id, sizeof(r.step->request_id), "%s", name);
        }
        return r;
    }
    r.tx_name = mem_strdup(text);
    return r;
}

static void
play(struct sess *s, char *word)
{
    char *text = strchr(word, '='), *at = strpbrk(word, "0123456789");
    unsigned unit = 0, nth = 0, message = SESS_TRACK_NO_MESSAGE;

    if (text)
        *text++ = '\0';
    if (at && sscanf(at, "%u.%u/%u", &unit, &nth, &message) < 1)
        unit = 0;
    switch (*word) {
    case '!': {
        struct str tag = text ? str_of(text) : (struct str){ NULL, 0 };
        if (s->track)
            sess_track_complete(s, unit, nth, tag);
        break;
    }
    case '?':
        s->has_failed = true;
        sess_track_error(s, unit, nth, message, str_of(text));
        break;
    case 'Z':
        s->has_failed = text[1] == '!';
        if (s->track)
            sess_track_ready(s, unit, text[0]);
        s->has_failed = false;
        break;
    case '.':
    case ',':
        sess_track_end(s, *word == '.');
        break;
    default: {
        struct gate_run *runs = mem_alloc(sizeof(*runs));
        char name[2] = { *word, 0 };
        *runs = make_run(*word, name, 0, text);
        sess_track_add(s, runs, 1, unit, nth, message);
    }
    }
}

static void
note_trail(void *ctx, struct gate_trail *trail)
{
    size_t n = strlen(trails);

    (void)ctx;
    n += (size_t)snprintf(trails + n, sizeof(trails) - n, "[");
    for (size_t i = 0; i < trail->n; i++)
        n += (size_t)snprintf(
            trails + n, sizeof(trails) - n, "%s", trail->steps[i]->request_id);
    snprintf(trails + n, sizeof(trails) - n, trail->is_complete ? "]" : "?]");
}

static struct gate_env env = { .committed = note_trail };

/* Steps are given back as they are freed. */
#define SESS                                   \
    {                                          \
        .gate = {.env = &env, .n_steps = 100 } \
    }

START_TEST(outcomes_are_what_the_server_did)
{
    struct sess s = SESS;
    char script[1024], *rest = script;

    said[0] = '\0';
    snprintf(script, sizeof(script), "%s", cases[_i].script);
    for (char *word; (word = strsep(&rest, "|"));)
        play(&s, word);
    CASE_STR(&cases[_i], said, cases[_i].outcomes);
    sess_track_end(&s, true);
    ck_assert_msg(!s.track, "%s: something is left", cases[_i].name);
}
END_TEST

/* A ROLLBACK that SQL's EXECUTE runs takes effect at the end of its text. */
START_TEST(an_executed_rollback_takes_the_rest_of_its_text_along)
{
    struct sess s = { .n_sent = 1, .gate = { .env = &env, .n_steps = 100 } };
    char words[][32] = { "a@1.1=X", "!1.0=ROLLBACK", "!1.1=X", "Z1=I" };

    said[0] = '\0';
    sess_unit_set(&s.unit_is_query, 1, true);
    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++)
        play(&s, words[i]);
    ck_assert_str_eq(said, "a rolled back");
    ck_assert_ptr_null(s.track);
}
END_TEST

START_TEST(a_unit_that_goes_on_under_another_number_keeps_its_statements)
{
    struct sess s = SESS;
    char first[] = "a@1.1=X", second[] = "!3.1=X", third[] = "Z3=I";

    said[0] = '\0';
    play(&s, first);
    sess_track_renumber(&s, 1, 3);
    play(&s, second);
    play(&s, third);
    ck_assert_str_eq(said, "a committed");
}
END_TEST

static const struct {
    const char *name, *script, *trails;
} trail_cases[] = {
    { "alone in its transaction", "a@1.0=X|!1.0=X|Z1=I", "[a]" },
    { "two Queries, two trails", "a@1.0=X|!1.0=X|Z1=I|b@2.0=X|!2.0=X|Z2=I", "[a][b]" },
    { "one Query, one trail", "a@1.0=X|b@1.1=X|!1.0=X|!1.1=X|Z1=I", "[ab]" },
    { "a block is told at its COMMIT",
        "a@1.0=X|!1.0=X|Z1=T|b@2.0=X|!2.0=X|Z2=T|C@3.0|!3.0=COMMIT|Z3=I", "[ab]" },
    { "not before it", "a@1.0=X|!1.0=X|Z1=T", "" },
    { "two blocks in one text",
        "a@1.0=X|C@1.1|b@1.2=X|C@1.3|!1.0=X|!1.1=COMMIT|!1.2=X|!1.3=COMMIT|Z1=I",
        "[a][b]" },
    { "COMMIT AND CHAIN",
        "a@1.0=X|!1.0=X|Z1=T|C@2.0|!2.0=COMMIT|Z2=T|b@3.0=X|!3.0=X|Z3=T|C@4.0|"
        "!4.0=COMMIT|Z4=I",
        "[a][b]" },
    { "rolled back", "a@1.0=X|!1.0=X|Z1=T|R@2.0|!2.0=ROLLBACK|Z2=I", "" },
    { "failed", "a@1.0=X|?1.0=42P07|Z1=I!", "" },
    { "an error after the COMMIT of the same text",
        "a@1.0=X|C@1.1|b@1.2=X|!1.0=X|!1.1=COMMIT|!1.2=X|?1.3=22012|Z1=I!", "[a]" },
    { "rolled back to a savepoint",
        "a@1.0=X|+s@1.1=p|b@1.2=X|-s@1.3=p|c@1.4=X|!1.0=X|!1.1=SAVEPOINT|!1.2=X|"
        "!1.3=ROLLBACK|!1.4=X|Z1=T|C@2.0|!2.0=COMMIT|Z2=I",
        "[ac]" },
    { "two-phase commit", "a@1.0=X|!1.0=X|Z1=T|P@2.0|!2.0=PREPARE TRANSACTION|Z2=I",
        "" },
    { "the session ends in a block", "a@1.0=X|!1.0=X|Z1=T|.", "" },
    { "the connection breaks", "a@1.0=X|!1.0=X|,", "" },

    { "one over the limits", "a@1.0=X|x@1.1=X|!1.0=X|!1.1=X|Z1=I", "[a?]" },
    { "over the limits, but rolled back to a savepoint",
        "a@1.0=X|+s@1.1=p|x@1.2=X|-s@1.3=p|!1.0=X|!1.1=SAVEPOINT|!1.2=X|"
        "!1.3=ROLLBACK|Z1=T|C@2.0|!2.0=COMMIT|Z2=I",
        "[a]" },
    { "the next transaction is whole",
        "a@1.0=X|x@1.1=X|!1.0=X|!1.1=X|Z1=I|b@2.0=X|!2.0=X|Z2=I", "[a?][b]" },
    { "an answer that can't be attributed",
        "a@1.0=X|b@1.1=X|!1.0=X|!1.1=SELECT 1|Z1=T|C@2.0|!2.0=COMMIT|Z2=I", "[a?]" },
    { "a ROLLBACK TO that nobody saw",
        "a@1.0=X|!1.0=X|Z1=T|!2.0=ROLLBACK|Z2=T|b@3.0=X|!3.0=X|Z3=T|C@4.0|!4.0=COMMIT|"
        "Z4=I",
        "[b?]" },
};

START_TEST(what_was_committed_is_told)
{
    struct sess s = SESS;
    char script[1024], *rest = script;

    said[0] = trails[0] = '\0';
    snprintf(script, sizeof(script), "%s", trail_cases[_i].script);
    for (char *word; (word = strsep(&rest, "|"));)
        play(&s, word);
    CASE_STR(&trail_cases[_i], trails, trail_cases[_i].trails);
    sess_track_end(&s, true);
    CASE_STR(&trail_cases[_i], trails, trail_cases[_i].trails);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("session_track");
    TCase *tc = tcase_create("track");

    tcase_add_loop_test(tc, outcomes_are_what_the_server_did, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, an_executed_rollback_takes_the_rest_of_its_text_along);
    tcase_add_test(tc, a_unit_that_goes_on_under_another_number_keeps_its_statements);
    tcase_add_loop_test(tc, what_was_committed_is_told, 0, DG_ARRAY_SIZE(trail_cases));
    suite_add_tcase(s, tc);
    return unit_main(s);
}
