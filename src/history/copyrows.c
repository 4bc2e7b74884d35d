// SPDX-License-Identifier: ISC
/* The rows of a COPY FROM STDIN as an INSERT of parameters, so that they are judged by the
 * same code: text, CSV and binary format (manual, COPY, "File Formats"). What the server
 * would take otherwise than this reads it is an error: the rows count as unknown then. */
#include "history/source.h"

#include <errno.h>
#include <string.h>

#define MAX_FIELDS 64 /* of one row; no history table has as many */
#define MAX_VALUES ((size_t)1 << 20)

struct reader {
    struct arena *a;
    const struct sql_copy *form;
    const char *p, *end;
    struct err *err;
    struct hist_bind *binds; /* owned */
    size_t n, cap;
    size_t n_fields, row_from; /* of the first row; where the row at hand begins */
    char *field;               /* room for the longest one, in the arena */
    size_t n_rows;
};

static int
unreadable(struct reader *r, const char *what)
{
    return err_set(r->err, -EINVAL, "row %zu of the COPY data %s", r->n_rows + 1, what);
}

static int
add_field(struct reader *r, const char *p, size_t n, bool is_null)
{
    if (r->n - r->row_from >= MAX_FIELDS || r->n >= MAX_VALUES)
        return unreadable(r, "has more fields than a history table");
    MEM_GROW(r->binds, r->n, r->cap);
    r->binds[r->n++] = (struct hist_bind){
        .p = is_null ? NULL : arena_strndup(r->a, p, n),
        .n = is_null ? 0 : n,
        .is_binary = r->form->format == SQL_COPY_BINARY,
    };
    return 0;
}

static int
end_row(struct reader *r)
{
    size_t n = r->n - r->row_from;

    if (r->n_rows == 0)
        r->n_fields = n;
    if (n != r->n_fields || n == 0)
        return unreadable(r, "has another number of fields than the first");
    r->row_from = r->n;
    r->n_rows++;
    return 0;
}

/* --- text ------------------------------------------------------------------------------ */

static int
digit_of(char c, int base)
{
    int v = c >= '0' && c <= '9'             ? c - '0'
        : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                             : 99;

    return v < base ? v : -1;
}

/* Up to `most` digits of a character's code. */
static char
read_code(const char **p, const char *end, int base, int most)
{
    int v = 0;

    for (int i = 0; i < most && *p < end && digit_of(**p, base) >= 0; i++)
        v = v * base + digit_of(*(*p)++, base);
    return (char)v;
}

/* What stands behind a backslash; p is behind it. */
static char
unescape(const char **p, const char *end)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    char c = *(*p)++;
    const char *at = c ? strchr(from, c) : NULL;

    if (at)
        return to[at - from];
    if (c == 'x' && *p < end && digit_of(**p, 16) >= 0)
        return read_code(p, end, 16, 2);
    if (digit_of(c, 8) >= 0) {
        (*p)--;
        return read_code(p, end, 8, 3);
    }
    return c;
}

static int
text_field(struct reader *r, const char *p, size_t n)
{
    size_t len = strlen(r->form->null), out = 0;

    if (n == len && memcmp(p, r->form->null, n) == 0)
        return add_field(r, NULL, 0, true);
    for (const char *end = p + n; p < end;) {
        char c = *p++;
        if (c == '\\' && p < end)
            c = unescape(&p, end);
        r->field[out++] = c;
    }
    return add_field(r, r->field, out, false);
}

static int
text_line(struct reader *r, const char *p, size_t n)
{
    size_t from = 0;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && p[i] == '\\') {
            i++; /* whatever comes, it is data */
            continue;
        }
        if (i < n && p[i] != r->form->delimiter)
            continue;
        int err = text_field(r, p + from, i - from);
        if (err)
            return err;
        from = i + 1;
    }
    return end_row(r);
}

/* The end of the line at hand; a newline behind a backslash is data. */
static const char *
text_line_end(const char *p, const char *end)
{
    for (; p < end && *p != '\n'; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
    }
    return p < end ? p : end;
}

static int
read_text(struct reader *r)
{
    bool is_header = r->form->has_header;

    while (r->p < r->end) {
        const char *nl = text_line_end(r->p, r->end), *line = r->p;
        size_t n = (size_t)(nl - line);
        r->p = nl < r->end ? nl + 1 : nl;
        if (n > 0 && line[n - 1] == '\r')
            n--;
        if (memchr(line, '\r', n))
            return unreadable(r, "has a carriage return in it");
        if (n == 2 && memcmp(line, "\\.", 2) == 0) {
            if (r->p < r->end)
                return unreadable(r, "stands behind the end of the data");
            return 0;
        }
        int err = is_header ? 0 : text_line(r, line, n);
        if (err)
            return err;
        is_header = false;
    }
    return 0;
}

/* --- CSV ------------------------------------------------------------------------------- */

