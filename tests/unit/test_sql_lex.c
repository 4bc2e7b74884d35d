// SPDX-License-Identifier: ISC
/* The lexer reads a text as the server does, and what tokens mean. */
#include "sql/lex.h"

#include "base/mem.h"

#include <errno.h>
#include <time.h>

#include "lib/unit.h"

enum {
    OFF,
    ON
}; /* standard_conforming_strings */

/* One letter for each kind, in the enum's order. */
static const char kinds[] = "wqusevbd0$op";

/* "w:select 0:1" and "!" where the text breaks off. */
static void
render(const char *text, size_t len, bool std_strings, char *out, size_t size)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t n = 0;
    int r;

    out[0] = '\0';
    sql_lex_init(&lx, text, len, std_strings);
    while ((r = sql_lex_next(&lx, &tok)) == 0)
        n += (size_t)snprintf(out + n, size - n, "%s%c:%.*s", n ? " " : "",
            kinds[tok.kind], (int)tok.len, text + tok.start);
    if (r == SQL_LEX_E_BROKEN)
        snprintf(out + n, size - n, "%s!%zu", n ? " " : "", lx.pos);
}

static const struct {
    const char *name;
    bool std_strings;
    const char *text, *want;
} token_cases[] = {
    { "words hold digits, dollars and high bytes", ON, "a1$b_ \xc3\xa9t\xc3\xa9 _x",
        "w:a1$b_ w:\xc3\xa9t\xc3\xa9 w:_x" },
    { "quotes are doubled", ON, "'a''b' \"c\"\"d\"", "s:'a''b' q:\"c\"\"d\"" },
    { "backslash ends nothing when standard", ON, "'a\\' b", "s:'a\\' w:b" },
    { "backslash escapes when not standard", OFF, "'a\\' b'", "s:'a\\' b'" },
    { "national strings follow the mode", OFF, "n'a\\' b'", "s:n'a\\' b'" },
    { "national strings follow the standard mode", ON, "N'a\\' b", "s:N'a\\' w:b" },
    { "E strings always escape", ON, "e'a\\'b' E'\\\\' x", "e:e'a\\'b' e:E'\\\\' w:x" },
    { "E strings double quotes too", ON, "E'a''\\'b' c", "e:E'a''\\'b' w:c" },
    { "an E after a word is the word's", ON, "ae'b\\' c", "w:ae s:'b\\' w:c" },
    { "U& strings know no backslash quote", ON, "u&'a\\' U&\"b\\\" c",
        "v:u&'a\\' u:U&\"b\\\" w:c" },
    { "U& needs its quote at once", ON, "u& 'a'", "w:u o:& s:'a'" },
    { "bit strings double nothing", ON, "b'1''0' X'f'", "b:b'1' s:'0' b:X'f'" },
    { "a newline continues a string", ON, "'a'\n'b'", "s:'a'\n'b'" },
    { "so does a carriage return", ON, "'a' \r 'b'", "s:'a' \r 'b'" },
    { "a space doesn't", ON, "'a' 'b'", "s:'a' s:'b'" },
    { "a line comment does", ON, "'a' --x\n  --y'\n'b' c",
        "s:'a' --x\n  --y'\n'b' w:c" },
    { "a block comment doesn't", ON, "'a' /**/\n'b'", "s:'a' s:'b'" },
    { "E stays E over the newline", ON, "E'a'\n'\\'b' c", "e:E'a'\n'\\'b' w:c" },
    { "a continued part has no prefix", ON, "'a'\nE'b'", "s:'a' e:E'b'" },
    { "bit strings go on, too", ON, "b'1'\n'0'", "b:b'1'\n'0'" },
    { "names don't continue", ON, "\"a\"\n\"b\"", "q:\"a\" q:\"b\"" },
    { "a minus after a string", ON, "'a'\n-'b'", "s:'a' o:- s:'b'" },
    { "dollar quotes", ON, "$$a'b$$ $x$ $$ $y$ $x$", "d:$$a'b$$ d:$x$ $$ $y$ $x$" },
    { "dollar tags with high bytes", ON, "$\xc3\xa9$a$\xc3\xa9$",
        "d:$\xc3\xa9$a$\xc3\xa9$" },
    { "a dollar tag may end another", ON, "$a$ $b$a$", "d:$a$ $b$a$" },
    { "a dollar inside a word starts nothing", ON, "a$b$ c $d", "w:a$b$ w:c p:$ w:d" },
    { "a dollar quote after a number", ON, "1$$a$$", "0:1 d:$$a$$" },
    { "a word right after a dollar quote", ON, "$$a$$into", "d:$$a$$ w:into" },
    { "no tag starts with a digit", ON, "$1$a$1$", "$:$1 !2" },
    { "parameters", ON, "$1 $23::int", "$:$1 $:$23 p::: w:int" },
    { "numbers", ON, "1 1.5 .5 1. 1e5 1.5E-3 1e+2",
        "0:1 0:1.5 0:.5 0:1. 0:1e5 0:1.5E-3 0:1e+2" },
    { "numbers of version 16", ON, "0x1F 0b01 0o17 1_000.5_5",
        "0:0x1F 0:0b01 0:0o17 0:1_000.5_5" },
    { "a range is no fraction", ON, "1..2 1.2..3", "0:1 p:.. 0:2 0:1.2 p:.. 0:3" },
    { "letters after numbers are words", ON, "1into 1e5into 1ee",
        "0:1 w:into 0:1e5 w:into 0:1 w:ee" },
    { "an exponent needs digits", ON, "1e 1e+x", "0:1 w:e 0:1 w:e o:+ w:x" },
    { "glued to a new number: the old reading", ON, "1_0$a$ 0x1z 0b12 1_x",
        "0:1 w:_0$a$ 0:0 w:x1z 0:0 w:b12 0:1 w:_x" },
    { "a hex digit that starts a string", ON, "0x'1' 0e'\\''",
        "0:0 b:x'1' 0:0 e:e'\\''" },
    { "operators end at comments", ON, "+--x\n*/*c*/- @--", "o:+ o:* o:- o:@" },
    { "the first comment start counts", ON, "@/*--*/@ @--/*\n@", "o:@ o:@ o:@ o:@" },
    { "trailing signs stand alone", ON, "=-1 @-1 +- <=+-",
        "o:= o:- 0:1 o:@- 0:1 o:+ o:- o:<= o:+ o:-" },
    { "multi-byte punctuation", ON,
        "a::b := => .. :", "w:a p::: w:b p::= p:=> p:.. p::" },
    { "an arrow is one only alone", ON, "=>> =>-1", "o:=>> p:=> o:- 0:1" },
    { "comments nest", ON, "a /* /* */ b */ c", "w:a w:c" },
    { "a slash star slash opens only", ON, "/*/ a */ b", "w:b" },
    { "stars before the slash", ON, "/**/a/***/b/* **/c", "w:a w:b w:c" },
    { "line comments end at either newline", ON, "--a\rb--c\nd--", "w:b w:d" },
    { "all white space", ON, "a\t\n\r\f\vb", "w:a w:b" },
    { "stray bytes are tokens", ON, "{ \\ \x01", "p:{ p:\\ p:\x01" },
    { "unterminated string", ON, "a 'b", "w:a !2" },
    { "unterminated escape", ON, "a E'b\\", "w:a !2" },
    { "unterminated name", ON, "a \"b\"\"", "w:a !2" },
    { "unterminated U& name", ON, "U&\"b", "!0" },
    { "unterminated dollar quote", ON, "a $x$ b $y$ $", "w:a !2" },
    { "unterminated comment", ON, "a /* /* */", "w:a !2" },
    { "unterminated continued part", ON, "'a'\n'b", "!0" },
    { "nothing", ON, "", "" },
    { "a lone quote", ON, "'", "!0" },
    { "a lone dollar", ON, "$", "p:$" },
};

