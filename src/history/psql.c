// SPDX-License-Identifier: ISC
/* See psql.h. One pass over each file with the gate's lexer; everything that isn't a command
 * or a variable is copied as it stands. */
#include "history/psql.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/map.h"
#include "history/source.h"
#include "sql/lex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_NAME        100 /* bytes of a variable's name that messages show */
#define MAX_VALUE_DEPTH 8   /* variables in values of variables */
#define MAX_VALUE       ((size_t)1 << 20) /* bytes of a value, and of an argument */

/* ---- state ---- */

struct variable {
    char *value; /* owned; NULL: what the shell says */
};

/* The files that are being run, outermost first. */
struct running {
    dev_t dev;
    ino_t ino;
    const char *path;
};

/* All that one file leads to. */
struct run {
    const struct hist_psql *conf;
    struct buf out;
    bool is_other; /* out is no longer what blanking in place would give */
    const char **files;
    size_t n_files, cap_files;
    struct hist_piece *pieces;
    size_t n_pieces, cap_pieces;
    struct map *variables; /* name -> struct variable */
    struct running stack[HIST_PSQL_MAX_DEPTH];
    size_t depth, n_runs;
    char *real_folder; /* owned; resolved when first asked for */
    struct err *err;
};

/* One file. */
struct pass {
    struct run *run;
    const char *path;
    const char *p;
    size_t n;
    size_t file;
    size_t copied;  /* bytes of p that are in out */
    size_t line_at; /* a byte whose line is known */
    int line;
    /* the statement under way */
    size_t n_words, depth, n_brackets;
    bool is_copy, saw_from, saw_stdin;
    bool is_too_long; /* some value was, and is not to be used */
};

static int
line_of(struct pass *b, size_t pos)
{
    if (pos < b->line_at) {
        b->line_at = 0;
        b->line = 1;
    }
    for (; b->line_at < pos; b->line_at++)
        b->line += b->p[b->line_at] == '\n';
    return b->line;
}

static int PRINTF_LIKE(3, 4) fault(struct pass *b, size_t pos, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(b->run->err, -EINVAL, "%s:%d: %s", b->path, line_of(b, pos), text);
}

/* ---- the output ---- */

static int
put(struct pass *b, const char *p, size_t n)
{
    if (buf_add(&b->run->out, p, n) != 0)
        return err_set(b->run->err, -EFBIG,
            "%s: larger than %zu bytes with the files it runs and its variables filled in",
            b->path, b->run->conf->max_bytes);
    return 0;
}

static void
piece(struct pass *b, int line, bool is_value)
{
    struct run *r = b->run;

    MEM_GROW(r->pieces, r->n_pieces, r->cap_pieces);
    r->pieces[r->n_pieces++] = (struct hist_piece){
        .at = buf_len(&r->out), .file = b->file, .line = line, .is_value = is_value
    };
}

static int
copy_up_to(struct pass *b, size_t pos)
{
    int r = put(b, b->p + b->copied, pos - b->copied);
    b->copied = pos;
    return r;
}

/* The bytes up to `to` come out as blanks, line ends kept. */
static int
blank_up_to(struct pass *b, size_t to)
{
    int r = 0;

    for (; !r && b->copied < to; b->copied++) {
        char c = b->p[b->copied];
        r = put(b, c == '\n' || c == '\r' ? &c : " ", 1);
    }
    return r;
}

/* Something else stands in the place of the bytes up to `to`. */
static int
replace_up_to(struct pass *b, size_t to, const char *text, size_t n)
{
    b->run->is_other = true;
    piece(b, line_of(b, b->copied), true);
    int r = put(b, text, n);
    b->copied = to;
    piece(b, line_of(b, to), false);
    return r;
}

/* ---- variables ---- */

static void
variable_free(void *p)
{
    struct variable *v = p;

    mem_free(v->value);
    mem_free(v);
}

static void
variable_set(struct run *r, struct str name, const char *value)
{
    struct variable *v = mem_zalloc(sizeof(*v));

    v->value = mem_strdup(value);
    map_set(r->variables, name, v);
}

static bool
is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || c == '_' || (unsigned char)c >= 0x80;
}

static size_t
name_length(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && is_name_byte(p[i]))
        i++;
    return i;
}

enum form {
    FORM_NONE, /* no variable stands here */
    FORM_PLAIN,
    FORM_CONSTANT,
    FORM_NAME,
    FORM_IS_SET,
};

