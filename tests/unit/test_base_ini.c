// SPDX-License-Identifier: ISC
/* The INI reader takes what the manual describes, whole, and refuses the rest by file and
 * line. A reading is shown as "[section]@line key=value@line ..." with the file's name
 * before an item whenever it changes. */
#include "base/buf.h"
#include "base/fs.h"
#include "base/ini.h"
#include "base/mem.h"
#include "base/str.h"

#include "lib/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct seen {
    struct buf text;
    char file[64];
    const char *stop_at; /* key at which the callback says 42 */
    struct err *err;
};

static int
show(void *ctx, const struct ini_item *item)
{
    struct seen *s = ctx;
    const char *slash = strrchr(item->file, '/');
    const char *file = slash ? slash + 1 : item->file;

    ck_assert_ptr_nonnull(item->section);
    if (strcmp(s->file, file) != 0) {
        if (s->file[0])
            buf_putf(&s->text, "<%s>", file);
        snprintf(s->file, sizeof(s->file), "%s", file);
    }
    if (!item->key) {
        ck_assert_ptr_null(item->value);
        buf_putf(&s->text, "[%s]@%d ", item->section, item->line);
        return 0;
    }
    buf_putf(&s->text, "%s=%s@%d ", item->key, item->value, item->line);
    if (s->stop_at && strcmp(item->key, s->stop_at) == 0)
        return err_set(s->err, 42, "%s:%d: stop", item->file, item->line);
    return 0;
}

struct good_case {
    const char *name, *in, *out;
};

static const struct good_case good[] = {
    { "nothing", "", "" },
    { "blank lines and comments", "\n  \n; a\n# b = c\n\t\n", "" },
    { "section and key", "[s]\nk = v\n", "[s]@1 k=v@2 " },
    { "no newline at the end", "[s]\nk = v", "[s]@1 k=v@2 " },
    { "empty section", "[a]\n[b]\n", "[a]@1 [b]@2 " },
    { "section with words", "[access 10 no drops in billing]\n",
        "[access 10 no drops in billing]@1 " },
    { "section is trimmed", "[  s\t] \t\n", "[s]@1 " },
    { "same section again", "[s]\na=1\n[s]\nb=2\n", "[s]@1 a=1@2 [s]@3 b=2@4 " },
    { "same key again", "[s]\na=1\na=2\n", "[s]@1 a=1@2 a=2@3 " },
    { "white space around", "[s]\nk\t =  a  b \t\n", "[s]@1 k=a  b@2 " },
    { "empty value", "[s]\nk =\nl = \n", "[s]@1 k=@2 l=@3 " },
    { "only the first = splits", "[s]\nshop = host=10.0.0.5 port=5432\n",
        "[s]@1 shop=host=10.0.0.5 port=5432@2 " },
    { "colon is part of a key", "[s]\na:b = c\n", "[s]@1 a:b=c@2 " },
    { "star and dots in a key", "[s]\n* = x\nplaceholder.NAME = y\n",
        "[s]@1 *=x@2 placeholder.NAME=y@3 " },
    { "no comment after a value", "[s]\nk = a ; b # c\n", "[s]@1 k=a ; b # c@2 " },
    { "quotes are kept", "[s]\nk = \"a\" 'b'\n", "[s]@1 k=\"a\" 'b'@2 " },
    { "brackets in a value", "[s]\nk = [x]\n", "[s]@1 k=[x]@2 " },
    { "bracket in a key is no section", "[s]\nk[0] = x\n", "[s]@1 k[0]=x@2 " },
    { "percent in a value", "[s]\nk = %include x\n", "[s]@1 k=%include x@2 " },
    { "letters",
        "[stra\xc3\x9f"
        "e]\n\xc3\xa4 = \xf0\x9f\x98\x80\n",
        "[stra\xc3\x9f"
        "e]@1 \xc3\xa4=\xf0\x9f\x98\x80@2 " },
    { "tab in a value", "[s]\nk = a\tb\n", "[s]@1 k=a\tb@2 " },
    { "CRLF", "[s]\r\nk = v\r\n  w\r\n\r\n; c\r\nl = \r\n", "[s]@1 k=v w@2 l=@6 " },
    { "byte order mark", "\xef\xbb\xbf[s]\nk = v\n", "[s]@1 k=v@2 " },
    { "continuation", "[s]\nk = a,\n  b,\n\tc\nl = x\n", "[s]@1 k=a, b, c@2 l=x@5 " },
    { "continuation of nothing", "[s]\nk =\n  a\n  b\n", "[s]@1 k=a b@2 " },
    { "continuation with =", "[s]\nk = a\n  b = c\n", "[s]@1 k=a b = c@2 " },
    { "continuation with brackets", "[s]\nk = a\n  [b]\n", "[s]@1 k=a [b]@2 " },
    { "comment within a continuation", "[s]\nk = a\n; x\n  b\n# y\n  c\nl = d\n",
        "[s]@1 k=a b c@2 l=d@7 " },
    { "comment after a continuation", "[s]\nk = a\n  b\n; x\n[t]\n",
        "[s]@1 k=a b@2 [t]@5 " },
    { "blank line ends a value", "[s]\nk = a\n \nl = b\n", "[s]@1 k=a@2 l=b@4 " },
    { "names of the go-between", "[1]\n1 = 2\n@1 = 3\n", "[1]@1 1=2@2 @1=3@3 " },
};