START_TEST(tokens_are_cut_as_by_the_server)
{
    char got[512];

    render(token_cases[_i].text, strlen(token_cases[_i].text),
        token_cases[_i].std_strings, got, sizeof(got));
    CASE_STR(&token_cases[_i], got, token_cases[_i].want);
}
END_TEST

static const struct {
    const char *name;
    bool std_strings;
    const char *text;
    const char *want; /* NULL: -EINVAL */
} value_cases[] = {
    { "plain", ON, "'a''b\\n'", "a'b\\n" },
    { "plain with escapes", OFF, "'a''b\\n\\''", "a'b\n'" },
    { "national", ON, "N'x'", "x" },
    { "empty", ON, "''", "" },
    { "all simple escapes", ON, "E'\\b\\f\\n\\r\\t\\\\\\'\\q'", "\b\f\n\r\t\\'q" },
    { "octal and hex", ON, "E'\\101\\x42\\x4g\\7'", "AB\x04g\x07" },
    { "hex without digits", ON, "E'\\xg'", "xg" },
    { "unicode", ON, "E'\\u00e9\\U0001F600'", "\xc3\xa9\xf0\x9f\x98\x80" },
    { "surrogate pair", ON, "E'\\uD83D\\uDE00'", "\xf0\x9f\x98\x80" },
    { "lone surrogate", ON, "E'\\uD83Dx'", NULL },
    { "lone low surrogate", ON, "E'\\uDE00'", NULL },
    { "short unicode", ON, "E'\\u00e'", NULL },
    { "beyond unicode", ON, "E'\\U00110000'", NULL },
    { "a NUL", ON, "E'a\\000'", NULL },
    { "a NUL by unicode", ON, "E'a\\u0000'", NULL },
    { "U&", ON, "U&'d\\0061t\\+000061\\\\'", "data\\" },
    { "U& with a bad escape", ON, "U&'\\zz'", NULL },
    { "U& cut off", ON, "U&'\\00'", NULL },
    { "continued", ON, "'a' --x\n 'b'\n'c'", "abc" },
    { "E continued", ON, "E'a\\n'\n'\\t'", "a\n\t" },
    { "bits", ON, "X'1F'", "1F" },
    { "dollar", ON, "$$a'b\\n$$", "a'b\\n" },
    { "dollar with tag", ON, "$x$a$$b$x$", "a$$b" },
    { "a word has none", ON, "abc", NULL },
    { "a number has none", ON, "12", NULL },
};

