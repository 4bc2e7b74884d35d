// SPDX-License-Identifier: ISC
/* State the gate keeps per session, and its prepared statements. */
#include "gate/client.h"

#include "base/mem.h"
#include "gate/trail.h"

#include <stdlib.h>
#include <string.h>

/* Encodings in which a multi-byte character may contain or decode to an ASCII byte. */
static const char *const unsafe_encodings[] = { "SJIS", "SHIFT_JIS_2004", "BIG5", "GBK",
    "GB18030", "UHC", "JOHAB" };

void
gate_client_init(struct gate_client *c, struct gate_env *env)
{
    *c = (struct gate_client){
        .env = env, .std_strings = true, .is_safe_encoding = true, .tx_status = 'I'
    };
    hash_random_id(c->session_id, sizeof(c->session_id) - 1);
}

static void
forget_ran(struct gate_client *c, size_t from)
{
    while (c->n_ran > from)
        mem_free(c->ran[--c->n_ran].name);
}

static void prepared_free(void *value);

static void
forget_prepared(struct gate_client *c)
{
    size_t pos = 0;
    struct str name;
    void *list;
    while (c->prepared && map_next(c->prepared, &pos, &name, &list))
        prepared_free(list);
    map_free(c->prepared);
    c->prepared = NULL;
}

void
gate_client_deinit(struct gate_client *c)
{
    gate_client_tx_ended(c);
    mem_free(c->database);
    mem_free(c->role);
    mem_free(c->application_name);
    mem_free(c->client_addr);
    mem_free(c->server_addr);
    mem_free(c->listener);
    mem_free(c->search_path);
    mem_free(c->path_before);
    mem_free(c->login_path);
    mem_free(c->announced);
    map_free(c->temps);
    c->temps = NULL;
    forget_prepared(c);
    for (size_t i = 0; i < GATE_MAX_JUDGED; i++)
        ref_drop(c->judged[i]);
}

void
gate_client_parameter(struct gate_client *c, const char *name, const char *value)
{
    if (strcmp(name, "standard_conforming_strings") == 0) {
        c->std_strings = strcmp(value, "on") == 0;
    } else if (strcmp(name, "client_encoding") == 0) {
        c->is_safe_encoding = true;
        for (size_t i = 0; i < DG_ARRAY_SIZE(unsafe_encodings); i++)
            c->is_safe_encoding &= !str_ieqz(str_of(value), unsafe_encodings[i]);
    } else if (strcmp(name, "server_version") == 0) {
        char *end;
        long major = strtol(value, &end, 10);
        long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
        if (major > 0 && major < 1000 && minor >= 0 && minor < 1000)
            c->server_version = (int)(major * 10000 + minor);
    } else if (strcmp(name, "application_name") == 0) {
        mem_free(c->application_name);
        c->application_name = mem_strdup(value);
    } else if (strcmp(name, "search_path") == 0) { /* reported from PostgreSQL 18 on */
        mem_free(c->search_path);
        c->search_path = mem_strdup(value);
        c->is_path_unknown = false;
    }
}

static void
set_path(struct gate_client *c, const char *value, bool is_unknown)
{
    char *copy = mem_strdup(value);
    mem_free(c->search_path);
    c->search_path = copy;
    c->is_path_unknown = is_unknown;
}

void
gate_client_login_path(struct gate_client *c, const char *path)
{
    mem_free(c->login_path);
    c->login_path = mem_strdup(path);
    set_path(c, path, false);
}

void
gate_client_setting(struct gate_client *c, const struct sql_facts *f, bool is_alone)
{
    bool is_all = f->setting && strcmp(f->setting, "all") == 0;
    if (f->setting && !is_all && strcmp(f->setting, "search_path") != 0)
        return;
    if (f->setting_is_local && !c->is_path_local) {
        c->is_path_local = true;
        c->path_before = mem_strdup(c->search_path);
    }
    c->is_path_in_tx |= !f->setting_is_local && (c->tx_status != 'I' || !is_alone);
    set_path(
        c, is_all ? c->login_path : f->setting_value, !is_all && !f->setting_value);
}

/* Whether a SET of the transaction stayed isn't known after a COMMIT or ROLLBACK that was
 * not looked at. */
static void
path_after_tx(struct gate_client *c)
{
    if (c->is_path_in_tx)
        set_path(c, NULL, true);
    else if (c->is_path_local)
        set_path(c, c->path_before, false);
    c->is_path_in_tx = c->is_path_local = false;
    mem_free(c->path_before);
    c->path_before = NULL;
}