/* What the colon at p begins; *len: of all of it. */
static enum form
read_variable(const char *p, size_t n, struct str *name, size_t *len)
{
    size_t k = n > 1 ? name_length(p + 1, n - 1) : 0;

    if (k) {
        *name = (struct str){ p + 1, k };
        *len = k + 1;
        return FORM_PLAIN;
    }
    if (n > 3 && (p[1] == '\'' || p[1] == '"')) {
        k = name_length(p + 2, n - 2);
        if (!k || k + 2 >= n || p[k + 2] != p[1])
            return FORM_NONE;
        *name = (struct str){ p + 2, k };
        *len = k + 3;
        return p[1] == '\'' ? FORM_CONSTANT : FORM_NAME;
    }
    if (n > 4 && p[1] == '{' && p[2] == '?') {
        k = name_length(p + 3, n - 3);
        if (!k || k + 3 >= n || p[k + 3] != '}')
            return FORM_NONE;
        *name = (struct str){ p + 3, k };
        *len = k + 4;
        return FORM_IS_SET;
    }
    return FORM_NONE;
}

static void
add(struct pass *b, struct buf *out, const char *p, size_t n)
{
    b->is_too_long |= buf_add(out, p, n) != 0;
}

static int
check_length(struct pass *b, size_t pos)
{
    return b->is_too_long ? fault(b, pos,
               "a psql variable of more than %zu bytes; write it out", MAX_VALUE)
                          : 0;
}

/* As PQescapeLiteral and PQescapeIdentifier do. */
static void
add_quoted(struct pass *b, struct buf *out, const char *value, char quote)
{
    bool has_backslash = quote == '\'' && strchr(value, '\\');

    if (has_backslash)
        add(b, out, " E", 2);
    add(b, out, &quote, 1);
    for (const char *c = value; *c; c++) {
        if (*c == quote || (has_backslash && *c == '\\'))
            add(b, out, c, 1);
        add(b, out, c, 1);
    }
    add(b, out, &quote, 1);
}

static void
add_truth(struct pass *b, struct buf *out, bool v)
{
    add(b, out, v ? "TRUE" : "FALSE", v ? 4 : 5);
}

/* psql fills these in by itself. */
static bool
is_builtin(struct str name)
{
    static const char *const names[] = { "DBNAME", "USER", "HOST", "PORT", "ENCODING",
        "VERSION", "VERSION_NAME", "VERSION_NUM", "SERVER_VERSION_NAME",
        "SERVER_VERSION_NUM", "ROW_COUNT", "ERROR", "SQLSTATE", "LAST_ERROR_MESSAGE",
        "LAST_ERROR_SQLSTATE", "SHELL_ERROR", "SHELL_EXIT_CODE" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++) {
        if (str_eqz(name, names[i]))
            return true;
    }
    return false;
}

static int
no_value(struct pass *b, size_t pos, struct str name)
{
    int n = (int)(name.n < MAX_NAME ? name.n : MAX_NAME);

    if (is_builtin(name))
        return fault(b, pos,
            ":%.*s is what psql knows when it runs; write the value, or set "
            "placeholder.%.*s in the [migrations] section",
            n, name.p, n, name.p);
    return fault(b, pos,
        ":%.*s is a psql variable without a value here; \\set it in the file, or set "
        "placeholder.%.*s in the [migrations] section",
        n, name.p, n, name.p);
}

static int add_plain(
    struct pass *b, size_t pos, const char *value, unsigned depth, struct buf *out);

/* Appends what the variable becomes; 1: it stays as it stands. */
static int
add_value(struct pass *b, size_t pos, enum form form, struct str name, unsigned depth,
    struct buf *out)
{
    const struct variable *v = map_get(b->run->variables, name);

    if (form == FORM_IS_SET && !is_builtin(name)) {
        add_truth(b, out, v != NULL);
        return 0;
    }
    if (!v && (b->run->conf->is_lenient || (b->n_brackets && !is_builtin(name))))
        return 1; /* an array's bounds: [1:n] */
    if (!v)
        return no_value(b, pos, name);
    if (!v->value)
        return fault(b, pos,
            ":%.*s is a psql variable, whose value the gate can't know; write the value",
            (int)(name.n < MAX_NAME ? name.n : MAX_NAME), name.p);
    if (form == FORM_PLAIN)
        return add_plain(b, pos, v->value, depth, out);
    add_quoted(b, out, v->value, form == FORM_NAME ? '"' : '\'');
    return 0;
}

/* The value of :name is read as SQL itself, variables in it included. */
static int
add_plain(
    struct pass *b, size_t pos, const char *value, unsigned depth, struct buf *out)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t n = strlen(value), at = 0;
    int r;

    if (depth > MAX_VALUE_DEPTH)
        return fault(b, pos, "psql variables whose values name each other");
    sql_lex_init(&lx, value, n, true);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        struct str name;
        size_t len;
        if (value[tok.start] == '\\' && tok.kind == SQL_T_PUNCT)
            return fault(
                b, pos, "a psql variable whose value holds a \\; write it out");
        enum form form = tok.len == 1 && value[tok.start] == ':'
            ? read_variable(value + tok.start, n - tok.start, &name, &len)
            : FORM_NONE;
        if (form == FORM_NONE)
            continue;
        add(b, out, value + at, tok.start - at);
        at = tok.start;
        r = add_value(b, pos, form, name, depth + 1, out);
        if (r < 0)
            return r;
        if (r == 0)
            at = tok.start + len;
        lx.pos = tok.start + len;
    }
    if (r == SQL_LEX_E_BROKEN)
        return fault(b, pos,
            "a psql variable whose value ends inside a quote or comment; write it out");
    add(b, out, value + at, n - at);
    return 0;
}

