// SPDX-License-Identifier: ISC
/* Liquibase's formatted SQL: a file holds many changesets, each between its line
 * `--changeset author:id` and the next one. Files are taken in the order of their paths, as
 * <includeAll> does; changelogs in XML, YAML and JSON may only include (changelog.c).
 *
 * What is sent is not quite what stands there: unless stripComments:false, comments are cut,
 * in bodies of functions, too, since Liquibase knows no dollar quotes. */
#include "history/changelog.h"

#include "base/fs.h"

#include <errno.h>
#include <string.h>

/* --- lines ------------------------------------------------------------------------------ */

struct changeset {
    struct str author, id;
    bool keeps_comments, is_no_tx;
    const char *delimiter; /* NULL: `;` */
    char delimiter_text[16];
};

static struct str
line_at(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));

    return (struct str){ p, nl ? (size_t)(nl - p) : (size_t)(end - p) };
}

/* What follows `-- word` at the start of a line, without case; p NULL if it isn't that. */
static struct str
after(struct str line, const char *word)
{
    size_t n = strlen(word);

    line = str_trim(line);
    if (line.n < 2 || line.p[0] != '-' || line.p[1] != '-')
        return (struct str){ NULL, 0 };
    line = str_trim((struct str){ line.p + 2, line.n - 2 });
    if (line.n < n || !str_ieqz((struct str){ line.p, n }, word))
        return (struct str){ NULL, 0 };
    return (struct str){ line.p + n, line.n - n };
}

static struct str
next_word(struct str *rest)
{
    struct str s = str_trim(*rest);
    size_t n = 0;

    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    *rest = (struct str){ s.p + n, s.n - n };
    return (struct str){ s.p, n };
}

static void
read_attribute(struct changeset *c, struct str word)
{
    const char *colon = memchr(word.p, ':', word.n);
    struct str key = { word.p, colon ? (size_t)(colon - word.p) : word.n };
    struct str value = { colon ? colon + 1 : NULL, colon ? word.n - key.n - 1 : 0 };

    if (str_ieqz(key, "stripComments"))
        c->keeps_comments = str_ieqz(value, "false");
    else if (str_ieqz(key, "runInTransaction"))
        c->is_no_tx = str_ieqz(value, "false");
    else if (str_ieqz(key, "endDelimiter") && value.n > 0
        && value.n < sizeof(c->delimiter_text)) {
        memcpy(c->delimiter_text, value.p, value.n);
        c->delimiter = str_eqz(value, ";") ? NULL : c->delimiter_text;
    }
}

/* `author:id attribute:value ...`; either may stand in quotes. */
static bool
read_changeset(struct str line, struct changeset *c)
{
    struct str word = next_word(&line);
    const char *colon = word.n ? memchr(word.p, ':', word.n) : NULL;

    *c = (struct changeset){ .keeps_comments = false };
    if (!colon || colon == word.p || colon + 1 == word.p + word.n)
        return false;
    c->author = (struct str){ word.p, (size_t)(colon - word.p) };
    c->id = (struct str){ colon + 1, word.n - c->author.n - 1 };
    for (word = next_word(&line); word.n > 0; word = next_word(&line))
        read_attribute(c, word);
    return true;
}

/* --- the text --------------------------------------------------------------------------- */

static void
blank(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = p[i] == '\n' || p[i] == '\r' ? p[i] : ' ';
}

/* The end of what begins at p: a quoted text or a comment; p + 1 if none does. */
static const char *
skip_piece(const char *p, const char *end, bool *is_comment)
{
    const char *to = NULL;

    *is_comment = false;
    if (*p == '\'' || *p == '"') {
        to = memchr(p + 1, *p, (size_t)(end - p - 1));
        return to ? to + 1 : end;
    }
    if (end - p > 1 && p[0] == '-' && p[1] == '-') {
        *is_comment = true;
        to = memchr(p, '\n', (size_t)(end - p));
        return to ? to : end;
    }
    if (end - p > 1 && p[0] == '/' && p[1] == '*') {
        *is_comment = true;
        to = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
        return to ? to + 2 : end;
    }
    return p + 1;
}