START_TEST(what_is_right_is_read_whole)
{
    const struct good_case *c = &good[_i];
    struct seen s = { .text = BUF_INIT(10000) };
    struct err err = { "" };

    int ret = ini_read_text("f.ini", c->in, strlen(c->in), show, &s, &err);
    CASE_STR(c, err.text, "");
    CASE_INT(c, ret, 0);
    CASE_STR(c, buf_cstr(&s.text), c->out);
    buf_deinit(&s.text);
}
END_TEST

struct bad_case {
    const char *name;
    struct str in;
    const char *err;
};

#define IN(text)                 \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct bad_case bad[] = {
    { "key before any section", IN("\nk = v\n"),
        "f.ini:2: key \"k\" is outside a section; put a [section] line before it" },
    { "word", IN("[s]\nk = v\nhello\n"),
        "f.ini:3: \"hello\" is no section, key, comment or %include; write key = value" },
    { "value without key", IN("[s]\n= v\n"),
        "f.ini:2: no key before the =; write key = value" },
    { "unclosed section", IN("[s\nk = v\n"),
        "f.ini:1: section has no closing ]; write [name]" },
    { "text after the section", IN("[s] ; comment\n"),
        "f.ini:1: text after the section's ]; a comment needs a line of its own" },
    { "bracket in the section", IN("[a]b]\n"),
        "f.ini:1: text after the section's ]; a comment needs a line of its own" },
    { "section without name", IN("[s]\n[ ]\n"),
        "f.ini:2: section has no name; write [name]" },
    { "indented key", IN("[s]\n  k = v\n"),
        "f.ini:2: indented line continues no value; start it in the first column" },
    { "indented section", IN(" [s]\n"),
        "f.ini:1: indented line continues no value; start it in the first column" },
    { "indented after a blank line", IN("[s]\nk = v\n\n  w\n"),
        "f.ini:4: indented line continues no value; start it in the first column" },
    { "indented comment", IN("[s]\n ; c\n"),
        "f.ini:2: comment must start in the first column" },
    { "indented comment in a value", IN("[s]\nk = v\n # c\n"),
        "f.ini:3: comment must start in the first column" },
    { "indented include in a value's place", IN("[s]\n  %include x\n"),
        "f.ini:2: indented line continues no value; start it in the first column" },
    { "unknown directive", IN("[s]\n%import x\n"),
        "f.ini:2: unknown directive; the only one is %include FILE" },
    { "directive with more letters", IN("%includes x\n"),
        "f.ini:1: unknown directive; the only one is %include FILE" },
    { "include of nothing", IN("%include \t\n"),
        "f.ini:1: %include names no file; write %include FILE" },
    { "include of an absent file", IN("[s]\n\n%include /nonexistent/x.ini\n"),
        "f.ini:3: %include can't be read: /nonexistent/x.ini: No such file or directory" },
    { "broken UTF-8", IN("[s]\nk = v\nk = a\xff\n"),
        "f.ini:3: byte 0xff in column 6 is no valid UTF-8; save the file as UTF-8" },
    { "Latin-1", IN("[s]\n; f\xfcr\n"),
        "f.ini:2: byte 0xfc in column 4 is no valid UTF-8; save the file as UTF-8" },
    { "NUL", IN("[s]\nk = a\0b\n"),
        "f.ini:2: control character 0x00 in column 6; remove it" },
    { "NUL where the file would end for C", IN("[s]\n\0"),
        "f.ini:2: control character 0x00 in column 1; remove it" },
    { "escape in a comment", IN("; \x1b[2J\n"),
        "f.ini:1: control character 0x1b in column 3; remove it" },
    { "carriage return within a line", IN("[s]\nk = a\rl = b\n"),
        "f.ini:2: control character 0x0d in column 6; remove it" },
    { "two carriage returns", IN("[s]\r\r\n"),
        "f.ini:1: control character 0x0d in column 4; remove it" },
    { "DEL in a continuation", IN("[s]\nk = a\n  \x7f\n"),
        "f.ini:3: control character 0x7f in column 3; remove it" },
    { "UTF-16", IN("[\0s\0]\0\n\0"),
        "f.ini:1: control character 0x00 in column 2; remove it" },
};

