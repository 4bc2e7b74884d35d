// SPDX-License-Identifier: ISC
/* Checks the chain of audit files; see audit.h. Everything is read once, in order, with
 * memory for one line and for the ids of open intents. */
#include "audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "audit/file.h"
#include "audit/line.h"
#include "audit/record.h"
#include "audit/scan.h"
#include "base/mem.h"

#define TORN_PATIENCE 50 /* looks at a line that a running gate is writing */
#define TORN_WAIT_US  20000

struct check {
    const char *file; /* being read */
    const char *anchor;
    struct aud_chain chain;
    bool has_begun;      /* a record was seen */
    struct map *intents; /* owned; open ones */
    struct aud_verify v;
    /* From the gap record that begins the next file: what follows the record with this
     * place in the chain was disowned. */
    struct aud_chain trusted;
    bool has_trusted;
    struct err *err;
};

static const char *const needed[] = {
    "@timestamp",
    "event.action",
    "event.code",
    "event.id",
};

static int
bad(const struct check *c, uint64_t line, const char *what)
{
    return err_set(c->err, -EBADMSG, "%s:%" PRIu64 ": %s", c->file, line, what);
}

static bool
is_hash(const struct aud_field *f)
{
    if (!f || f->type != AUD_T_STRING || f->raw.n != HASH_HEX_SIZE - 1)
        return false;
    for (size_t i = 0; i < f->raw.n; i++) {
        char c = f->raw.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

static int
check_fields(const struct check *c, const struct aud_line *l, uint64_t line)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(needed); i++) {
        const struct aud_field *f = aud_line_find(l, needed[i]);
        if (!f || f->type != AUD_T_STRING)
            return err_set(c->err, -EBADMSG, "%s:%" PRIu64 ": the record has no %s",
                c->file, line, needed[i]);
    }
    if (!is_hash(aud_line_find(l, "ddlgate.prev.hash")))
        return bad(c, line, "the record has no ddlgate.prev.hash");
    return 0;
}

/* Older files may be archived, so a chain may begin in the middle, but only where a file
 * does: with a record that the gate puts there. */
static int
check_first(struct check *c, const struct aud_line *l, uint64_t sequence,
    struct str prev, uint64_t line)
{
    if (sequence == 0)
        return bad(c, line, "event.sequence counts from 1");
    if (sequence == 1 && !str_eqz(prev, aud_chain_start.hash))
        return bad(c, line,
            "the first record of a chain must have a ddlgate.prev.hash of zeros");
    if (sequence > 1 && !aud_line_is(l, "event.action", "audit.rotated")
        && !aud_line_is(l, "event.action", "audit.gap"))
        return err_set(c->err, -EBADMSG,
            "%s:%" PRIu64 ": the chain begins with event.sequence %" PRIu64
            " and no audit.rotated record: records before it are missing",
            c->file, line, sequence);
    c->has_begun = true;
    c->v.first_sequence = sequence;
    return 0;
}

static int
check_place(struct check *c, const struct aud_line *l, uint64_t line)
{
    struct str prev = aud_line_find(l, "ddlgate.prev.hash")->raw;
    uint64_t sequence;

    if (aud_line_uint(l, "event.sequence", &sequence))
        return bad(c, line, "the record has no event.sequence");
    if (!c->has_begun) {
        int r = check_first(c, l, sequence, prev, line);
        if (r)
            return r;
    } else if (sequence != c->chain.sequence + 1) {
        return err_set(c->err, -EBADMSG,
            "%s:%" PRIu64 ": event.sequence is %" PRIu64 " where %" PRIu64
            " should follow: records are missing, swapped or added",
            c->file, line, sequence, c->chain.sequence + 1);
    } else if (!str_eqz(prev, c->chain.hash)) {
        return bad(c, line,
            "ddlgate.prev.hash is not that of the record before: one of the two was "
            "changed");
    }
    c->chain.sequence = sequence;
    return 0;
}

static int
check_line(struct check *c, struct str text, uint64_t line)
{
    struct aud_line l;
    const char *why;
    size_t at;

    if (aud_line_parse(text, &l, &why, &at))
        return err_set(c->err, -EBADMSG,
            "%s:%" PRIu64 ": no audit record: %s (byte %zu)", c->file, line, why,
            at + 1);
    int r = check_fields(c, &l, line);
    if (!r)
        r = check_place(c, &l, line);
    if (r)
        return r;
    aud_hash_line(text, c->chain.hash);
    if (c->anchor && strcmp(c->anchor, c->chain.hash) == 0)
        c->v.has_anchor = true;
    if (aud_line_is(&l, "event.action", "audit.gap"))
        c->v.gaps++;
    aud_intents_follow(c->intents, &l, STR(""));
    c->v.records++;
    return 0;
}