void
gate_client_forget_view(struct gate_client *c)
{
    ref_drop(c->view);
    ref_drop(c->view_snap);
    c->view = NULL;
    c->view_snap = NULL;
    forget_ran(c, 0);
    mem_free(c->ran);
    c->ran = NULL;
    c->cap_ran = 0;
}

void
gate_client_tx_ended(struct gate_client *c)
{
    path_after_tx(c);
    gate_client_forget_view(c);
    if (c->holds_change && c->env->note_change)
        c->env->note_change(c->env->ctx);
    c->holds_change = false;
    pol_made_free(c->made);
    c->made = NULL;
}

/* A COMMIT or ROLLBACK behind the error didn't end the transaction; ROLLBACK TO may bring
 * it back to life. */
void
gate_client_failed(struct gate_client *c)
{
    if (c->has_ended)
        c->is_tx_unsure = c->holds_change = true;
}

void
gate_client_ready(struct gate_client *c, char status)
{
    c->tx_status = status;
    c->has_ended = c->has_rolled_to = false;
    if (status != 'I')
        return;
    c->is_tx_unsure = false;
    mem_free(c->announced);
    c->announced = NULL;
    if (c->view || c->ran || c->holds_change || c->is_path_local || c->is_path_in_tx)
        gate_client_tx_ended(c);
}

unsigned
gate_client_watch(const struct gate_client *c)
{
    unsigned watch = SQL_W_SCHEMA | SQL_W_CODE | SQL_W_INTO | SQL_W_HISTORY
        | SQL_W_SETTING | SQL_W_PREPARED;
    if (c->env->committed && (c->env->trail_wants & GATE_TRAIL_DATA))
        return GATE_WATCH_ALL | SQL_W_ALL;
    return c->holds_change ? watch | SQL_W_TX : watch;
}

void
gate_client_pol_session(const struct gate_client *c, struct pol_session *out)
{
    *out = (struct pol_session){
        .database = c->database,
        .role = c->role,
        .client_addr = c->client_addr,
        .application_name = c->application_name,
        .tls = c->tls_version ? c->tls_version : "",
        .client_cert_cn = c->tls_cn ? c->tls_cn : "",
        .peer_uid = c->peer_uid,
        .listener = c->listener,
        .server_version = c->server_version,
        .in_transaction = c->tx_status != 'I',
        .search_path = c->search_path,
        .is_path_unknown = c->is_path_unknown,
        .now_us = c->env->clk->wall_us(c->env->clk),
    };
}

/* --- prepared statements --------------------------------------------------------------- */

static void
prepared_free(void *value)
{
    for (struct gate_prepared *p = value, *next; p; p = next) {
        next = p->next;
        ref_drop(p->text);
        mem_free(p);
    }
}

static void
push(struct gate_client *c, struct str name, struct gate_prepared *head,
    struct gate_prepared init)
{
    struct gate_prepared *p = mem_alloc(sizeof(*p));
    *p = init;
    p->next = head; /* newest first */
    map_set(c->prepared, name, p);
    c->n_unsettled += p->place.unit != 0;
}

static size_t
count_candidates(const struct gate_prepared *head)
{
    size_t n = 0;
    for (; head; head = head->next)
        n += head->text || head->next;
    return n;
}

/* The list gets too long: one candidate that says so takes the place of all, until a later
 * Parse or Close of the name has gone through. */
static struct gate_prepared *
give_up(
    struct gate_client *c, struct str name, struct gate_prepared *head, const char *why)
{
    for (struct gate_prepared *p = head; p; p = p->next)
        c->n_unsettled -= p->place.unit != 0;
    prepared_free(head);
    struct gate_text *text = gate_text_unreadable("", 0, why);
    push(c, name, NULL, (struct gate_prepared){ .text = text });
    return map_get(c->prepared, name);
}