/* Cuts comments out as Liquibase does, which knows quotes but no dollar quotes. */
static size_t
strip_comments(char *text, size_t n)
{
    const char *p = text, *end = text + n;
    size_t to = 0;

    while (p < end) {
        bool is_comment;
        const char *next = skip_piece(p, end, &is_comment);
        if (!is_comment) {
            memmove(text + to, p, (size_t)(next - p));
            to += (size_t)(next - p);
        }
        p = next;
    }
    return to;
}

/* A delimiter of the changeset's own at the end of a line becomes `;`. */
static void
end_statements(char *text, size_t n, const char *delimiter)
{
    size_t len = strlen(delimiter);

    for (char *line = text, *end = text + n; line < end;) {
        struct str s = line_at(line, end);
        struct str cut = str_trim(s);
        if (cut.n >= len && memcmp(cut.p + cut.n - len, delimiter, len) == 0) {
            char *at = line + (cut.p - line) + cut.n - len;
            memset(at, ' ', len);
            *at = ';';
        }
        line += s.n + 1;
    }
}

static const char *
checksum(struct arena *a, const char *text, size_t n)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 16);
    uint8_t digest[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];

    for (size_t i = 0; i < n; i++) {
        if (!strchr(" \t\r\n", text[i]))
            buf_put(&b, &text[i], 1);
    }
    size_t len = hash_of(HASH_MD5, buf_len(&b) ? buf_ptr(&b) : "", buf_len(&b), digest);
    hash_hex(digest, len, hex);
    AUTO(mem_free) char *outer = mem_printf("9:%s:", hex);
    len = hash_of(HASH_MD5, outer, strlen(outer), digest);
    hash_hex(digest, len, hex);
    return len ? arena_printf(a, "9:%s", hex) : NULL;
}

/* --- a file ----------------------------------------------------------------------------- */

struct reading {
    struct hist_set *set;
    const char *relpath, *path;
    char *text; /* owned by the caller */
    size_t n;
    struct err *err;
};

/* Adds one direction of a changeset: the lines of [from, to) that are of it, at the lines
 * of the file. */
static void
add_half(const struct reading *r, const struct changeset *c, size_t from, size_t to,
    bool is_down)
{
    struct hist_migration *m = hist_set_add(r->set, r->relpath);
    AUTO(mem_free) char *text = mem_strndup(r->text, to);
    bool has_rollback = false, has_word = false;

    blank(text, from);
    for (char *line = text + from, *end = text + to; line < end;) {
        struct str s = line_at(line, end), roll = after(s, "rollback");
        bool is_marker = after(s, "precondition").p || after(s, "comment").p
            || after(s, "validCheckSum").p || after(s, "ignoreLines").p;
        bool is_none = str_ieqz(str_trim(roll), "not required")
            || str_ieqz(str_trim(roll), "empty");
        if (roll.p && is_down)
            blank(line, (size_t)(roll.p - line));
        else if ((roll.p != NULL) != is_down || is_marker)
            blank(line, s.n);
        has_rollback |= roll.p && !is_none;
        has_word |= roll.p != NULL;
        line += s.n + 1;
    }
    if (is_down && !has_rollback) {
        r->set->n_all--;
        return;
    }
    m->version = arena_printf(m->arena, "%.*s::%.*s::%s", (int)c->id.n, c->id.p,
        (int)c->author.n, c->author.p, r->relpath);
    m->name = arena_strndup(m->arena, c->id.p, c->id.n);
    m->is_down = is_down;
    m->says_no_rollback = has_word && !has_rollback;
    m->is_no_tx = c->is_no_tx;
    m->checksum = is_down ? NULL : checksum(m->arena, text + from, to - from);
    if (c->delimiter)
        end_statements(text + from, to - from, c->delimiter);
    m->len = c->keeps_comments ? to : from + strip_comments(text + from, to - from);
    m->text = arena_strndup(m->arena, text, m->len);
}

