// SPDX-License-Identifier: ISC
/* The first packet. What is taken must come back when it is built anew, no shorter input
 * may be taken, and `options` must be read without harm. */
#include "pgwire/pgwire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_come_back(const struct pgw_startup *s)
{
    struct buf b = BUF_INIT(PGW_MAX_STARTUP);
    struct pgw_startup again;
    pgw_startup_build(&b, s->protocol, s->keys, s->values, s->n);
    int r = pgw_startup_parse(buf_ptr(&b), buf_len(&b), &again, NULL);
    DG_ASSERT(
        r == 0 && again.n == s->n && again.size == s->size, "parameters are lost");
    for (size_t i = 0; i < s->n; i++)
        DG_ASSERT(
            str_eq(s->keys[i], again.keys[i]) && str_eq(s->values[i], again.values[i]),
            "parameter %zu changed", i);
    buf_deinit(&b);
}

static void
read_options(const struct str *options)
{
    static const char *const names[] = { "search_path", "a",
        "standard_conforming_strings" };
    for (size_t i = 0; options && i < DG_ARRAY_SIZE(names); i++) {
        char value[32];
        memset(value, 'x', sizeof value);
        if (pgw_options_get(*options, names[i], value, sizeof value))
            DG_ASSERT(memchr(value, 0, sizeof value), "the value has no end");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct pgw_startup s, shorter;
    struct err err = { "" };
    int r = pgw_startup_parse(p, size, &s, &err);
    DG_ASSERT((r == PGW_E_MALFORMED) == (err.text[0] != '\0'), "error without text");

    /* Any text is a command line, too. */
    struct str text = { p, size < PGW_MAX_STARTUP ? size : PGW_MAX_STARTUP };
    read_options(&text);
    if (r)
        return 0;
    DG_ASSERT(s.size <= size, "more than there was");
    DG_ASSERT(pgw_startup_parse(p, s.size - 1, &shorter, NULL) == PGW_NEED_MORE,
        "a cut packet is taken");
    if (s.kind == PGW_STARTUP) {
        must_come_back(&s);
        read_options(pgw_startup_get(&s, "options"));
    }
    return 0;
}
