// SPDX-License-Identifier: ISC
/* The INI reader; see ini.h. inih drives: it pulls lines from feed() and calls handle() for
 * each pair. Since its line, section and name buffers cut without an error, it never sees
 * what a person wrote: feed() takes the file apart strictly (encoding, comments,
 * continuations, includes), keeps the item whole, and gives inih a short line that stands
 * for it ("7 = 7" under "[3]"); handle() passes the item on. A number that does not come
 * back as it was sent is our bug, and asserted. */
#include "base/ini.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INI_MAX_LINE_BYTES 65536
#define INI_MAX_FILE       (16 << 20) /* bytes */
#define INI_MAX_FILES      1000       /* included, all together */
#define INI_SETTLE_MS      100
#define INI_SETTLE_TRIES   10

/* One open file. */
struct frame {
    const char *name; /* as opened; in the arena */
    char *id;         /* owned; the real path, or the name where there is none */
    char *memory;     /* owned, or NULL where the text is borrowed */
    struct str rest;
    int line;            /* of what was taken from rest last */
    unsigned n_sections; /* of the whole reading, when this file was opened */
};

struct reader {
    int (*fn)(void *ctx, const struct ini_item *item);
    void *ctx;
    bool settle;
    struct err *err;
    struct arena *arena; /* file and section names */
    struct frame frames[INI_MAX_DEPTH];
    size_t n_frames;
    unsigned n_files;
    const char *section; /* NULL before the first, and after an include that had some */
    unsigned n_sections;
    /* The item that inih is being told about. */
    struct ini_item item;
    char *key;        /* owned */
    struct buf value; /* terminated when the item is complete */
    unsigned serial;
    bool is_header_sent; /* "[n]", to be followed by the pair */
    int ret;             /* not 0: stop */
};

static void
frame_pop(struct reader *r)
{
    struct frame *f = &r->frames[--r->n_frames];

    /* What follows an include that opened sections must say where it belongs. */
    if (r->n_frames && r->n_sections != f->n_sections)
        r->section = NULL;
    mem_free(f->id);
    mem_free(f->memory);
}

static void
reader_deinit_p(struct reader *r)
{
    while (r->n_frames)
        frame_pop(r);
    mem_free(r->key);
    buf_deinit(&r->value);
    arena_free(r->arena);
}

/* A fault at the line that was taken last. */
#define FAULT(r, ...) fault(r, r->frames[r->n_frames - 1].line, __VA_ARGS__)

static int PRINTF_LIKE(3, 4) fault(struct reader *r, int line, const char *fmt, ...);