static int
read_file(const struct reading *r)
{
    struct changeset c, next;
    size_t from = 0;
    bool is_open = false;

    for (size_t at = 0; at < r->n;) {
        struct str line = line_at(r->text + at, r->text + r->n);
        struct str head = after(line, "changeset ");
        size_t after_line = at + line.n + (at + line.n < r->n);
        if (head.p && !read_changeset(head, &next))
            return err_set(r->err, -EINVAL,
                "%s:%d: a changeset is written `--changeset author:id`", r->path,
                hist_line_of(r->text, at));
        if (head.p && r->set->n_all >= HIST_MAX_FILES)
            return err_set(r->err, -EFBIG, "%s: too many changesets", r->path);
        if (head.p && is_open) {
            add_half(r, &c, from, at, false);
            add_half(r, &c, from, at, true);
        }
        if (head.p) {
            c = next;
            c.delimiter = next.delimiter ? c.delimiter_text : NULL;
            from = after_line;
            is_open = true;
        }
        at = after_line;
    }
    if (is_open) {
        add_half(r, &c, from, r->n, false);
        add_half(r, &c, from, r->n, true);
    }
    return 0;
}

/* --- the folder ------------------------------------------------------------------------- */

struct walk {
    struct hist_set *set;
    struct err *err;
};

/* One that can't be read, or is too large, doesn't matter: nothing in it would count. */
static int
check_other(const char *path, struct err *err)
{
    AUTO(mem_free) char *text = NULL;
    size_t n = 0;

    if (fs_read(path, HIST_MAX_FILE_BYTES, &text, &n, NULL) != 0)
        return 0;
    return hist_changelog_check(path, text, n, err);
}

static int
add_file(void *ctx, const char *relpath)
{
    struct walk *w = ctx;
    AUTO(mem_free) char *path = mem_printf("%s/%s", w->set->conf.path, relpath);
    AUTO(mem_free) char *text = NULL;
    struct reading r = {
        .set = w->set, .relpath = relpath, .path = path, .err = w->err
    };

    if (hist_may_be_changelog(relpath))
        return check_other(path, w->err);
    if (!str_suffix(relpath, ".sql"))
        return 0;
    int ret = hist_check_file(path, w->err);
    if (!ret)
        ret = fs_read(path, HIST_MAX_FILE_BYTES, &text, &r.n, w->err);
    if (!ret)
        ret = hist_text_check(path, text, r.n, w->err);
    if (ret)
        return ret;
    r.text = text;
    memset(text, ' ', hist_bom(text, r.n));
    if (!after(line_at(text, text + r.n), "liquibase formatted sql").p)
        return 0; /* no changelog: run by a <sqlFile>, or by nobody */
    return read_file(&r);
}

static int
list(struct hist_set *set, struct err *err)
{
    struct walk w = { .set = set, .err = err };
    int r = hist_check_folder(&set->conf, set->conf.path, err);

    return r ? r : fs_walk(set->conf.path, add_file, &w, err);
}

/* The row's file may be named from further up: db/changelog/a.sql is our a.sql. */
static bool
is_file(const char *ours, const char *row)
{
    size_t n = strlen(ours), m = strlen(row);

    if (str_prefix(row, "classpath:")) {
        row += strlen("classpath:");
        m -= strlen("classpath:");
    }
    if (m < n)
        return n > m + 1 && ours[n - m - 1] == '/' && strcmp(ours + n - m, row) == 0;
    return strcmp(row + m - n, ours) == 0 && (m == n || row[m - n - 1] == '/');
}

static const struct hist_migration *
find(const struct hist_set *set, const char *key, const char **name, char *room)
{
    const struct hist_index *ix = set->index;
    const char *author = strstr(key, "::");
    const char *file = author ? strstr(author + 2, "::") : NULL;
    size_t lo = 0, hi = ix->n_versioned;

    *name = NULL;
    room[0] = 0;
    if (!file)
        return NULL;
    size_t n = (size_t)(file - key) + 2;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strncmp(set->migrations[ix->by_version[mid]].version, key, n) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < ix->n_versioned; lo++) {
        const struct hist_migration *m = &set->migrations[ix->by_version[lo]];
        if (strncmp(m->version, key, n) != 0)
            break;
        if (is_file(m->version + n, file + 2))
            return m;
    }
    return NULL;
}

const struct hist_ops hist_liquibase_ops = {
    .list = list,
    .find = find,
};
