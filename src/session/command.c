// SPDX-License-Identifier: ISC
/* One table of commands, one reader of words. */
#include "session/command.h"

#include <errno.h>
#include <string.h>

#define MAX_WORDS 4
#define MAX_SHOWN 60 /* bytes of a client's word in a message */

static const struct sess_command_info commands[SESS_N_COMMANDS] = {
    [SESS_CMD_HELP] = { "SHOW HELP", "", "SHOW", "these commands",
        { "command", "shows" }, 2 },
    [SESS_CMD_VERSION] = { "SHOW VERSION", "", "SHOW", "the version of the gate",
        { "version" }, 1 },
    [SESS_CMD_DATABASES] = { "SHOW DATABASES", "", "SHOW",
        "the entries of [databases]: where each is, its policy and its migrations",
        { "name", "host", "port", "dbname", "policy", "migrations" }, 6 },
    [SESS_CMD_MIGRATIONS] = { "SHOW MIGRATIONS", "[DATABASE]", "SHOW",
        "the migration files against the history of each database, or of one",
        { "database", "source", "version", "name", "state", "file", "checksum",
            "note" },
        8 },
    [SESS_CMD_CHECKS] = { "SHOW CHECKS", "", "SHOW",
        "the catalogue of checks, with what the general policy makes of each",
        { "id", "group", "action", "summary" }, 4 },
    [SESS_CMD_POLICY] = { "SHOW POLICY", "", "SHOW",
        "the policy files that are loaded, and the databases they hold for",
        { "file", "environment", "mode", "databases" }, 4 },
    [SESS_CMD_RELOAD] = { "RELOAD", "", "RELOAD",
        "nothing: reads configuration, policies and migrations again, as SIGHUP does",
        { NULL }, 0 },
    [SESS_CMD_BEGIN] = { "BEGIN", "", "BEGIN", NULL, { NULL }, 0 },
    [SESS_CMD_COMMIT] = { "COMMIT", "", "COMMIT", NULL, { NULL }, 0 },
    [SESS_CMD_ROLLBACK] = { "ROLLBACK", "", "ROLLBACK", NULL, { NULL }, 0 },
};

const struct sess_command_info *
sess_command_info(enum sess_command_id id)
{
    return id < SESS_N_COMMANDS ? &commands[id] : NULL;
}

struct word {
    struct str text; /* without its quotes */
    bool is_quoted;
};

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word at *p; false: none. A quoted name has no quote in it. */
static bool
next_word(struct str *rest, struct word *out)
{
    while (rest->n && is_space(*rest->p)) {
        rest->p++;
        rest->n--;
    }
    if (!rest->n)
        return false;
    size_t n = 0;
    out->is_quoted = *rest->p == '"';
    if (out->is_quoted) {
        const char *end = memchr(rest->p + 1, '"', rest->n - 1);
        size_t len = end ? (size_t)(end - rest->p) - 1 : rest->n - 1;
        out->text = (struct str){ rest->p + 1, len };
        n = len + (end ? 2 : 1);
    } else {
        while (n < rest->n && !is_space(rest->p[n]) && rest->p[n] != ';')
            n++;
        n = n ? n : 1; /* a semicolon */
        out->text = (struct str){ rest->p, n };
    }
    rest->p += n;
    rest->n -= n;
    return true;
}

/* A client's word as a message may show it: short, and nothing but ASCII. */
struct shown {
    char text[MAX_SHOWN + 4];
};

static struct shown
show(struct str word)
{
    struct shown s;
    size_t n = word.n < MAX_SHOWN ? word.n : MAX_SHOWN;
    for (size_t i = 0; i < n; i++)
        s.text[i] = word.p[i] >= ' ' && word.p[i] < 0x7f ? word.p[i] : '?';
    strcpy(s.text + n, word.n > n ? "..." : "");
    return s;
}

static void
hint_all(struct err *hint)
{
    size_t n = 0;
    for (size_t i = 0; i < SESS_N_COMMANDS; i++) {
        const struct sess_command_info *c = &commands[i];
        if (!c->summary)
            continue;
        err_set(hint, 0, "%.*s%s%s%s%s", (int)n, n ? hint->text : "",
            n ? ", " : "there is ", c->words, *c->takes ? " " : "", c->takes);
        n = strlen(hint->text);
    }
}

/* How many of the words are the command's; 0: it is another one. */
static size_t
match(const struct sess_command_info *c, const struct word *words, size_t n)
{
    struct str rest = str_of(c->words);
    struct word want;
    size_t i = 0;
    for (; next_word(&rest, &want); i++) {
        char lower[MAX_SHOWN];
        if (i == n || words[i].is_quoted || words[i].text.n != want.text.n)
            return 0;
        memcpy(lower, want.text.p, want.text.n);
        lower[want.text.n] = '\0';
        if (!str_ieqz(words[i].text, lower))
            return 0;
    }
    return i;
}

static int
take_argument(const struct sess_command_info *c, const struct word *words, size_t n,
    struct sess_command *out, struct err *err, struct err *hint)
{
    out->database[0] = '\0';
    if (n == 0)
        return 0;
    if (!*c->takes || n > 1) {
        err_set(hint, 0, "write %s%s%s, one command at a time", c->words,
            *c->takes ? " " : "", c->takes);
        return err_set(err, -EINVAL, "unexpected \"%s\" after %s",
            show(words[*c->takes ? 1 : 0].text).text, c->words);
    }
    if (words[0].text.n >= SESS_MAX_ARGUMENT || words[0].text.n == 0) {
        err_set(hint, 0, "SHOW DATABASES lists the names");
        return err_set(
            err, -EINVAL, "\"%s\" is no database name", show(words[0].text).text);
    }
    memcpy(out->database, words[0].text.p, words[0].text.n);
    out->database[words[0].text.n] = '\0';
    return 0;
}

int
sess_command_parse(
    struct str text, struct sess_command *out, struct err *err, struct err *hint)
{
    struct word words[MAX_WORDS], w;
    size_t n = 0;
    for (;;) {
        text = str_trim(text);
        if (!text.n || text.p[text.n - 1] != ';')
            break;
        text.n--;
    }
    while (n < MAX_WORDS && next_word(&text, &w))
        words[n++] = w;
    if (n == 0) {
        *out = (struct sess_command){ .id = SESS_CMD_EMPTY };
        return 0;
    }
    for (size_t i = 0; i < SESS_N_COMMANDS; i++) {
        size_t taken = match(&commands[i], words, n);
        if (!taken)
            continue;
        out->id = (enum sess_command_id)i;
        return take_argument(&commands[i], words + taken, n - taken, out, err, hint);
    }
    hint_all(hint);
    bool is_show = !words[0].is_quoted && str_ieqz(words[0].text, "show");
    if (is_show && n == 1)
        return err_set(err, -EINVAL, "SHOW what?");
    if (is_show)
        return err_set(err, -EINVAL, "\"%s\" can't be shown", show(words[1].text).text);
    return err_set(err, -EINVAL, "unknown command \"%s\"", show(words[0].text).text);
}
