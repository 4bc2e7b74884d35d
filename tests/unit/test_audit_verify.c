// SPDX-License-Identifier: ISC
/* The verifier finds every line that was removed, swapped, added or edited, and puts the
 * files of a chain in order by itself. */
#include "lib/audit.h"

#define N_LINES 500

/* A log of n records, as lines with their newlines. */
struct text {
    char *all; /* owned */
    size_t n;
    const char *lines[N_LINES + 1]; /* the last is the end */
};

static void
make_log(struct place *p, struct text *t)
{
    struct aud *a = open_at(p->path, 0);
    char id[16];

    for (int i = 0; i < N_LINES; i++) {
        snprintf(id, sizeof(id), "i%d", i / 2);
        struct aud_rec rec = audit_rec(
            i % 2 ? AUD_OUTCOME : AUD_INTENT, id, i % 2 ? AUD_COMMITTED : 0);
        ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    }
    aud_close(a);
    FILE *f = fopen(p->path, "r");
    t->all = mem_zalloc(4 * 1024 * 1024);
    t->n = fread(t->all, 1, 4 * 1024 * 1024 - 1, f);
    fclose(f);
    const char *at = t->all;
    for (int i = 0; i <= N_LINES; i++) {
        t->lines[i] = at;
        if (i < N_LINES)
            at = strchr(at, '\n') + 1;
    }
    ck_assert_uint_eq(at - t->all, t->n);
}

static int
verify_text(const struct place *p, const char *text, size_t n, const char *anchor,
    struct aud_verify *v, struct err *err)
{
    const char *const files[] = { p->path };

    free(unit_write(p->dir, "audit.jsonl", text, n));
    err->text[0] = 0;
    return aud_verify_anchored(files, 1, anchor, v, err);
}

static size_t
line_len(const struct text *t, int i)
{
    return (size_t)(t->lines[i + 1] - t->lines[i]);
}

/* Each writes the log with line i changed to out and returns its length. */
static size_t
without(const struct text *t, int i, char *out)
{
    size_t before = (size_t)(t->lines[i] - t->all), len = line_len(t, i);

    memcpy(out, t->all, before);
    memcpy(out + before, t->all + before + len, t->n - before - len);
    return t->n - len;
}

static size_t
swapped(const struct text *t, int i, char *out)
{
    int k = i + 1 < N_LINES ? i : i - 1;

    size_t before = (size_t)(t->lines[k] - t->all);
    memcpy(out, t->all, t->n);
    memcpy(out + before, t->lines[k + 1], line_len(t, k + 1));
    memcpy(out + before + line_len(t, k + 1), t->lines[k], line_len(t, k));
    return t->n;
}

static size_t
doubled(const struct text *t, int i, char *out)
{
    size_t upto = (size_t)(t->lines[i + 1] - t->all);

    memcpy(out, t->all, upto);
    memcpy(out + upto, t->lines[i], line_len(t, i));
    memcpy(out + upto + line_len(t, i), t->all + upto, t->n - upto);
    return t->n + line_len(t, i);
}

/* The table's name in the statement, so that the line is a record as before. */
static size_t
edited(const struct text *t, int i, char *out)
{
    memcpy(out, t->all, t->n);
    char *hit = strstr(out + (t->lines[i] - t->all), "public.orders");
    memcpy(hit, "public.others", 13);
    return t->n;
}

/* A bit in any byte; also in the chain's own fields. */
static size_t
flipped(const struct text *t, int i, char *out)
{
    size_t at = (size_t)(t->lines[i] - t->all) + (size_t)i * 7 % line_len(t, i);

    memcpy(out, t->all, t->n);
    out[at] ^= 1;
    return t->n;
}

static const struct {
    const char *name;
    size_t (*make)(const struct text *t, int i, char *out);
    int step; /* 1: every line */
} changes[] = {
    { "removed", without, 1 },
    { "swapped", swapped, 7 },
    { "doubled", doubled, 7 },
    { "edited", edited, 1 },
    { "bit flipped", flipped, 3 },
};