START_TEST(what_is_wrong_is_refused_by_file_and_line)
{
    const struct bad_case *c = &bad[_i];
    struct seen s = { .text = BUF_INIT(10000) };
    struct err err = { "" };

    CASE_INT(c, ini_read_text("f.ini", c->in.p, c->in.n, show, &s, &err), -EINVAL);
    CASE_STR(c, err.text, c->err);
    CASE_INT(c, ini_read_text("f.ini", c->in.p, c->in.n, show, &s, NULL), -EINVAL);
    buf_deinit(&s.text);
}
END_TEST

/* "x" n times between two texts. */
static char *
around(const char *before, size_t n, const char *after)
{
    size_t a = strlen(before), z = strlen(after);
    char *s = mem_zalloc(a + n + z + 1);

    memcpy(s, before, a);
    memset(s + a, 'x', n);
    memcpy(s + a + n, after, z);
    return s;
}

struct long_case {
    const char *name, *before;
    size_t n;
    const char *after, *err; /* NULL: it is read, and the x are all there */
};

static const struct long_case longs[] = {
    { "value of 199", "[s]\nk = ", 199, "\n", NULL },
    { "value of 200", "[s]\nk = ", 200, "\n", NULL },
    { "value of 5000", "[s]\nk = ", 5000, "\n", NULL },
    { "longest line", "[s]\nk = ", 65532, "\n", NULL },
    { "line too long", "[s]\nk = ", 65533, "\n",
        "f.ini:2: line is longer than 65536 bytes; continue it on indented lines" },
    { "comment too long", "[s]\n;", 65536, "\n",
        "f.ini:2: line is longer than 65536 bytes; continue it on indented lines" },
    { "last line too long", "[s]\nk = ", 65533, "",
        "f.ini:2: line is longer than 65536 bytes; continue it on indented lines" },
    { "longest value, joined", "[s]\nk = a\n  ", 65534, "\n", NULL },
    { "joined value too long", "[s]\nk = a\n  b\n  ", 65533, "\n",
        "f.ini:4: value of \"k\" is longer than 65536 bytes" },
    { "section of 50", "[", 50, "]\nk = v\n", NULL },
    { "longest section", "[", 128, "]\nk = v\n", NULL },
    { "section too long", "[", 129, "]\nk = v\n",
        "f.ini:1: section name is longer than 128 bytes" },
    { "key of 50", "[s]\n", 50, " = v\n", NULL },
    { "longest key", "[s]\n", 128, " = v\n", NULL },
    { "key too long", "[s]\n", 129, " = v\n", "f.ini:2: key is longer than 128 bytes" },
};

START_TEST(length_is_kept_or_refused_never_cut)
{
    const struct long_case *c = &longs[_i];
    AUTO(mem_free) char *in = around(c->before, c->n, c->after);
    AUTO(mem_free) char *xs = around("", c->n, "");
    struct seen s = { .text = BUF_INIT(200000) };
    struct err err = { "" };

    int ret = ini_read_text("f.ini", in, strlen(in), show, &s, &err);
    CASE_STR(c, err.text, c->err ? c->err : "");
    CASE_INT(c, ret, c->err ? -EINVAL : 0);
    if (!c->err)
        ck_assert_msg(strstr(buf_cstr(&s.text), xs) != NULL, "%s: cut", c->name);
    buf_deinit(&s.text);
}
END_TEST