/* A colon outside of quotes. *pos is left behind what was read. */
static int
on_colon(struct pass *b, size_t *pos)
{
    AUTO(buf_deinit) struct buf value = BUF_INIT(MAX_VALUE);
    struct str name;
    size_t len;
    enum form form = read_variable(b->p + *pos, b->n - *pos, &name, &len);
    int r = form == FORM_NONE ? 1 : add_value(b, *pos, form, name, 0, &value);

    if (r == 1) { /* what follows it is read as usual */
        *pos += 1;
        return 0;
    }
    if (!r)
        r = check_length(b, *pos);
    if (!r)
        r = copy_up_to(b, *pos);
    if (!r)
        r = replace_up_to(b, *pos + len, buf_cstr(&value), buf_len(&value));
    b->n_words++;
    if (form == FORM_PLAIN && strchr(buf_cstr(&value), ';'))
        b->n_words = 0; /* what follows may begin a statement */
    *pos += len;
    return r;
}

/* ---- arguments of commands ---- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The end of a command's arguments: the line's end, or the next backslash outside quotes. */
static size_t
args_end(const struct pass *b, size_t pos)
{
    char quote = 0;

    for (; pos < b->n && b->p[pos] != '\n'; pos++) {
        char c = b->p[pos];
        if (quote == '\'' && c == '\\' && pos + 1 < b->n && b->p[pos + 1] != '\n')
            pos++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"' || c == '`')
            quote = c;
        else if (c == '\\')
            break;
    }
    return pos;
}

/* The character that an escape inside '...' means; *pos is at the backslash. */
static char
read_escape(const char *p, size_t *pos, size_t end)
{
    static const char from[] = "ntbrf", to[] = "\n\t\b\r\f";
    size_t i = *pos + 1;
    const char *known = i < end && p[i] ? strchr(from, p[i]) : NULL;
    unsigned v = 0;

    if (i >= end)
        return '\\';
    if (known) {
        *pos = i;
        return to[known - from];
    }
    if (p[i] == 'x' && i + 1 < end && strchr("0123456789abcdefABCDEF", p[i + 1])) {
        size_t k = i + 1;
        for (; k < end && k < i + 3 && strchr("0123456789abcdefABCDEF", p[k]); k++)
            v = v * 16
                + (unsigned)(p[k] <= '9' ? p[k] - '0' : ascii_lower(p[k]) - 'a' + 10);
        *pos = k - 1;
        return (char)v;
    }
    if (p[i] >= '0' && p[i] <= '7') {
        size_t k = i;
        for (; k < end && k < i + 3 && p[k] >= '0' && p[k] <= '7'; k++)
            v = v * 8 + (unsigned)(p[k] - '0');
        *pos = k - 1;
        return (char)v;
    }
    *pos = i;
    return p[i];
}

/* The next argument, appended to out: 0; 1: there is none. *is_open: the shell decides. */
static int
next_arg(struct pass *b, size_t *pos, size_t end, struct buf *out, bool *is_open)
{
    size_t i = *pos;
    char quote = 0;

    while (i < end && is_space(b->p[i]))
        i++;
    if (i >= end)
        return 1;
    for (; i < end && (quote || !is_space(b->p[i])); i++) {
        char c = b->p[i];
        struct str name;
        size_t len;
        if (quote == '\'' && c == '\\') {
            c = read_escape(b->p, &i, end);
            add(b, out, &c, 1);
        } else if (quote == '\'' && c == '\'') {
            if (i + 1 < end && b->p[i + 1] == '\'')
                add(b, out, &b->p[i++], 1);
            else
                quote = 0;
        } else if (quote) { /* double quotes stay, what a shell says is unknown */
            if (quote != '`')
                add(b, out, &c, 1);
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"' || c == '`') {
            quote = c;
            *is_open |= c == '`';
            if (c == '"')
                add(b, out, &c, 1);
        } else if (c == ':'
            && read_variable(b->p + i, end - i, &name, &len) != FORM_NONE) {
            enum form form = read_variable(b->p + i, end - i, &name, &len);
            const struct variable *v = map_get(b->run->variables, name);
            if (form == FORM_IS_SET)
                add_truth(b, out, v != NULL);
            else if (!v)
                add(b, out, b->p + i, len);
            else if (!v->value)
                *is_open = true;
            else if (form == FORM_PLAIN)
                add(b, out, v->value, strlen(v->value));
            else
                add_quoted(b, out, v->value, form == FORM_NAME ? '"' : '\'');
            i += len - 1;
        } else {
            add(b, out, &c, 1);
        }
    }
    *pos = i;
    return 0;
}

