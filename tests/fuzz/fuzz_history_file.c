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
read_file(const char *format, const char *name, const char *text, size_t n)
{
    static const char *const values[] = { "x", "y", "long", "a value" };
    static const struct hist_ops shared;
    const struct hist_tool *tool = hist_tool_find(format);
    struct hist_set set = { .tool = tool,
        .ops = tool->ops ? tool->ops : &shared,
        .conf = { .path = "d", .history_schema = "public", .history_table = "t" } };
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_migration m = { .arena = a, .file = name, .path = name };
    struct err err = { "" };
    bool is_filled = memmem(text, n, "${", 2);

    if (strcmp(format, "flyway") == 0) {
        set.conf.placeholders = values;
        set.conf.n_placeholders = 2;
    }
    int r = set.ops->parse_name ? set.ops->parse_name(&set, name, &m, &err)
                                : hist_parse_name(&set, name, &m, &err);
    DG_ASSERT(r != HIST_NAME_BAD || err.text[0], "no reason for %s", name);
    if (r != HIST_NAME_YES || hist_text_check(name, text, n, &err))
        return;
    DG_ASSERT(m.is_repeatable != (m.version != NULL), "%s is both or neither", name);
    DG_ASSERT(!m.version || hist_is_version(&set, m.version), "version %s", m.version);
    r = set.ops->prepare ? set.ops->prepare(&set, &m, text, n, &err)
                         : hist_prepare(&set, &m, text, n, &err);
    if (r) {
        DG_ASSERT(err.text[0], "no reason");
        return;
    }
    DG_ASSERT(m.is_down || !tool->sum || m.checksum, "no checksum");
    DG_ASSERT(count(m.text, m.len, '\n') <= count(text, n, '\n') || is_filled || m.sent,
        "lines were added");
    DG_ASSERT(is_filled || m.sent
            || (m.len == n - hist_bom(text, n)
                && count(m.text, m.len, '\n') == count(text, n, '\n')),
        "lines moved");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = { "numbered-sql", "flyway", "goose", "dbmate",
        "tern", "sqlx", "refinery", "diesel", "graphile-migrate", "golang-migrate",
        "prisma", "postgrator", "yoyo" };
    const char *p = (const char *)data;
    const char *nl = size ? memchr(p, '\n', size) : NULL;

    if (!nl || nl == p || nl - p > 1000 || memchr(p, 0, (size_t)(nl - p)))
        return 0;
    AUTO(mem_free) char *name = mem_strndup(p, (size_t)(nl - p));
    size_t n = size - (size_t)(nl + 1 - p);
    for (size_t i = 0; i < DG_ARRAY_SIZE(formats); i++)
        read_file(formats[i], name, nl + 1, n);
    return 0;
}