START_TEST(callback_stops_the_reading_with_its_own_error)
{
    static const char text[] = "[s]\na = 1\nb = 2\nc = 3\n";
    struct err err = { "" };
    struct seen s = { .text = BUF_INIT(1000), .stop_at = "b", .err = &err };

    ck_assert_int_eq(ini_read_text("f.ini", text, strlen(text), show, &s, &err), 42);
    ck_assert_str_eq(err.text, "f.ini:3: stop");
    ck_assert_str_eq(buf_cstr(&s.text), "[s]@1 a=1@2 b=2@3 ");
    buf_deinit(&s.text);
}
END_TEST

static char *dir;

static void
setup(void)
{
    dir = unit_mkdir();
}

static void
teardown(void)
{
    unit_rmdir(dir);
}

static void
put_file(const char *name, const char *text)
{
    free(unit_write(dir, name, text, strlen(text)));
}

/* Reads dir/a.ini. want_err: what follows the folder's path in the error. */
static void
reads(int want, const char *want_text, const char *want_err)
{
    AUTO(mem_free) char *path = mem_printf("%s/a.ini", dir);
    struct seen s = { .text = BUF_INIT(100000) };
    struct err err = { "" };

    int ret = ini_read(path, false, show, &s, &err);
    if (want_err) {
        AUTO(mem_free) char *text = mem_printf("%s/%s", dir, want_err);
        ck_assert_str_eq(err.text, text);
    } else {
        ck_assert_str_eq(err.text, "");
    }
    ck_assert_int_eq(ret, want);
    if (want_text)
        ck_assert_str_eq(buf_cstr(&s.text), want_text);
    buf_deinit(&s.text);
}

START_TEST(included_file_stands_in_the_place_of_its_line)
{
    AUTO(mem_free) char *sub = mem_printf("%s/sub", dir);

    ck_assert_int_eq(mkdir(sub, 0755), 0);
    put_file("a.ini", "[s]\na = 1\n%include sub/b.ini\n\n[t]\nd = 4\n");
    put_file("sub/b.ini", "; first\n[u]\nb = 2\n%include\t../c.ini\n");
    put_file("c.ini", "\n\n[v]\nc = 3\n  x\n");
    reads(0, "[s]@1 a=1@2 <b.ini>[u]@2 b=2@3 <c.ini>[v]@3 c=3 x@4 <a.ini>[t]@5 d=4@6 ",
        NULL);
}
END_TEST

START_TEST(included_keys_belong_to_the_open_section)
{
    put_file("a.ini", "[s]\na = 1\n%include b.ini\nc = 3\n");
    put_file("b.ini", "b = 2\n");
    reads(0, "[s]@1 a=1@2 <b.ini>b=2@1 <a.ini>c=3@4 ", NULL);
}
END_TEST

START_TEST(key_after_included_sections_must_say_where_it_belongs)
{
    put_file("a.ini", "[s]\na = 1\n%include b.ini\nc = 3\n");
    put_file("b.ini", "%include c.ini\n");
    put_file("c.ini", "[t]\nb = 2\n");
    reads(-EINVAL, "[s]@1 a=1@2 <c.ini>[t]@1 b=2@2 ",
        "a.ini:4: key \"c\" is outside a section; put a [section] line before it");
}
END_TEST

START_TEST(value_does_not_continue_across_files)
{
    put_file("a.ini", "[s]\n%include b.ini\n  w\n");
    put_file("b.ini", "k = v\n");
    reads(-EINVAL, NULL,
        "a.ini:3: indented line continues no value; start it in the first column");
}
END_TEST

START_TEST(error_in_an_included_file_names_that_file)
{
    put_file("a.ini", "[s]\n%include b.ini\n");
    put_file("b.ini", "k = v\n\nwhat\n");
    reads(-EINVAL, NULL,
        "b.ini:3: \"what\" is no section, key, comment or %include; write key = value");
}
END_TEST

START_TEST(same_file_may_be_included_twice)
{
    put_file("a.ini", "[s]\n%include b.ini\n%include b.ini\n");
    put_file("b.ini", "k = v\n");
    reads(0, "[s]@1 <b.ini>k=v@1 k=v@1 ", NULL);
}
END_TEST

