// SPDX-License-Identifier: ISC
/* The reader of audit lines takes what the gate writes, and nothing else. */
#include "lib/audit.h"

#include "base/json.h"

static const struct {
    const char *name;
    const char *text;
    const char *why; /* NULL: it is a record */
} lines[] = {
    { "one field", "{\"a\":1}", NULL },
    { "all types",
        "{\"a\":\"x\",\"b\":-1.5e+3,\"c\":true,\"d\":false,\"e\":null,\"f\":[]}",
        NULL },
    { "array of strings", "{\"a\":[\"x\",\"y\"]}", NULL },
    { "escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"}", NULL },
    { "UTF-8", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}", NULL },
    { "key with dots", "{\"@timestamp\":\"\",\"event.a_b-c\":0}", NULL },
    { "nothing", "", "a record starts with {" },
    { "no field", "{}", "a key in quotes is missing" },
    { "white space", "{ \"a\":1}", "a key in quotes is missing" },
    { "space before value", "{\"a\": 1}", "no JSON value" },
    { "space after", "{\"a\":1} ", "something stands after the record's }" },
    { "no end", "{\"a\":1", "the record's } is missing" },
    { "comma at the end", "{\"a\":1,}", "a key in quotes is missing" },
    { "no colon", "{\"a\"1}", "a colon is missing after a key" },
    { "no value", "{\"a\":}", "no JSON value" },
    { "object inside", "{\"a\":{\"b\":1}}", "no JSON value" },
    { "array of numbers", "{\"a\":[1]}", "an array holds something else than strings" },
    { "array in array", "{\"a\":[[]]}", "an array holds something else than strings" },
    { "open array", "{\"a\":[\"x\"", "array has no end" },
    { "array with comma at the end", "{\"a\":[\"x\",]}",
        "an array holds something else than strings" },
    { "key twice", "{\"a\":1,\"a\":1}", "a key stands twice" },
    { "empty key", "{\"\":1}", "a key is empty or holds an odd byte" },
    { "escaped key", "{\"\\u0061\":1}", "a key is empty or holds an odd byte" },
    { "leading zero", "{\"a\":01}", "the record's } is missing" },
    { "plus sign", "{\"a\":+1}", "no JSON value" },
    { "bare minus", "{\"a\":-}", "no JSON value" },
    { "bare point", "{\"a\":1.}", "number without digits after its point" },
    { "bare exponent", "{\"a\":1e}", "number without digits in its exponent" },
    { "NaN", "{\"a\":NaN}", "no JSON value" },
    { "unknown word", "{\"a\":nul}", "no JSON value" },
    { "control byte", "{\"a\":\"\x01\"}", "control byte in a string" },
    { "string without end", "{\"a\":\"x", "string has no end" },
    { "escape without end", "{\"a\":\"\\", "string has no end" },
    { "unknown escape", "{\"a\":\"\\x\"}", "no such escape" },
    { "short \\u", "{\"a\":\"\\u12\"}", "\\u wants four hex digits" },
    { "low surrogate", "{\"a\":\"\\udc00\"}", "half of a surrogate pair" },
    { "high surrogate", "{\"a\":\"\\ud800x\"}", "half of a surrogate pair" },
    { "two high surrogates", "{\"a\":\"\\ud800\\ud800\"}", "half of a surrogate pair" },
    { "invalid UTF-8", "{\"a\":\"\xff\"}", "invalid UTF-8" },
    { "overlong UTF-8", "{\"a\":\"\xc0\x80\"}", "invalid UTF-8" },
    { "surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "invalid UTF-8" },
    { "cut UTF-8", "{\"a\":\"\xc3\"}", "invalid UTF-8" },
    { "two records", "{\"a\":1}{\"b\":2}", "something stands after the record's }" },
};

START_TEST(line_is_judged_strictly)
{
    struct aud_line l;
    const char *why = NULL;
    size_t at;

    int r = aud_line_parse(str_of(lines[_i].text), &l, &why, &at);
    ck_assert_msg((r == 0) == !lines[_i].why, "%s: returned %d (%s)", lines[_i].name, r,
        why ? why : "");
    ck_assert_msg(r == 0 || r == -EBADMSG, "%s: returned %d", lines[_i].name, r);
    if (lines[_i].why)
        ck_assert_msg(
            strcmp(why, lines[_i].why) == 0, "%s: says \"%s\"", lines[_i].name, why);
    ck_assert_msg(at <= strlen(lines[_i].text), "%s: byte %zu", lines[_i].name, at);
}
END_TEST

/* Every beginning of a good record is a bad one. */
START_TEST(cut_line_is_no_record)
{
    const char *text = lines[_i].text;
    struct aud_line l;
    const char *why;
    size_t at;

    for (size_t n = 0; !lines[_i].why && n < strlen(text); n++) {
        char *exact = mem_strndup(text, n); /* so that ASan sees a byte too many */
        ck_assert_int_eq(
            aud_line_parse((struct str){ exact, n }, &l, &why, &at), -EBADMSG);
        mem_free(exact);
    }
}
END_TEST

START_TEST(fields_beyond_the_limit_are_refused)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(10000);
    struct aud_line l;
    const char *why;
    size_t at;

    for (int i = 0; i < AUD_MAX_FIELDS; i++)
        buf_putf(&b, "%s\"k%d\":%d", i ? "," : "{", i, i);
    size_t n = buf_len(&b);
    buf_puts(&b, "}");
    ck_assert_int_eq(aud_line_parse(str_of(buf_cstr(&b)), &l, &why, &at), 0);
    ck_assert_uint_eq(l.n, AUD_MAX_FIELDS);
    b.tail = n;
    buf_puts(&b, ",\"more\":1}");
    ck_assert_int_eq(aud_line_parse(str_of(buf_cstr(&b)), &l, &why, &at), -EBADMSG);
    ck_assert_str_eq(why, "too many fields");
}
END_TEST