/* One field from r->p on; leaves r->p at what ends it. */
static int
csv_field(struct reader *r, bool is_kept)
{
    const struct sql_copy *f = r->form;
    bool is_quoted = false, in_quotes = false;
    size_t n = 0;

    for (; r->p < r->end; r->p++) {
        char c = *r->p, next = r->p + 1 < r->end ? r->p[1] : 0;
        if (in_quotes && c == f->escape && (next == f->quote || next == f->escape)
            && r->p + 1 < r->end) {
            c = next;
            r->p++;
        } else if (c == f->quote) {
            in_quotes = !in_quotes;
            is_quoted = true;
            continue;
        } else if (!in_quotes && (c == f->delimiter || c == '\n')) {
            break;
        } else if (!in_quotes && c == '\r') {
            if (next == '\n')
                continue;
            return unreadable(r, "has a carriage return in it");
        }
        r->field[n++] = c;
    }
    if (in_quotes)
        return unreadable(r, "has a quote that does not end");
    /* The end of the data to servers before 18, a value to later ones. */
    if (n == 2 && memcmp(r->field, "\\.", 2) == 0)
        return unreadable(r, "may be the end of the data or not");
    size_t len = strlen(f->null);
    bool is_null = !is_quoted && n == len && memcmp(r->field, f->null, n) == 0;
    return is_kept ? add_field(r, r->field, n, is_null) : 0;
}

static int
read_csv(struct reader *r)
{
    bool is_header = r->form->has_header;

    while (r->p < r->end) {
        int err;
        while ((err = csv_field(r, !is_header)) == 0 && r->p < r->end
            && *r->p == r->form->delimiter)
            r->p++;
        if (!err && !is_header)
            err = end_row(r);
        if (err)
            return err;
        r->p += r->p < r->end;
        is_header = false;
    }
    return 0;
}

/* --- binary ---------------------------------------------------------------------------- */

static bool
take_number(struct reader *r, size_t size, int64_t *out)
{
    uint64_t v = 0;

    if ((size_t)(r->end - r->p) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        v = v << 8 | (unsigned char)*r->p++;
    *out = size == 2 ? (int16_t)(uint16_t)v : (int32_t)(uint32_t)v;
    return true;
}

static int
binary_row(struct reader *r, int64_t n_fields)
{
    for (int64_t i = 0; i < n_fields; i++) {
        int64_t n;
        if (!take_number(r, 4, &n) || n < -1 || n > r->end - r->p)
            return unreadable(r, "breaks off");
        int err = add_field(r, r->p, n < 0 ? 0 : (size_t)n, n < 0);
        if (err)
            return err;
        r->p += n < 0 ? 0 : n;
    }
    return end_row(r);
}

static int
read_binary(struct reader *r)
{
    static const char signature[11] = "PGCOPY\n\377\r\n";
    int64_t flags, more, n;

    if (r->end - r->p < 11 || memcmp(r->p, signature, 11) != 0)
        return unreadable(r, "lacks the signature of the binary format");
    r->p += 11;
    if (!take_number(r, 4, &flags) || flags != 0 || !take_number(r, 4, &more)
        || more != 0)
        return unreadable(r, "has flags or a header that are not known");
    for (;;) {
        if (!take_number(r, 2, &n))
            return unreadable(r, "breaks off");
        if (n == -1)
            return r->p == r->end ? 0
                                  : unreadable(r, "stands behind the end of the data");
        int err = binary_row(r, n);
        if (err)
            return err;
    }
}

/* --- as an INSERT ---------------------------------------------------------------------- */

static void
reader_deinit_p(struct reader *r)
{
    mem_free(r->binds);
}

static const struct sql_facts *
as_insert(const struct reader *r, const struct sql_facts *f)
{
    struct sql_facts *out = arena_alloc(r->a, sizeof(*out));
    struct sql_write *w = arena_alloc(r->a, sizeof(*w));

    *out = *f;
    *w = (struct sql_write){
        .op = SQL_WRITE_INSERT,
        .schema = f->write->schema,
        .table = f->write->table,
        .values = arena_alloc(r->a, (r->n + 1) * sizeof(*w->values)),
        .n_values = r->n,
        .n_rows = r->n_rows,
    };
    for (size_t i = 0; i < r->n; i++) {
        size_t col = i % r->n_fields;
        w->values[i] = (struct sql_value){ .param = (int)i + 1,
            .column = col < f->write->n_values ? f->write->values[col].column : NULL };
    }
    out->write = w;
    return out;
}

int
hist_copy_rows(struct arena *a, const struct sql_facts *f, struct str data,
    struct hist_copy *out, struct err *err)
{
    AUTO(reader_deinit)
    struct reader r = {
        .a = a, .form = f->write->copy, .p = data.p, .end = data.p + data.n, .err = err
    };
    int ret = -EINVAL;

    r.field = arena_alloc(a, data.n + 1);
    switch (r.form->format) {
    case SQL_COPY_TEXT:
        ret = read_text(&r);
        break;
    case SQL_COPY_CSV:
        ret = read_csv(&r);
        break;
    case SQL_COPY_BINARY:
        ret = read_binary(&r);
        break;
    }
    if (ret)
        return ret;
    if (f->write->n_values && r.n_rows && f->write->n_values != r.n_fields)
        return err_set(err, -EINVAL, "the COPY data has other columns than its list");
    struct hist_bind *binds = arena_alloc(a, (r.n + 1) * sizeof(*binds));
    if (r.n)
        memcpy(binds, r.binds, r.n * sizeof(*binds));
    *out = (struct hist_copy){ .binds = binds, .n_binds = r.n, .n_rows = r.n_rows };
    if (r.n_rows)
        out->facts = as_insert(&r, f);
    return 0;
}
