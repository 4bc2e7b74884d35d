// SPDX-License-Identifier: ISC
/* Files that list migrations: a first line `lock`, `journal` or `plan`, then a lockfile,
 * Drizzle's journal or Sqitch's plan. Whatever they say, what is added has a version and
 * stays below the folder, and a refusal has a reason. */
#include "history/source.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_list(const char *kind, const char *text, size_t n)
{
    struct hist_set set = { .arena = arena_new(),
        .tool = hist_tool_find("drizzle"),
        .is_lockfile = strcmp(kind, "lock") == 0,
        .conf = { .path = "d", .shown = "d", .name = "f" } };
    struct err err = { "" };
    int r;

    if (set.is_lockfile)
        r = hist_lock_parse(&set, text, n, &err);
    else if (strcmp(kind, "journal") == 0)
        r = hist_drizzle_journal(&set, "d/meta/_journal.json", text, n, &err);
    else
        r = hist_sqitch_plan(&set, "d/sqitch.plan", text, n, &err);
    DG_ASSERT(r == 0 || err.text[0], "no reason");
    for (size_t i = 0; i < set.n_all; i++) {
        const struct hist_migration *m = &set.migrations[i];
        DG_ASSERT(m->version && *m->version, "no version");
        DG_ASSERT(set.is_lockfile || (!strstr(m->file, "../") && m->file[0] != '/'),
            "file %s", m->file);
    }
    mem_free(set.migrations);
    arena_free(set.arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "lock", "journal", "plan" };
    const char *p = (const char *)data;
    const char *nl = size ? memchr(p, '\n', size) : NULL;

    for (size_t i = 0; nl && i < DG_ARRAY_SIZE(kinds); i++) {
        struct str first = { p, (size_t)(nl - p) };
        size_t n = size - first.n - 1;
        AUTO(mem_free) char *text = mem_strndup(nl + 1, n);
        if (str_eqz(first, kinds[i]) && !hist_text_check("d", text, n, NULL))
            read_list(kinds[i], text, n);
    }
    return 0;
}
