// SPDX-License-Identifier: ISC
/* Two sorted lists walked side by side, object by object. */
#include "catalog/list.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define MAX_VALUE       400 /* bytes of a value of one line that are shown */
#define MAX_VALUE_LINES 400 /* longer texts are not compared line by line */
#define CONTEXT_LINES   2   /* around a changed line */

/* --- finding ---------------------------------------------------------------------------- */

struct differ {
    struct cat_diff *out;
    size_t cap;
    const struct cat *before, *after;
    struct map *whole; /* owned; names of relations and domains that come or go */
};

/* One past the last fact of the object that begins at `i`. */
static size_t
object_end(const struct cat *c, size_t i)
{
    size_t end = i + 1;

    while (end < c->n && cat_object_cmp(&c->facts[i], &c->facts[end]) == 0)
        end++;
    return end;
}

static void
add(struct differ *d, const struct cat_change *change)
{
    MEM_GROW(d->out->changes, d->out->n, d->cap);
    d->out->changes[d->out->n++] = *change;
}

/* What tells most of an object: a column's type, an index's definition. NULL: nothing short
 * does. */
static const char *
gist_of(const struct cat_fact *facts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct cat_fact *f = &facts[i];
        if ((strcmp(f->property, "type") == 0 || strcmp(f->property, "definition") == 0
                || strcmp(f->property, "version") == 0)
            && !strchr(f->value, '\n'))
            return f->value;
    }
    return NULL;
}

/* An object of n facts that is in one list only. */
static void
add_whole(struct differ *d, enum cat_op op, const struct cat_fact *f, size_t n)
{
    const char *gist = gist_of(f, n);

    if (!f->parent || !map_get(d->whole, str_of(f->parent)))
        add(d,
            &(struct cat_change){ .op = op,
                .kind = f->kind,
                .name = f->name,
                .before = op == CAT_REMOVED ? gist : NULL,
                .after = op == CAT_ADDED ? gist : NULL });
}

static void
add_property(struct differ *d, const struct cat_fact *was, const struct cat_fact *is)
{
    const struct cat_fact *f = is ? is : was;

    DG_ASSERT(f, "a property that nobody has");
    add(d,
        &(struct cat_change){ .op = CAT_CHANGED,
            .kind = f->kind,
            .name = f->name,
            .property = f->property,
            .before = was ? was->value : NULL,
            .after = is ? is->value : NULL });
}

/* The same object in both: facts [i, i_end) of before, [k, k_end) of after. */
static void
compare_object(struct differ *d, size_t i, size_t i_end, size_t k, size_t k_end)
{
    while (i < i_end || k < k_end) {
        const struct cat_fact *was = i < i_end ? &d->before->facts[i] : NULL;
        const struct cat_fact *is = k < k_end ? &d->after->facts[k] : NULL;
        int c = !was ? 1 : !is ? -1 : strcmp(was->property, is->property);
        if (c < 0)
            add_property(d, was, NULL);
        else if (c > 0)
            add_property(d, NULL, is);
        else if (strcmp(was->value, is->value) != 0)
            add_property(d, was, is);
        i += c <= 0;
        k += c >= 0;
    }
}

static void
note_whole(struct differ *d, const struct cat_fact *f)
{
    if (!f->parent) /* any value but NULL will do */
        map_set(d->whole, str_of(f->name), d);
}

/* Calls for each object what happened to it. The first pass only notes what comes or goes,
 * since a column sorts before its table. */
static void
walk(struct differ *d, bool is_noting)
{
    const struct cat *a = d->before, *b = d->after;
    size_t i = 0, k = 0;

    while (i < a->n || k < b->n) {
        int c = i == a->n ? 1
            : k == b->n   ? -1
                          : cat_object_cmp(&a->facts[i], &b->facts[k]);
        size_t i_end = c <= 0 ? object_end(a, i) : i;
        size_t k_end = c >= 0 ? object_end(b, k) : k;
        const struct cat_fact *f = c < 0 ? &a->facts[i] : &b->facts[k];
        if (c == 0 && !is_noting)
            compare_object(d, i, i_end, k, k_end);
        else if (c != 0 && is_noting)
            note_whole(d, f);
        else if (c != 0)
            add_whole(
                d, c < 0 ? CAT_REMOVED : CAT_ADDED, f, c < 0 ? i_end - i : k_end - k);
        i = i_end;
        k = k_end;
    }
}

