// SPDX-License-Identifier: ISC
/* Reading, writing and asking an attestation; see attest.h for the file. */
#include "history/attest.h"

#include "base/fs.h"
#include "history/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LINE "ddlgate-attest 1"
#define MAX_BYTES  ((size_t)64 << 20)
#define DIGEST     "sha256:"

static const struct {
    const char *word;
    unsigned bit;
} words[] = {
    { "verified", HIST_VERIFIED },
    { "reversible", HIST_REVERSIBLE },
    { "idempotent", HIST_IDEMPOTENT },
};

const char *
hist_tested_text(unsigned tested, char out[HIST_MAX_TESTED])
{
    size_t n = 0;

    out[0] = 0;
    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++) {
        if (tested & words[i].bit)
            n += (size_t)snprintf(
                out + n, HIST_MAX_TESTED - n, "%s%s", n ? ", " : "", words[i].word);
    }
    if (!n)
        snprintf(out, HIST_MAX_TESTED, "nothing");
    return out;
}

int
hist_tested_parse(struct str list, unsigned *out, struct str *bad)
{
    unsigned tested = 0;
    struct str item;

    while (str_next_item(&list, &item)) {
        unsigned bit = 0;
        for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++)
            bit |= str_eqz(item, words[i].word) ? words[i].bit : 0;
        if (!bit) {
            *bad = item;
            return -EINVAL;
        }
        tested |= bit;
    }
    *out = tested;
    return 0;
}

struct hist_attest {
    struct ref ref;
    struct arena *arena; /* owned */
    struct map *by_key;  /* owned; values are of the arena */
};

static void
attest_free(struct ref *ref)
{
    struct hist_attest *a = (struct hist_attest *)(void *)ref;

    map_free(a->by_key);
    arena_free(a->arena);
    mem_free(a);
}

static void
attest_drop(struct hist_attest *a)
{
    ref_drop(a);
}
CLEANUP_DEFINE(struct hist_attest *, attest_drop)

const struct hist_attested *
hist_attest_find(const struct hist_attest *a, const char *key)
{
    return a ? map_get(a->by_key, str_of(key)) : NULL;
}

/* --- reading ---------------------------------------------------------------------------- */

struct parser {
    struct hist_attest *a;
    const char *path;
    struct err *err;
    struct str rest;
    int line;
    struct hash_sha256 *seal;   /* owned by the caller */
    struct hist_attested *open; /* the paragraph under way; NULL: none */
    bool has_text, has_tested;
};

static int
fail(const struct parser *p, const char *what)
{
    return err_set(p->err, -EINVAL, "%s:%d: %s", p->path, p->line, what);
}