START_TEST(changed_line_is_found)
{
    struct place p;
    struct text t;
    struct aud_verify v, whole;
    struct err err;

    place_make(&p);
    make_log(&p, &t);
    char *out = mem_alloc(2 * t.n);
    ck_assert_int_eq(verify_text(&p, t.all, t.n, NULL, &whole, &err), 0);
    ck_assert_uint_eq(whole.records, N_LINES);
    for (int i = N_LINES - 1; i >= 0; i -= changes[_i].step) {
        size_t n = changes[_i].make(&t, i, out);
        int r = verify_text(&p, out, n, whole.last_hash, &v, &err);
        if (r == 0) {
            /* Only the end can't be seen in the chain; the anchor tells. */
            ck_assert_msg(
                i == N_LINES - 1, "line %d %s: not found", i + 1, changes[_i].name);
            ck_assert(!v.has_anchor);
            continue;
        }
        ck_assert_int_eq(r, -EBADMSG);
        int line = atoi(err.text + strlen(p.path) + 1);
        ck_assert_msg(line >= i && line <= i + 2, "line %d %s: %s", i + 1,
            changes[_i].name, err.text);
    }
    mem_free(out);
    mem_free(t.all);
    place_drop(&p);
}
END_TEST

/* Cut anywhere: at a line's end it is a shorter chain that lacks the anchor, anywhere else
 * it is a torn line. */
START_TEST(cut_log_is_found)
{
    struct place p;
    struct text t;
    struct aud_verify v, whole;
    struct err err;

    place_make(&p);
    make_log(&p, &t);
    ck_assert_int_eq(verify_text(&p, t.all, t.n, NULL, &whole, &err), 0);
    for (size_t n = 0; n < t.n; n += 997) {
        int r = verify_text(&p, t.all, n, whole.last_hash, &v, &err);
        if (n == 0 || t.all[n - 1] == '\n') {
            ck_assert_int_eq(r, 0);
            ck_assert(!v.has_anchor);
        } else {
            ck_assert_int_eq(r, -EBADMSG);
            ck_assert_ptr_nonnull(strstr(err.text, "has no end"));
        }
    }
    mem_free(t.all);
    place_drop(&p);
}
END_TEST

START_TEST(older_files_may_be_archived)
{
    struct place p;
    struct aud_verify v;
    struct err err = { 0 };
    struct aud_series *s;
    size_t n;

    place_make(&p);
    struct aud *a = open_at(p.path, 3000);
    for (int i = 0; i < 30; i++)
        put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    ck_assert_int_eq(aud_series_find(p.path, &s, &n, &err), 0);
    ck_assert_uint_gt(s[0].n, 3);
    for (size_t i = 0; i + 1 < s[0].n; i++) {
        ck_assert_int_eq(unlink(s[0].files[i]), 0);
        ck_assert_msg(audit_verify_all(p.path, &v, &err) == 0, "%s", err.text);
        ck_assert_uint_gt(v.first_sequence, 1);
        ck_assert_uint_eq(v.last_sequence, 30 + s[0].n - 1);
    }
    aud_series_free(s, n);
    place_drop(&p);
}
END_TEST

START_TEST(chain_without_its_beginning_is_found)
{
    struct place p;
    struct text t;
    struct aud_verify v;
    struct err err;

    place_make(&p);
    make_log(&p, &t);
    const char *from = t.lines[200];
    int r = verify_text(&p, from, t.n - (size_t)(from - t.all), NULL, &v, &err);
    ck_assert_int_eq(r, -EBADMSG);
    ck_assert_ptr_nonnull(strstr(err.text, "begins with event.sequence 201"));
    mem_free(t.all);
    place_drop(&p);
}
END_TEST

