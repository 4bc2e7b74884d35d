// SPDX-License-Identifier: ISC
/* The startup parameter `options`: a command line for the server process. Split like the
 * server does (pg_split_opts: blanks, backslash takes the next byte as it is), then read
 * like its getopt does (process_postgres_switches): flags may be joined, an argument may
 * stand in the same word or the next. */
#include "pgwire/pgwire.h"

#include <string.h>

/* The server's option letters; ':' follows those that take an argument. */
static const char letters[] = "B:bc:C:D:d:EeFf:h:ijk:lN:nOPp:r:S:sTt:v:W:-:";

struct splitter {
    struct str rest;
    char word[PGW_MAX_STARTUP + 1]; /* the current word, decoded */
    size_t len;
};

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
next_word(struct splitter *s)
{
    while (s->rest.n && is_blank(*s->rest.p)) {
        s->rest.p++;
        s->rest.n--;
    }
    if (!s->rest.n)
        return false;

    bool is_escaped = false;
    s->len = 0;
    for (; s->rest.n; s->rest.p++, s->rest.n--) {
        char c = *s->rest.p;
        if (is_blank(c) && !is_escaped)
            break;
        if (c == '\\' && !is_escaped) {
            is_escaped = true;
            continue;
        }
        is_escaped = false;
        s->word[s->len++] = c;
    }
    return true;
}

/* "Search-Path=x" sets search_path: ParseLongOption and the server's names without case. */
static bool
sets_param(struct str arg, const char *name, struct str *value)
{
    size_t n = strlen(name);
    if (arg.n <= n || arg.p[n] != '=')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = arg.p[i] == '-' ? '_' : ascii_lower(arg.p[i]);
        if (c != ascii_lower(name[i]))
            return false;
    }
    *value = (struct str){ arg.p + n + 1, arg.n - n - 1 };
    return true;
}

static void
copy_out(struct str value, char *out, size_t size)
{
    size_t n = value.n < size - 1 ? value.n : size - 1;
    memcpy(out, value.p, n);
    out[n] = '\0';
}

/* Reads the letters of one word; true if it sets the parameter. *stop: the server reads
 * no further (an unknown letter, a word that is no option, or "--"). */
static bool
read_word(struct splitter *s, const char *name, char *out, size_t size, bool *stop)
{
    if (s->len < 2 || s->word[0] != '-' || (s->len == 2 && s->word[1] == '-')) {
        *stop = true;
        return false;
    }
    for (size_t i = 1; i < s->len; i++) {
        char c = s->word[i];
        const char *letter = c == ':' ? NULL : strchr(letters, c);
        if (!c || !letter) {
            *stop = true;
            return false;
        }
        if (letter[1] != ':')
            continue;

        struct str arg = { s->word + i + 1, s->len - i - 1 };
        if (!arg.n) {
            if (!next_word(s)) {
                *stop = true;
                return false;
            }
            arg = (struct str){ s->word, s->len };
        }
        struct str value;
        if ((c != 'c' && c != '-') || !sets_param(arg, name, &value))
            return false;
        copy_out(value, out, size);
        return true;
    }
    return false;
}

bool
pgw_options_get(struct str options, const char *name, char *out, size_t size)
{
    DG_ASSERT(options.n <= PGW_MAX_STARTUP, "options of %zu bytes", options.n);
    DG_ASSERT(size > 0, "no room for a terminator");
    struct splitter s = { .rest = options };
    bool found = false, stop = false;
    while (!stop && next_word(&s))
        if (read_word(&s, name, out, size, &stop))
            found = true;
    return found;
}