/* \set NAME [VALUE...]: the rest joined without blanks. */
static int
command_set(struct pass *b, size_t pos, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(MAX_VALUE);
    AUTO(buf_deinit) struct buf value = BUF_INIT(MAX_VALUE);
    bool is_open = false, is_name_open = false;

    if (next_arg(b, &from, end, &name, &is_name_open) != 0)
        return 0; /* shows them all */
    struct str key = { buf_cstr(&name), buf_len(&name) };
    if (is_name_open || !key.n || name_length(key.p, key.n) != key.n)
        return fault(b, pos,
            "\\set %.*s: a psql variable's name is letters, digits and _",
            (int)(key.n < MAX_NAME ? key.n : MAX_NAME), key.p);
    if (str_eqz(key, "SINGLELINE"))
        return fault(
            b, pos, "\\set SINGLELINE ends statements at line ends; remove it");
    while (next_arg(b, &from, end, &value, &is_open) == 0)
        ;
    variable_set(b->run, key, is_open ? NULL : buf_cstr(&value));
    return check_length(b, pos);
}

static int
command_unset(struct pass *b, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(MAX_VALUE);
    bool is_open = false;

    if (next_arg(b, &from, end, &name, &is_open) == 0 && !is_open)
        map_remove(b->run->variables, (struct str){ buf_cstr(&name), buf_len(&name) });
    return 0;
}

/* ---- other files ---- */

static const char *
folder_of(struct run *r)
{
    if (!r->real_folder && r->conf->folder)
        r->real_folder = realpath(r->conf->folder, NULL);
    return r->real_folder;
}

static bool
is_inside(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (path[n] == '/' || n == 1);
}

/* \i is relative to where psql was started, which nobody here knows: to the folder of the
 * migrations or one above it. The one file there that lies in the folder is meant.
 * Returns a resolved path (free), NULL with errno: 0 for two of them. */
static char *
find_from_above(const char *folder, const char *name)
{
    AUTO(mem_free) char *at = mem_strdup(folder);
    char *found = NULL;
    int why = ENOENT;

    for (;;) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", at, name);
        char *real = realpath(path, NULL);
        if (!real && errno != ENOENT && errno != ENOTDIR)
            why = errno;
        if (real && !is_inside(folder, real))
            why = why == ENOENT ? EXDEV : why;
        if (real && is_inside(folder, real) && found && strcmp(found, real) != 0) {
            free(real);
            free(found);
            errno = 0;
            return NULL;
        }
        if (real && is_inside(folder, real) && !found)
            found = real;
        else
            free(real);
        char *slash = strrchr(at, '/');
        if (!slash || slash == at)
            break;
        *slash = 0;
    }
    errno = why;
    return found;
}

static char *
find_file(struct pass *b, const char *folder, const char *name, bool is_relative)
{
    char *real = NULL;

    if (name[0] == '/' || is_relative) {
        AUTO(mem_free) char *path = fs_relative_to(b->path, name);
        real = realpath(path, NULL);
    } else {
        real = find_from_above(folder, name);
    }
    if (real && !is_inside(folder, real)) {
        free(real);
        errno = EXDEV;
        return NULL;
    }
    return real;
}

static int
not_found(struct pass *b, size_t pos, const char *command, const char *name)
{
    const char *folder = b->run->conf->folder;
    int why = errno;

    if (why == EXDEV)
        return fault(b, pos,
            "\\%s %.200s leads out of the folder %.200s; what a migration runs must stand "
            "in it",
            command, name, folder);
    if (why == 0)
        return fault(b, pos,
            "\\%s %.200s may mean two files, depending on where psql is started; use \\ir",
            command, name);
    return fault(b, pos, "\\%s %.200s: %s", command, name, strerror(why));
}

static int run_file(struct run *r, const char *path, size_t file, const char *p,
    size_t n, const struct stat *st);

/* Where the same file is being run already. */
static bool
is_running(const struct run *r, const struct stat *st)
{
    for (size_t i = 0; i < r->depth; i++) {
        if (r->stack[i].dev == st->st_dev && r->stack[i].ino == st->st_ino)
            return true;
    }
    return false;
}