START_TEST(include_loop_is_refused)
{
    put_file("a.ini", "[s]\n%include b.ini\n");
    put_file("b.ini", "\n%include ./../b/../a.ini\n");
    AUTO(mem_free) char *text = mem_strdup(strrchr(dir, '/') + 1);
    AUTO(mem_free) char *b = mem_printf("\n%%include ../%s/a.ini\n", text);
    AUTO(mem_free)
    char *want = mem_printf(
        "b.ini:2: %%include ../%s/a.ini closes a loop; remove it", text);
    put_file("b.ini", b);
    reads(-EINVAL, "[s]@1 ", want);
}
END_TEST

START_TEST(include_loop_through_a_link_is_refused)
{
    AUTO(mem_free) char *link = mem_printf("%s/link.ini", dir);

    put_file("a.ini", "%include link.ini\n");
    ck_assert_int_eq(symlink("a.ini", link), 0);
    reads(-EINVAL, "", "a.ini:1: %include link.ini closes a loop; remove it");
}
END_TEST

START_TEST(include_of_itself_is_refused_in_a_text_too)
{
    struct seen s = { .text = BUF_INIT(1000) };
    struct err err = { "" };
    char *path = unit_write(dir, "a.ini", "[s]\n%include a.ini\n", 19);
    char *text;
    size_t n;

    ck_assert_int_eq(fs_read(path, 1000, &text, &n, &err), 0);
    ck_assert_int_eq(ini_read_text(path, text, n, show, &s, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "a.ini:2: %include a.ini closes a loop"));
    mem_free(text);
    free(path);
    buf_deinit(&s.text);
}
END_TEST

START_TEST(depth_of_includes_is_bounded)
{
    for (int i = 0; i <= INI_MAX_DEPTH; i++) {
        char name[16], text[64];
        snprintf(name, sizeof(name), i ? "%d.ini" : "a.ini", i);
        snprintf(text, sizeof(text), "%%include %d.ini\n", i + 1);
        put_file(name, text);
    }
    reads(-EINVAL, "", "15.ini:1: %include 16.ini goes more than 16 files deep");
    put_file("15.ini", "[s]\nk = v\n");
    reads(0, "[s]@1 k=v@2 ", NULL);
}
END_TEST

/* Each file includes the next one twice: 2^15 readings if nobody counts. */
START_TEST(number_of_includes_is_bounded)
{
    for (int i = 0; i < INI_MAX_DEPTH - 1; i++) {
        char name[16], text[64];
        snprintf(name, sizeof(name), i ? "%d.ini" : "a.ini", i);
        snprintf(
            text, sizeof(text), "%%include %d.ini\n%%include %d.ini\n", i + 1, i + 1);
        put_file(name, text);
    }
    put_file("15.ini", "; leaf\n");
    AUTO(mem_free) char *path = mem_printf("%s/a.ini", dir);
    struct seen s = { .text = BUF_INIT(1000) };
    struct err err = { "" };
    ck_assert_int_eq(ini_read(path, false, show, &s, &err), -EINVAL);
    ck_assert_msg(
        strstr(err.text, "is one of more than 1000") != NULL, "got %s", err.text);
}
END_TEST

START_TEST(absent_file_is_named)
{
    reads(-ENOENT, "", "a.ini: No such file or directory");
}
END_TEST

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct writer {
    char *path;
    int n_times;
    atomic_bool is_over;
};

/* Appends a line every 50 ms, as somebody does who writes a policy in pieces. */
static void *
write_slowly(void *arg)
{
    struct writer *w = arg;

    for (int i = 0; i < w->n_times && !atomic_load(&w->is_over); i++) {
        usleep(50000);
        FILE *f = fopen(w->path, "a");
        fprintf(f, "k%d = v\n", i);
        fclose(f);
    }
    return NULL;
}

/* _i: 0 the writer ends, 1 it never does. */
START_TEST(half_written_file_is_waited_for)
{
    struct seen s = { .text = BUF_INIT(100000) };
    struct writer w = { .n_times = _i ? 1000 : 5 };
    struct err err = { "" };
    pthread_t t;

    w.path = unit_write(dir, "a.ini", "[s]\n", 4);
    ck_assert_int_eq(pthread_create(&t, NULL, write_slowly, &w), 0);
    int64_t start = now_ms();
    int ret = ini_read(w.path, true, show, &s, &err);
    int64_t took = now_ms() - start;
    atomic_store(&w.is_over, true);
    pthread_join(t, NULL);
    if (_i == 0) {
        ck_assert_int_eq(ret, 0);
        ck_assert_str_eq(
            buf_cstr(&s.text), "[s]@1 k0=v@2 k1=v@3 k2=v@4 k3=v@5 k4=v@6 ");
        ck_assert_int_ge(took, 200);
    } else {
        ck_assert_int_eq(ret, -EAGAIN);
        ck_assert_ptr_nonnull(strstr(err.text,
            "/a.ini: file changes while it is read; write a new file and rename it"));
        ck_assert_uint_eq(buf_len(&s.text), 0);
    }
    free(w.path);
    buf_deinit(&s.text);
}
END_TEST

