// SPDX-License-Identifier: ISC
/* The list of findings: where they stand in their files, and what identifies them. */
#include "cli/report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "history/psql.h"

#define MAX_LINE ((size_t)4000) /* bytes of a source line that are kept */

static const struct report_writer *const writers[] = {
    &report_text,
    &report_json,
    &report_sarif,
    &report_junit,
    &report_gitlab,
    &report_github,
    &report_baseline,
};

const struct report_writer *
report_writer_find(const char *name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(writers); i++) {
        if (strcmp(writers[i]->name, name) == 0)
            return writers[i];
    }
    return NULL;
}

void
report_init(struct report *r)
{
    *r = (struct report){
        .fail_level = DG_WARN,
        .seen = map_new(NULL),
        .arena = arena_new(),
    };
}

void
report_deinit(struct report *r)
{
    mem_free(r->files);
    mem_free(r->items);
    map_free(r->seen);
    arena_free(r->arena);
    *r = (struct report){ 0 };
}

void
report_flush(struct report_out *out)
{
    if (buf_len(&out->buf))
        (void)!fwrite(buf_ptr(&out->buf), 1, buf_len(&out->buf), out->file);
    buf_reset(&out->buf);
}

/* --- files ------------------------------------------------------------------------------ */

/* CI systems know files by their path in the checkout, where they run their commands. */
static const char *
path_in_checkout(struct arena *a, const char *name)
{
    char here[PATH_MAX];

    while (name[0] == '.' && name[1] == '/') {
        name += 2;
        while (*name == '/')
            name++;
    }
    if (*name == '/' && getcwd(here, sizeof(here))) {
        size_t n = strlen(here);
        if (n > 1 && strncmp(name, here, n) == 0 && name[n] == '/')
            name += n + 1;
    }
    return arena_strdup(a, name);
}

static struct report_file *
add_file(struct report *r, const char *name)
{
    MEM_GROW(r->files, r->n_files, r->cap_files);
    struct report_file *f = &r->files[r->n_files++];
    *f = (struct report_file){
        .name = arena_strdup(r->arena, name),
        .path = path_in_checkout(r->arena, name),
        .first = r->n,
    };
    return f;
}

void
report_file(struct report *r, const char *name, size_t n_stmts)
{
    add_file(r, name)->n_stmts = n_stmts;
    r->n_stmts += n_stmts;
}

void
report_trouble(struct report *r, const char *name, const char *why)
{
    struct report_file *f = add_file(r, name);

    f->trouble = arena_strdup(r->arena, why);
    for (const char *p = strchr(why, ':'); p && !f->trouble_line;
         p = strchr(p + 1, ':')) {
        size_t n = strspn(p + 1, "0123456789");
        int64_t line;
        if (n && p[n + 1] == ':'
            && str_int64((struct str){ p + 1, n }, 1, INT_MAX, &line) == 0)
            f->trouble_line = (int)line;
    }
    r->n_trouble++;
}

/* --- places ----------------------------------------------------------------------------- */

/* Moves over text[from..to). */
static void
advance(const struct pol_text *t, size_t from, size_t to, int *line, int *column)
{
    size_t start = from;

    for (size_t i = from; i < to; i++) {
        if (t->text[i] == '\n') {
            ++*line;
            *column = 1;
            start = i + 1;
        }
    }
    *column += (int)str_utf8_count(t->text + start, to - start);
}

static size_t
line_start(const struct pol_text *t, size_t pos)
{
    while (pos > 0 && t->text[pos - 1] != '\n')
        pos--;
    return pos;
}

static size_t
position_of(const struct pol_text *t, const struct pol_finding *f,
    const struct sql_facts *fact, const struct sql_stmt *stmt)
{
    int pos = f->pos >= 0                  ? f->pos
        : f->object && f->object->pos >= 0 ? f->object->pos
                                           : fact->pos;
    size_t at = pos >= 0 ? (size_t)pos : stmt->start;

    /* a message about a text that breaks off may point at its very end */
    return at < t->len ? at : t->len;
}

static bool
is_name(enum sql_token_kind kind)
{
    return kind == SQL_T_WORD || kind == SQL_T_QUOTED || kind == SQL_T_UQUOTED;
}

/* One past what stands at pos: a token, or a name with its schema. Inside of a constant
 * (a function's body) that is read as SQL, too. */
static size_t
end_of_token(const struct pol_text *t, const struct sql_stmt *stmt, size_t pos)
{
    size_t limit = stmt->start + stmt->len;
    struct sql_lexer lx;
    struct sql_token tok;

    if (limit <= pos)
        return pos;
    sql_lex_init(&lx, t->text, limit, true);
    lx.pos = pos;
    if (sql_lex_next(&lx, &tok) != 0 || tok.start != pos)
        return pos + 1;
    size_t end = tok.start + tok.len;
    while (is_name(tok.kind)) {
        if (sql_lex_next(&lx, &tok) != 0 || tok.len != 1 || t->text[tok.start] != '.')
            break;
        if (sql_lex_next(&lx, &tok) != 0 || !is_name(tok.kind))
            break;
        end = tok.start + tok.len;
    }
    return end;
}

