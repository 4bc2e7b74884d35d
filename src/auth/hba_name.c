// SPDX-License-Identifier: ISC
/* Names; see hba_name.h.
 *
 * Regular expressions are PostgreSQL's there and POSIX's here. They agree on what both have;
 * what only PostgreSQL has (\d, (?i), back references, escapes in brackets) would be read as
 * something else, and somebody let in or shut out by it, so it is refused. Characters other
 * than ASCII are bytes here: fine as they stand, not within brackets. */
#include "auth/hba_name.h"

#include <errno.h>
#include <string.h>

#define MAX_NAME    63   /* bytes; PostgreSQL cuts longer names */
#define MAX_PATTERN 256  /* bytes; regcomp recurses */
#define MAX_REPEATS 4096 /* product of all {n}: regcomp writes them out */

/* Past the bracket expression that begins at p; NULL: it can't be taken. */
static const char *
skip_bracket(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    if (*p == ']')
        p++;
    for (; *p && *p != ']'; p++) {
        if (*p == '\\' || (unsigned char)*p >= 0x80)
            return NULL;
        if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
            const char end[3] = { p[1], ']', 0 };
            p = strstr(p + 2, end);
            if (!p)
                return NULL;
            p++;
        }
    }
    return *p ? p : NULL;
}

/* Does it mean the same to both kinds of regular expressions? */
static bool
is_common(const char *p)
{
    if (strncmp(p, "***", 3) == 0)
        return false;
    for (; *p; p++) {
        if (*p == '\\') {
            /* With a character after it that is one of the expression's own. */
            if (!*++p || !strchr(".[]()*+?{}|^$\\/", *p))
                return false;
        } else if (*p == '(' && p[1] == '?') {
            return false;
        } else if (*p == '[') {
            p = skip_bracket(p);
            if (!p)
                return false;
        }
    }
    return true;
}

/* Taken from the braces anywhere, escaped or not: too strict is fine here. */
static bool
is_small(const char *p)
{
    int64_t product = 1;

    if (strlen(p) > MAX_PATTERN)
        return false;
    while ((p = strchr(p, '{')) != NULL) {
        int64_t largest = 1;
        for (p++; *p && *p != '}';) {
            struct str digits = { p, strspn(p, "0123456789") };
            int64_t n = 0;
            if (digits.n && str_int64(digits, 0, MAX_REPEATS, &n))
                return false;
            largest = n > largest ? n : largest;
            p += digits.n ? digits.n : 1;
        }
        product *= largest;
        if (product > MAX_REPEATS)
            return false;
    }
    return true;
}

static int
parse_regex(struct hba_name *n, struct err *err)
{
    char why[128];
    const char *pattern = n->text + 1;

    if (!*pattern)
        return err_set(err, -EINVAL, "no regular expression follows the slash");
    if (!is_common(pattern))
        return err_set(err, -EINVAL,
            "%s: the gate takes POSIX extended regular expressions only, so no escapes "
            "like \\d, no (?...), and in brackets no backslash and only ASCII",
            n->text);
    if (!is_small(pattern))
        return err_set(err, -EINVAL,
            "%.64s...: the regular expression is longer than %d bytes, or its {n} make "
            "up more than %d repeats",
            n->text, MAX_PATTERN, MAX_REPEATS);
    int r = regcomp(&n->regex, pattern, REG_EXTENDED | REG_NOSUB);
    if (r) {
        regerror(r, &n->regex, why, sizeof(why));
        return err_set(err, -EINVAL, "%s: %s", n->text, why);
    }
    n->kind = HBA_NAME_REGEX;
    return 0;
}

static int
parse_keyword(
    const struct hba_token *t, bool is_database, struct hba_name *n, struct err *err)
{
    if (strcmp(t->text, "all") == 0)
        n->kind = HBA_NAME_ALL;
    else if (is_database && strcmp(t->text, "sameuser") == 0)
        n->kind = HBA_NAME_SAME_USER;
    else if (is_database && strcmp(t->text, "replication") == 0)
        n->kind = HBA_NAME_REPLICATION;
    else if (is_database
        && (strcmp(t->text, "samerole") == 0 || strcmp(t->text, "samegroup") == 0))
        return err_set(err, -EINVAL,
            "%s: the gate does not know who is a member of which role; write the names "
            "of databases and users",
            t->text);
    else if (!is_database && t->text[0] == '+')
        return err_set(err, -EINVAL,
            "%s: the gate does not know who is a member of which role; write the names "
            "of its members",
            t->text);
    return 0;
}

static int
parse_name(
    const struct hba_token *t, bool is_database, struct hba_name *n, struct err *err)
{
    n->text = t->text;
    /* A pattern may have to be quoted, for its commas. */
    if (t->text[0] == '/')
        return parse_regex(n, err);
    if (!t->text[0])
        return err_set(err, -EINVAL, "an empty name matches nothing; remove it");
    if (strlen(t->text) > MAX_NAME)
        return err_set(err, -EINVAL,
            "\"%s\" is longer than %d bytes; PostgreSQL cuts such names, so write what "
            "it keeps",
            t->text, MAX_NAME);
    return t->is_quoted ? 0 : parse_keyword(t, is_database, n, err);
}

int
hba_names_parse(const struct hba_field *field, bool is_database, struct hba_names *out,
    struct err *err)
{
    *out = (struct hba_names){ .names = mem_array(field->n, sizeof(*out->names)) };
    for (size_t i = 0; i < field->n; i++) {
        int r = parse_name(&field->tokens[i], is_database, &out->names[i], err);
        if (r)
            return r;
        out->n++;
    }
    return 0;
}

void
hba_names_deinit(struct hba_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->names[i].kind == HBA_NAME_REGEX)
            regfree(&names->names[i].regex);
    mem_free(names->names);
    *names = (struct hba_names){ .n = 0 };
}

static bool
has_database(const struct hba_name *n, const struct auth_hba_ask *ask)
{
    /* Physical replication has no database. */
    if (ask->is_replication)
        return n->kind == HBA_NAME_REPLICATION;
    switch (n->kind) {
    case HBA_NAME_TEXT:
        return strcmp(n->text, ask->database) == 0;
    case HBA_NAME_ALL:
        return true;
    case HBA_NAME_SAME_USER:
        return strcmp(ask->user, ask->database) == 0;
    case HBA_NAME_REPLICATION:
        return false;
    case HBA_NAME_REGEX:
        return regexec(&n->regex, ask->database, 0, NULL, 0) == 0;
    }
    DG_ASSERT(false, "no name of kind %d", (int)n->kind);
    return false;
}

bool
hba_names_have_database(const struct hba_names *names, const struct auth_hba_ask *ask)
{
    for (size_t i = 0; i < names->n; i++)
        if (has_database(&names->names[i], ask))
            return true;
    return false;
}

bool
hba_names_have_user(const struct hba_names *names, const char *user)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct hba_name *n = &names->names[i];
        bool is_it = n->kind == HBA_NAME_ALL
            || (n->kind == HBA_NAME_TEXT && strcmp(n->text, user) == 0)
            || (n->kind == HBA_NAME_REGEX && regexec(&n->regex, user, 0, NULL, 0) == 0);
        if (is_it)
            return true;
    }
    return false;
}