START_TEST(constants_have_the_servers_value)
{
    const char *text = value_cases[_i].text;
    bool std_strings = value_cases[_i].std_strings;
    char out[64] = "";
    struct sql_lexer lx;
    struct sql_token tok;

    sql_lex_init(&lx, text, strlen(text), std_strings);
    CASE_INT(&value_cases[_i], sql_lex_next(&lx, &tok), 0);
    CASE_INT(&value_cases[_i], tok.len, strlen(text));
    int64_t n = sql_token_value(text, &tok, std_strings, out);
    if (!value_cases[_i].want) {
        CASE_INT(&value_cases[_i], n, -EINVAL);
        return;
    }
    CASE_INT(&value_cases[_i], n, strlen(value_cases[_i].want));
    CASE_STR(&value_cases[_i], out, value_cases[_i].want);
}
END_TEST

#define TEN "0123456789"

static const struct {
    const char *name, *text, *want;
} ident_cases[] = {
    { "words are folded", "Abc_$1", "abc_$1" },
    { "high bytes are not", "\xc3\x89T", "\xc3\x89t" },
    { "quoted keep their case", "\"Abc\"", "Abc" },
    { "doubled quotes are one", "\"a\"\"b\"", "a\"b" },
    { "U& is unfolded", "U&\"d\\0061t\\+000061\\\\\"", "data\\" },
    { "U& surrogates", "u&\"\\D83D\\DE00\"", "\xf0\x9f\x98\x80" },
    { "U& with a bad escape", "U&\"\\zzzz\"", NULL },
    { "U& with NUL", "U&\"\\0000\"", NULL },
    { "empty names are none", "\"\"", NULL },
    { "constants are none", "'a'", NULL },
    { "cut at 63", "a" TEN TEN TEN TEN TEN TEN "xyz",
        "a" TEN TEN TEN TEN TEN TEN "xy" },
    { "cut before a character", "\"" TEN TEN TEN TEN TEN TEN "ab\xc3\xa9\"",
        TEN TEN TEN TEN TEN TEN "ab" },
    { "not cut inside of one", "\"" TEN TEN TEN TEN TEN TEN "a\xc3\xa9\"",
        TEN TEN TEN TEN TEN TEN "a\xc3\xa9" },
    { "invalid bytes count one each", "\"" TEN TEN TEN TEN TEN TEN "\xff\xff\xff\xff\"",
        TEN TEN TEN TEN TEN TEN "\xff\xff\xff" },
};