void
gate_prepared_set(struct gate_client *c, struct str name, struct gate_text *text,
    bool is_tx, struct gate_place place)
{
    name = gate_name(name);
    bool is_shared = gate_name_is_shared(name);
    if (is_shared && !text)
        return; /* another of these names may still be a tracked one */
    if (!c->prepared) {
        if (!text && !is_tx)
            return; /* the usual session: nothing tracked, nothing kept */
        c->prepared = map_new(NULL); /* lists are freed by us: map_set must not */
    }
    struct gate_prepared *head = map_get(c->prepared, name);
    if (is_shared) {
        give_up(c, name, head,
            "names of prepared statements that hold other characters than ASCII are not "
            "told apart; use letters, digits and _");
        return;
    }
    if (!head && !text && (!is_tx || map_count(c->prepared) >= GATE_MAX_PREPARED))
        return;
    /* Several untracked ones of one unit are one: what matters is what was before. */
    if (head && !head->text && !text && head->place.unit == place.unit
        && place.message != GATE_IN_QUERY && head->next) {
        head->is_tx &= is_tx;
        return;
    }
    if (count_candidates(head) >= GATE_MAX_CANDIDATES)
        head = give_up(c, name, head,
            "the prepared statement was made anew too often in one go; send Sync in "
            "between");
    push(c, name, head,
        (struct gate_prepared){
            .text = ref_take(text), .is_tx = is_tx, .place = place });
}

enum fate {
    FATE_PENDING,
    FATE_HOLDS,
    FATE_NEVER_WAS,
    FATE_UNKNOWN,
};

static enum fate
fate_of(const struct gate_prepared *p, uint64_t unit, unsigned n_done)
{
    if (p->place.unit == 0 || p->place.unit > unit)
        return FATE_PENDING;
    if (p->place.unit < unit || n_done == GATE_ALL_DONE)
        return FATE_HOLDS;
    if (p->place.message == GATE_IN_QUERY)
        return FATE_UNKNOWN;
    return p->place.message < n_done ? FATE_HOLDS : FATE_NEVER_WAS;
}

static void
drop(struct gate_client *c, struct gate_prepared **at)
{
    struct gate_prepared *p = *at;
    *at = p->next;
    c->n_unsettled -= p->place.unit != 0;
    ref_drop(p->text);
    mem_free(p);
}

/* What took effect holds, and what was before it is gone. */
static struct gate_prepared *
settle(
    struct gate_client *c, struct gate_prepared *head, uint64_t unit, unsigned n_done)
{
    bool any = false;
    for (struct gate_prepared **at = &head, *p; (p = *at);) {
        enum fate fate = fate_of(p, unit, n_done);
        if (fate == FATE_NEVER_WAS) {
            drop(c, at);
            continue;
        }
        if (fate != FATE_PENDING) {
            p->place.unit = 0;
            c->n_unsettled--;
        }
        if (fate == FATE_UNKNOWN)
            p->is_tx = false;
        while (fate == FATE_HOLDS && p->next)
            drop(c, &p->next);
        any |= p->text || p->is_tx || p->place.unit;
        at = &p->next;
    }
    if (any)
        return head;
    prepared_free(head);
    return NULL;
}

void
gate_prepared_unit_done(struct gate_client *c, uint64_t unit, unsigned n_done)
{
    size_t pos = 0;
    struct str name;
    void *value;
    if (c->n_unsettled == 0)
        return;
    while (map_next(c->prepared, &pos, &name, &value)) {
        struct gate_prepared *left = settle(c, value, unit, n_done);
        if (left && left != value)
            map_set(c->prepared, name, left);
        else if (!left)
            map_remove(c->prepared, name);
    }
    if (map_count(c->prepared) == 0) {
        map_free(c->prepared);
        c->prepared = NULL;
    }
}

void
gate_prepared_clear(struct gate_client *c, uint64_t unit)
{
    size_t pos = 0;
    struct str name;
    void *head;
    while (c->prepared && map_next(c->prepared, &pos, &name, &head))
        gate_prepared_set(
            c, name, NULL, false, (struct gate_place){ unit, GATE_IN_QUERY });
}

size_t
gate_prepared_get(const struct gate_client *c, struct str name, uint64_t unit,
    struct gate_text **out, bool *is_tx)
{
    size_t n = 0;
    const struct gate_prepared *head = c->prepared
        ? map_get(c->prepared, gate_name(name))
        : NULL;
    *is_tx = head && head->is_tx && gate_prepared_is_sure(c, name, unit);
    for (const struct gate_prepared *p = head; p && n < GATE_MAX_CANDIDATES;
         p = p->next) {
        if (p->text)
            out[n++] = p->text;
        if (unit && p->place.unit == unit)
            break; /* made in this very batch: if Bind runs, so did this Parse */
    }
    return n;
}

bool
gate_prepared_is_sure(const struct gate_client *c, struct str name, uint64_t unit)
{
    const struct gate_prepared *head = c->prepared
        ? map_get(c->prepared, gate_name(name))
        : NULL;
    return !head || head->place.unit == unit || (head->place.unit == 0 && !head->next);
}
