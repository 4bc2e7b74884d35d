// SPDX-License-Identifier: ISC
/* Access: may this session do this at all? The first section that covers the whole
 * statement decides. A section that only covers a part of it, or only perhaps (a name
 * without schema, an unknown role), adds its say if that is stricter than allow, and the
 * search goes on; so does one that asks for application_name, which is only a claim. */
#include "policy/ask.h"

#include <string.h>

/* ---- session keys ---- */

enum pol_truth
pol_access_session(
    const struct pol *p, const struct pol_access *a, const struct pol_session *s)
{
    enum pol_truth t = pol_match_glob(&a->database, s->database);
    t = pol_and(t, pol_match_glob(&a->role, s->role));
    t = pol_and(t, pol_match_addr(&a->client_addr, s->client_addr));
    t = pol_and(t, pol_match_glob(&a->application_name, s->application_name));
    t = pol_and(t, pol_match_glob(&a->tls, s->tls));
    t = pol_and(t, pol_match_glob(&a->client_cert_cn, s->client_cert_cn));
    t = pol_and(t, pol_match_glob(&a->peer_uid, s->peer_uid));
    t = pol_and(t, pol_match_glob(&a->listener, s->listener));
    t = pol_and(t, pol_match_glob(&a->environment, p->environment));
    t = pol_and(t, pol_match_when(&a->time, s->now_us));
    return pol_and(t, pol_match_version(&a->server_version, s->server_version));
}

/* ---- keys of the statement ---- */

static bool
class_matches(const struct pol_access *a, const struct sql_facts *f)
{
    unsigned cls = f->cls;
    /* A history write is part of a schema change: who may not make one may not record one
     * either. */
    if (cls == DG_HISTORY && a->action > DG_ALLOW && (a->classes & DG_DDL))
        cls |= DG_DDL;
    return (!a->classes || (a->classes & cls)) && !(a->not_classes & f->cls);
}

static enum dg_migrated
migrated_of(const struct pol_history *h)
{
    if (!h || !h->is_known)
        return DG_MIGRATED_UNKNOWN;
    return hist_match_is_migrated(&h->match)
            || (h->write_migration && h->write != HIST_WRITE_FORGED)
        ? DG_MIGRATED_YES
        : DG_MIGRATED_NO;
}

static enum pol_truth
migrated_matches(const struct pol_access *a, const struct pol_history *h)
{
    enum dg_migrated m = migrated_of(h);
    if (!a->migrated || (a->migrated & 1U << m))
        return POL_YES;
    return m == DG_MIGRATED_UNKNOWN ? POL_MAYBE : POL_NO;
}

static enum pol_truth
migration_matches(const struct pol_access *a, const struct pol_history *h)
{
    if (!a->migration.n)
        return POL_YES;
    if (!h || !h->is_known)
        return POL_MAYBE;
    const struct hist_migration *m = h->match.migration ? h->match.migration
                                                        : h->write_migration;
    if (!m || !h->view)
        return POL_NO;
    AUTO(mem_free)
    char *name = mem_printf(
        "%s/%s", hist_view_set(h->view)->conf.name, m->version ? m->version : m->name);
    return pol_match_glob(&a->migration, name);
}

/* ---- keys about the tables it touches ---- */

/* How much is known of the table behind an object: its size in bytes, or its rows. False if
 * there is no table behind it. */
static bool
amount_of(struct pol_run *r, const struct sql_object *o, bool is_rows, int64_t *from,
    int64_t *to)
{
    const struct pol_live_relation *rel;
    enum pol_live_state state;

    *from = *to = 0; /* what is new or not there has no rows */
    if (o->on ? false
              : o->kind != SQL_O_TABLE && o->kind != SQL_O_FOREIGN_TABLE
                && o->kind != SQL_O_MATVIEW && o->kind != SQL_O_INDEX)
        return false;
    if (o->is_created && !o->on)
        return false;
    if (!pol_ask_table(r, o, &state, &rel) || state == POL_LIVE_ABSENT)
        return true;
    *to = INT64_MAX;
    if (state == POL_LIVE_FOUND) {
        bool is_counted = !is_rows || !rel->is_uncounted;
        *from = !is_rows ? rel->bytes : is_counted ? rel->n_rows : 0;
        if (rel->is_size_known && is_counted)
            *to = *from;
    }
    return true;
}

static enum pol_cover
amount_covers(struct pol_run *r, const struct pol_list *l, bool is_rows)
{
    const struct sql_facts *f = pol_fact(r);
    size_t n = 0, n_yes = 0, n_no = 0;

    if (!l->n)
        return POL_FULL;
    if (f->flags & (SQL_F_UNPARSABLE | SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE))
        return POL_PART;
    for (size_t i = 0; i < f->n_objects; i++) {
        int64_t from, to;
        if (!amount_of(r, &f->objects[i], is_rows, &from, &to))
            continue;
        enum pol_truth t = pol_match_amount(l, from, to);
        n++;
        n_yes += t == POL_YES;
        n_no += t == POL_NO;
    }
    if (n_no == n)
        return POL_NONE;
    return n_yes == n ? POL_FULL : POL_PART;
}

/* Asked last, since the answer may have to be fetched. */
static enum pol_cover
with_amounts(struct pol_run *r, const struct pol_access *a, enum pol_cover c)
{
    if (c != POL_NONE) {
        enum pol_cover size = amount_covers(r, &a->table_size, false);
        c = size < c ? size : c;
    }
    if (c != POL_NONE) {
        enum pol_cover rows = amount_covers(r, &a->table_rows, true);
        c = rows < c ? rows : c;
    }
    return c;
}

static enum pol_cover
covers(struct pol_run *r, const struct pol_access *a)
{
    const struct sql_facts *f = pol_fact(r);
    const struct pol_history *h = pol_fact_history(r);

    if (!class_matches(a, f))
        return POL_NONE;
    enum pol_truth t = pol_access_session(r->pol, a, r->session);
    if (a->in_transaction != POL_UNSET && r->session->is_tx_unknown)
        t = pol_and(t, POL_MAYBE);
    else if (a->in_transaction != POL_UNSET
        && a->in_transaction != r->session->in_transaction)
        return POL_NONE;
    t = pol_and(t, migrated_matches(a, h));
    if (t > POL_NO)
        t = pol_and(t, migration_matches(a, h));
    if (t == POL_NO)
        return POL_NONE;
    enum pol_cover command = pol_match_command(&a->command, f);
    enum pol_cover object = pol_match_objects(&a->object, f, &r->path);
    enum pol_cover c = command < object ? command : object;
    return with_amounts(r, a, c == POL_FULL && t == POL_MAYBE ? POL_PART : c);
}

/* Once for each statement; what lets it pass, once for the text. */
static void
report_once(struct pol_run *r, size_t i)
{
    const struct pol_access *a = &r->pol->accesses[i];
    size_t mark = a->action == DG_ALLOW ? SIZE_MAX : pol_fact(r)->stmt + 1;
    if (r->reported[i] == mark)
        return;
    r->reported[i] = mark;
    pol_report_access(r, a);
}

void
pol_access_judge(struct pol_run *r)
{
    r->granted = NULL;
    for (size_t i = 0; i < r->pol->n_accesses; i++) {
        const struct pol_access *a = &r->pol->accesses[i];
        enum pol_cover c = covers(r, a);
        if (c == POL_NONE
            || (a->action == DG_ALLOW && (c == POL_PART || a->is_observed)))
            continue;
        report_once(r, i);
        if (c == POL_PART || a->is_observed || a->application_name.n)
            continue;
        if (a->action < DG_HOLD)
            r->granted = a;
        return;
    }
}
