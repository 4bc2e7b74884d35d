// SPDX-License-Identifier: ISC
/* Every line that the audit writes, of whatever kind, validates against the published
 * schema (contrib/audit.schema.json), and no field is missing there. */
#include "lib/audit.h"

#include <sys/wait.h>

#define CHECKER \
    SOURCE_ROOT "/tests/lib/check_audit.py " SOURCE_ROOT "/contrib/audit.schema.json"

/* Exit status of the checker over all files of the series. */
static int
check_series(const char *path)
{
    char *command = mem_printf(
        "python3 " CHECKER " %s %s.2* >%s.out", path, path, path);

    int status = system(command);
    mem_free(command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static struct aud_rec
full_rec(enum aud_event event, enum aud_outcome outcome, enum dg_action decision)
{
    struct aud_rec rec = audit_rec(event, "7K2F-1", outcome);

    rec.decision = decision;
    rec.is_observed = decision == DG_REJECT;
    rec.reason = "rule \"migration-first\"";
    rec.client_addr = "10.0.0.7";
    rec.client_port = 51544;
    rec.application_name = "psql \xe2\x80\xae\xff";
    rec.server_addr = "db1";
    rec.server_port = 5432;
    rec.server_pid = 27248;
    rec.request_id = "7K2F";
    rec.substatement_id = 1;
    rec.is_text_cut = true;
    rec.text_bytes = 1 << 20;
    rec.digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    rec.sqlstate = "42501";
    rec.rule = "migration-first";
    rec.rule_set = "staging.ini:41";
    rec.environment = "staging";
    rec.migration_source = "shop";
    rec.migration_version = "13";
    rec.migration_file = "db/migrations/V13__note.sql";
    rec.findings = "one\ntwo";
    rec.rewritten_text = "CREATE INDEX CONCURRENTLY i ON t (a)";
    rec.rewritten_settings = "lock_timeout=2000ms";
    rec.rewritten_follow_up = "ALTER TABLE t VALIDATE CONSTRAINT c;";
    rec.duration_us = 1234;
    rec.tls_cn = "app";
    rec.listener = "unix:/run/ddlgate/.s.PGSQL.6432";
    rec.peer_uid = "1000";
    rec.server_version = 150020;
    rec.tx = AUD_TX_INSIDE;
    rec.search_path = "\"$user\", public";
    rec.is_non_std_strings = true;
    rec.query_error = "syntax error";
    rec.history_match = "out of order";
    rec.history_write = "too early";
    rec.history_edited = "V12__x.sql";
    rec.history_missing = "11";
    rec.request_text = "SELECT 1; ALTER TABLE orders ADD note text";
    rec.request_history = "none\nout of order 13";
    rec.is_request_cut = true;
    return rec;
}

static void
write_all_kinds(struct aud *a)
{
    for (int event = 0; event <= AUD_CAPTURE; event++) {
        for (int outcome = event == AUD_OUTCOME; outcome <= AUD_UNKNOWN; outcome++) {
            for (int decision = 0; decision <= DG_REJECT; decision++) {
                struct aud_rec rec = full_rec(event, outcome, decision);
                if (event == AUD_GAP || event == AUD_ROTATED)
                    continue; /* made by the audit itself */
                ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
                struct aud_rec bare = { .event = event, .outcome = outcome };
                bare.intent_id = "x";
                ck_assert_int_eq(aud_write(a, &bare, NULL), 0);
            }
        }
    }
}

START_TEST(every_line_validates)
{
    struct place p;
    struct err err = { 0 };
    struct aud_verify v;

    place_make(&p);
    struct aud *a = open_at(p.path, 100000);
    write_all_kinds(a);
    put_ok(a, p.q, AUD_INTENT, "open", AUD_NONE);
    aud_close(a);
    int fd = open(p.path, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "{\"@times", 8), 8);
    close(fd);
    a = open_at(p.path, 100000); /* writes a gap and an unknown outcome */
    put_ok(a, p.q, AUD_INTENT, "open2", AUD_NONE);
    char *kept = mem_printf("%s.20991120T000000.000000Z", p.path);
    ck_assert_int_eq(rename(p.path, kept), 0);
    ck_assert_int_eq(link(kept, p.path), 0);
    ck_assert_int_eq(unlink(p.path), 0);
    aud_reopen(a); /* moved away: a new file, which is then removed */
    for (int i = 0; i < 1000 && access(p.path, F_OK) != 0; i++)
        usleep(10000);
    ck_assert_int_eq(unlink(p.path), 0); /* makes another gap, with an open intent */
    struct aud_rec rec = audit_rec(AUD_SESSION_END, NULL, AUD_NONE);
    ck_assert_int_eq(audit_put(a, p.q, &rec), -ENOENT);
    for (int i = 0; i < 1000 && audit_put(a, p.q, &rec); i++)
        usleep(10000);
    aud_close(a);
    ck_assert_int_eq(check_series(p.path), 0);
    const char *const last[] = { p.path };
    ck_assert_msg(aud_verify(last, 1, &v, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(v.gaps, 1);
    mem_free(kept);
    place_drop(&p);
}
END_TEST

/* The checker can say no. */
static const struct {
    const char *name;
    const char *from, *to; /* of equal length */
} wrongs[] = {
    { "unknown field", "\"user.name\"", "\"user.nam3\"" },
    { "wrong code for the action", "DG10I", "DG20I" },
    { "unknown code", "DG10I", "DG99I" },
    { "time without zone", "Z\",\"ecs", "+\",\"ecs" },
    { "missing field", "\"event.kind\"", "\"event.kinb\"" },
    { "port is a text", "\"client.port\":51544", "\"client.port\":\"515\"" },
    { "unknown decision", "\"allow\"", "\"admit\"" },
    { "no JSON", "{\"@", "<\"@" },
};

START_TEST(wrong_line_does_not_validate)
{
    struct place p;
    char text[8192] = "";

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    struct aud_rec rec = full_rec(AUD_INTENT, AUD_NONE, DG_ALLOW);
    ck_assert_int_eq(audit_put(a, p.q, &rec), 0);
    aud_close(a);
    FILE *f = fopen(p.path, "r");
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    char *copy = mem_printf("%s.20261120T000000.000000Z", p.path);
    ck_assert_int_eq(rename(p.path, copy), 0);
    free(unit_write(p.dir, "audit.jsonl", text, n));
    CASE_INT(&wrongs[_i], check_series(p.path), 0);
    char *hit = strstr(text, wrongs[_i].from);
    ck_assert_msg(hit, "%s: no %s in %s", wrongs[_i].name, wrongs[_i].from, text);
    memcpy(hit, wrongs[_i].to, strlen(wrongs[_i].to));
    free(unit_write(p.dir, "audit.jsonl", text, n));
    CASE_INT(&wrongs[_i], check_series(p.path), 1);
    mem_free(copy);
    place_drop(&p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("audit_schema");
    TCase *tc = tcase_create("schema");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_line_validates);
    tcase_add_loop_test(tc, wrong_line_does_not_validate, 0, DG_ARRAY_SIZE(wrongs));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
