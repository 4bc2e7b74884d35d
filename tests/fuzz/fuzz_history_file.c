// SPDX-License-Identifier: ISC
/* A migration file: its name up to the first newline, then its bytes, read by each format
 * as the loader does. Preparing must keep the lines where they are, and no name may be
 * accepted whose version can't be compared. */
#include "history/source.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count(const char *p, size_t n, char c)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += p[i] == c;
    return found;
}

static void
read_file(
    const struct hist_source_ops *ops, const char *name, const char *text, size_t n)
{
    static const char *const values[] = { "x", "y", "long", "a value" };
    struct hist_conf conf = { .path = "d",
        .history_schema = "public",
        .history_table = "t",
        .placeholders = values,
        .n_placeholders = 2 };
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_migration m = { .arena = a, .file = name, .path = name };
    struct err err = { "" };

    int r = ops->parse_name(a, name, &m, &err);
    DG_ASSERT(r != HIST_NAME_BAD || err.text[0], "no reason for %s", name);
    if (r != HIST_NAME_YES || hist_text_check(name, text, n, &err))
        return;
    DG_ASSERT(m.is_repeatable != (m.version != NULL), "%s is both or neither", name);
    DG_ASSERT(!m.version || hist_version_is_valid(m.version), "version %s", m.version);
    if (ops->prepare(a, &conf, &m, text, n, &err)) {
        DG_ASSERT(err.text[0], "no reason");
        return;
    }
    DG_ASSERT(!memmem(text, n, "${", 2) || ops == &hist_numbered_sql
            || count(m.text, m.len, '\n') <= count(text, n, '\n'),
        "lines were added");
    DG_ASSERT(memmem(text, n, "${", 2)
            || (m.len == n - hist_bom(text, n)
                && count(m.text, m.len, '\n') == count(text, n, '\n')),
        "lines moved");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    const char *nl = size ? memchr(p, '\n', size) : NULL;

    if (!nl || nl == p || memchr(p, 0, (size_t)(nl - p)))
        return 0;
    AUTO(mem_free) char *name = mem_strndup(p, (size_t)(nl - p));
    size_t n = size - (size_t)(nl + 1 - p);
    read_file(&hist_numbered_sql, name, nl + 1, n);
    read_file(&hist_flyway, name, nl + 1, n);
    return 0;
}