static int
run_other(struct pass *b, size_t pos, const char *command, const char *path)
{
    struct run *r = b->run;
    AUTO(mem_free) char *raw = NULL;
    struct stat st;
    size_t n = 0;

    if (stat(path, &st) != 0)
        return fault(b, pos, "\\%s %.200s: %s", command, path, strerror(errno));
    if (is_running(r, &st))
        return fault(b, pos, "\\%s %.200s: the file would run itself without end",
            command, path);
    if (r->depth == HIST_PSQL_MAX_DEPTH || ++r->n_runs > HIST_PSQL_MAX_RUNS)
        return fault(b, pos,
            "\\%s %.200s: files that run files that run files, too many", command,
            path);
    int e = hist_check_file(path, r->err);
    if (!e)
        e = fs_read(path, r->conf->max_bytes, &raw, &n, r->err);
    if (!e)
        e = hist_text_check(path, raw, n, r->err);
    if (e)
        return e;
    MEM_GROW(r->files, r->n_files, r->cap_files);
    size_t file = r->n_files++, bom = hist_bom(raw, n);
    r->files[file] = path;
    return run_file(r, path, file, raw + bom, n - bom, &st);
}

/* An error in a file that another one runs names both. */
static int
tell_who_ran(struct pass *b, size_t pos, int r)
{
    struct err inner = *b->run->err;
    size_t n = strlen(b->path);

    if (strstr(inner.text, " (run by ")
        || (strncmp(inner.text, b->path, n) == 0 && inner.text[n] == ':'))
        return r;
    return err_set(
        b->run->err, r, "%s (run by %s:%d)", inner.text, b->path, line_of(b, pos));
}

/* \i and \ir: the file's statements stand in the place of the command. The last one may
 * lack its semicolon, and the first begins a line, so that columns stay. */
static int
command_include(
    struct pass *b, size_t pos, const char *command, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(MAX_VALUE);
    bool is_relative = strcmp(command, "ir") == 0
        || strcmp(command, "include_relative") == 0;
    bool is_open = false;

    if (next_arg(b, &from, end, &name, &is_open) != 0)
        return fault(b, pos, "\\%s names no file", command);
    while (buf_len(&name) && name.data[name.tail - 1] == ';')
        name.tail--;
    const char *file = buf_cstr(&name);
    if (is_open || file[0] == '~' || !file[0])
        return fault(b, pos,
            "\\%s: which file it is depends on the shell; write its name", command);
    if (b->n_words)
        return fault(b, pos,
            "\\%s %.200s stands inside a statement; end that with ; before it", command,
            file);
    const char *folder = folder_of(b->run);
    if (!folder)
        return fault(b, pos,
            "\\%s %.200s runs another file, which is none that can be found from here",
            command, file);
    char *path = find_file(b, folder, file, is_relative);
    if (!path)
        return not_found(b, pos, command, file);
    /* named as the configuration names the folder */
    const char *below = path + strlen(folder) + (folder[1] ? 1 : 0);
    const char *shown = arena_printf(
        b->run->conf->arena, "%s/%s", b->run->conf->folder, below);
    free(path);
    b->run->is_other = true;
    int r = put(b, "\n", 1);
    if (!r)
        r = run_other(b, pos, command, shown);
    if (r)
        return tell_who_ran(b, pos, r);
    r = put(b, "\n;", 2);
    b->copied = end;
    piece(b, line_of(b, end), false);
    return r;
}

/* ---- \copy ---- */

/* \copy T FROM 'file' is sent as COPY T FROM STDIN. *end is left behind the command. */
static int
command_copy(struct pass *b, size_t pos, size_t from, size_t *end)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(b->run->conf->max_bytes + 64);
    const char *nl = memchr(b->p + from, '\n', b->n - from);
    size_t to = nl ? (size_t)(nl - b->p) : b->n, depth = 0, at = 0;
    bool is_from = false, is_inline = false;
    struct sql_lexer lx;
    struct sql_token tok;
    int r;

    if (b->n_words)
        return fault(
            b, pos, "\\copy stands inside a statement; end that with ; before it");
    sql_lex_init(&lx, b->p + from, to - from, true);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        struct str s = { b->p + from + tok.start, tok.len };
        depth += str_eqz(s, "(");
        depth -= depth && str_eqz(s, ")");
        is_from = str_ieqz(s, "from");
        if (depth == 0 && tok.kind == SQL_T_WORD && (is_from || str_ieqz(s, "to")))
            break;
    }
    at = tok.start + tok.len;
    if (!r)
        r = sql_lex_next(&lx, &tok);
    struct str where = { b->p + from + tok.start, tok.len };
    if (!r && str_ieqz(where, "program"))
        r = sql_lex_next(&lx, &tok);
    if (r)
        return fault(b, pos,
            "\\copy can't be read; write it as \\copy TABLE FROM 'file' in one line");
    is_inline = is_from && str_ieqz(where, "stdin");
    if (tok.kind != SQL_T_STRING) { /* a name without quotes ends at a blank */
        size_t i = from + tok.start;
        while (i < to && !is_space(b->p[i]))
            i++;
        lx.pos = i - from;
    }
    buf_puts(&out, "COPY");
    buf_put(&out, b->p + from, at);
    buf_puts(&out, is_from ? " STDIN" : " STDOUT");
    size_t rest = from + lx.pos;
    while (to > rest && (is_space(b->p[to - 1]) || b->p[to - 1] == ';'))
        to--;
    buf_put(&out, b->p + rest, to - rest);
    buf_puts(&out, ";");
    *end = nl ? (size_t)(nl - b->p) : b->n;
    r = replace_up_to(b, *end, buf_cstr(&out), buf_len(&out));
    b->saw_stdin = is_inline; /* its data stand in the file */
    return r;
}

