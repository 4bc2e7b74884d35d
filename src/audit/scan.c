// SPDX-License-Identifier: ISC
/* Reads a file's state at start; see scan.h. */
#include "audit/scan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audit/file.h"
#include "audit/when.h"
#include "base/mem.h"

static bool
is_final_outcome(const struct aud_line *l)
{
    return aud_line_is(l, "event.action", "ddl.outcome")
        && !aud_line_is(l, "ddlgate.outcome", "executed")
        && aud_line_find(l, "ddlgate.outcome");
}

static void
open_listed(struct map *open, struct str rest)
{
    struct str raw;

    while (aud_line_item(&rest, &raw)) {
        AUTO(buf_deinit) struct buf id = BUF_INIT(raw.n + 4);
        aud_line_unescape(raw, &id);
        struct str key = { buf_cstr(&id), buf_len(&id) };
        if (!map_get(open, key))
            map_set(open, key, mem_strdup(""));
    }
}

void
aud_intents_follow(struct map *open, const struct aud_line *l, struct str text)
{
    const struct aud_field *f = aud_line_find(l, "ddlgate.audit.open_intents");
    if (f && f->type == AUD_T_STRINGS)
        open_listed(open, f->raw);
    f = aud_line_find(l, "ddlgate.intent.id");
    if (!f || f->type != AUD_T_STRING)
        return;
    AUTO(buf_deinit) struct buf id = BUF_INIT(f->raw.n + 4);
    aud_line_unescape(f->raw, &id);
    struct str key = { buf_cstr(&id), buf_len(&id) };
    if (aud_line_is(l, "event.action", "ddl.intent"))
        map_set(open, key, mem_strndup(text.p, text.n));
    else if (is_final_outcome(l))
        map_remove(open, key);
}

/* The chain's end at a line; false when it can't be read as a record. */
static bool
read_place(struct str line, struct aud_scan *s)
{
    struct aud_line l;
    const char *why;
    size_t at;
    uint64_t sequence, pid;

    if (aud_line_parse(line, &l, &why, &at)
        || aud_line_uint(&l, "event.sequence", &sequence))
        return false;
    s->chain.sequence = sequence;
    aud_hash_line(line, s->chain.hash);
    s->pid = aud_line_uint(&l, "process.pid", &pid) ? 0 : (int64_t)pid;
    return true;
}

static void
read_first(const struct aud_line *l, struct aud_scan *s)
{
    const struct aud_field *time = aud_line_find(l, "@timestamp");
    const struct aud_field *prev = aud_line_find(l, "ddlgate.prev.hash");

    if (time && aud_when_parse(time->raw, 0, &s->born_us))
        s->born_us = 0;
    if (prev && prev->raw.n == HASH_HEX_SIZE - 1)
        memcpy(s->first_prev, prev->raw.p, prev->raw.n);
}

static bool
speaks_of_intents(struct str line)
{
    static const char one[] = "ddlgate.intent.id",
                      many[] = "ddlgate.audit.open_intents";

    return memmem(line.p, line.n, one, sizeof(one) - 1)
        || memmem(line.p, line.n, many, sizeof(many) - 1);
}

/* The torn first line of an audit file, and not a text file that has no newline? After a
 * power cut the bytes may also be zeros. */
static bool
looks_like_record(struct str torn)
{
    static const char start[] = "{\"@timestamp\":";
    size_t n = torn.n < sizeof(start) - 1 ? torn.n : sizeof(start) - 1;

    return memcmp(torn.p, start, n) == 0 || torn.p[0] == 0;
}

/* One pass. Every line is parsed when `reads_all`, else only where it matters; the last
 * one is kept in `last`. */
static int
pass(int fd, bool reads_all, struct aud_scan *s, struct buf *last)
{
    AUTO(aud_reader_deinit) struct aud_reader r;
    struct str line;
    struct aud_line l;
    const char *why;
    size_t at;
    int e;

    aud_reader_init(&r, fd);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    while ((e = aud_reader_next(&r, &line)) == AUD_READ_LINE) {
        if ((reads_all || r.line == 1 || speaks_of_intents(line))
            && !aud_line_parse(line, &l, &why, &at)) {
            if (r.line == 1)
                read_first(&l, s);
            aud_intents_follow(s->open_intents, &l, line);
        }
        if (reads_all)
            read_place(line, s);
        buf_reset(last);
        if (buf_add(last, line.p, line.n))
            return -ENOMEM;
    }
    if (e < 0)
        return e;
    s->torn_bytes = e == AUD_READ_TORN ? line.n : 0;
    s->is_foreign = r.line == 0 && e == AUD_READ_TORN && !looks_like_record(line);
    s->size = r.next;
    s->lines = r.line;
    return 0;
}

int
aud_scan_fd(int fd, struct aud_scan *out)
{
    AUTO(buf_deinit) struct buf last = BUF_INIT(2 * AUD_MAX_LINE);
    AUTO(aud_scan_deinit)
    struct aud_scan s = { .chain = aud_chain_start, .open_intents = map_new(mem_free) };

    int r = pass(fd, false, &s, &last);
    if (r)
        return r;
    if (s.lines > 0
        && !read_place((struct str){ buf_cstr(&last), buf_len(&last) }, &s)) {
        s.is_end_damaged = true;
        r = pass(fd, true, &s, &last);
        if (r)
            return r;
        s.is_foreign = s.chain.sequence == 0;
    }
    *out = s;
    s.open_intents = NULL;
    return 0;
}

void
aud_scan_deinit(struct aud_scan *s)
{
    map_free(s->open_intents);
    s->open_intents = NULL;
}