void
cat_diff(struct cat_diff *d, const struct cat *before, const struct cat *after)
{
    AUTO(map_free) struct map *whole = map_new(NULL);
    struct differ differ = {
        .out = d, .before = before, .after = after, .whole = whole
    };

    *d = (struct cat_diff){ .changes = NULL };
    walk(&differ, true);
    walk(&differ, false);
}

void
cat_diff_deinit(struct cat_diff *d)
{
    mem_free(d->changes);
    *d = (struct cat_diff){ .changes = NULL };
}

/* --- texts of several lines ------------------------------------------------------------- */

struct lines {
    struct str *at; /* owned */
    size_t n;
};

static void
lines_deinit_p(struct lines *l)
{
    mem_free(l->at);
}

static struct lines
cut_lines(const char *text)
{
    struct lines l = { .at = NULL };
    size_t cap = 0;

    while (text && *text) {
        size_t n = strcspn(text, "\n");
        MEM_GROW(l.at, l.n, cap);
        l.at[l.n++] = (struct str){ text, n };
        text += n + (text[n] == '\n');
    }
    return l;
}

/* Control bytes would let a comment in a schema write to somebody's terminal. */
static int
put_safe(struct buf *out, struct str s)
{
    int r = 0;

    for (size_t i = 0; i < s.n && !r;) {
        size_t len = str_utf8_len(s.p + i, s.n - i);
        bool is_bad = len == 0
            || (s.p[i] != '\t' && str_char_is_deceptive(str_utf8_char(s.p + i, len)));
        r = is_bad ? buf_addc(out, '?') : buf_add(out, s.p + i, len);
        i += len ? len : 1;
    }
    return r;
}

static int
put_line(struct buf *out, const char *indent, const char *mark, struct str line)
{
    int r = buf_printf(out, "%s    %s", indent, mark);

    if (!r)
        r = put_safe(out, line);
    return r ? r : buf_addc(out, '\n');
}

/* Lengths of the longest common subsequences of the rests: (a->n + 1) x (b->n + 1). */
static uint16_t *
common_lengths(const struct lines *a, const struct lines *b)
{
    size_t w = b->n + 1;
    uint16_t *len = mem_array((a->n + 1) * w, sizeof(*len));

    for (size_t i = a->n; i-- > 0;) {
        for (size_t k = b->n; k-- > 0;) {
            uint16_t down = len[(i + 1) * w + k], right = len[i * w + k + 1];
            len[i * w + k] = str_eq(a->at[i], b->at[k])
                ? (uint16_t)(len[(i + 1) * w + k + 1] + 1)
                : down > right ? down
                               : right;
        }
    }
    return len;
}

/* How each line of the merged text is shown: ' ', '-' or '+'. */
struct merged {
    char *marks;       /* owned */
    struct str *texts; /* owned */
    size_t n;
};

static void
merged_deinit_p(struct merged *m)
{
    mem_free(m->marks);
    mem_free(m->texts);
}

static struct merged
merge(const struct lines *a, const struct lines *b)
{
    AUTO(mem_free) uint16_t *len = common_lengths(a, b);
    struct merged m = { .marks = mem_zalloc(a->n + b->n + 1),
        .texts = mem_array(a->n + b->n + 1, sizeof(*m.texts)) };
    size_t i = 0, k = 0, w = b->n + 1;

    while (i < a->n || k < b->n) {
        char mark = '+';
        if (i < a->n && k < b->n && str_eq(a->at[i], b->at[k]))
            mark = ' ';
        else if (k == b->n || (i < a->n && len[(i + 1) * w + k] >= len[i * w + k + 1]))
            mark = '-';
        m.marks[m.n] = mark;
        m.texts[m.n++] = mark == '+' ? b->at[k] : a->at[i];
        i += mark != '+';
        k += mark != '-';
    }
    return m;
}