/* ---- commands ---- */

enum meta_kind {
    META_BLANK, /* nothing of it reaches the server, or only harmless queries */
    META_SET,
    META_UNSET,
    META_ENCODING, /* fine as long as it says UTF8 */
    META_INCLUDE,
    META_SEND, /* sends the statement before it, or its results */
    META_BRANCH,
    META_COPY,
    META_CONNECT,
    META_OTHER,
};

static const struct {
    const char *name;
    enum meta_kind kind;
} metas[] = {
    { "set", META_SET },
    { "unset", META_UNSET },
    { "setenv", META_BLANK },
    { "echo", META_BLANK },
    { "qecho", META_BLANK },
    { "warn", META_BLANK },
    { "timing", META_BLANK },
    { "pset", META_BLANK },
    { "x", META_BLANK },
    { "a", META_BLANK },
    { "t", META_BLANK },
    { "f", META_BLANK },
    { "C", META_BLANK },
    { "H", META_BLANK },
    { "T", META_BLANK },
    { "o", META_BLANK },
    { "out", META_BLANK },
    { "conninfo", META_BLANK },
    { "h", META_BLANK },
    { "help", META_BLANK },
    { "?", META_BLANK },
    { "errverbose", META_BLANK },
    { "copyright", META_BLANK },
    { "restrict", META_BLANK },
    { "unrestrict", META_BLANK },
    { "encoding", META_ENCODING },
    { "i", META_INCLUDE },
    { "ir", META_INCLUDE },
    { "include", META_INCLUDE },
    { "include_relative", META_INCLUDE },
    { "g", META_SEND },
    { "gx", META_SEND },
    { "gset", META_SEND },
    { "gexec", META_SEND },
    { "gdesc", META_SEND },
    { "crosstabview", META_SEND },
    { "watch", META_SEND },
    { "bind", META_SEND },
    { "if", META_BRANCH },
    { "elif", META_BRANCH },
    { "else", META_BRANCH },
    { "endif", META_BRANCH },
    { "copy", META_COPY },
    { "c", META_CONNECT },
    { "connect", META_CONNECT },
};

static enum meta_kind
meta_find(struct str name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(metas); i++) {
        if (str_eqz(name, metas[i].name))
            return metas[i].kind;
    }
    /* \d, \dt+, \l, ...: psql's own queries of the catalogue */
    if (name.n > 0 && (name.p[0] == 'd' || name.p[0] == 'l' || name.p[0] == 'z')
        && !(name.n > 3 && memcmp(name.p, "lo_", 3) == 0))
        return META_BLANK;
    return META_OTHER;
}

static int
meta_refuse(struct pass *b, size_t pos, struct str name, const char *why)
{
    return fault(b, pos, "\\%.*s %s", (int)(name.n < 32 ? name.n : 32), name.p, why);
}

static int
command_encoding(struct pass *b, size_t pos, struct str name, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf arg = BUF_INIT(MAX_VALUE);
    bool is_open = false;

    if (next_arg(b, &from, end, &arg, &is_open) != 0)
        return 0;
    struct str s = { buf_cstr(&arg), buf_len(&arg) };
    if (!is_open && (str_ieqz(s, "utf8") || str_ieqz(s, "utf-8")))
        return 0;
    return meta_refuse(
        b, pos, name, "changes the encoding; migration files are read as UTF-8");
}

static int
run_command(struct pass *b, size_t pos, struct str name, size_t from, size_t *end)
{
    char word[33] = "";

    memcpy(word, name.p, name.n < 32 ? name.n : 32);
    switch (meta_find(name)) {
    case META_BLANK:
        return 0;
    case META_SET:
        return command_set(b, pos, from, *end);
    case META_UNSET:
        return command_unset(b, from, *end);
    case META_ENCODING:
        return command_encoding(b, pos, name, from, *end);
    case META_INCLUDE:
        return command_include(b, pos, word, from, *end);
    case META_COPY:
        return command_copy(b, pos, from, end);
    case META_SEND:
        return meta_refuse(b, pos, name,
            "sends what the gate can't foresee; end the statement with ; and write its "
            "results out");
    case META_BRANCH:
        return meta_refuse(b, pos, name,
            "makes what runs depend on psql variables; write the statements "
            "unconditionally");
    case META_CONNECT:
        return meta_refuse(b, pos, name,
            "goes to another database or user; one migration is one database's");
    case META_OTHER:
        break;
    }
    return meta_refuse(b, pos, name, "can't be part of a migration; remove it");
}