START_TEST(names_are_what_the_server_stores)
{
    const char *text = ident_cases[_i].text;
    struct sql_lexer lx;
    struct sql_token tok;
    char out[64];

    sql_lex_init(&lx, text, strlen(text), true);
    CASE_INT(&ident_cases[_i], sql_lex_next(&lx, &tok), 0);
    int r = sql_token_ident(text, &tok, out);
    CASE_INT(&ident_cases[_i], r, ident_cases[_i].want ? 0 : -EINVAL);
    if (!r)
        CASE_STR(&ident_cases[_i], out, ident_cases[_i].want);
}
END_TEST

static const struct {
    const char *name, *text, *want;
} blank_cases[] = {
    { "line comments keep their newline", "a --b\nc", "a    \nc" },
    { "block comments lose theirs", "a/*b\nc*/d", "a       d" },
    { "comments in strings stay", "'--a' \"/*b*/\" $$--$$", "'--a' \"/*b*/\" $$--$$" },
    { "between parts of a string", "'a' --x\n'b' --y", "'a'    \n'b'    " },
    { "constants kept apart stay apart", "'a' /**/\n'b'", "'a'      'b'" },
    { "operators", "+--x\n-/**/-", "+   \n-    -" },
    { "vertical tab", "a\vb '\v'", "a b '\v'" },
    { "unterminated comment", "a /* /* b", "a        " },
    { "unterminated string", "a /**/ 'b --c", "a      'b --c" },
};

START_TEST(comments_become_spaces_of_the_same_length)
{
    const char *text = blank_cases[_i].text;
    AUTO(mem_free) char *copy = sql_blank_comments(text, strlen(text), true);

    CASE_STR(&blank_cases[_i], copy, blank_cases[_i].want);
}
END_TEST

/* Blanking changes no token: same text, same places. */
START_TEST(blanking_changes_no_token)
{
    const char *text = token_cases[_i].text;
    bool std_strings = token_cases[_i].std_strings;
    AUTO(mem_free) char *copy = sql_blank_comments(text, strlen(text), std_strings);
    struct sql_lexer a, b;
    struct sql_token x, y;
    int r;

    CASE_INT(&token_cases[_i], strlen(copy), strlen(text));
    sql_lex_init(&a, text, strlen(text), std_strings);
    sql_lex_init(&b, copy, strlen(text), std_strings);
    while ((r = sql_lex_next(&a, &x)) == 0) {
        CASE_INT(&token_cases[_i], sql_lex_next(&b, &y), 0);
        CASE_INT(&token_cases[_i], x.start, y.start);
        CASE_INT(&token_cases[_i], x.len, y.len);
        CASE_INT(&token_cases[_i], x.kind, y.kind);
    }
    if (r == SQL_LEX_END)
        CASE_INT(&token_cases[_i], sql_lex_next(&b, &y), SQL_LEX_END);
}
END_TEST

