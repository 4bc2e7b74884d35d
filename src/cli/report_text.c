// SPDX-License-Identifier: ISC
/* For people and editors: file:line:column: severity: message [rule], as compilers write
 * it, then the line with what is meant underlined, why, and what to write instead. */
#include "cli/report.h"

#include <string.h>

#define MAX_SHOWN 100 /* characters of a source line */

struct style {
    const char *bold, *dim, *level[REPORT_N_LEVELS], *off;
};

static const struct style plain = { "", "", { "", "", "" }, "" };
static const struct style colours = {
    .bold = "\033[1m",
    .dim = "\033[2m",
    .level = { "\033[1;36m", "\033[1;35m", "\033[1;31m" },
    .off = "\033[0m",
};

static void
put_plain(struct buf *out, const char *s)
{
    report_put_plain(out, str_of(s));
}

/* The bytes of n characters from p on. */
static size_t
bytes_of(struct str s, size_t n_chars)
{
    size_t at = 0;

    for (size_t i = 0; i < n_chars && at < s.n; i++) {
        size_t len = str_utf8_len(s.p + at, s.n - at);
        at += len ? len : 1;
    }
    return at;
}

/* The source line, and below it ^~~~ with the line's own tabs before it, so that both move
 * alike. Of a long line the part around the place is shown. */
static void
put_source(struct buf *out, const struct report_item *it, const struct style *s)
{
    size_t column = (size_t)it->at.column - 1, skip = 0, width = 1;
    struct str line = str_of(it->source);

    if (!line.n)
        return;
    if (it->at.end_line > it->at.line)
        width = MAX_SHOWN;
    else if (it->at.end_column > it->at.column)
        width = (size_t)(it->at.end_column - it->at.column);
    if (column > MAX_SHOWN * 3 / 4)
        skip = column - MAX_SHOWN / 2;
    size_t cut = bytes_of(line, skip);
    struct str shown = { line.p + cut, line.n - cut };
    shown.n = bytes_of(shown, MAX_SHOWN);
    size_t n_before = bytes_of(shown, column - skip);
    size_t n_after = str_utf8_count(shown.p + n_before, shown.n - n_before);
    if (width > n_after)
        width = n_after ? n_after : 1;

    buf_putf(out, "%s%5d |%s %s", s->dim, it->at.line, s->off, skip ? "..." : "");
    report_put_plain(out, shown);
    buf_putf(out, "%s\n%s      |%s %s", cut + shown.n < line.n ? "..." : "", s->dim,
        s->off, skip ? "   " : "");
    for (size_t i = 0; i < n_before;) {
        size_t len = str_utf8_len(shown.p + i, shown.n - i);
        buf_puts(out, shown.p[i] == '\t' ? "\t" : " ");
        i += len ? len : 1;
    }
    buf_putf(out, "%s^", s->level[it->level]);
    for (size_t i = 1; i < width; i++)
        buf_puts(out, "~");
    buf_putf(out, "%s\n", s->off);
}

static void
put_item(struct buf *out, const struct report_item *it, const struct style *s)
{
    buf_puts(out, s->bold);
    put_plain(out, it->name);
    buf_putf(out, ":%d:%d:%s %s%s:%s ", it->at.line, it->at.column, s->off,
        s->level[it->level], report_level_name(it->level), s->off);
    buf_puts(out, s->bold);
    put_plain(out, it->what);
    buf_puts(out, ": ");
    put_plain(out, it->message);
    buf_putf(
        out, "%s [%s]%s\n", s->off, it->rule, it->is_observed ? " (observed)" : "");
    put_source(out, it, s);
    if (it->detail) {
        buf_putf(out, "%s      = why:%s ", s->dim, s->off);
        put_plain(out, it->detail);
        buf_puts(out, "\n");
    }
    if (it->hint) {
        buf_putf(out, "%s      = hint:%s ", s->dim, s->off);
        put_plain(out, it->hint);
        buf_puts(out, "\n");
    }
}

static void
write_text(const struct report *r, struct report_out *out)
{
    const struct style *s = r->is_color ? &colours : &plain;

    for (size_t i = 0; i < r->n; i++) {
        put_item(&out->buf, &r->items[i], s);
        report_flush(out);
    }
    report_summary(r, &out->buf);
    buf_puts(&out->buf, "\n");
    report_flush(out);
}

const struct report_writer report_text = { "text", write_text, false };