START_TEST(values_come_back_as_they_were)
{
    static const char text[] =
        "q\" b\\ n\n t\t c\x01 \xc3\xa9 \xf0\x9f\x98\x80 \xe2\x80\xae end";
    AUTO(buf_deinit) struct buf b = BUF_INIT(10000), back = BUF_INIT(10000);
    struct json j = JSON_INIT(&b);
    struct aud_line l;
    const char *why;
    size_t at;
    uint64_t v;

    json_object(&j);
    json_kv(&j, "text", text);
    json_kv_int(&j, "n", INT64_MAX);
    json_kv_int(&j, "minus", -1);
    json_kv_bool(&j, "yes", true);
    json_object_end(&j);
    ck_assert_int_eq(aud_line_parse(str_of(buf_cstr(&b)), &l, &why, &at), 0);
    ck_assert(aud_line_text(&l, "text", &back));
    ck_assert_str_eq(buf_cstr(&back), text);
    ck_assert_int_eq(aud_line_uint(&l, "n", &v), 0);
    ck_assert_uint_eq(v, INT64_MAX);
    ck_assert_int_eq(aud_line_uint(&l, "minus", &v), -EINVAL);
    ck_assert_int_eq(aud_line_uint(&l, "text", &v), -EINVAL);
    ck_assert_int_eq(aud_line_uint(&l, "none", &v), -ENOENT);
    ck_assert(!aud_line_text(&l, "none", &back) && !aud_line_text(&l, "n", &back));
}
END_TEST

START_TEST(surrogate_pair_is_one_character)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);

    aud_line_unescape(STR("a\\ud83d\\ude00\\u00e9\\u20ac\\/z"), &out);
    ck_assert_str_eq(buf_cstr(&out), "a\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac/z");
}
END_TEST

START_TEST(items_of_an_array_come_one_by_one)
{
    struct str rest = STR("\"a\",\"b,\\\"c\",\"\""), item;

    ck_assert(aud_line_item(&rest, &item) && str_eqz(item, "a"));
    ck_assert(aud_line_item(&rest, &item) && str_eqz(item, "b,\\\"c"));
    ck_assert(aud_line_item(&rest, &item) && item.n == 0);
    ck_assert(!aud_line_item(&rest, &item));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("audit_line");
    TCase *tc = tcase_create("line");

    tcase_add_loop_test(tc, line_is_judged_strictly, 0, DG_ARRAY_SIZE(lines));
    tcase_add_loop_test(tc, cut_line_is_no_record, 0, DG_ARRAY_SIZE(lines));
    tcase_add_test(tc, fields_beyond_the_limit_are_refused);
    tcase_add_test(tc, values_come_back_as_they_were);
    tcase_add_test(tc, surrogate_pair_is_one_character);
    tcase_add_test(tc, items_of_an_array_come_one_by_one);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
