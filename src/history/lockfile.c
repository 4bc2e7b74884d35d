// SPDX-License-Identifier: ISC
/* Reads and writes lockfiles; see lockfile.h. The chain finds what was edited by hand or
 * lost in a merge. It is no signature: who may change the file may also make it anew, which
 * is what the review of the file is for. */
#include "history/lockfile.h"

#include "base/fs.h"
#include "history/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LINE "ddlgate-lock 1"
#define SHA        "sha256:"

/* --- the chain -------------------------------------------------------------------------- */

static void
chain_add(struct hash_sha256 *h, struct str line)
{
    hash_sha256_add(h, line.p, line.n);
    hash_sha256_add(h, "\n", 1);
}

/* Ends a link; the next one begins with it. */
static void
chain_end(struct hash_sha256 *h, char hex[HASH_HEX_SIZE])
{
    uint8_t digest[HASH_SHA256_SIZE];

    hash_sha256_end(h, digest);
    hash_hex(digest, sizeof(digest), hex);
    hash_sha256_add(h, hex, HASH_HEX_SIZE - 1);
}

/* --- reading ---------------------------------------------------------------------------- */

struct hist_locked {
    char hex[HASH_HEX_SIZE]; /* of the statement, as the file says */
    int line;
};

struct parser {
    struct hist_set *set;
    struct err *err;
    struct str rest;
    int line;
    struct hash_sha256 *chain;  /* owned */
    struct buf text;            /* of the half under way */
    int text_line;              /* where text has come to */
    struct hist_migration *m;   /* the half under way */
    struct hist_locked *locked; /* of m, owned until it is copied */
    size_t n_locked, cap_locked;
    struct arena *names; /* owned; of the migration under way: */
    const char *version, *name, *checksum;
    bool is_open, has_up, has_down, in_text;
};

static int
fail(struct parser *p, const char *what)
{
    return err_set(p->err, -EINVAL, "%s:%d: %s", p->set->conf.path, p->line, what);
}

static struct str
next_line(struct parser *p)
{
    struct str line = { p->rest.p, 0 };
    str_next_line(&p->rest, &line);
    p->line++;
    return line;
}

/* The value after a word, or NULL. */
static const char *
value_of(struct arena *a, struct str line, const char *word)
{
    size_t n = strlen(word);

    if (line.n < n + 2 || memcmp(line.p, word, n) != 0 || line.p[n] != ' ')
        return NULL;
    return arena_strndup(a, line.p + n + 1, line.n - n - 1);
}

/* Everything of a half is there: it becomes a migration's text. */
static void
end_half(struct parser *p)
{
    struct hist_migration *m = p->m;

    if (!m)
        return;
    m->len = buf_len(&p->text);
    m->text = arena_strndup(m->arena, m->len ? buf_ptr(&p->text) : "", m->len);
    m->n_locked = p->n_locked;
    struct hist_locked *copy = arena_alloc(m->arena, (p->n_locked + 1) * sizeof(*copy));
    if (p->n_locked)
        memcpy(copy, p->locked, p->n_locked * sizeof(*copy));
    m->locked = copy;
    p->n_locked = 0;
    buf_reset(&p->text);
    p->text_line = 1;
    p->m = NULL;
}

static int
begin_half(struct parser *p, bool is_down)
{
    if (!p->is_open)
        return fail(
            p, "no migration is under way here; write `migration VERSION` first");
    if (is_down ? p->has_down || !p->has_up : p->has_up)
        return fail(p,
            is_down ? "a migration has one `down`, after its `up`"
                    : "a migration has one `up`");
    end_half(p);
    p->has_up = true;
    p->has_down |= is_down;
    p->m = hist_set_add(p->set, p->version);
    struct arena *a = p->m->arena;
    p->m->version = arena_strdup(a, p->version);
    p->m->name = arena_strdup(a, p->name ? p->name : "");
    p->m->checksum = arena_strdup(a, p->checksum);
    p->m->path = arena_strdup(a, p->set->conf.path);
    p->m->shown = arena_strdup(a, p->set->conf.shown);
    p->m->is_down = is_down;
    return 0;
}

