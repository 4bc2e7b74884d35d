// SPDX-License-Identifier: ISC
/* What the writer writes is JSON that another reader understands, on one line. */
#include "base/json.h"
#include "base/mem.h"

#include "lib/unit.h"

#include <inttypes.h>

struct text_case {
    const char *name;
    struct str in;
    const char *out;
};

static const struct text_case texts[] = {
    { "plain", { "abc", 3 }, "\"abc\"" },
    { "empty", { NULL, 0 }, "\"\"" },
    { "quote and backslash", { "a\"b\\", 4 }, "\"a\\\"b\\\\\"" },
    { "line ends and tab", { "a\r\n\tb", 5 }, "\"a\\r\\n\\tb\"" },
    { "NUL", { "a\0b", 3 }, "\"a\\u0000b\"" },
    { "escape", { "\x1b[2J", 4 }, "\"\\u001b[2J\"" },
    { "DEL", { "\x7f", 1 }, "\"\\u007f\"" },
    { "C1 control", { "\xc2\x9b", 2 }, "\"\\u009b\"" },
    { "letters pass", { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
    { "broken UTF-8, byte by byte",
        { "a\xff\xc3"
          "b\xe2\x82",
            6 },
        "\"a\\ufffd\\ufffdb\\ufffd\\ufffd\"" },
    { "surrogate", { "\xed\xa0\x80", 3 }, "\"\\ufffd\\ufffd\\ufffd\"" },
    { "right-to-left override",
        { "a\xe2\x80\xae"
          "b",
            5 },
        "\"a\\u202eb\"" },
    { "isolate", { "\xe2\x81\xa6", 3 }, "\"\\u2066\"" },
    { "line separator", { "\xe2\x80\xa8", 3 }, "\"\\u2028\"" },
    { "slash stays", { "</script>", 9 }, "\"</script>\"" },
};

START_TEST(text_is_escaped)
{
    const struct text_case *c = &texts[_i];
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    struct json j = JSON_INIT(&b);

    json_str(&j, c->in);
    CASE_STR(c, buf_cstr(&b), c->out);
}
END_TEST

START_TEST(commas_stand_between_values_only)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    struct json j = JSON_INIT(&b);

    json_object(&j);
    json_kv(&j, "a", "x");
    json_kv(&j, "left out", NULL);
    json_kv_int(&j, "b", INT64_MIN);
    json_key(&j, "c");
    json_array(&j);
    json_array(&j);
    json_array_end(&j);
    json_object(&j);
    json_object_end(&j);
    json_null(&j);
    json_strz(&j, NULL);
    json_bool(&j, true);
    json_int(&j, 0);
    json_array_end(&j);
    json_kv_bool(&j, "d\n", false);
    json_kv_str(&j, "e", STR("y"));
    json_object_end(&j);
    ck_assert_str_eq(buf_cstr(&b),
        "{\"a\":\"x\",\"b\":-9223372036854775808,\"c\":[[],{},null,null,true,0],"
        "\"d\\n\":false,\"e\":\"y\"}");
}
END_TEST

/* Every character once, and every byte that is none, through Python's reader and back. */
START_TEST(another_reader_gets_the_same_text)
{
    static const char script[] =
        "import json,sys\n"
        "line=sys.stdin.buffer.read()\n"
        "assert line.count(b'\\n')==0 and b'\\x1b' not in line\n"
        "got=json.loads(line.decode('utf-8'))\n"
        "want=''.join(chr(c) for c in range(0x110000) if not 0xd800<=c<0xe000)\n"
        "assert got['all']==want,'characters differ'\n"
        "assert got['bad']=='\\ufffd'*128,'bytes differ'\n";
    AUTO(buf_deinit) struct buf b = BUF_INIT(16 << 20), in = BUF_INIT(8 << 20);
    struct json j = JSON_INIT(&b);
    char bad[128];

    for (uint32_t c = 0; c < 0x110000; c++) {
        char p[4] = { (char)c };
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        if (c >= 0xd800 && c < 0xe000)
            continue;
        for (size_t i = n; i-- > 1;)
            p[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
        if (n > 1)
            p[0] = (char)((0xf00 >> n & 0xff) | c >> 6 * (n - 1));
        buf_put(&in, p, n);
    }
    for (int i = 0; i < 128; i++)
        bad[i] = (char)(i + 128);
    json_object(&j);
    json_kv_str(&j, "all", (struct str){ buf_ptr(&in), buf_len(&in) });
    json_kv_str(&j, "bad", (struct str){ bad, 128 });
    json_object_end(&j);
    char *dir = unit_mkdir();
    char *py = unit_write(dir, "read.py", script, strlen(script));
    char *cmd = mem_printf("python3 -X utf8 '%s'", py);
    FILE *f = popen(cmd, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(buf_ptr(&b), 1, buf_len(&b), f), buf_len(&b));
    ck_assert_int_eq(pclose(f), 0);
    mem_free(cmd);
    free(py);
    unit_rmdir(dir);
}
END_TEST

START_TEST(full_buffer_is_death)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(5);
    struct json j = JSON_INIT(&b);

    json_strz(&j, "abcd");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_json");
    TCase *tc = tcase_create("json");

    tcase_add_loop_test(tc, text_is_escaped, 0, DG_ARRAY_SIZE(texts));
    tcase_add_test(tc, commas_stand_between_values_only);
    tcase_add_test(tc, another_reader_gets_the_same_text);
    unit_add_death(tc, full_buffer_is_death);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