/* The command at *pos; *pos is left behind it. */
static int
on_backslash(struct pass *b, size_t *pos)
{
    size_t start = *pos, i = start + 1;
    int r = copy_up_to(b, start);

    if (!r && i < b->n && (b->p[i] == ';' || b->p[i] == ':')) { /* \; joins messages */
        *pos = i;
        return blank_up_to(b, i);
    }
    while (i < b->n && b->p[i] != '\n' && b->p[i] != '\\' && !is_space(b->p[i]))
        i++;
    struct str name = { b->p + start + 1, i - start - 1 };
    size_t end = args_end(b, i);
    if (!r)
        r = run_command(b, start, name, i, &end);
    if (!r)
        r = blank_up_to(b, end);
    *pos = end;
    return r;
}

/* ---- the pass over a file ---- */

/* Blanks the data lines that begin after the line of pos, up to the line `\.`. */
static int
copy_data(struct pass *b, size_t pos, size_t *end)
{
    const char *nl = memchr(b->p + pos, '\n', b->n - pos);
    size_t at = nl ? (size_t)(nl - b->p) + 1 : b->n;
    int r = copy_up_to(b, at);

    while (!r && at < b->n) {
        nl = memchr(b->p + at, '\n', b->n - at);
        size_t stop = nl ? (size_t)(nl - b->p) : b->n;
        struct str line = { b->p + at, stop - at };
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (str_eqz(line, "\\.")) {
            *end = stop;
            return blank_up_to(b, stop);
        }
        at = stop + 1;
    }
    return r
        ? r
        : fault(b, pos, "COPY ... FROM STDIN whose data don't end; add a line \\.");
}

static void
on_word(struct pass *b, struct str s)
{
    if (b->n_words++ == 0)
        b->is_copy = str_ieqz(s, "copy");
    else if (b->is_copy && b->depth == 0 && b->saw_from)
        b->saw_stdin = b->saw_stdin || str_ieqz(s, "stdin");
    else if (b->is_copy && b->depth == 0)
        b->saw_from = str_ieqz(s, "from");
}

static void
on_sign(struct pass *b, struct str s)
{
    b->n_words++;
    if (str_eqz(s, "("))
        b->depth++;
    else if (str_eqz(s, ")") && b->depth > 0)
        b->depth--;
    else if (str_eqz(s, "["))
        b->n_brackets++;
    else if (str_eqz(s, "]") && b->n_brackets > 0)
        b->n_brackets--;
}

static void
statement_ends(struct pass *b)
{
    b->n_words = b->depth = b->n_brackets = 0;
    b->is_copy = b->saw_from = b->saw_stdin = false;
}

/* pos: behind the token, or where reading goes on. */
static int
on_token(struct pass *b, const struct sql_token *tok, size_t *pos)
{
    struct str s = { b->p + tok->start, tok->len };
    int r = 0;

    if (tok->kind == SQL_T_WORD) {
        on_word(b, s);
    } else if (tok->kind == SQL_T_PUNCT && str_eqz(s, "\\")) {
        *pos = tok->start;
        r = on_backslash(b, pos);
        if (!r && !b->n_words && b->saw_stdin) /* of a \copy */
            r = copy_data(b, *pos, pos);
        if (!b->n_words)
            b->saw_stdin = false;
    } else if (tok->kind == SQL_T_PUNCT && str_eqz(s, ":")) {
        *pos = tok->start;
        r = on_colon(b, pos);
    } else if (str_eqz(s, ";")) {
        if (b->is_copy && b->saw_stdin)
            r = copy_data(b, tok->start, pos);
        statement_ends(b);
    } else {
        on_sign(b, s);
    }
    return r;
}

static int
read_pass(struct pass *b)
{
    struct sql_lexer lx;
    struct sql_token tok;
    int r = 0, e;

    sql_lex_init(&lx, b->p, b->n, true);
    while (!r && (e = sql_lex_next(&lx, &tok)) == 0) {
        size_t pos = tok.start + tok.len;
        r = on_token(b, &tok, &pos);
        if (pos != tok.start + tok.len) {
            sql_lex_init(&lx, b->p, b->n, true);
            lx.pos = pos;
        }
    }
    /* Of a file that another one runs nobody else would find where it began. */
    if (!r && e == SQL_LEX_E_BROKEN && b->file)
        r = fault(b, lx.pos, "a quote or comment that doesn't end");
    return r ? r : copy_up_to(b, b->n);
}

static int
run_file(struct run *r, const char *path, size_t file, const char *p, size_t n,
    const struct stat *st)
{
    struct pass b = { .run = r, .path = path, .p = p, .n = n, .file = file, .line = 1 };

    r->stack[r->depth++] = (struct running){ st->st_dev, st->st_ino, path };
    piece(&b, 1, false);
    int e = read_pass(&b);
    r->depth--;
    return e;
}