static bool
is_at_trusted(const struct check *c)
{
    return c->has_trusted && c->chain.sequence == c->trusted.sequence
        && strcmp(c->chain.hash, c->trusted.hash) == 0;
}

/* A gap record at a file's start whose `tail` is "untrusted" says up to where the file
 * before it can be believed. */
static void
read_trusted(const char *path, struct check *c)
{
    AUTO(aud_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(aud_reader_deinit) struct aud_reader r;
    struct aud_line l;
    struct str text;
    const char *why;
    size_t at;
    uint64_t sequence;

    aud_reader_init(&r, fd);
    c->has_trusted = false;
    if (fd < 0 || aud_reader_next(&r, &text) != AUD_READ_LINE
        || aud_line_parse(text, &l, &why, &at))
        return;
    const struct aud_field *prev = aud_line_find(&l, "ddlgate.prev.hash");
    if (!aud_line_is(&l, "event.action", "audit.gap")
        || !aud_line_is(&l, "ddlgate.audit.tail", "untrusted") || !is_hash(prev)
        || aud_line_uint(&l, "event.sequence", &sequence) || sequence == 0)
        return;
    c->trusted.sequence = sequence - 1;
    memcpy(c->trusted.hash, prev->raw.p, prev->raw.n);
    c->trusted.hash[prev->raw.n] = 0;
    c->has_trusted = true;
}

static int
count_untrusted(struct check *c, struct aud_reader *r)
{
    struct str text;
    int e;

    while ((e = aud_reader_next(r, &text)) == AUD_READ_LINE)
        c->v.untrusted++;
    c->v.untrusted += e == AUD_READ_TORN;
    return e < 0 && e != -EFBIG ? e : 0;
}

/* The next line; while a gate holds the file, a line without its end gets some time. */
static int
next_line(struct aud_reader *r, struct str *text)
{
    int e = aud_reader_next(r, text);

    for (int i = 0; e == AUD_READ_TORN && i < TORN_PATIENCE; i++) {
        if (!aud_file_is_live(r->fd))
            break;
        usleep(TORN_WAIT_US);
        e = aud_reader_next(r, text);
    }
    return e;
}

static int
check_lines(struct check *c, struct aud_reader *r)
{
    struct str text;
    int e = 0;

    while (!is_at_trusted(c)) {
        e = next_line(r, &text);
        if (e != AUD_READ_LINE)
            break;
        e = check_line(c, text, r->line);
        if (e)
            return e;
    }
    if (is_at_trusted(c))
        return count_untrusted(c, r);
    if (e == AUD_READ_TORN)
        return bad(c, r->line + 1, "the last line has no end: it was torn or cut");
    if (e == -EFBIG)
        return bad(c, r->line + 1, "the line is longer than an audit record can be");
    return e;
}

static int
check_file(struct check *c)
{
    AUTO(aud_fd) int fd = open(c->file, O_RDONLY | O_CLOEXEC);
    AUTO(aud_reader_deinit) struct aud_reader r;

    aud_reader_init(&r, fd);
    if (fd < 0)
        return err_errno(c->err, -errno, "%s", c->file);
    int e = check_lines(c, &r);
    if (e && e != -EBADMSG)
        return err_errno(c->err, e, "%s", c->file);
    c->v.files += !e;
    return e;
}

int
aud_verify_anchored(const char *const *files, size_t n, const char *anchor,
    struct aud_verify *out, struct err *err)
{
    AUTO(map_free) struct map *intents = map_new(mem_free);
    struct check c = {
        .anchor = anchor,
        .chain = aud_chain_start,
        .intents = intents,
        .err = err,
    };

    for (size_t i = 0; i < n; i++) {
        c.file = files[i];
        c.has_trusted = false;
        if (i + 1 < n)
            read_trusted(files[i + 1], &c);
        int r = check_file(&c);
        if (r)
            return r;
    }
    c.v.open_intents = map_count(intents);
    c.v.last_sequence = c.chain.sequence;
    memcpy(c.v.last_hash, c.chain.hash, sizeof(c.v.last_hash));
    *out = c.v;
    return 0;
}

int
aud_verify(const char *const *files, size_t n, struct aud_verify *out, struct err *err)
{
    return aud_verify_anchored(files, n, NULL, out, err);
}
