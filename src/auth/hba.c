// SPDX-License-Identifier: ISC
/* The records of a pg_hba.conf; see hba.h. What PostgreSQL knows and the gate does not is an
 * error when the file is read: a record that is passed over would let somebody in by a
 * later one. */
#include "auth/hba.h"

#include "auth/hba_addr.h"
#include "auth/hba_line.h"
#include "auth/hba_name.h"
#include "base/fs.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

enum type {
    TYPE_LOCAL,
    TYPE_HOST,
    TYPE_HOSTSSL,
    TYPE_HOSTNOSSL,
};

struct record {
    enum type type;
    struct hba_names databases, users; /* owned */
    struct hba_addr addr;              /* but TYPE_LOCAL */
    enum auth_method method;
    int line;
};

struct auth_hba {
    struct ref ref;
    struct arena *arena; /* owned; all texts */
    struct record *records;
    size_t n, cap;
};

/* One line being read: `at` is the next field. */
struct parser {
    const char *path;
    const struct hba_line *line;
    size_t at;
    struct err *err;
};

#define FAULT(p, ...) err_set((p)->err, -EINVAL, "%s:%d: " __VA_ARGS__)
#define PLACE(p)      (p)->path, (p)->line->line

static void
record_deinit(struct record *r)
{
    hba_names_deinit(&r->databases);
    hba_names_deinit(&r->users);
}

static void
free_hba(struct ref *ref)
{
    struct auth_hba *h = (struct auth_hba *)ref;
    for (size_t i = 0; i < h->n; i++)
        record_deinit(&h->records[i]);
    mem_free(h->records);
    arena_free(h->arena);
    mem_free(h);
}

static void
hba_drop(struct auth_hba *h)
{
    ref_drop(h);
}
CLEANUP_DEFINE(struct auth_hba *, hba_drop)

/* The next field; NULL with err if the line ends. */
static const struct hba_field *
take_field(struct parser *p, const char *what)
{
    if (p->at < p->line->n)
        return &p->line->fields[p->at++];
    FAULT(p,
        "the line ends where its %s must stand; a record is TYPE DATABASE USER "
        "[ADDRESS] METHOD",
        PLACE(p), what);
    return NULL;
}

/* The same, where only one word may stand. */
static const struct hba_token *
take_word(struct parser *p, const char *what)
{
    const struct hba_field *f = take_field(p, what);

    if (f && f->n > 1) {
        FAULT(p, "a list stands where one %s must; write a line for each", PLACE(p),
            what);
        return NULL;
    }
    return f ? f->tokens : NULL;
}

static int
read_type(struct parser *p, enum type *out)
{
    static const char *const names[] = {
        [TYPE_LOCAL] = "local",
        [TYPE_HOST] = "host",
        [TYPE_HOSTSSL] = "hostssl",
        [TYPE_HOSTNOSSL] = "hostnossl",
    };
    const struct hba_token *t = take_word(p, "type");

    if (!t)
        return -EINVAL;
    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++)
        if (strcmp(t->text, names[i]) == 0) {
            *out = (enum type)i;
            return 0;
        }
    if (str_prefix(t->text, "include"))
        return FAULT(p, "%s: the gate reads no further files; write their records here",
            PLACE(p), t->text);
    if (strcmp(t->text, "hostgssenc") == 0 || strcmp(t->text, "hostnogssenc") == 0)
        return FAULT(p,
            "%s: the gate has no GSSAPI encryption; write %s, or remove the line",
            PLACE(p), t->text, "host");
    return FAULT(p, "\"%s\" is no type; there are local, host, hostssl and hostnossl",
        PLACE(p), t->text);
}

static int
read_names(struct parser *p, bool is_database, struct hba_names *out)
{
    const struct hba_field *f = take_field(p, is_database ? "database" : "user");
    struct err why = { "" };

    if (!f)
        return -EINVAL;
    int r = hba_names_parse(f, is_database, out, &why);
    return r ? FAULT(p, "%s", PLACE(p), why.text) : 0;
}

static int
read_address(struct parser *p, struct hba_addr *out)
{
    const struct hba_token *t = take_word(p, "address");
    struct err why = { "" };

    if (!t)
        return -EINVAL;
    if (hba_is_keyword(t, "all")) {
        out->kind = HBA_ADDR_ALL;
        return 0;
    }
    if (hba_is_keyword(t, "samehost") || hba_is_keyword(t, "samenet")) {
        out->kind = t->text[4] == 'h' ? HBA_ADDR_SAME_HOST : HBA_ADDR_SAME_NET;
        return 0;
    }
    int r = hba_addr_parse(t->text, out, &why);
    if (r == HBA_ADDR_LACKS_MASK) {
        t = take_word(p, "mask (or a number after a slash, such as 10.0.0.0/8)");
        if (!t)
            return -EINVAL;
        r = hba_addr_parse_mask(t->text, out, &why);
    }
    return r ? FAULT(p, "%s", PLACE(p), why.text) : 0;
}