static int
fault(struct reader *r, int line, const char *fmt, ...)
{
    char text[sizeof(r->err->text)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(
        r->err, -EINVAL, "%s:%d: %s", r->frames[r->n_frames - 1].name, line, text);
}

/* Takes over memory. text: within memory, or borrowed. */
static void
frame_push(struct reader *r, const char *name, char *memory, struct str text)
{
    DG_ASSERT(r->n_frames < INI_MAX_DEPTH, "checked by the caller");
    char *id = realpath(name, NULL);
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = (struct str){ text.p + 3, text.n - 3 };
    r->frames[r->n_frames++] = (struct frame){
        .name = arena_strdup(r->arena, name),
        .id = id ? id : mem_strdup(name),
        .memory = memory,
        .rest = text,
        .n_sections = r->n_sections,
    };
}

static void
pause_ms(long ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* Reads until two readings, INI_SETTLE_MS apart, agree. */
static int
read_settled(const char *path, char **out, size_t *n, struct err *err)
{
    AUTO(mem_free) char *before = NULL;
    size_t n_before;

    int ret = fs_read(path, INI_MAX_FILE, &before, &n_before, err);
    if (ret)
        return ret;
    for (int i = 0; i < INI_SETTLE_TRIES; i++) {
        char *now;
        size_t n_now;
        pause_ms(INI_SETTLE_MS);
        ret = fs_read(path, INI_MAX_FILE, &now, &n_now, err);
        if (ret)
            return ret;
        bool is_same = n_now == n_before && memcmp(now, before, n_now) == 0;
        mem_free(before);
        before = now;
        n_before = n_now;
        if (is_same) {
            *out = before;
            *n = n_before;
            before = NULL;
            return 0;
        }
    }
    return err_set(err, -EAGAIN,
        "%s: file changes while it is read; write a new file and rename it over this one",
        path);
}

static int
open_file(struct reader *r, const char *path, struct err *err)
{
    char *text;
    size_t n;

    int ret = r->settle ? read_settled(path, &text, &n, err)
                        : fs_read(path, INI_MAX_FILE, &text, &n, err);
    if (ret)
        return ret;
    frame_push(r, path, text, (struct str){ text, n });
    return 0;
}

static int
check_bytes(struct reader *r, struct str line)
{
    for (size_t i = 0; i < line.n;) {
        size_t len = str_utf8_len(line.p + i, line.n - i);
        unsigned char c = (unsigned char)line.p[i];
        if (!len)
            return FAULT(r,
                "byte 0x%02x in column %zu is no valid UTF-8; save the file as UTF-8",
                c, i + 1);
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return FAULT(
                r, "control character 0x%02x in column %zu; remove it", c, i + 1);
        i += len;
    }
    return 0;
}

/* Takes one line, without its end, off the file on top: 1, 0 at its end, or an error. */
static int
next_line(struct reader *r, struct str *line)
{
    struct frame *f = &r->frames[r->n_frames - 1];
    struct str s = f->rest;

    if (!s.n)
        return 0;
    const char *end = memchr(s.p, '\n', s.n);
    f->line++;
    if (end)
        s.n = (size_t)(end - s.p);
    f->rest.p += s.n + (end ? 1 : 0);
    f->rest.n -= s.n + (end ? 1 : 0);
    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    if (s.n > INI_MAX_LINE_BYTES)
        return FAULT(r, "line is longer than %d bytes; continue it on indented lines",
            INI_MAX_LINE_BYTES);
    int ret = check_bytes(r, s);
    *line = s;
    return ret ? ret : 1;
}

static bool
is_comment(struct str line)
{
    return line.n && (line.p[0] == ';' || line.p[0] == '#');
}

static bool
is_indented(struct str line)
{
    return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

static int
value_add(struct reader *r, struct str part)
{
    bool is_first = buf_len(&r->value) == 0;
    int ret = is_first || !part.n ? 0 : buf_addc(&r->value, ' ');

    if (!ret)
        ret = buf_add(&r->value, part.p, part.n);
    if (ret == BUF_E_FULL)
        return FAULT(
            r, "value of \"%s\" is longer than %d bytes", r->key, INI_MAX_VALUE);
    return ret;
}

/* Adds the indented lines that follow to the value; gives back the line after them. */
static int
take_continuations(struct reader *r)
{
    struct frame *f = &r->frames[r->n_frames - 1];

    for (;;) {
        struct str line, back = f->rest;
        int line_back = f->line;
        int ret = next_line(r, &line);
        if (ret <= 0)
            return ret;
        if (is_comment(line))
            continue;
        struct str part = str_trim(line);
        if (!part.n || !is_indented(line)) {
            f->rest = back;
            f->line = line_back;
            return 0;
        }
        if (is_comment(part))
            return FAULT(r, "comment must start in the first column");
        ret = value_add(r, part);
        if (ret)
            return ret;
    }
}

static int
take_key(struct reader *r, struct str line)
{
    const char *equals = memchr(line.p, '=', line.n);
    size_t n = equals ? (size_t)(equals - line.p) : line.n;
    struct str key = str_trim((struct str){ line.p, n });

    if (!equals)
        return FAULT(r,
            "\"%.*s\" is no section, key, comment or %%include; write key = value",
            (int)(key.n < 60 ? key.n : 60), key.p);
    if (!key.n)
        return FAULT(r, "no key before the =; write key = value");
    if (key.n > INI_MAX_KEY)
        return FAULT(r, "key is longer than %d bytes", INI_MAX_KEY);
    if (!r->section)
        return FAULT(r,
            "key \"%.*s\" is outside a section; put a [section] line before it",
            (int)key.n, key.p);
    mem_free(r->key);
    r->key = mem_strndup(key.p, key.n);
    int line_no = r->frames[r->n_frames - 1].line;
    int ret = value_add(r, str_trim((struct str){ equals + 1, line.n - n - 1 }));
    if (!ret)
        ret = take_continuations(r);
    if (ret)
        return ret;
    r->item.section = r->section;
    r->item.key = r->key;
    r->item.value = buf_cstr(&r->value);
    r->item.line = line_no;
    return 1;
}

static int
take_section(struct reader *r, struct str line)
{
    line = str_trim(line);
    const char *close = memchr(line.p, ']', line.n);
    if (!close)
        return FAULT(r, "section has no closing ]; write [name]");
    size_t n = (size_t)(close - line.p);
    if (n + 1 != line.n)
        return FAULT(
            r, "text after the section's ]; a comment needs a line of its own");
    struct str name = str_trim((struct str){ line.p + 1, n - 1 });
    if (!name.n)
        return FAULT(r, "section has no name; write [name]");
    if (name.n > INI_MAX_SECTION)
        return FAULT(r, "section name is longer than %d bytes", INI_MAX_SECTION);
    r->section = arena_strndup(r->arena, name.p, name.n);
    r->n_sections++;
    r->item.section = r->section;
    r->item.key = r->item.value = NULL;
    r->item.line = r->frames[r->n_frames - 1].line;
    return 1;
}

static int
take_include(struct reader *r, struct str line)
{
    static const struct str word = { "%include", 8 };
    struct err why = { "" };

    if (line.n < word.n || !str_eq((struct str){ line.p, word.n }, word)
        || (line.n > word.n && !is_indented((struct str){ line.p + word.n, 1 })))
        return FAULT(r, "unknown directive; the only one is %%include FILE");
    struct str name = str_trim((struct str){ line.p + word.n, line.n - word.n });
    if (!name.n)
        return FAULT(r, "%%include names no file; write %%include FILE");
    AUTO(mem_free) char *given = mem_strndup(name.p, name.n);
    AUTO(mem_free) char *path = fs_relative_to(r->frames[r->n_frames - 1].name, given);
    AUTO(mem_free) char *id = realpath(path, NULL);
    for (size_t i = 0; id && i < r->n_frames; i++)
        if (strcmp(id, r->frames[i].id) == 0)
            return FAULT(r, "%%include %s closes a loop; remove it", given);
    if (r->n_frames == INI_MAX_DEPTH)
        return FAULT(
            r, "%%include %s goes more than %d files deep", given, INI_MAX_DEPTH);
    if (++r->n_files > INI_MAX_FILES)
        return FAULT(r, "%%include %s is one of more than %d", given, INI_MAX_FILES);
    if (open_file(r, path, &why))
        return FAULT(r, "%%include can't be read: %s", why.text);
    return 0;
}

/* What one line of the file on top stands for: 1 an item, 0 nothing, or an error. */
static int
take_line(struct reader *r, struct str line)
{
    struct str text = str_trim(line);

    if (!text.n || is_comment(line))
        return 0;
    if (is_indented(line) && is_comment(text))
        return FAULT(r, "comment must start in the first column");
    if (is_indented(line))
        return FAULT(
            r, "indented line continues no value; start it in the first column");
    if (line.p[0] == '%')
        return take_include(r, line);
    return line.p[0] == '[' ? take_section(r, line) : take_key(r, line);
}

/* 1 and r->item, 0 at the end of everything, or an error. */
static int
next_item(struct reader *r)
{
    buf_reset(&r->value);
    while (r->n_frames) {
        struct str line;
        r->item.file = r->frames[r->n_frames - 1].name;
        int ret = next_line(r, &line);
        if (ret == 0) {
            frame_pop(r);
            continue;
        }
        if (ret > 0)
            ret = take_line(r, line);
        if (ret)
            return ret;
    }
    return 0;
}

/* inih's reader: as fgets. */
static char *
feed(char *out, int size, void *stream)
{
    struct reader *r = stream;

    /* Whatever its sign: the callback may have stopped us with a value of its own. */
    if (r->ret)
        return NULL;
    if (r->is_header_sent) {
        r->is_header_sent = false;
    } else {
        int ret = next_item(r);
        if (ret <= 0) {
            r->ret = ret;
            return NULL;
        }
        r->serial++;
        if (!r->item.key) {
            r->is_header_sent = true;
            snprintf(out, (size_t)size, "[%u]\n", r->n_sections);
            return out;
        }
    }
    snprintf(out, (size_t)size, "%u = %u\n", r->serial, r->serial);
    return out;
}

/* inih's handler: 1 to go on. inih itself goes on in any case; feed() ends it. */
static int
handle(void *user, const char *section, const char *name, const char *value)
{
    struct reader *r = user;
    char serial[16], number[16];

    snprintf(serial, sizeof(serial), "%u", r->serial);
    snprintf(number, sizeof(number), "%u", r->n_sections);
    DG_ASSERT(strcmp(section, number) == 0 && strcmp(name, serial) == 0
            && strcmp(value, serial) == 0,
        "inih read [%s] %s = %s", section, name, value);
    r->ret = r->fn(r->ctx, &r->item);
    return r->ret == 0;
}

static int
run(struct reader *r)
{
    int bad_line = ini_parse_stream(feed, r, handle, r);

    DG_ASSERT(bad_line >= 0 && (!bad_line || r->ret), "inih failed: %d", bad_line);
    return r->ret;
}

#define READER_INIT(fn_, ctx_, err_)                                     \
    {                                                                    \
        .fn = (fn_), .ctx = (ctx_), .err = (err_), .arena = arena_new(), \
        .value = BUF_INIT(INI_MAX_VALUE)                                 \
    }

int
ini_read(const char *path, bool settle,
    int (*fn)(void *ctx, const struct ini_item *item), void *ctx, struct err *err)
{
    AUTO(reader_deinit) struct reader r = READER_INIT(fn, ctx, err);

    r.settle = settle;
    int ret = open_file(&r, path, err);
    return ret ? ret : run(&r);
}

int
ini_read_text(const char *name, const char *text, size_t n,
    int (*fn)(void *ctx, const struct ini_item *item), void *ctx, struct err *err)
{
    AUTO(reader_deinit) struct reader r = READER_INIT(fn, ctx, err);

    frame_push(&r, name, NULL, (struct str){ text, n });
    return run(&r);
}
