// SPDX-License-Identifier: ISC
/* What a record says: codes, fields, limits, ids; and how points in time are read. */
#include "lib/audit.h"

#include "audit/when.h"

/* The record as a whole line, parsed. The text lives in b. */
static void
render(struct buf *b, const struct aud_rec *rec, const struct aud_note *note,
    struct aud_line *l)
{
    AUTO(buf_deinit) struct buf head = BUF_INIT(AUD_MAX_LINE);
    struct aud_chain chain = aud_chain_start;
    const char *why = "";
    size_t at;

    buf_init(b, AUD_MAX_LINE);
    aud_rec_render(&head, rec, note, "host1", 1795194963123456);
    aud_chain_add(&chain, "01JD", (struct str){ buf_ptr(&head), buf_len(&head) }, b);
    const char *text = buf_cstr(b);
    size_t n = strlen(text);
    ck_assert_uint_eq(n, buf_len(b));
    ck_assert_int_eq(text[n - 1], '\n');
    ck_assert_msg(
        aud_line_parse((struct str){ text, n - 1 }, l, &why, &at) == 0, "%s", why);
}

static const struct {
    const char *name;
    enum aud_event event;
    enum aud_outcome outcome;
    enum dg_action decision;
    bool is_observed;
    const char *command;
    const char *code, *result, *category, *type, *decision_word;
} kinds[] = {
    { "login", AUD_SESSION_START, 0, 0, false, NULL, "DG00", "success", "\"session\"",
        "\"start\"", NULL },
    { "end", AUD_SESSION_END, 0, 0, false, NULL, "DG01", "success", "\"session\"",
        "\"end\"", NULL },
    { "login refused", AUD_AUTH_FAILURE, 0, 0, false, NULL, "DG02W", "failure",
        "\"authentication\"", "\"denied\"", NULL },
    { "intent", AUD_INTENT, 0, DG_ALLOW, false, "CREATE TABLE", "DG10I", "unknown",
        "\"database\"", "\"creation\",\"allowed\"", "allow" },
    { "refused", AUD_DECISION, 0, DG_REJECT, false, "DROP TABLE", "DG20W", "failure",
        "\"database\"", "\"deletion\",\"denied\"", "reject" },
    { "would be refused", AUD_DECISION, 0, DG_REJECT, true, "DROP TABLE", "DG20W",
        "success", "\"database\"", "\"deletion\",\"allowed\"", "reject" },
    { "held", AUD_DECISION, 0, DG_HOLD, false, "ALTER TABLE", "DG20I", "unknown",
        "\"database\"", "\"change\",\"info\"", "hold" },
    { "rewritten", AUD_DECISION, 0, DG_REWRITE, false, "CREATE INDEX", "DG20I",
        "success", "\"database\"", "\"creation\",\"allowed\"", "rewrite" },
    { "committed", AUD_OUTCOME, AUD_COMMITTED, DG_ALLOW, false, "SELECT INTO", "DG30I",
        "success", "\"database\"", "\"creation\"", NULL },
    { "executed", AUD_OUTCOME, AUD_EXECUTED, DG_WARN, false, "GRANT", "DG30I",
        "success", "\"database\"", "\"change\"", "warn" },
    { "rolled back", AUD_OUTCOME, AUD_ROLLED_BACK, 0, false, NULL, "DG30I", "failure",
        "\"database\"", "\"change\"", NULL },
    { "skipped", AUD_OUTCOME, AUD_SKIPPED, 0, false, NULL, "DG30I", "failure",
        "\"database\"", "\"change\"", NULL },
    { "failed", AUD_OUTCOME, AUD_FAILED, 0, false, NULL, "DG30E", "failure",
        "\"database\"", "\"change\",\"error\"", NULL },
    { "cancelled", AUD_OUTCOME, AUD_CANCELLED, 0, false, NULL, "DG30E", "failure",
        "\"database\"", "\"change\",\"error\"", NULL },
    { "unknown", AUD_OUTCOME, AUD_UNKNOWN, 0, false, NULL, "DG30W", "unknown",
        "\"database\"", "\"change\"", NULL },
    { "approved", AUD_APPROVAL, 0, DG_ALLOW, false, NULL, "DG40I", "success",
        "\"configuration\"", "\"allowed\"", "allow" },
    { "denied", AUD_APPROVAL, 0, DG_REJECT, false, NULL, "DG40W", "success",
        "\"configuration\"", "\"denied\"", "reject" },
    { "reload", AUD_RELOAD, 0, 0, false, NULL, "DG50I", "success", "\"configuration\"",
        "\"change\"", NULL },
    { "failed reload", AUD_RELOAD, AUD_FAILED, 0, false, NULL, "DG50W", "failure",
        "\"configuration\"", "\"change\",\"error\"", NULL },
    { "captured", AUD_CAPTURE, 0, 0, false, NULL, "DG61I", "success",
        "\"configuration\"", "\"creation\"", NULL },
    { "not captured", AUD_CAPTURE, AUD_FAILED, 0, false, NULL, "DG61W", "failure",
        "\"configuration\"", "\"error\"", NULL },
    { "gap", AUD_GAP, 0, 0, false, NULL, "DG70E", "failure", "\"configuration\"",
        "\"error\"", NULL },
    { "rotated", AUD_ROTATED, 0, 0, false, NULL, "DG71I", "success",
        "\"configuration\"", "\"info\"", NULL },
    { "malformed", AUD_MALFORMED, 0, 0, false, NULL, "DG80W", "failure", "\"network\"",
        "\"protocol\",\"denied\"", NULL },
};