static struct report_place
place_between(
    const struct pol_text *t, const struct sql_stmt *stmt, size_t from, size_t to)
{
    struct report_place p = { .line = stmt->line };
    size_t begin = line_start(t, stmt->start);

    p.column = 1;
    if (from >= begin) {
        advance(t, begin, from, &p.line, &p.column);
    } else { /* before its statement: not seen, but a place must be given */
        p.line = 1;
        advance(t, 0, from, &p.line, &p.column);
    }
    p.end_line = p.line;
    p.end_column = p.column;
    if (to > from)
        advance(t, from, to, &p.end_line, &p.end_column);
    return p;
}

static const char *
source_line(struct arena *a, const struct pol_text *t, size_t pos)
{
    size_t from = line_start(t, pos), to = from;

    while (to < t->len && t->text[to] != '\n' && to - from < MAX_LINE)
        to++;
    if (to > from && t->text[to - 1] == '\r')
        to--;
    return arena_strndup(a, t->text + from, to - from);
}

/* --- what identifies a finding ---------------------------------------------------------- */

static void
add_part(struct hash_sha256 *h, const char *s)
{
    hash_sha256_add(h, s ? s : "", s ? strlen(s) + 1 : 1);
}

/* The same file, rule, statement (its tokens) and object are the same finding, wherever the
 * statement stands in its file; of several equal ones the number counts. */
static void
identify(struct report *r, struct report_item *it, const char *path,
    const struct sql_digest *digest)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    uint8_t sum[HASH_SHA256_SIZE];

    add_part(h, path);
    add_part(h, it->rule);
    add_part(h, it->object);
    add_part(h, it->column);
    hash_sha256_add(h, digest->bytes, sizeof(digest->bytes));
    hash_sha256_end(h, sum);
    struct str key = { (const char *)sum, sizeof(sum) };
    uintptr_t n = (uintptr_t)map_get(r->seen, key) + 1;
    map_set(r->seen, key, (void *)n);
    it->occurrence = n;
    hash_hex(sum, 8, it->line_hash);
    uint64_t nth = n;
    hash_sha256_add(h, sum, sizeof(sum));
    hash_sha256_add(h, &nth, sizeof(nth));
    hash_sha256_end(h, sum);
    hash_hex(sum, 16, it->fingerprint);
}

/* --- items ------------------------------------------------------------------------------ */

static enum report_level
level_of(const struct pol_finding *f)
{
    if (f->is_observed)
        return REPORT_NOTE;
    switch (f->action) {
    case DG_ALLOW:
    case DG_NOTE:
        return REPORT_NOTE;
    case DG_WARN:
    case DG_REWRITE:
        return REPORT_WARNING;
    case DG_HOLD:
    case DG_REJECT:
        return REPORT_ERROR;
    }
    DG_ASSERT(false, "no action %d", (int)f->action);
    return REPORT_ERROR;
}

static const char *
object_of(struct arena *a, const struct pol_finding *f, const struct sql_facts *fact)
{
    const struct sql_object *o = f->object ? f->object
        : fact->n_objects                  ? &fact->objects[0]
                                           : NULL;
    char name[256];

    if (!o || !*o->name)
        return NULL;
    sql_object_name(o, name, sizeof(name));
    return arena_strdup(a, name);
}

static bool
is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct report_item *
find_same(const struct report *r, const struct report_item *it)
{
    const struct report_file *f = &r->files[it->file];

    for (size_t i = 0; i < f->n; i++) {
        struct report_item *other = &r->items[f->first + i];
        if (other->stmt == it->stmt && strcmp(other->rule, it->rule) == 0
            && memcmp(&other->at, &it->at, sizeof(it->at)) == 0
            && is_same_text(other->object, it->object)
            && is_same_text(other->column, it->column))
            return other;
    }
    return NULL;
}

static bool
is_stricter(const struct report_item *a, const struct report_item *b)
{
    if (a->is_observed != b->is_observed)
        return !a->is_observed;
    return a->action > b->action;
}

static void
count(struct report *r, const struct report_item *it, int by)
{
    r->n_failing += (size_t)(it->is_failing ? by : 0);
    r->n_level[it->level] += (size_t)by;
}

