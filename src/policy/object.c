// SPDX-License-Identifier: ISC
/* Objects against patterns such as billing.*: which schema a name can stand in, and which
 * objects a statement touches besides those it names (the new name of a rename, the new
 * place of SET SCHEMA, what is in a schema that is dropped). */
#include "policy/pattern.h"

#include <errno.h>
#include <string.h>

/* ---- patterns ---- */

/* One part of a pattern, up to a dot outside of quotes; folded like an identifier unless
 * quoted. */
static bool
take_part(struct arena *a, struct str *rest, const char **out)
{
    char *part = arena_alloc(a, rest->n + 1), *o = part;
    bool is_quoted = false;
    size_t i = 0;

    for (; i < rest->n && (is_quoted || rest->p[i] != '.'); i++) {
        char c = rest->p[i];
        if (c != '"') {
            *o++ = is_quoted ? c : ascii_lower(c);
        } else if (is_quoted && i + 1 < rest->n && rest->p[i + 1] == '"') {
            *o++ = '"';
            i++;
        } else {
            is_quoted = !is_quoted;
        }
    }
    *o = '\0';
    rest->p += i;
    rest->n -= i;
    *out = part;
    return o > part && !is_quoted;
}

int
pol_parse_object(
    struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    struct str rest = text;
    const char *first, *second;

    if (!take_part(a, &rest, &first))
        goto bad;
    out->glob = first;
    if (!rest.n)
        return 0;
    rest.p++;
    rest.n--;
    if (!take_part(a, &rest, &second) || rest.n)
        goto bad;
    out->glob = second;
    out->schema = strcmp(first, "*") == 0 ? NULL : first;
    return 0;
bad:
    return err_set(err, -EINVAL,
        "\"%.*s\" is no object pattern; write it as schema.name, schema.* or name",
        (int)(text.n < 60 ? text.n : 60), text.p);
}

/* ---- where a name can stand ---- */

void
pol_path_parse(
    struct arena *a, const char *search_path, const char *role, struct pol_path *out)
{
    struct str rest = str_of(search_path), item;

    *out = (struct pol_path){ .is_known = search_path != NULL };
    out->schemas = arena_alloc(a, (rest.n + 1) * sizeof(*out->schemas));
    while (str_next_item(&rest, &item)) {
        const char *schema = NULL;
        if (item.n && take_part(a, &item, &schema) && strcmp(schema, "$user") == 0)
            schema = role;
        if (!schema || item.n) {
            out->is_known = false; /* not what we take it for */
            return;
        }
        out->schemas[out->n++] = schema;
    }
}

static enum pol_truth
schema_matches(const char *pattern, const char *schema, const struct pol_path *path)
{
    size_t n = 0;

    if (!pattern)
        return POL_YES;
    if (schema)
        return str_glob(pattern, schema) ? POL_YES : POL_NO;
    if (!path->is_known)
        return POL_MAYBE;
    for (size_t i = 0; i < path->n; i++)
        n += str_glob(pattern, path->schemas[i]);
    if (n == 0)
        return POL_NO;
    return n == path->n ? POL_YES : POL_MAYBE;
}

/* ---- one thing against one pattern ---- */

struct thing {
    enum sql_object_kind kind;
    const char *schema, *name;
    bool moves_all; /* a schema whose objects go, or get other names */
    const struct pol_path *path;
};

static bool
has_no_schema(enum sql_object_kind kind)
{
    return kind == SQL_O_DATABASE || kind == SQL_O_ROLE || kind == SQL_O_TABLESPACE
        || kind == SQL_O_EXTENSION;
}

static enum pol_truth
thing_matches(const struct pol_item *p, const struct thing *t)
{
    if (t->kind == SQL_O_SCHEMA) {
        const char *pattern = p->schema ? p->schema : p->glob;
        if (!str_glob(pattern, t->name))
            return !p->schema && t->moves_all ? POL_MAYBE : POL_NO;
        if (!p->schema || strcmp(p->glob, "*") == 0)
            return POL_YES;
        return t->moves_all ? POL_MAYBE : POL_NO;
    }
    if (!str_glob(p->glob, t->name))
        return POL_NO;
    if (has_no_schema(t->kind))
        return p->schema ? POL_NO : POL_YES;
    return schema_matches(p->schema, t->schema, t->path);
}