static void
assert_raw(
    const char *name, const struct aud_line *l, const char *key, const char *want)
{
    const struct aud_field *f = aud_line_find(l, key);

    if (!want) {
        ck_assert_msg(!f, "%s: has %s", name, key);
        return;
    }
    ck_assert_msg(f && str_eqz(f->raw, want), "%s: %s is %.*s, not %s", name, key,
        f ? (int)f->raw.n : 4, f ? f->raw.p : "gone", want);
}

START_TEST(event_has_its_code_and_classes)
{
    struct aud_rec rec = {
        .event = kinds[_i].event,
        .outcome = kinds[_i].outcome,
        .decision = kinds[_i].decision,
        .is_observed = kinds[_i].is_observed,
        .command = kinds[_i].command,
    };
    struct aud_line l;
    struct buf b;
    const char *name = kinds[_i].name;

    render(&b, &rec, NULL, &l);
    assert_raw(name, &l, "event.code", kinds[_i].code);
    assert_raw(name, &l, "event.outcome", kinds[_i].result);
    assert_raw(name, &l, "event.category", kinds[_i].category);
    assert_raw(name, &l, "event.type", kinds[_i].type);
    assert_raw(name, &l, "ddlgate.decision", kinds[_i].decision_word);
    assert_raw(name, &l, "event.action", aud_event_action(rec.event));
    assert_raw(name, &l, "ddlgate.outcome", aud_outcome_name(rec.outcome));
    assert_raw(name, &l, "ecs.version", "9.4.0");
    assert_raw(name, &l, "service.name", "ddlgate");
    assert_raw(name, &l, "service.node.name", "host1");
    assert_raw(name, &l, "@timestamp", "2026-11-20T17:16:03.123456Z");
    buf_deinit(&b);
}
END_TEST