START_TEST(anchor_in_the_middle_is_met)
{
    struct place p;
    struct text t;
    struct aud_verify v;
    struct err err;
    char hash[HASH_HEX_SIZE];

    place_make(&p);
    make_log(&p, &t);
    aud_hash_line((struct str){ t.lines[123], line_len(&t, 123) - 1 }, hash);
    ck_assert_int_eq(verify_text(&p, t.all, t.n, hash, &v, &err), 0);
    ck_assert(v.has_anchor);
    hash[5] = hash[5] == '0' ? '1' : '0';
    ck_assert_int_eq(verify_text(&p, t.all, t.n, hash, &v, &err), 0);
    ck_assert(!v.has_anchor);
    mem_free(t.all);
    place_drop(&p);
}
END_TEST

static const struct {
    const char *name;
    const char *from, *to; /* in the third record */
    const char *says;
} broken[] = {
    { "no JSON", "{\"@timestamp\"", "<\"@timestamp\"",
        ":3: no audit record: a record starts" },
    { "no time", "\"@timestamp\"", "\"@timest-mp\"",
        ":3: the record has no @timestamp" },
    { "no code", "\"event.code\"", "\"event.cod-\"",
        ":3: the record has no event.code" },
    { "no sequence", "\"event.sequence\"", "\"event.sequenc-\"",
        ":3: the record has no event.sequence" },
    { "sequence is no number", "\"event.sequence\":3", "\"event.sequence\":[",
        ":3: no audit record" },
    { "hash of another letter", "\"ddlgate.prev.hash\":\"", "\"ddlgate.prev.hash\":\"Q",
        ":3: the record has no ddlgate.prev.hash" },
    { "other hash field", "\"ddlgate.prev.hash\"", "\"ddlgate.prev.hasH\"",
        ":3: the record has no ddlgate.prev.hash" },
};

START_TEST(broken_record_is_named)
{
    struct place p;
    struct text t;
    struct aud_verify v;
    struct err err;

    place_make(&p);
    make_log(&p, &t);
    char *hit = strstr(t.all + (t.lines[2] - t.all), broken[_i].from);
    ck_assert_ptr_nonnull(hit);
    memcpy(hit, broken[_i].to, strlen(broken[_i].to));
    int r = verify_text(&p, t.all, t.n, NULL, &v, &err);
    CASE_INT(&broken[_i], r, -EBADMSG);
    ck_assert_msg(
        strstr(err.text, broken[_i].says), "%s: %s", broken[_i].name, err.text);
    mem_free(t.all);
    place_drop(&p);
}
END_TEST

START_TEST(file_that_is_not_there_is_no_finding)
{
    const char *const files[] = { "/nonexistent/audit.jsonl" };
    struct aud_verify v;
    struct err err = { 0 };

    ck_assert_int_eq(aud_verify(files, 1, &v, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.text, files[0]));
}
END_TEST

START_TEST(files_in_the_wrong_order_are_found)
{
    struct place p;
    struct text t;
    struct aud_verify v;
    struct err err = { 0 };

    place_make(&p);
    make_log(&p, &t);
    size_t half = (size_t)(t.lines[250] - t.all);
    char *a = unit_write(p.dir, "a", t.all, half);
    char *b = unit_write(p.dir, "b", t.all + half, t.n - half);
    const char *const right[] = { a, b }, *const wrong[] = { b, a };
    ck_assert_int_eq(aud_verify(right, 2, &v, &err), 0);
    ck_assert_uint_eq(v.files, 2);
    ck_assert_int_eq(aud_verify(wrong, 2, &v, &err), -EBADMSG);
    ck_assert_msg(strncmp(err.text, b, strlen(b)) == 0, "%s", err.text);
    free(a);
    free(b);
    mem_free(t.all);
    place_drop(&p);
}
END_TEST