static int
begin_statement(struct parser *p, const char *digest)
{
    if (!p->m)
        return fail(p, "a statement stands below `up` or `down`");
    if (strlen(digest) != strlen(SHA) + HASH_HEX_SIZE - 1 || !str_prefix(digest, SHA))
        return fail(p, "a digest is written sha256: and 64 hexadecimal digits");
    MEM_GROW(p->locked, p->n_locked, p->cap_locked);
    p->locked[p->n_locked] = (struct hist_locked){ .line = p->line };
    memcpy(p->locked[p->n_locked++].hex, digest + strlen(SHA), HASH_HEX_SIZE);
    return 0;
}

/* Ends the statement before, and goes on to this line: lines of the text are those of the
 * file. */
static int
go_to_line(struct parser *p)
{
    int r = 0;

    for (; !r && p->text_line < p->line; p->text_line++)
        r = buf_addc(&p->text, '\n');
    return r;
}

static int
add_escaped(struct parser *p, struct str s)
{
    int r = 0;

    for (size_t i = 0; !r && i < s.n; i++) {
        if (s.p[i] != '\\') {
            r = buf_addc(&p->text, s.p[i]);
            continue;
        }
        char c = ++i < s.n ? s.p[i] : 0;
        if (c == '\\' || c == 'r') {
            r = buf_addc(&p->text, c == 'r' ? '\r' : '\\');
        } else if (c == 'x' && i + 2 < s.n && ascii_hex_value(s.p[i + 1]) >= 0
            && ascii_hex_value(s.p[i + 2]) >= 0) {
            r = buf_addc(&p->text,
                (char)(ascii_hex_value(s.p[i + 1]) * 16 + ascii_hex_value(s.p[i + 2])));
            i += 2;
        } else {
            return fail(p, "in a line that begins with \\ write \\\\, \\r or \\xHH");
        }
    }
    return r;
}

static int
text_line(struct parser *p, struct str line)
{
    if (p->n_locked == 0
        || (!p->in_text && p->locked[p->n_locked - 1].line != p->line - 1))
        return fail(p, "text without a statement above it");
    int r = go_to_line(p);
    size_t skip = line.n > 1 && line.p[1] == ' ' ? 2 : 1;
    struct str s = { line.p + skip, line.n - skip };
    if (!r)
        r = line.p[0] == '\\' ? add_escaped(p, s) : buf_add(&p->text, s.p, s.n);
    p->in_text = true;
    return r > 0 ? fail(p, "the migration is too large") : r;
}

static int
end_statement(struct parser *p)
{
    int r = p->in_text ? buf_addc(&p->text, ';') : 0;

    p->in_text = false;
    return r ? fail(p, "the migration is too large") : 0;
}

static int
end_migration(struct parser *p, const char *want)
{
    char hex[HASH_HEX_SIZE];

    if (!p->is_open || !p->has_up)
        return fail(p, "a migration with an `up` ends with `chain`, not anything else");
    end_half(p);
    chain_end(p->chain, hex);
    if (!str_prefix(want, SHA) || strcmp(want + strlen(SHA), hex) != 0)
        return err_set(p->err, -EINVAL,
            "%s:%d: the chain is broken at migration %s: the file was edited by hand, or "
            "merged; record it again",
            p->set->conf.path, p->line, p->version);
    p->is_open = p->has_up = p->has_down = false;
    return 0;
}

static int
begin_migration(struct parser *p, const char *version)
{
    if (p->is_open)
        return fail(p, "the migration before has no `chain` line");
    p->is_open = true;
    p->version = version;
    p->name = p->checksum = NULL;
    if (p->set->n_all >= HIST_MAX_FILES)
        return fail(p, "too many migrations");
    return 0;
}

static int
one_line(struct parser *p, struct str line)
{
    struct arena *a = p->names;
    const char *value;

    if (line.n == 0 || line.p[0] == '#')
        return end_statement(p);
    if ((value = value_of(a, line, "chain")))
        return end_statement(p) ? -EINVAL : end_migration(p, value);
    chain_add(p->chain, line);
    if (line.p[0] == '|' || line.p[0] == '\\')
        return text_line(p, line);
    int r = end_statement(p);
    if (r)
        return r;
    if ((value = value_of(a, line, "statement")))
        return begin_statement(p, value);
    if (str_eqz(line, "up") || str_eqz(line, "down"))
        return begin_half(p, line.n == 4);
    if ((value = value_of(a, line, "migration")))
        return begin_migration(p, value);
    if (p->is_open && !p->has_up && (value = value_of(a, line, "name"))) {
        p->name = value;
        return 0;
    }
    if (p->is_open && !p->has_up && (value = value_of(a, line, "sum"))) {
        p->checksum = value;
        return 0;
    }
    return fail(p, "not a line of a lockfile; record it again");
}