START_TEST(every_field_of_the_record_is_there)
{
    struct aud_rec rec = {
        .event = AUD_DECISION,
        .decision = DG_REJECT,
        .reason = "rule r",
        .session_id = "S1",
        .user = "app",
        .database = "shop",
        .client_addr = "10.0.0.7",
        .application_name = "psql",
        .client_port = 51544,
        .tls_version = "TLSv1.3",
        .tls_cipher = "TLS_AES_256_GCM_SHA384",
        .tls_subject = "CN=app",
        .server_addr = "db1",
        .server_port = 5432,
        .server_pid = 27248,
        .intent_id = "I1",
        .request_id = "7K2F",
        .statement_id = 7,
        .substatement_id = 2,
        .command = "DROP TABLE",
        .object_type = "TABLE",
        .object = "public.orders",
        .cls = "ddl",
        .text = "DROP TABLE orders",
        .is_text_cut = true,
        .text_bytes = 99999,
        .digest = "abc",
        .sqlstate = "42501",
        .rule = "migration-first",
        .rule_set = "staging.ini:41",
        .environment = "staging",
        .migration_source = "flyway",
        .migration_version = "13",
        .migration_file = "V13__x.sql",
        .findings = "one\ntwo",
        .rewritten_text = "SELECT 2",
        .rewritten_settings = "lock_timeout=2000ms",
        .rewritten_follow_up = "SELECT 3;",
        .duration_us = 1500,
    };
    static const char *const want[][2] = {
        { "event.reason", "rule r" },
        { "event.duration", "1500000" },
        { "user.name", "app" },
        { "client.address", "10.0.0.7" },
        { "client.port", "51544" },
        { "tls.version", "TLSv1.3" },
        { "tls.cipher", "TLS_AES_256_GCM_SHA384" },
        { "tls.client.subject", "CN=app" },
        { "server.address", "db1" },
        { "server.port", "5432" },
        { "db.system.name", "postgresql" },
        { "db.namespace", "shop" },
        { "db.operation.name", "DROP TABLE" },
        { "db.collection.name", "public.orders" },
        { "db.query.summary", "DROP TABLE public.orders" },
        { "db.query.text", "DROP TABLE orders" },
        { "db.response.status_code", "42501" },
        { "rule.name", "migration-first" },
        { "rule.ruleset", "staging.ini:41" },
        { "ddlgate.session.id", "S1" },
        { "ddlgate.statement.id", "7" },
        { "ddlgate.substatement.id", "2" },
        { "ddlgate.request.id", "7K2F" },
        { "ddlgate.intent.id", "I1" },
        { "ddlgate.class", "ddl" },
        { "ddlgate.object.type", "TABLE" },
        { "ddlgate.digest", "abc" },
        { "ddlgate.decision", "reject" },
        { "ddlgate.query.truncated", "true" },
        { "ddlgate.query.length", "99999" },
        { "ddlgate.application_name", "psql" },
        { "ddlgate.upstream.pid", "27248" },
        { "ddlgate.environment", "staging" },
        { "ddlgate.migration.source", "flyway" },
        { "ddlgate.migration.version", "13" },
        { "ddlgate.migration.file", "V13__x.sql" },
        { "ddlgate.findings", "one\\ntwo" },
        { "ddlgate.rewrite.text", "SELECT 2" },
        { "ddlgate.rewrite.settings", "lock_timeout=2000ms" },
        { "ddlgate.rewrite.follow_up", "SELECT 3;" },
        { "event.sequence", "1" },
        { "event.id", "01JD" },
    };
    struct aud_line l;
    struct buf b;

    render(&b, &rec, NULL, &l);
    for (size_t i = 0; i < DG_ARRAY_SIZE(want); i++)
        assert_raw("full", &l, want[i][0], want[i][1]);
    buf_deinit(&b);
}
END_TEST

START_TEST(nothing_from_a_client_breaks_a_line)
{
    struct aud_rec rec = audit_rec(AUD_INTENT, "i", AUD_NONE);
    struct aud_line l;
    struct buf b;

    rec.application_name = "x\",\"event.code\":\"DG30I\"}\n{\"a\":\"";
    rec.user = "\x1b[2J\r\xff";
    rec.text = "select '\xe2\x80\xae'\n;\n";
    render(&b, &rec, NULL, &l);
    ck_assert_uint_eq(strcspn(buf_cstr(&b), "\n") + 1, buf_len(&b));
    assert_raw("escapes", &l, "event.code", "DG10I");
    assert_raw("escapes", &l, "user.name", "\\u001b[2J\\r\\ufffd");
    assert_raw("escapes", &l, "db.query.text", "select '\\u202e'\\n;\\n");
    buf_deinit(&b);
}
END_TEST

START_TEST(over_long_values_are_cut_between_characters)
{
    char *text = mem_alloc(AUD_MAX_TEXT + 10), *user = mem_alloc(AUD_MAX_SHORT + 10);
    struct aud_rec rec = audit_rec(AUD_INTENT, "i", AUD_NONE);
    struct aud_line l;
    struct buf b;

    memset(text, 'x', AUD_MAX_TEXT + 9);
    memset(text, '\x01', 65536);
    text[AUD_MAX_TEXT + 9] = 0;
    memset(user, 'u', AUD_MAX_SHORT - 1);
    strncpy(user + AUD_MAX_SHORT - 1, "\xc3\xa9-", 4);
    rec.text = text;
    rec.user = user;
    render(&b, &rec, NULL, &l);
    ck_assert_uint_eq(
        aud_line_find(&l, "db.query.text")->raw.n, AUD_MAX_TEXT + 5 * 65536);
    ck_assert_uint_eq(aud_line_find(&l, "user.name")->raw.n, AUD_MAX_SHORT - 1);
    assert_raw("long", &l, "ddlgate.query.truncated", "true");
    buf_deinit(&b);
    mem_free(text);
    mem_free(user);
}
END_TEST