static enum pol_truth
list_matches(const struct pol_list *l, const struct thing *t)
{
    enum pol_truth in = POL_NO, out = POL_NO;
    bool has_plain = false;

    for (size_t i = 0; i < l->n; i++) {
        enum pol_truth m = thing_matches(&l->items[i], t);
        if (l->items[i].is_negated) {
            out = pol_or(out, m);
        } else {
            in = pol_or(in, m);
            has_plain = true;
        }
    }
    return pol_and(has_plain ? in : POL_YES, pol_not(out));
}

/* An index, trigger, rule or policy belongs to its table, too. */
static enum pol_truth
object_matches(const struct pol_list *l, const struct sql_object *o, bool moves_all,
    const struct pol_path *path)
{
    struct thing t = { o->kind, o->schema ? o->schema : o->on_schema, o->name,
        moves_all, path };
    if (o->is_temp && !t.schema)
        t.schema = "pg_temp";
    enum pol_truth m = list_matches(l, &t);
    if (o->on) {
        t = (struct thing){ SQL_O_TABLE, o->on_schema ? o->on_schema : o->schema, o->on,
            false, path };
        m = pol_or(m, list_matches(l, &t));
    }
    return m;
}

/* ---- statements ---- */

struct tally {
    size_t n, n_yes, n_maybe;
};

static void
count(struct tally *t, enum pol_truth m)
{
    t->n++;
    t->n_yes += m == POL_YES;
    t->n_maybe += m == POL_MAYBE;
}

static bool
moves_all(const struct sql_facts *f)
{
    return str_prefix(f->tag, "DROP") || str_prefix(f->tag, "ALTER");
}

/* Names that the statement gives away: RENAME TO, SET SCHEMA. */
static void
count_new_names(const struct pol_list *l, const struct sql_facts *f,
    const struct pol_path *path, struct tally *tally)
{
    if (!f->n_objects)
        return;
    const struct sql_object *o = &f->objects[0];
    for (size_t i = 0; i < f->n_subs; i++) {
        const struct sql_sub *s = &f->subs[i];
        struct thing t = { o->kind, o->schema, o->name, false, path };
        if (!s->value)
            continue;
        if (strcmp(s->name, "RENAME TO") == 0)
            t.name = s->value;
        else if (strcmp(s->name, "SET SCHEMA") == 0)
            t.schema = s->value;
        else
            continue;
        count(tally, list_matches(l, &t));
    }
}

/* Code that can't be read may touch anything; so may what the lexer alone has read. */
static bool
touches_unknown(const struct sql_facts *f)
{
    if (f->flags & SQL_F_UNPARSABLE)
        return true;
    if (strcmp(f->tag, "DO") == 0)
        return f->flags & (SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE);
    return f->n_objects == 0 && !f->write && f->cls != DG_OTHER && f->cls != DG_CLUSTER
        && f->cls != DG_CODE;
}

enum pol_cover
pol_match_objects(
    const struct pol_list *l, const struct sql_facts *f, const struct pol_path *path)
{
    struct tally t = { 0 };

    if (!l->n)
        return POL_FULL;
    for (size_t i = 0; i < f->n_objects; i++)
        count(&t, object_matches(l, &f->objects[i], moves_all(f), path));
    if (f->n_objects == 0 && f->write) {
        struct sql_object o = {
            .kind = SQL_O_TABLE, .schema = f->write->schema, .name = f->write->table
        };
        count(&t, object_matches(l, &o, false, path));
    }
    count_new_names(l, f, path, &t);
    if (touches_unknown(f))
        count(&t, POL_MAYBE);
    if (t.n_yes + t.n_maybe == 0)
        return POL_NONE;
    return t.n_yes == t.n ? POL_FULL : POL_PART;
}

bool
pol_is_excepted(
    const struct pol_list *l, const struct sql_object *o, const struct pol_path *path)
{
    return l->n && object_matches(l, o, false, path) == POL_YES;
}