static struct str
next_line(struct parser *p)
{
    struct str line = { p->rest.p, 0 };
    str_next_line(&p->rest, &line);
    p->line++;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static void
seal_add(struct hash_sha256 *seal, struct str line)
{
    hash_sha256_add(seal, line.p, line.n);
    hash_sha256_add(seal, "\n", 1);
}

static bool
take_word(struct str *line, const char *word)
{
    size_t n = strlen(word);

    if (line->n < n + 2 || memcmp(line->p, word, n) != 0 || line->p[n] != ' ')
        return false;
    *line = (struct str){ line->p + n + 1, line->n - n - 1 };
    return true;
}

static bool
read_digest(struct str s, uint8_t out[HASH_SHA256_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t skip = strlen(DIGEST);

    if (s.n != skip + 2 * HASH_SHA256_SIZE || memcmp(s.p, DIGEST, skip) != 0)
        return false;
    for (size_t i = 0; i < HASH_SHA256_SIZE; i++) {
        const char *high = memchr(digits, s.p[skip + 2 * i], 16);
        const char *low = memchr(digits, s.p[skip + 2 * i + 1], 16);
        if (!high || !low)
            return false;
        out[i] = (uint8_t)((high - digits) * 16 + (low - digits));
    }
    return true;
}

static int
begin(struct parser *p, struct str key)
{
    if (p->open)
        return fail(p, "the migration before has no `seal` line; verify it again");
    p->open = arena_alloc(p->a->arena, sizeof(*p->open));
    p->open->key = arena_strndup(p->a->arena, key.p, key.n);
    p->has_text = p->has_tested = false;
    if (map_get(p->a->by_key, key))
        return fail(p, "this migration stands here twice; remove one of them");
    return 0;
}

static int
end(struct parser *p, struct str value)
{
    uint8_t want[HASH_SHA256_SIZE], got[HASH_SHA256_SIZE];

    hash_sha256_end(p->seal, got);
    if (!p->has_text || !p->has_tested || !p->open->with)
        return fail(
            p, "the migration has no `text`, `tested` or `with` line; verify it again");
    if (!read_digest(value, want) || memcmp(want, got, sizeof(want)) != 0)
        return fail(p,
            "the seal is not that of the lines above: they were edited by hand, or badly "
            "merged; verify it again");
    map_set(p->a->by_key, str_of(p->open->key), p->open);
    p->open = NULL;
    return 0;
}

static int
tested_line(struct parser *p, struct str value)
{
    struct str bad;

    p->has_tested = true;
    if (hist_tested_parse(value, &p->open->tested, &bad))
        return fail(p, "`tested` lists verified, reversible, idempotent");
    return 0;
}

static int
one_line(struct parser *p, struct str line)
{
    struct str value = line;

    if (!p->open && (line.n == 0 || line.p[0] == '#'))
        return 0;
    if (p->open && take_word(&value, "seal"))
        return end(p, value);
    seal_add(p->seal, line);
    if (take_word(&value, "migration"))
        return begin(p, value);
    if (!p->open)
        return fail(p, "a paragraph begins with `migration NAME`");
    if (take_word(&value, "text")) {
        p->has_text = true;
        return read_digest(value, p->open->text)
            ? 0
            : fail(p, "`text` is sha256: and 64 digits");
    }
    if (take_word(&value, "rollback")) {
        p->open->has_rollback = true;
        return read_digest(value, p->open->rollback)
            ? 0
            : fail(p, "`rollback` is sha256: and 64 digits");
    }
    if (take_word(&value, "tested"))
        return tested_line(p, value);
    if (take_word(&value, "with")) {
        p->open->with = arena_strndup(p->a->arena, value.p, value.n);
        return 0;
    }
    return fail(p, "not a line of an attestation; verify the migration again");
}

static int
parse(struct parser *p)
{
    int r = 0;

    if (!str_eqz(next_line(p), FIRST_LINE))
        return fail(p,
            "not an attestation of this version: its first line is `" FIRST_LINE "`");
    while (!r && p->rest.n)
        r = one_line(p, next_line(p));
    if (!r && p->open)
        r = fail(p, "the file ends within a migration, before its `seal` line");
    return r;
}

static struct hist_attest *
attest_new(void)
{
    struct hist_attest *a = mem_zalloc(sizeof(*a));

    ref_init(&a->ref, attest_free);
    a->arena = arena_new();
    a->by_key = map_new(NULL);
    return a;
}

int
hist_attest_parse(
    const char *path, struct str text, struct hist_attest **out, struct err *err)
{
    AUTO(attest_drop) struct hist_attest *a = attest_new();
    AUTO(hash_sha256_free) struct hash_sha256 *seal = hash_sha256_new();
    struct parser p = { .a = a, .path = path, .err = err, .rest = text, .seal = seal };
    int r = hist_text_check(path, text.p, text.n, err);

    if (!r)
        r = parse(&p);
    if (r)
        return r;
    *out = a;
    a = NULL;
    return 0;
}

int
hist_attest_load(const char *path, struct hist_attest **out, struct err *err)
{
    AUTO(mem_free) char *text = NULL;
    size_t n = 0;
    int r = fs_read(path, MAX_BYTES, &text, &n, err);

    if (r == -ENOENT) {
        *out = attest_new();
        return 0;
    }
    if (!r)
        r = hist_check_file(path, err);
    return r ? r : hist_attest_parse(path, (struct str){ text, n }, out, err);
}

/* --- writing ---------------------------------------------------------------------------- */

struct writer {
    struct buf *out;
    struct hash_sha256 *seal;
    int result;
};

static void
put_line(struct writer *w, const char *word, const char *value)
{
    AUTO(mem_free) char *line = mem_printf("%s %s", word, value);

    seal_add(w->seal, str_of(line));
    if (!w->result)
        w->result = buf_printf(w->out, "%s\n", line);
}

static void
put_digest(struct writer *w, const char *word, const uint8_t digest[HASH_SHA256_SIZE])
{
    char value[sizeof(DIGEST) + HASH_HEX_SIZE] = DIGEST;

    hash_hex(digest, HASH_SHA256_SIZE, value + strlen(DIGEST));
    put_line(w, word, value);
}

static void
put_migration(struct writer *w, const struct hist_attested *m)
{
    char tested[HIST_MAX_TESTED];
    uint8_t seal[HASH_SHA256_SIZE];

    if (!w->result)
        w->result = buf_addc(w->out, '\n');
    put_line(w, "migration", m->key);
    put_digest(w, "text", m->text);
    if (m->has_rollback)
        put_digest(w, "rollback", m->rollback);
    put_line(w, "tested", hist_tested_text(m->tested, tested));
    put_line(w, "with", m->with);
    hash_sha256_end(w->seal, seal);
    put_digest(w, "seal", seal);
    hash_sha256_end(w->seal, seal); /* the seal's own line starts nothing */
}

int
hist_attest_write(const struct hist_attested *items, size_t n, struct buf *out)
{
    AUTO(hash_sha256_free) struct hash_sha256 *seal = hash_sha256_new();
    struct writer w = { .out = out, .seal = seal };

    w.result = buf_addstr(out, FIRST_LINE "\n");
    for (size_t i = 0; i < n && !w.result; i++)
        put_migration(&w, &items[i]);
    return w.result ? -EFBIG : 0;
}

/* --- asking ----------------------------------------------------------------------------- */

const char *
hist_attest_key(const struct hist_set *set, const struct hist_migration *m)
{
    return !set->is_lockfile && set->tool->ops == &hist_liquibase_ops ? m->version
                                                                      : m->file;
}

void
hist_attest_describe(const struct hist_set *set, const struct hist_migration *m,
    struct hist_attested *out)
{
    *out = (struct hist_attested){ .key = hist_attest_key(set, m) };
    memcpy(out->text, m->digest, sizeof(out->text));
    if (m->pair == HIST_NONE)
        return;
    out->has_rollback = true;
    memcpy(out->rollback, set->migrations[m->pair].digest, sizeof(out->rollback));
}

bool
hist_attest_is_same(const struct hist_attested *a, const struct hist_attested *b)
{
    return memcmp(a->text, b->text, sizeof(a->text)) == 0
        && a->has_rollback == b->has_rollback
        && memcmp(a->rollback, b->rollback, sizeof(a->rollback)) == 0;
}

void
hist_attest_ask(const struct hist_attest *a, const struct hist_set *set,
    const struct hist_migration *m, struct hist_attest_answer *out)
{
    const struct hist_attested *said = hist_attest_find(a, hist_attest_key(set, m));
    struct hist_attested now;

    *out = (struct hist_attest_answer){ .state = HIST_ATTEST_NONE,
        .is_repeatable = m->is_repeatable,
        .shown = m->shown,
        .source = set->conf.name };
    if (m->is_in_baseline) { /* it ran before there was a gate */
        out->state = HIST_ATTEST_FOUND;
        out->tested = HIST_VERIFIED | HIST_REVERSIBLE | HIST_IDEMPOTENT;
        return;
    }
    if (!said)
        return;
    hist_attest_describe(set, m, &now);
    out->state = hist_attest_is_same(said, &now) ? HIST_ATTEST_FOUND
                                                 : HIST_ATTEST_OTHER_TEXT;
    out->tested = said->tested;
}