/* The first three lines say what the rest is about. */
static int
read_header(struct parser *p)
{
    struct arena *a = p->set->arena;
    struct hist_conf conf = p->set->conf;
    struct str line = next_line(p);
    char hex[HASH_HEX_SIZE];

    if (!str_eqz(line, FIRST_LINE))
        return fail(
            p, "not a lockfile of this version: its first line is `" FIRST_LINE "`");
    chain_add(p->chain, line);
    line = next_line(p);
    const char *format = value_of(a, line, "tool");
    const struct hist_tool *tool = format ? hist_tool_find(format) : NULL;
    if (!tool)
        return fail(
            p, "the second line is `tool NAME`, with a format that ddlgate knows");
    chain_add(p->chain, line);
    const char *table = str_prefix(p->rest.p, "table ")
        ? value_of(a, line = next_line(p), "table")
        : NULL;
    if (table) {
        chain_add(p->chain, line);
        conf.history_table = conf.history_table ? conf.history_table : table;
    }
    hist_set_tool(p->set, tool, &conf);
    chain_end(p->chain, hex);
    return 0;
}

static int
read_all(struct parser *p)
{
    int r = read_header(p);

    while (!r && p->rest.n > 0)
        r = one_line(p, next_line(p));
    if (!r && p->is_open)
        r = fail(p, "the file ends within a migration, before its `chain` line");
    return r;
}

int
hist_lock_parse(struct hist_set *set, const char *raw, size_t n, struct err *err)
{
    struct parser p = { .set = set,
        .err = err,
        .rest = { raw, n },
        .text_line = 1,
        .chain = hash_sha256_new(),
        .names = arena_new() };

    buf_init(&p.text, HIST_MAX_LOCK_BYTES);
    int r = read_all(&p);
    buf_deinit(&p.text);
    arena_free(p.names);
    hash_sha256_free(p.chain);
    mem_free(p.locked);
    return r;
}

static int
list(struct hist_set *set, struct err *err)
{
    AUTO(mem_free) char *raw = NULL;
    size_t n = 0;
    int r = hist_check_file(set->conf.path, err);

    if (!r)
        r = fs_read(set->conf.path, HIST_MAX_LOCK_BYTES, &raw, &n, err);
    if (!r)
        r = hist_text_check(set->conf.path, raw, n, err);
    return r ? r : hist_lock_parse(set, raw, n, err);
}

/* The digests are of the texts that stand below them. */
static int
check_digests(const struct hist_migration *m, struct err *err)
{
    for (size_t i = 0; i < m->n_locked; i++) {
        const struct hist_locked *l = &m->locked[i];
        char hex[HASH_HEX_SIZE] = "";
        if (i < m->scan.n)
            hash_hex(m->scan.stmts[i].digest.bytes, HASH_SHA256_SIZE, hex);
        if (strcmp(hex, l->hex) != 0)
            return err_set(err, -EINVAL,
                "%s:%d: the text below is not the one with this digest, but that of %s%s; "
                "record it again",
                m->path, l->line, hex[0] ? SHA : "nothing", hex);
    }
    if (m->scan.n > m->n_locked)
        return err_set(err, -EINVAL,
            "%s:%d: more statements than digests in migration %s; record it again",
            m->path, m->scan.stmts[m->n_locked].line, m->version);
    return 0;
}

static int
finish(struct hist_set *set, struct err *err)
{
    int r = 0;

    for (size_t i = 0; !r && i < set->n_all; i++)
        r = check_digests(&set->migrations[i], err);
    return r;
}

const struct hist_ops hist_lockfile_ops = {
    .list = list,
    .finish = finish,
};

/* --- writing ---------------------------------------------------------------------------- */

struct writer {
    struct buf *out;
    struct err *err;
    struct hash_sha256 *chain;
    const struct hist_lock_migration *m;
};

/* One line, chained. */
static int
put_line(struct writer *w, const char *head, const char *text, size_t n)
{
    size_t from = w->out->tail;
    int r = buf_addstr(w->out, head);

    if (!r && n > 0)
        r = buf_add(w->out, text, n);
    if (!r)
        chain_add(w->chain, (struct str){ w->out->data + from, w->out->tail - from });
    return r ? r : buf_addc(w->out, '\n');
}

