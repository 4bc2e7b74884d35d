// SPDX-License-Identifier: ISC
/* The gate's reading of a text, for tests that compare it with a server's. Reads lines "1
 * <hex>" (the digit is standard_conforming_strings), answers one line of JSON each:
 *   {"r":0,"words":4,"stmts":[{"words":4,"first":"SELECT","tokens":[["s","<hex>"],...]}]}
 * Tokens: kind and, in hex, the value of names (i) and string constants (s, b), for all
 * others (o) the bytes; an empty list stands for a value that can't be told. */
#include "base/mem.h"
#include "sql/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT (1 << 20)

static void
put_hex(char kind, const char *p, size_t n)
{
    printf("[\"%c\",\"", kind);
    for (size_t i = 0; i < n; i++)
        printf("%02x", (unsigned)(unsigned char)p[i]);
    printf("\"]");
}

static void
put_token(const char *text, const struct sql_token *tok, bool std_strings)
{
    AUTO(mem_free) char *value = mem_alloc(tok->len);
    char name[64];

    if (tok->kind >= SQL_T_STRING && tok->kind <= SQL_T_DOLLAR) {
        int64_t n = sql_token_value(text, tok, std_strings, value);
        if (n < 0)
            printf("[]");
        else
            put_hex(tok->kind == SQL_T_BITS ? 'b' : 's', value, (size_t)n);
    } else if (tok->kind > SQL_T_UQUOTED) {
        put_hex('o', text + tok->start, tok->len);
    } else if (sql_token_ident(text, tok, name)) {
        printf("[]");
    } else {
        put_hex('i', name, strlen(name));
    }
}

static void
put_stmt(const char *text, const struct sql_stmt *stmt, bool std_strings)
{
    struct sql_lexer lx;
    struct sql_token tok;
    const char *comma = "";

    printf("{\"words\":%u,\"first\":\"%s\",\"tokens\":[", stmt->words, stmt->first[0]);
    sql_lex_init(&lx, text, stmt->start + stmt->len, std_strings);
    lx.pos = stmt->start;
    while (sql_lex_next(&lx, &tok) == 0) {
        fputs(comma, stdout);
        put_token(text, &tok, std_strings);
        comma = ",";
    }
    printf("]}");
}

static void
answer(const char *text, size_t len, bool std_strings)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;
    int r = sql_scan(&scan, NULL, text, len, std_strings, 10000, NULL);

    printf("{\"r\":%d,\"words\":%u,\"filter\":%u,\"stmts\":[", r, scan.words,
        sql_filter(NULL, text, len, SQL_W_ALL));
    for (size_t i = 0; i < scan.n; i++) {
        if (i)
            putchar(',');
        put_stmt(text, &scan.stmts[i], std_strings);
    }
    printf("]}\n");
    fflush(stdout);
}

int
main(void)
{
    static char line[2 * MAX_TEXT + 8], text[MAX_TEXT];

    while (fgets(line, sizeof(line), stdin)) {
        size_t n = strcspn(line, "\n") / 2; /* "1 " and two digits a byte */
        for (size_t i = 1; i < n; i++) {
            char digits[3] = { line[2 * i], line[2 * i + 1], '\0' };
            text[i - 1] = (char)strtoul(digits, NULL, 16);
        }
        answer(text, n ? n - 1 : 0, line[0] == '1');
    }
    return 0;
}