START_TEST(ids_sort_by_time_and_never_repeat)
{
    struct aud_ids ids = { 0 };
    char last[AUD_ID_SIZE] = "", id[AUD_ID_SIZE];
    int64_t now = 1795194963123456;

    for (int i = 0; i < 2000; i++) {
        aud_id_next(&ids, now, id);
        ck_assert_uint_eq(strlen(id), 26);
        ck_assert_msg(strcmp(last, id) < 0, "%s is followed by %s", last, id);
        memcpy(last, id, sizeof(id));
        now += i % 7 == 0 ? 5000 : i % 11 == 0 ? -3600000000 : 0; /* the clock jumps */
    }
    /* 1795194963123 ms in Crockford's base32 */
    struct aud_ids fresh = { 0 };
    aud_id_next(&fresh, 1795194963123456, id);
    ck_assert_int_eq(strncmp(id, "01M7WZAH5K", 10), 0);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
    int r;
    int64_t us;
} times[] = {
    { "date", "2026-11-20", 0, 1795132800000000 },
    { "epoch", "1970-01-01", 0, 0 },
    { "minutes", "2026-11-20T17:16", 0, 1795194960000000 },
    { "space and seconds", "2026-11-20 17:16:03", 0, 1795194963000000 },
    { "as written by the gate", "2026-11-20T17:16:03.123456Z", 0, 1795194963123456 },
    { "short fraction", "2026-11-20T17:16:03.5Z", 0, 1795194963500000 },
    { "nanoseconds", "2026-11-20T17:16:03.123456789Z", 0, 1795194963123456 },
    { "east", "2026-11-20T19:16:03+02:00", 0, 1795194963000000 },
    { "west", "2026-11-20T13:46:03-0330", 0, 1795194963000000 },
    { "leap day", "2024-02-29", 0, 1709164800000000 },
    { "minutes ago", "30min", 0, 1000000000000000 - INT64_C(1800000000) },
    { "days ago", "2d", 0, 1000000000000000 - INT64_C(172800000000) },
    { "no leap day", "2026-02-29", -EINVAL, 0 },
    { "month 13", "2026-13-01", -EINVAL, 0 },
    { "hour 24", "2026-11-20T24:00", -EINVAL, 0 },
    { "only digits", "20261120", -EINVAL, 0 },
    { "more behind", "2026-11-20x", -EINVAL, 0 },
    { "empty", "", -EINVAL, 0 },
    { "half a zone", "2026-11-20T17:16+", -EINVAL, 0 },
    { "before all time", "20000d", -EINVAL, 0 },
    { "words", "yesterday", -EINVAL, 0 },
};

START_TEST(times_are_read)
{
    int64_t us = 0;

    int r = aud_when_parse(str_of(times[_i].text), 1000000000000000, &us);
    CASE_INT(&times[_i], r, times[_i].r);
    CASE_INT(&times[_i], us, times[_i].us);
}
END_TEST

START_TEST(time_stamps_are_read_back)
{
    char text[CLK_RFC3339_SIZE];

    for (int64_t us = 123456; us < INT64_C(250000000000000000); us = us * 3 + 7919) {
        int64_t back = -1;
        clk_rfc3339(us, text);
        ck_assert_int_eq(aud_when_parse(str_of(text), 0, &back), 0);
        ck_assert_int_eq(back, us);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("audit_record");
    TCase *tc = tcase_create("record");

    tcase_add_loop_test(tc, event_has_its_code_and_classes, 0, DG_ARRAY_SIZE(kinds));
    tcase_add_test(tc, every_field_of_the_record_is_there);
    tcase_add_test(tc, nothing_from_a_client_breaks_a_line);
    tcase_add_test(tc, over_long_values_are_cut_between_characters);
    tcase_add_test(tc, ids_sort_by_time_and_never_repeat);
    tcase_add_loop_test(tc, times_are_read, 0, DG_ARRAY_SIZE(times));
    tcase_add_test(tc, time_stamps_are_read_back);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