/* ---- the file itself ---- */

/* Most files hold nothing for psql: no backslash, and no colon but in casts. */
static bool
is_plain(const char *p, size_t n)
{
    if (memchr(p, '\\', n))
        return false;
    for (const char *c = p; (c = memchr(c, ':', (size_t)(p + n - c))); c++) {
        size_t i = (size_t)(c - p);
        if (i + 1 < n && c[1] == ':')
            c++;
        else if (i + 1 < n
            && (is_name_byte(c[1]) || c[1] == '\'' || c[1] == '"' || c[1] == '{'))
            return false;
    }
    return true;
}

static void
run_deinit_p(struct run *r)
{
    buf_deinit(&r->out);
    mem_free(r->files);
    mem_free(r->pieces);
    map_free(r->variables);
    free(r->real_folder);
}

static struct hist_sent *
sent_new(struct run *r)
{
    struct arena *a = r->conf->arena;
    struct hist_sent *s = arena_alloc(a, sizeof(*s));

    *s = (struct hist_sent){
        .text = arena_strndup(a, buf_cstr(&r->out), buf_len(&r->out)),
        .len = buf_len(&r->out),
        .files = arena_alloc(a, r->n_files * sizeof(*s->files)),
        .n_files = r->n_files,
        .pieces = arena_alloc(a, r->n_pieces * sizeof(*s->pieces)),
        .n_pieces = r->n_pieces,
    };
    memcpy(s->files, r->files, r->n_files * sizeof(*s->files));
    memcpy(s->pieces, r->pieces, r->n_pieces * sizeof(*s->pieces));
    return s;
}

int
hist_psql_read(const struct hist_psql *conf, const char *path, char *p, size_t n,
    struct hist_sent **out, struct err *err)
{
    struct stat st = { 0 };
    struct err why = { "" };
    AUTO(run_deinit)
    struct run r = { .conf = conf,
        .out = BUF_INIT(conf->max_bytes),
        .variables = map_new(variable_free),
        .err = &why };

    if (is_plain(p, n))
        return hist_text_blank(path, p, n, err);
    for (size_t i = 0; i < conf->n_variables; i++)
        variable_set(&r, str_of(conf->variables[2 * i]), conf->variables[2 * i + 1]);
    MEM_GROW(r.files, r.n_files, r.cap_files);
    r.files[r.n_files++] = arena_strdup(conf->arena, path);
    if (stat(path, &st) != 0) /* a text from elsewhere: nothing can run it again */
        st = (struct stat){ .st_ino = 0 };
    int e = run_file(&r, r.files[0], 0, p, n, &st);
    if (e && err)
        *err = why;
    if (e)
        return e;
    if (r.is_other) {
        *out = sent_new(&r);
        return 0;
    }
    DG_ASSERT(buf_len(&r.out) == n, "blanking keeps the length");
    memcpy(p, buf_cstr(&r.out), n);
    return 0;
}

/* The piece that holds a byte. */
static size_t
find_piece(const struct hist_sent *s, size_t pos)
{
    size_t low = 0, high = s->n_pieces;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (s->pieces[mid].at <= pos)
            low = mid;
        else
            high = mid;
    }
    return low;
}

const char *
hist_sent_file(const struct hist_sent *s, size_t pos)
{
    return s->files[s->pieces[find_piece(s, pos)].file];
}

static int
count_lines(
    const struct hist_sent *s, const struct hist_piece *x, size_t from, size_t to)
{
    int n = 0;

    for (size_t i = from; !x->is_value && i < to && i < s->len; i++)
        n += s->text[i] == '\n';
    return n;
}

void
hist_sent_place(const struct hist_sent *s, int text_line, const char **file, int *line)
{
    size_t pos = 0;

    for (const char *nl; text_line > 1; text_line--) {
        nl = memchr(s->text + pos, '\n', s->len - pos);
        if (!nl)
            break;
        pos = (size_t)(nl - s->text) + 1;
    }
    const struct hist_piece *x = &s->pieces[find_piece(s, pos)];
    *file = s->files[x->file];
    *line = x->line + count_lines(s, x, x->at, pos);
}

void
hist_sent_lines(const struct hist_sent *s, struct sql_scan *scan)
{
    size_t k = 0, from = 0;
    int line = s->pieces[0].line;

    for (size_t i = 0; i < scan->n; i++) {
        struct sql_stmt *stmt = &scan->stmts[i];
        while (k + 1 < s->n_pieces && s->pieces[k + 1].at <= stmt->start) {
            from = s->pieces[++k].at;
            line = s->pieces[k].line;
        }
        line += count_lines(s, &s->pieces[k], from, stmt->start);
        from = stmt->start;
        stmt->line = line;
    }
}