/* Of several objects the one that the finding is about. */
static const char *
what_of(struct arena *a, const struct pol_finding *f, const struct sql_facts *fact)
{
    char text[256];

    if (strcmp(fact->tag, "UNKNOWN") == 0)
        return "statement";
    if (f->object && *f->object->name && fact->n_objects > 1
        && f->object->kind == fact->objects[0].kind) {
        sql_object_name(f->object, text, sizeof(text));
        return arena_printf(a, "%s %s", fact->tag, text);
    }
    sql_facts_describe(fact, text, sizeof(text));
    return arena_strdup(a, text);
}

void
report_add(struct report *r, const struct pol_text *text, const struct hist_sent *sent,
    const struct pol_finding *finding, bool may_repeat)
{
    DG_ASSERT(r->n_files > 0, "a finding before its file");
    struct arena *a = r->arena;
    struct report_file *file = &r->files[r->n_files - 1];
    const struct sql_facts *fact = &text->tree->facts[finding->fact];
    const struct sql_stmt *stmt = &text->scan->stmts[fact->stmt];
    size_t pos = position_of(text, finding, fact, stmt);
    const char *from = sent ? hist_sent_file(sent, stmt->start) : NULL;
    bool is_other = from && strcmp(from, sent->files[0]) != 0;
    struct report_item it = {
        .file = r->n_files - 1,
        .name = is_other ? arena_strdup(a, from) : file->name,
        .path = is_other ? path_in_checkout(a, from) : file->path,
        .at = place_between(text, stmt, pos, end_of_token(text, stmt, pos)),
        .stmt_at = place_between(text, stmt, stmt->start, stmt->start + stmt->len),
        .stmt = fact->stmt + 1,
        .source = source_line(a, text, pos),
        .rule = arena_strdup(a, finding->rule),
        .command = arena_strdup(a, fact->tag),
        .what = what_of(a, finding, fact),
        .object = object_of(a, finding, fact),
        .column = arena_strdup(a, finding->column),
        .message = arena_strdup(a, finding->message),
        .detail = arena_strdup(a, finding->detail),
        .hint = arena_strdup(a, finding->hint),
        .known = pol_baseline_line(a, text, finding),
        .policy_file = arena_strdup(a, finding->origin_file),
        .policy_line = finding->origin_line,
        .action = finding->action,
        .level = level_of(finding),
        .is_observed = finding->is_observed,
        .is_failing = !finding->is_observed && !r->never_fails
            && finding->action >= r->fail_level,
    };
    struct report_item *same = may_repeat ? find_same(r, &it) : NULL;
    if (same && !is_stricter(&it, same))
        return;
    count(r, &it, 1);
    if (same) {
        count(r, same, -1);
        it.occurrence = same->occurrence;
        memcpy(it.line_hash, same->line_hash, sizeof(it.line_hash));
        memcpy(it.fingerprint, same->fingerprint, sizeof(it.fingerprint));
        *same = it;
        return;
    }
    identify(r, &it, it.path, &stmt->digest);
    MEM_GROW(r->items, r->n, r->cap);
    r->items[r->n++] = it;
    file->n++;
}

static int
by_place(const void *a, const void *b)
{
    const struct report_item *x = a, *y = b;

    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    int c = strcmp(x->rule, y->rule);
    return c ? c : (x->occurrence < y->occurrence ? -1 : x->occurrence > y->occurrence);
}

void
report_file_end(struct report *r)
{
    const struct report_file *f = &r->files[r->n_files - 1];

    if (f->n > 1)
        qsort(&r->items[f->first], f->n, sizeof(*r->items), by_place);
}

/* --- words ------------------------------------------------------------------------------ */

const char *
report_level_name(enum report_level level)
{
    static const char *const names[] = {
        [REPORT_NOTE] = "note",
        [REPORT_WARNING] = "warning",
        [REPORT_ERROR] = "error",
    };

    return names[level];
}

static void
put_count(struct buf *out, size_t n, const char *what, const char *after)
{
    buf_putf(out, "%zu %s%s%s", n, what, n == 1 ? "" : "s", after);
}

void
report_summary(const struct report *r, struct buf *out)
{
    put_count(out, r->n_files - r->n_trouble, "file", " checked, ");
    put_count(out, r->n_level[REPORT_ERROR], "error", ", ");
    put_count(out, r->n_level[REPORT_WARNING], "warning", ", ");
    put_count(out, r->n_level[REPORT_NOTE], "note", "");
    if (r->n_trouble) {
        buf_puts(out, ", ");
        put_count(out, r->n_trouble, "file", " not readable");
    }
}

void
report_put_plain(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t len = str_utf8_len(s.p + i, s.n - i);
        bool is_bad = !len || str_char_is_deceptive(str_utf8_char(s.p + i, len));

        if (s.p[i] == '\t')
            buf_put(out, "\t", 1);
        else if (is_bad)
            buf_puts(out, "\xef\xbf\xbd");
        else
            buf_put(out, s.p + i, len);
        i += len ? len : 1;
    }
}