static bool
is_near_change(const struct merged *m, size_t i)
{
    size_t from = i < CONTEXT_LINES ? 0 : i - CONTEXT_LINES;

    for (size_t k = from; k < m->n && k <= i + CONTEXT_LINES; k++) {
        if (m->marks[k] != ' ')
            return true;
    }
    return false;
}

static int
put_lines(struct buf *out, const char *indent, const char *before, const char *after)
{
    AUTO(lines_deinit) struct lines a = cut_lines(before);
    AUTO(lines_deinit) struct lines b = cut_lines(after);
    bool was_shown = true;
    int r = 0;

    if (a.n > MAX_VALUE_LINES || b.n > MAX_VALUE_LINES)
        return buf_printf(out, "%s    (%zu lines -> %zu lines)\n", indent, a.n, b.n);
    AUTO(merged_deinit) struct merged m = merge(&a, &b);
    for (size_t i = 0; i < m.n && !r; i++) {
        bool is_shown = is_near_change(&m, i);
        char mark[3] = { m.marks[i], ' ', 0 };
        if (is_shown)
            r = put_line(out, indent, mark, m.texts[i]);
        else if (was_shown)
            r = put_line(out, indent, "...", STR(""));
        was_shown = is_shown;
    }
    return r;
}

/* --- text -------------------------------------------------------------------------------- */

static bool
has_lines(const char *s)
{
    return s && strchr(s, '\n');
}

static int
put_value(struct buf *out, const char *value)
{
    size_t n = value ? strlen(value) : 0;

    if (!value)
        return buf_addstr(out, "(none)");
    if (!n)
        return buf_addstr(out, "''");
    int r = put_safe(out, (struct str){ value, n > MAX_VALUE ? MAX_VALUE : n });
    return r || n <= MAX_VALUE ? r : buf_addstr(out, "...");
}

/* The end of an object's line. */
static int
put_gist(struct buf *out, const char *gist)
{
    int r = gist ? buf_addstr(out, ": ") : 0;

    if (!r && gist)
        r = put_value(out, gist);
    return r ? r : buf_addc(out, '\n');
}

static int
put_change(struct buf *out, const char *indent, const struct cat_change *c)
{
    static const char marks[] = { '+', '-', '~' };
    int r = buf_printf(out, "%s%c %s ", indent, marks[c->op], c->kind);

    if (!r)
        r = put_safe(out, str_of(c->name));
    if (c->op != CAT_CHANGED)
        return r ? r : put_gist(out, c->op == CAT_ADDED ? c->after : c->before);
    if (!r)
        r = buf_printf(out, ": %s", c->property);
    if (r)
        return r;
    if (has_lines(c->before) || has_lines(c->after)) {
        r = buf_addc(out, '\n');
        return r ? r : put_lines(out, indent, c->before, c->after);
    }
    r = buf_addc(out, ' ');
    if (!r)
        r = put_value(out, c->before);
    if (!r)
        r = buf_addstr(out, " -> ");
    if (!r)
        r = put_value(out, c->after);
    return r ? r : buf_addc(out, '\n');
}

bool
cat_diff_text(const struct cat_diff *d, const char *indent, size_t max, struct buf *out)
{
    size_t n = max && d->n > max ? max : d->n;
    int r = 0;

    for (size_t i = 0; i < n && !r; i++)
        r = put_change(out, indent, &d->changes[i]);
    if (!r && n < d->n)
        r = buf_printf(out, "%s(%zu more)\n", indent, d->n - n);
    return r == 0;
}

void
cat_diff_json(const struct cat_diff *d, struct json *j)
{
    static const char *const ops[] = { "added", "removed", "changed" };

    json_array(j);
    for (size_t i = 0; i < d->n; i++) {
        const struct cat_change *c = &d->changes[i];
        json_object(j);
        json_kv(j, "op", ops[c->op]);
        json_kv(j, "kind", c->kind);
        json_kv(j, "name", c->name);
        json_kv(j, "property", c->property);
        json_kv(j, "before", c->before);
        json_kv(j, "after", c->after);
        json_object_end(j);
    }
    json_array_end(j);
}