static int
put_word(struct writer *w, const char *head, const char *value)
{
    if (!value)
        return 0;
    for (const char *s = value; *s; s++) {
        if ((unsigned char)*s < ' ')
            return err_set(w->err, -EINVAL,
                "%s\"%.40s\" holds a line end or another control byte", head, value);
    }
    return put_line(w, head, value, strlen(value));
}

static int
put_chain(struct writer *w)
{
    char hex[HASH_HEX_SIZE];

    chain_end(w->chain, hex);
    return buf_printf(w->out, "chain " SHA "%s\n", hex);
}

static bool
is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static int
put_escaped(struct writer *w, struct str line)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(4 * line.n + 1);

    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '\\')
            buf_puts(&b, "\\\\");
        else if (line.p[i] == '\r')
            buf_puts(&b, "\\r");
        else if (is_control(line.p[i]))
            buf_putf(&b, "\\x%02x", (unsigned)(unsigned char)line.p[i]);
        else
            buf_put(&b, &line.p[i], 1);
    }
    return put_line(w, "\\ ", buf_cstr(&b), buf_len(&b));
}

static int
put_text(struct writer *w, struct str text)
{
    bool more = true;
    int r = 0;

    while (!r && more) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct str line = { text.p, nl ? (size_t)(nl - text.p) : text.n };
        bool odd = false;
        for (size_t i = 0; i < line.n; i++)
            odd |= is_control(line.p[i]);
        if (odd)
            r = put_escaped(w, line);
        else
            r = put_line(w, line.n ? "| " : "|", line.p, line.n);
        more = nl;
        text = (struct str){ text.p + line.n + 1, more ? text.n - line.n - 1 : 0 };
    }
    return r;
}

static int
put_statement(struct writer *w, struct str text)
{
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    char hex[HASH_HEX_SIZE];
    int r = sql_scan(&scan, NULL, text.p, text.n, true, SQL_TREE_DEFAULT_DEPTH, NULL);

    if (r || scan.n != 1)
        return err_set(w->err, -EINVAL, "migration %s: not one whole statement: %.60s",
            w->m->version, text.n ? text.p : "");
    text = (struct str){ text.p + scan.stmts[0].start, scan.stmts[0].len };
    hash_hex(scan.stmts[0].digest.bytes, HASH_SHA256_SIZE, hex);
    r = put_line(w, "statement " SHA, hex, HASH_HEX_SIZE - 1);
    return r ? r : put_text(w, text);
}

static int
put_half(struct writer *w, const char *word, const struct hist_lock_half *half)
{
    int r = put_line(w, word, NULL, 0);

    for (size_t i = 0; !r && i < half->n; i++)
        r = put_statement(w, half->texts[i]);
    return r;
}

static int
put_migration(struct writer *w, const struct hist_lock_migration *m)
{
    w->m = m;
    int r = buf_addc(w->out, '\n');
    if (!r)
        r = put_word(w, "migration ", m->version);
    if (!r)
        r = put_word(w, "name ", m->name);
    if (!r)
        r = put_word(w, "sum ", m->checksum);
    if (!r)
        r = put_half(w, "up", &m->up);
    if (!r && m->has_down)
        r = put_half(w, "down", &m->down);
    return r ? r : put_chain(w);
}

int
hist_lock_write(const struct hist_lock *lock, struct buf *out, struct err *err)
{
    AUTO(hash_sha256_free) struct hash_sha256 *chain = hash_sha256_new();
    struct writer w = { .out = out, .err = err, .chain = chain };
    char hex[HASH_HEX_SIZE];

    if (!hist_tool_find(lock->tool))
        return err_set(err, -EINVAL, "tool \"%s\" is not known", lock->tool);
    int r = put_line(&w, FIRST_LINE, NULL, 0);
    if (!r)
        r = put_word(&w, "tool ", lock->tool);
    if (!r)
        r = put_word(&w, "table ", lock->table);
    chain_end(chain, hex);
    for (size_t i = 0; !r && i < lock->n; i++)
        r = put_migration(&w, &lock->migrations[i]);
    return r > 0 ? err_set(err, -EFBIG, "the lockfile would be too large") : r;
}
