// SPDX-License-Identifier: ISC
/* Unified diffs; see diff.h. Which lines differ is known from the edits, so that nothing has
 * to be searched. */
#include "cli/diff.h"

#include <string.h>

#define CONTEXT 3

struct lines {
    struct str text;
    size_t *starts; /* owned; n + 1 of them */
    size_t n;
};

static void
lines_init(struct lines *l, struct str text)
{
    size_t cap = 0;

    *l = (struct lines){ .text = text };
    for (size_t at = 0; at < text.n;) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        MEM_GROW(l->starts, l->n + 1, cap);
        l->starts[l->n++] = at;
        at = end ? (size_t)(end - text.p) + 1 : text.n;
    }
    MEM_GROW(l->starts, l->n, cap);
    l->starts[l->n] = text.n;
}

static void
lines_deinit_p(struct lines *l)
{
    mem_free(l->starts);
}

static struct str
line_of(const struct lines *l, size_t i)
{
    return (struct str){ l->text.p + l->starts[i], l->starts[i + 1] - l->starts[i] };
}

/* The line that holds a byte; the last one for the end of the text. */
static size_t
line_at(const struct lines *l, size_t at)
{
    size_t low = 0, high = l->n;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (l->starts[mid] <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static void
put_line(struct buf *out, char mark, struct str line)
{
    bool has_end = line.n && line.p[line.n - 1] == '\n';

    buf_put(out, &mark, 1);
    buf_put(out, line.p, line.n);
    if (!has_end)
        buf_puts(out, "\n\\ No newline at end of file\n");
}

/* Lines that differ: old ones first..last, new ones likewise (one past the last). */
struct hunk {
    size_t old_from, old_to, new_from, new_to;
};

static void
put_hunk(struct buf *out, const struct lines *old, const struct lines *new,
    const struct hunk *parts, size_t n)
{
    size_t from = parts[0].old_from > CONTEXT ? parts[0].old_from - CONTEXT : 0;
    size_t to = parts[n - 1].old_to + CONTEXT;
    size_t shift_before = parts[0].old_from - from;
    if (to > old->n)
        to = old->n;
    size_t new_from = parts[0].new_from - shift_before;
    size_t new_to = parts[n - 1].new_to + (to - parts[n - 1].old_to);

    buf_putf(out, "@@ -%zu,%zu +%zu,%zu @@\n", to > from ? from + 1 : from, to - from,
        new_to > new_from ? new_from + 1 : new_from, new_to - new_from);
    for (size_t i = 0, at = from; i <= n; i++) {
        size_t stop = i < n ? parts[i].old_from : to;
        for (; at < stop; at++)
            put_line(out, ' ', line_of(old, at));
        if (i == n)
            break;
        for (; at < parts[i].old_to; at++)
            put_line(out, '-', line_of(old, at));
        for (size_t k = parts[i].new_from; k < parts[i].new_to; k++)
            put_line(out, '+', line_of(new, k));
    }
}

/* Equal lines at both ends are no part of the difference. */
static void
trim(const struct lines *old, const struct lines *new, struct hunk *h)
{
    while (h->old_from < h->old_to && h->new_from < h->new_to
        && str_eq(line_of(old, h->old_from), line_of(new, h->new_from))) {
        h->old_from++;
        h->new_from++;
    }
    while (h->old_from < h->old_to && h->new_from < h->new_to
        && str_eq(line_of(old, h->old_to - 1), line_of(new, h->new_to - 1))) {
        h->old_to--;
        h->new_to--;
    }
}

void
diff_put(
    struct buf *out, const char *path, struct str text, const struct sql_edits *edits)
{
    size_t n_new, n = 0, cap = 0;
    AUTO(mem_free) char *edited = sql_edits_apply(edits, text.p, text.n, &n_new);
    AUTO(lines_deinit) struct lines old, new;
    AUTO(mem_free) struct hunk *hunks = NULL;
    ptrdiff_t shift = 0; /* bytes that the new text is ahead */

    lines_init(&old, text);
    lines_init(&new, (struct str){ edited, n_new });
    for (size_t i = 0; i < edits->n; i++) {
        const struct sql_edit *e = &edits->items[i];
        size_t n_put = strlen(e->put);
        size_t new_at = (size_t)((ptrdiff_t)e->at + shift);
        struct hunk h = { .old_from = line_at(&old, e->at),
            .old_to = line_at(&old, e->at + e->del) + 1,
            .new_from = line_at(&new, new_at),
            .new_to = line_at(&new, new_at + n_put) + 1 };
        shift += (ptrdiff_t)n_put - (ptrdiff_t)e->del;
        if (n && hunks[n - 1].old_to > h.old_from) { /* in one line with the last */
            hunks[n - 1].old_to = h.old_to;
            hunks[n - 1].new_to = h.new_to;
            continue;
        }
        MEM_GROW(hunks, n, cap);
        hunks[n++] = h;
    }
    if (!n)
        return;
    buf_putf(out, "--- %s\n+++ %s\n", path, path);
    for (size_t i = 0; i < n; i++)
        trim(&old, &new, &hunks[i]);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1;
             k < n && hunks[k].old_from - hunks[k - 1].old_to <= 2 * CONTEXT;)
            k++;
        put_hunk(out, &old, &new, &hunks[i], k - i);
    }
}
