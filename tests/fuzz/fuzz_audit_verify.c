// SPDX-License-Identifier: ISC
/* Any bytes as an audit file, and as the fields of a record. The first byte chooses:
 *   even: the file is verified and scanned for repair. What the verifier believes, the
 *         scan must read alike; what it repairs must verify.
 *   odd:  the bytes become a record's texts; the line must be read back, each text as it
 *         was (but for invalid UTF-8). */
#include "audit/audit.h"
#include "audit/line.h"
#include "audit/record.h"
#include "audit/scan.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_fields(struct str text)
{
    struct aud_line l;
    const char *why;
    size_t at;
    struct str item;

    if (aud_line_parse(text, &l, &why, &at)) {
        DG_ASSERT(why && at <= text.n, "no reason at byte %zu", at);
        return;
    }
    for (size_t i = 0; i < l.n; i++) {
        const struct aud_field *f = &l.fields[i];
        AUTO(buf_deinit) struct buf b = BUF_INIT(f->raw.n + 4);
        if (f->type == AUD_T_STRING) {
            aud_line_unescape(f->raw, &b);
            DG_ASSERT(str_utf8_count(b.data, buf_len(&b)) <= f->raw.n, "text grew");
        } else if (f->type == AUD_T_STRINGS) {
            for (struct str rest = f->raw; aud_line_item(&rest, &item);)
                DG_ASSERT(rest.n < f->raw.n, "no progress in an array");
        }
    }
}

static void
check_file(const uint8_t *data, size_t size)
{
    AUTO(aud_scan_deinit) struct aud_scan s = { 0 };
    struct aud_verify v;
    struct err err = { 0 };
    char path[64];
    int fd = memfd_create("audit", MFD_CLOEXEC);

    DG_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory file");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const char *const files[] = { path, path };
    int r = aud_verify(files, 1, &v, &err);
    DG_ASSERT(r == 0 || (r == -EBADMSG && err.text[0]), "verify returned %d", r);
    int e = aud_scan_fd(fd, &s);
    DG_ASSERT(e == 0, "scan returned %d", e);
    DG_ASSERT(s.size + s.torn_bytes == size, "scan lost bytes");
    if (r == 0) {
        DG_ASSERT(s.lines == v.records && s.torn_bytes == 0,
            "lines: %llu, records: %llu", (unsigned long long)s.lines,
            (unsigned long long)v.records);
        DG_ASSERT(strcmp(s.chain.hash, v.last_hash) == 0, "hashes differ");
        DG_ASSERT(map_count(s.open_intents) == v.open_intents, "intents differ");
        DG_ASSERT(
            v.records == 0 || aud_verify(files, 2, &v, &err) != 0, "twice is fine");
    }
    close(fd);
}

static void
check_text(const struct aud_line *l, const char *key, const char *want)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(AUD_MAX_LINE);
    size_t n = strlen(want);

    for (size_t i = 0, len; i < n; i += len) {
        len = str_utf8_len(want + i, n - i);
        if (!len)
            return; /* invalid UTF-8 is replaced */
    }
    if (n == 0)
        return; /* empty texts are left out */
    DG_ASSERT(aud_line_text(l, key, &b), "%s is not there", key);
    DG_ASSERT(strcmp(buf_cstr(&b), want) == 0, "%s is another", key);
}

static void
check_record(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit)
    struct buf head = BUF_INIT(AUD_MAX_LINE), line = BUF_INIT(AUD_MAX_LINE);
    AUTO(mem_free) char *a = mem_strndup((const char *)data, size / 2);
    AUTO(mem_free)
    char *b = mem_strndup((const char *)data + size / 2, size - size / 2);
    struct aud_chain chain = aud_chain_start;
    struct aud_line l;
    const char *why = "";
    size_t at;

    if (size / 2 > AUD_MAX_SHORT)
        a[AUD_MAX_SHORT] = 0;
    const struct aud_rec rec = {
        .event = AUD_INTENT,
        .user = a,
        .command = a,
        .object = b,
        .text = b,
        .findings = b,
        .application_name = a,
    };
    aud_rec_render(&head, &rec, NULL, a, 0);
    aud_chain_add(&chain, "x", (struct str){ buf_ptr(&head), buf_len(&head) }, &line);
    struct str text = { buf_ptr(&line), buf_len(&line) - 1 };
    DG_ASSERT(!memchr(text.p, '\n', text.n), "a record of two lines");
    int r = aud_line_parse(text, &l, &why, &at);
    DG_ASSERT(r == 0, "own record can't be read: %s at %zu", why, at);
    if (str_utf8_count(a, strlen(a)) == strlen(a)) /* cut at a character's end */
        check_text(&l, "user.name", a);
    if (size < AUD_MAX_LONG)
        check_text(&l, "db.collection.name", b);
    if (*b)
        check_text(&l, "db.query.text", b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2) {
        check_record(data + 1, size - 1);
    } else {
        check_file(data + 1, size - 1);
        check_fields((struct str){ (const char *)data + 1, size - 1 });
    }
    return 0;
}
