// SPDX-License-Identifier: ISC
/* Migrations are told apart by version, statements by digest and then by text. */
#include "cli/lockdiff.h"

#include "cli/report.h"

#include <string.h>

#define SHOWN 72 /* bytes of a statement */

static const struct hist_migration *
find(const struct hist_set *set, const struct hist_migration *like)
{
    for (size_t i = 0; set && i < set->n_all; i++) {
        const struct hist_migration *m = &set->migrations[i];
        if (m->is_down == like->is_down && strcmp(m->version, like->version) == 0)
            return m;
    }
    return NULL;
}

static void
put_statement(struct buf *out, const struct hist_migration *m, size_t i)
{
    char line[SHOWN + 1];
    size_t n = 0;

    if (i >= m->scan.n) {
        buf_puts(out, "nothing");
        return;
    }
    const struct sql_stmt *s = &m->scan.stmts[i];
    for (size_t k = 0; k < s->len && n < SHOWN; k++) {
        char c = m->text[s->start + k];
        bool is_blank = (unsigned char)c <= ' ';
        if (!is_blank || (n > 0 && line[n - 1] != ' '))
            line[n++] = is_blank ? ' ' : c;
    }
    report_put_plain(out, (struct str){ line, n });
    if (s->len > SHOWN)
        buf_puts(out, "...");
}

static bool
is_same(const struct hist_migration *a, const struct hist_migration *b, size_t i)
{
    return i < a->scan.n && i < b->scan.n
        && sql_digest_eq(&a->scan.stmts[i].digest, &b->scan.stmts[i].digest);
}

static bool
is_same_text(const struct hist_migration *a, const struct hist_migration *b)
{
    for (size_t i = 0; i < a->scan.n; i++) {
        const struct sql_stmt *s = &a->scan.stmts[i], *t = &b->scan.stmts[i];
        if (s->len != t->len
            || memcmp(a->text + s->start, b->text + t->start, s->len) != 0)
            return false;
    }
    return strcmp(a->name, b->name) == 0
        && strcmp(a->checksum ? a->checksum : "", b->checksum ? b->checksum : "") == 0;
}

static void
put_name(struct buf *out, char sign, const struct hist_migration *m)
{
    buf_putf(out, "  %c ", sign);
    report_put_plain(out, str_of(m->version));
    buf_puts(out, m->is_down ? ", rollback: " : ": ");
}

static void
compare(
    struct buf *out, const struct hist_migration *was, const struct hist_migration *is)
{
    size_t n = was->scan.n > is->scan.n ? was->scan.n : is->scan.n, i = 0;

    while (i < n && is_same(was, is, i))
        i++;
    if (i == n && is_same_text(was, is))
        return;
    put_name(out, '~', is);
    if (i == n) {
        buf_puts(
            out, "the same statements, but comments, white space, name or checksum\n");
        return;
    }
    buf_putf(out, "statement %zu was ", i + 1);
    put_statement(out, was, i);
    buf_puts(out, "\n      and is ");
    put_statement(out, is, i);
    buf_puts(out, "\n");
}

/* Do those that both have stand in the same order? */
static bool
is_in_order(const struct hist_set *old, const struct hist_set *fresh)
{
    size_t last = 0;

    for (size_t i = 0; i < fresh->n; i++) {
        const struct hist_migration *m = find(old, &fresh->migrations[i]);
        if (m && m->index < last)
            return false;
        last = m ? m->index : last;
    }
    return true;
}

void
lockdiff(const struct hist_set *old, const struct hist_set *fresh, struct buf *out)
{
    if (old && strcmp(hist_set_format(old), hist_set_format(fresh)) != 0)
        buf_putf(out, "  ~ the tool was %s and is %s\n", hist_set_format(old),
            hist_set_format(fresh));
    for (size_t i = 0; i < fresh->n_all; i++) {
        const struct hist_migration *m = &fresh->migrations[i], *was = find(old, m);
        if (was) {
            compare(out, was, m);
            continue;
        }
        put_name(out, '+', m);
        buf_putf(out, "new, %zu statement%s\n", m->scan.n, m->scan.n == 1 ? "" : "s");
    }
    for (size_t i = 0; old && i < old->n_all; i++) {
        const struct hist_migration *m = &old->migrations[i];
        if (find(fresh, m))
            continue;
        put_name(out, '-', m);
        buf_puts(out, "was not run\n");
    }
    if (old && !is_in_order(old, fresh))
        buf_puts(out, "  ~ the order of the migrations\n");
}