/* --- series --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t n; /* of its suffix */
} suffixes[] = {
    { "audit.jsonl.20261120T171603.123456Z", 24 },
    { "x.20261120T171603.123456Z", 24 },
    { ".20261120T171603.123456Z", 0 },
    { "audit.jsonl.20261120T171603.12345Z", 0 },
    { "audit.jsonl.20261120T171603.123456z", 0 },
    { "audit.jsonl.2026112OT171603.123456Z", 0 },
    { "audit.jsonl.4711", 0 },
    { "audit.jsonl", 0 },
    { "", 0 },
};

START_TEST(rotated_name_is_known_by_its_time)
{
    CASE_INT(&suffixes[_i], aud_rotated_suffix(suffixes[_i].name), suffixes[_i].n);
}
END_TEST

static void
touch(const struct place *p, const char *name, unsigned sequence)
{
    char *text = mem_printf("{\"@timestamp\":\"x\",\"event.sequence\":%u}\n", sequence);

    free(unit_write(p->dir, name, text, strlen(text)));
    mem_free(text);
}

START_TEST(folder_is_split_into_its_chains)
{
    static const char *const want[] = {
        /* series by name; in each, by sequence, the current file last */
        "a.jsonl.20270101T000000.000000Z",
        "a.jsonl.20260101T000000.000000Z",
        "a.jsonl",
        "a.jsonl.4711.20260101T000000.000000Z",
        "a.jsonl.4711",
        "b.jsonl.20260101T000000.000000Z",
    };
    struct place p;
    struct aud_series *s;
    struct err err = { 0 };
    size_t n, k = 0;

    place_make(&p);
    touch(&p, "a.jsonl", 50);
    touch(&p, "a.jsonl.20260101T000000.000000Z", 30);
    touch(&p, "a.jsonl.20270101T000000.000000Z", 1); /* the clock was wrong */
    touch(&p, "a.jsonl.4711", 9);
    touch(&p, "a.jsonl.4711.20260101T000000.000000Z", 1);
    touch(&p, "b.jsonl.20260101T000000.000000Z", 1);
    touch(&p, "a.jsonl.new", 1);
    touch(&p, "notes.txt", 1);
    touch(&p, ".hidden.jsonl", 1);
    ck_assert_msg(aud_series_find(p.dir, &s, &n, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < s[i].n; f++, k++)
            ck_assert_str_eq(s[i].files[f] + strlen(p.dir) + 1, want[k]);
    }
    ck_assert_uint_eq(k, DG_ARRAY_SIZE(want));
    aud_series_free(s, n);
    ck_assert_int_eq(aud_series_find(p.path, &s, &n, &err), -ENOENT);
    char *path = mem_printf("%s/%s", p.dir, want[1]);
    ck_assert_int_eq(
        aud_series_find(path, &s, &n, &err), 0); /* one rotated file alone */
    ck_assert_uint_eq(s[0].n, 1);
    aud_series_free(s, n);
    mem_free(path);
    path = mem_printf("%s/b.jsonl", p.dir); /* the current one is missing */
    ck_assert_int_eq(aud_series_find(path, &s, &n, &err), 0);
    ck_assert_uint_eq(s[0].n, 1);
    aud_series_free(s, n);
    mem_free(path);
    place_drop(&p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("audit_verify");
    TCase *tc = tcase_create("verify");

    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, changed_line_is_found, 0, DG_ARRAY_SIZE(changes));
    tcase_add_test(tc, cut_log_is_found);
    tcase_add_test(tc, older_files_may_be_archived);
    tcase_add_test(tc, chain_without_its_beginning_is_found);
    tcase_add_test(tc, anchor_in_the_middle_is_met);
    tcase_add_loop_test(tc, broken_record_is_named, 0, DG_ARRAY_SIZE(broken));
    tcase_add_test(tc, file_that_is_not_there_is_no_finding);
    tcase_add_test(tc, files_in_the_wrong_order_are_found);
    tcase_add_loop_test(
        tc, rotated_name_is_known_by_its_time, 0, DG_ARRAY_SIZE(suffixes));
    tcase_add_test(tc, folder_is_split_into_its_chains);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