static int
read_method(struct parser *p, enum type type, enum auth_method *out)
{
    static const enum auth_method methods[] = { AUTH_TRUST, AUTH_REJECT, AUTH_PASSWORD,
        AUTH_MD5, AUTH_SCRAM, AUTH_CERT };
    const struct hba_token *t = take_word(p, "method");

    if (!t)
        return -EINVAL;
    for (size_t i = 0; i < DG_ARRAY_SIZE(methods); i++) {
        if (strcmp(t->text, auth_method_name(methods[i])) != 0)
            continue;
        if (methods[i] == AUTH_CERT && type != TYPE_HOSTSSL)
            return FAULT(p,
                "cert needs a TLS connection; write hostssl where the line has %s",
                PLACE(p), type == TYPE_LOCAL ? "local" : "another type");
        *out = methods[i];
        return 0;
    }
    return FAULT(p,
        "method \"%s\" is not one of the gate's: trust, reject, password, md5, "
        "scram-sha-256, cert%s",
        PLACE(p), t->text,
        strcmp(t->text, "peer") == 0 || strcmp(t->text, "ident") == 0
            ? "; instead of peer write scram-sha-256"
            : "");
}

/* clientcert=verify-full says of cert what it is anyway; nothing else is understood, and
 * an option that goes unheard is a door that stands open. */
static int
read_options(struct parser *p, enum auth_method method)
{
    for (; p->at < p->line->n; p->at++)
        for (size_t i = 0; i < p->line->fields[p->at].n; i++) {
            const char *text = p->line->fields[p->at].tokens[i].text;
            bool is_clientcert = str_prefix(text, "clientcert=");
            if (method == AUTH_CERT && strcmp(text, "clientcert=verify-full") == 0)
                continue;
            return FAULT(p, "option \"%s\" is not known to the gate; %s", PLACE(p),
                text,
                is_clientcert ? "for client certificates write the method cert"
                              : "remove it, if the record is meant without it");
        }
    return 0;
}

static int
read_record(struct parser *p, struct record *r)
{
    r->line = p->line->line;
    if (read_type(p, &r->type) || read_names(p, true, &r->databases)
        || read_names(p, false, &r->users))
        return -EINVAL;
    if (r->type != TYPE_LOCAL && read_address(p, &r->addr))
        return -EINVAL;
    if (read_method(p, r->type, &r->method))
        return -EINVAL;
    return read_options(p, r->method);
}

static int
read_records(struct auth_hba *h, struct hba_reader *reader, struct err *err)
{
    struct hba_line line;
    int r;

    while ((r = hba_next_line(reader, h->arena, &line, err)) == 0) {
        struct parser p = { .path = reader->path, .line = &line, .err = err };
        MEM_GROW(h->records, h->n, h->cap);
        /* Counted before it is whole, so that it is freed. */
        r = read_record(&p, &h->records[h->n++]);
        if (r)
            return r;
    }
    return r < 0 ? r : 0;
}

int
auth_hba_load(const char *path, struct auth_hba **out, struct err *err)
{
    AUTO(hba_drop) struct auth_hba *h = mem_zalloc(sizeof(*h));
    AUTO(mem_free) char *text = NULL;
    size_t n = 0;

    ref_init(&h->ref, free_hba);
    h->arena = arena_new();
    int r = fs_read(path, FILE_MAX, &text, &n, err);
    if (r)
        return r;
    struct hba_reader reader = { .path = path, .rest = { text, n } };
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return err_set(err, -EINVAL,
            "%s:1: the file begins with a byte order mark; save it as UTF-8 without one",
            path);
    r = read_records(h, &reader, err);
    if (r)
        return r;
    if (h->n == 0)
        return err_set(err, -EINVAL,
            "%s: the file has no records, so nobody could log in; a first one could be "
            "\"host all all samenet scram-sha-256\"",
            path);
    *out = h;
    h = NULL;
    return 0;
}

static bool
is_type_for(enum type type, const struct auth_hba_ask *ask)
{
    bool is_local = ask->peer->sa_family == AF_UNIX;

    switch (type) {
    case TYPE_LOCAL:
        return is_local;
    case TYPE_HOST:
        return !is_local;
    case TYPE_HOSTSSL:
        return !is_local && ask->is_tls;
    case TYPE_HOSTNOSSL:
        return !is_local && !ask->is_tls;
    }
    DG_ASSERT(false, "no type %d", (int)type);
    return false;
}

enum auth_method
auth_hba_find(const struct auth_hba *h, const struct auth_hba_ask *ask, int *line)
{
    for (size_t i = 0; i < h->n; i++) {
        const struct record *r = &h->records[i];
        if (!is_type_for(r->type, ask) || !hba_names_have_database(&r->databases, ask)
            || !hba_names_have_user(&r->users, ask->user))
            continue;
        int match = r->type == TYPE_LOCAL ? 1 : hba_addr_match(&r->addr, ask->peer);
        if (match == 0)
            continue;
        *line = r->line;
        /* What can't be told could be a record that rejects. */
        return match > 0 ? r->method : AUTH_REJECT;
    }
    *line = 0;
    return AUTH_REJECT;
}