/* Texts that are quadratic for a naive reader: a megabyte takes well under a second (half
 * a second even under sanitizers; quadratic time would be minutes). */
static const struct {
    const char *name, *unit, *head;
} long_cases[] = {
    { "runs of comments", "/**/", "" },
    { "nested comments", "/*", "" },
    { "line comments", "--\r", "" },
    { "signs", "+", "" },
    { "signs and others", "+-", "" },
    { "strings with far newlines", "'' ", "" },
    { "quotes", "'", "" },
    { "strings kept apart", "''--\r", "" },
    { "dollars", "$", "" },
    { "dollar tags that don't match", "$a", "$b$" },
    { "tags without end", "$a ", "" },
    { "underscored digits", "1_", "" },
    { "escapes", "\\'", "E'" },
    { "brackets of operators", "@/*/**/*/", "" },
    { "spaces", " ", "" },
};

START_TEST(time_is_linear)
{
    size_t unit = strlen(long_cases[_i].unit), n = strlen(long_cases[_i].head);
    const size_t len = 1 << 20;
    AUTO(mem_free) char *text = mem_zalloc(len + unit + 8);
    struct sql_lexer lx;
    struct sql_token tok;
    struct timespec from, to;

    memcpy(text, long_cases[_i].head, n);
    for (; n < len; n += unit)
        memcpy(text + n, long_cases[_i].unit, unit);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int std = 0; std < 2; std++) {
        sql_lex_init(&lx, text, n, std);
        while (sql_lex_next(&lx, &tok) == 0)
            ;
    }
    mem_free(sql_blank_comments(text, n, true));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    double s = (double)(to.tv_sec - from.tv_sec)
        + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    ck_assert_msg(s < 5, "%s: %.1f s", long_cases[_i].name, s);
}
END_TEST

/* Every input makes progress, covers the text in order and ends. */
START_TEST(random_bytes_make_progress)
{
    static const char alphabet[] = "'\"\\$-/*+ \n\reEuU&bxnN01._a@;:=>\xc3\xa9\xff";
    unsigned seed = 1;

    for (int round = 0; round < 20000; round++) {
        char text[40];
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1103515245 + 12345;
            text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        struct sql_lexer lx;
        struct sql_token tok;
        size_t end = 0;
        sql_lex_init(&lx, text, sizeof(text), round & 1);
        while (sql_lex_next(&lx, &tok) == 0) {
            ck_assert_uint_ge(tok.start, end);
            ck_assert_uint_gt(tok.len, 0);
            end = tok.start + tok.len;
            ck_assert_uint_le(end, sizeof(text));
            char out[64];
            if (sql_token_value(text, &tok, round & 1, out) >= 0)
                ck_assert_int_ne(tok.kind, SQL_T_WORD);
            if (sql_token_ident(text, &tok, out) == 0)
                ck_assert_int_le(tok.kind, SQL_T_UQUOTED);
        }
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_lex");
    TCase *tc = tcase_create("lex");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(
        tc, tokens_are_cut_as_by_the_server, 0, DG_ARRAY_SIZE(token_cases));
    tcase_add_loop_test(
        tc, constants_have_the_servers_value, 0, DG_ARRAY_SIZE(value_cases));
    tcase_add_loop_test(
        tc, names_are_what_the_server_stores, 0, DG_ARRAY_SIZE(ident_cases));
    tcase_add_loop_test(
        tc, comments_become_spaces_of_the_same_length, 0, DG_ARRAY_SIZE(blank_cases));
    tcase_add_loop_test(tc, blanking_changes_no_token, 0, DG_ARRAY_SIZE(token_cases));
    tcase_add_loop_test(tc, time_is_linear, 0, DG_ARRAY_SIZE(long_cases));
    tcase_add_test(tc, random_bytes_make_progress);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
