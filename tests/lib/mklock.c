// SPDX-License-Identifier: ISC
/* A lockfile from what a test saw a tool run. Reads lines: `tool NAME`, then for each
 * migration `migration VERSION`, its statements as `up HEX` and `down HEX`. */
#include "base/mem.h"
#include "history/lockfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE       (1 << 20)
#define MAX_MIGRATIONS 64
#define MAX_STATEMENTS 64

struct half {
    struct str texts[MAX_STATEMENTS];
    size_t n;
};

static struct str
from_hex(struct arena *a, const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *text = arena_alloc(a, n + 1);

    for (size_t i = 0; i < n; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        text[i] = (char)strtoul(pair, NULL, 16);
    }
    return (struct str){ text, n };
}

int
main(void)
{
    static struct half ups[MAX_MIGRATIONS], downs[MAX_MIGRATIONS];
    static struct hist_lock_migration list[MAX_MIGRATIONS];
    static char line[MAX_LINE];
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(buf_deinit) struct buf out = BUF_INIT((size_t)64 << 20);
    struct hist_lock lock = { .tool = "", .migrations = list };
    struct err err = { "" };

    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *value = strchr(line, ' ');
        if (!value)
            continue;
        *value++ = 0;
        struct half *half = NULL;
        if (strcmp(line, "tool") == 0) {
            lock.tool = arena_strdup(a, value);
        } else if (strcmp(line, "migration") == 0 && lock.n < MAX_MIGRATIONS) {
            list[lock.n++].version = arena_strdup(a, value);
        } else if (lock.n > 0) {
            half = strcmp(line, "up") == 0 ? &ups[lock.n - 1] : &downs[lock.n - 1];
            list[lock.n - 1].has_down |= half == &downs[lock.n - 1];
        }
        if (half && half->n < MAX_STATEMENTS)
            half->texts[half->n++] = from_hex(a, value);
    }
    for (size_t i = 0; i < lock.n; i++) {
        list[i].up = (struct hist_lock_half){ ups[i].texts, ups[i].n };
        list[i].down = (struct hist_lock_half){ downs[i].texts, downs[i].n };
    }
    if (hist_lock_write(&lock, &out, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    fwrite(buf_cstr(&out), 1, buf_len(&out), stdout);
    return 0;
}