START_TEST(settled_file_takes_two_readings)
{
    struct seen s = { .text = BUF_INIT(1000) };
    struct err err = { "" };
    char *path = unit_write(dir, "a.ini", "[s]\n", 4);
    int64_t start = now_ms();

    ck_assert_int_eq(ini_read(path, true, show, &s, &err), 0);
    ck_assert_int_ge(now_ms() - start, 99);
    ck_assert_str_eq(buf_cstr(&s.text), "[s]@1 ");
    free(path);
    buf_deinit(&s.text);
}
END_TEST

/* No input may crash the reader, or reach the callback with a key that has no section. */
START_TEST(random_texts_are_survived)
{
    static const char *const words[] = { "[", "]", "=", " ", "\t", "\n", "\n", "\n",
        "\r\n", ";", "#", "k", "[s]", "\n[s]\n", "k = v\n", "  x\n", "%include",
        "\xc3\xa4", "\xff", "\0", "%include /nonexistent\n" };
    unsigned seed = 4711;
    int n_good = 0;

    for (int i = 0; i < 20000; i++) {
        struct seen s = { .text = BUF_INIT(100000) };
        struct buf text = BUF_INIT(1000);
        struct err err = { "" };
        unsigned n = 1 + (unsigned)i % 12;
        for (unsigned k = 0; k < n; k++) {
            seed = seed * 1103515245 + 12345;
            const char *word = words[(seed >> 16) % DG_ARRAY_SIZE(words)];
            buf_put(&text, word, word[0] ? strlen(word) : 1);
        }
        int ret = ini_read_text(
            "f.ini", buf_ptr(&text), buf_len(&text), show, &s, &err);
        ck_assert(ret == 0 || (ret == -EINVAL && str_prefix(err.text, "f.ini:")));
        n_good += ret == 0;
        buf_deinit(&text);
        buf_deinit(&s.text);
    }
    ck_assert_int_gt(n_good, 1000);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_ini");
    TCase *texts = tcase_create("text"), *files = tcase_create("files");

    tcase_add_loop_test(texts, what_is_right_is_read_whole, 0, DG_ARRAY_SIZE(good));
    tcase_add_loop_test(
        texts, what_is_wrong_is_refused_by_file_and_line, 0, DG_ARRAY_SIZE(bad));
    tcase_add_loop_test(
        texts, length_is_kept_or_refused_never_cut, 0, DG_ARRAY_SIZE(longs));
    tcase_add_test(texts, callback_stops_the_reading_with_its_own_error);
    tcase_add_test(texts, random_texts_are_survived);
    tcase_set_timeout(texts, 60);
    suite_add_tcase(s, texts);
    tcase_add_checked_fixture(files, setup, teardown);
    tcase_add_test(files, included_file_stands_in_the_place_of_its_line);
    tcase_add_test(files, included_keys_belong_to_the_open_section);
    tcase_add_test(files, key_after_included_sections_must_say_where_it_belongs);
    tcase_add_test(files, value_does_not_continue_across_files);
    tcase_add_test(files, error_in_an_included_file_names_that_file);
    tcase_add_test(files, same_file_may_be_included_twice);
    tcase_add_test(files, include_loop_is_refused);
    tcase_add_test(files, include_loop_through_a_link_is_refused);
    tcase_add_test(files, include_of_itself_is_refused_in_a_text_too);
    tcase_add_test(files, depth_of_includes_is_bounded);
    tcase_add_test(files, number_of_includes_is_bounded);
    tcase_add_test(files, absent_file_is_named);
    tcase_add_loop_test(files, half_written_file_is_waited_for, 0, 2);
    tcase_add_test(files, settled_file_takes_two_readings);
    tcase_set_timeout(files, 60);
    suite_add_tcase(s, files);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
