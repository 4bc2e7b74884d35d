// SPDX-License-Identifier: ISC
/* [access NAME]: match keys, action, and what a section grants. */
#include "policy/load.h"

#include "base/names.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Keys that are lists, and where they go. */
static const struct {
    const char *key;
    pol_item_fn *parse;
    size_t at; /* of the struct pol_list in struct pol_access */
} lists[] = {
    { "database", pol_parse_glob, offsetof(struct pol_access, database) },
    { "role", pol_parse_glob, offsetof(struct pol_access, role) },
    { "client_addr", pol_parse_addr, offsetof(struct pol_access, client_addr) },
    { "application_name", pol_parse_glob,
        offsetof(struct pol_access, application_name) },
    { "command", pol_parse_command, offsetof(struct pol_access, command) },
    { "object", pol_parse_object, offsetof(struct pol_access, object) },
    { "environment", pol_parse_glob, offsetof(struct pol_access, environment) },
    { "time", pol_parse_when, offsetof(struct pol_access, time) },
    { "server_version", pol_parse_version,
        offsetof(struct pol_access, server_version) },
    { "tls", pol_parse_tls, offsetof(struct pol_access, tls) },
    { "client_cert_cn", pol_parse_present,
        offsetof(struct pol_access, client_cert_cn) },
    { "peer_uid", pol_parse_uid, offsetof(struct pol_access, peer_uid) },
    { "listener", pol_parse_glob, offsetof(struct pol_access, listener) },
    { "table_size", pol_parse_size, offsetof(struct pol_access, table_size) },
    { "table_rows", pol_parse_rows, offsetof(struct pol_access, table_rows) },
};

static const char *const keys[] = { "database", "role", "client_addr",
    "application_name", "command", "object", "class", "migrated", "migration",
    "environment", "time", "in_transaction", "server_version", "tls", "client_cert_cn",
    "peer_uid", "listener", "table_size", "table_rows", "action", "message", "hint",
    "reason", "mode", "startup", "unmigrated", "unparsable", "checks" };

int
load_access_begin(struct loader *l, struct str name)
{
    struct pol *p = l->pol;

    for (size_t i = 0; i < p->n_accesses; i++) {
        if (str_eqz(name, p->accesses[i].name))
            return load_fault(l,
                "[access %.*s] stands at %s:%d already; give one of them another name",
                (int)name.n, name.p, p->accesses[i].origin.file,
                p->accesses[i].origin.line);
    }
    MEM_GROW(p->accesses, p->n_accesses, l->cap_accesses);
    l->access = &p->accesses[p->n_accesses++];
    *l->access = (struct pol_access){
        .name = arena_strndup(p->arena, name.p, name.n),
        .origin = l->section_at,
        .action = POL_UNSET,
        .in_transaction = POL_UNSET,
        .unmigrated = POL_UNSET,
        .unparsable = POL_UNSET,
    };
    return 0;
}

/* ---- match keys ---- */

static int
take_class(struct loader *l)
{
    struct str rest = str_of(l->item->value), item, bad;

    while (str_next_item(&rest, &item)) {
        bool is_not = item.n && item.p[0] == '!';
        unsigned cls;
        if (is_not)
            item = str_trim((struct str){ item.p + 1, item.n - 1 });
        if (dg_classes_parse(item, &cls, &bad) || !cls)
            return load_fault(l,
                "class: \"%.*s\" is no class; write ddl, code, dcl, maintenance, cluster or "
                "history",
                (int)item.n, item.p);
        if (is_not)
            l->access->not_classes |= cls;
        else
            l->access->classes |= cls;
    }
    if (!l->access->classes && !l->access->not_classes)
        return load_fault(l, "class is empty; name a class or remove the key");
    return 0;
}

static int
take_migrated(struct loader *l)
{
    static const char *const names[] = { [DG_MIGRATED_NO] = "no",
        [DG_MIGRATED_YES] = "yes",
        [DG_MIGRATED_UNKNOWN] = "unknown" };
    struct str rest = str_of(l->item->value), item;

    while (str_next_item(&rest, &item)) {
        unsigned bit = 0;
        for (unsigned i = 0; i < DG_ARRAY_SIZE(names); i++) {
            if (str_ieqz(item, names[i]))
                bit = 1U << i;
        }
        if (!bit)
            return load_fault(l, "migrated = %.*s is unknown; write yes, no or unknown",
                (int)item.n, item.p);
        l->access->migrated |= bit;
    }
    if (!l->access->migrated)
        return load_fault(l, "migrated is empty; write yes, no or unknown");
    return 0;
}

/* source/version; without a slash any source. */
static int
parse_migration(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    (void)err;
    bool has_source = memchr(text.p, '/', text.n) != NULL;
    out->glob = arena_printf(a, "%s%.*s", has_source ? "" : "*/", (int)text.n, text.p);
    return 0;
}

static int
take_in_transaction(struct loader *l)
{
    bool v;
    if (str_bool(str_of(l->item->value), &v))
        return load_fault(
            l, "in_transaction = %.40s is no boolean; write yes or no", l->item->value);
    l->access->in_transaction = v;
    return 0;
}

/* ---- grants ---- */

static bool
is_parameter(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        bool is_start = (c >= 'a' && c <= 'z') || c == '_';
        if (!is_start && (i == 0 || !((c >= '0' && c <= '9') || c == '.')))
            return false;
    }
    return s.n > 0 && s.n < 64;
}

/* Parameters that are no settings, or that the gate itself relies on. */
static bool
is_own(struct str s)
{
    static const char *const own[] = { "user", "database", "replication", "options",
        "standard_conforming_strings", "client_encoding", "application_name",
        "session_authorization", "role" };
    for (size_t i = 0; i < DG_ARRAY_SIZE(own); i++) {
        if (str_ieqz(s, own[i]))
            return true;
    }
    return s.n >= 5 && memcmp(s.p, "_pq_.", 5) == 0;
}

static int
take_startup(struct loader *l)
{
    struct str rest = str_of(l->item->value), item;
    struct arena *a = l->pol->arena;
    size_t max = 1;

    for (size_t i = 0; i < rest.n; i++)
        max += rest.p[i] == ',';
    l->access->startup = arena_alloc(a, max * sizeof(*l->access->startup));
    while (str_next_item(&rest, &item)) {
        const char *eq = memchr(item.p, '=', item.n);
        size_t n = eq ? (size_t)(eq - item.p) : 0;
        struct str name = str_trim((struct str){ item.p, n });
        if (!eq || !is_parameter(name))
            return load_fault(l,
                "startup: \"%.*s\" sets no parameter; write it as lock_timeout=5s",
                (int)(item.n < 60 ? item.n : 60), item.p);
        struct str value = str_trim((struct str){ eq + 1, item.n - n - 1 });
        if (!value.n)
            return load_fault(l, "startup: %.*s has no value", (int)name.n, name.p);
        if (is_own(name))
            return load_fault(l,
                "startup can't set %.*s; it belongs to the login itself", (int)name.n,
                name.p);
        l->access->startup[l->access->n_startup++] = (struct pol_param){
            arena_strndup(a, name.p, name.n), arena_strndup(a, value.p, value.n)
        };
    }
    return 0;
}

static int
take_checks(struct loader *l)
{
    if (!str_ieqz(str_of(l->item->value), "off"))
        return load_fault(l, "checks = %.40s is unknown; write off or remove the key",
            l->item->value);
    l->access->checks_off = true;
    return 0;
}

/* ---- the section ---- */

static int
take_action(struct loader *l)
{
    if (str_ieqz(str_of(l->item->value), "rewrite"))
        return load_fault(l,
            "action = rewrite is an action of checks, which know the safe form; use reject "
            "with a hint");
    l->access->origin = (struct pol_origin){ l->file, l->item->line };
    return load_action(l, false, &l->access->action);
}

int
load_access_key(struct loader *l)
{
    struct pol_access *a = l->access;
    const char *key = l->item->key;

    for (size_t i = 0; i < DG_ARRAY_SIZE(lists); i++) {
        if (strcmp(key, lists[i].key) == 0)
            return load_list(l, lists[i].parse,
                (struct pol_list *)(void *)((char *)a + lists[i].at));
    }
    if (strcmp(key, "class") == 0)
        return take_class(l);
    if (strcmp(key, "migrated") == 0)
        return take_migrated(l);
    if (strcmp(key, "migration") == 0)
        return load_list(l, parse_migration, &a->migration);
    if (strcmp(key, "in_transaction") == 0)
        return take_in_transaction(l);
    if (strcmp(key, "action") == 0)
        return take_action(l);
    if (strcmp(key, "message") == 0)
        return load_message(l, &a->message);
    if (strcmp(key, "hint") == 0)
        return load_text(l, &a->hint);
    if (strcmp(key, "reason") == 0)
        return load_text(l, &a->reason);
    if (strcmp(key, "mode") == 0)
        return load_mode(l, &a->is_observed);
    if (strcmp(key, "startup") == 0)
        return take_startup(l);
    if (strcmp(key, "unmigrated") == 0 && str_ieqz(str_of(l->item->value), "capture"))
        return load_fault(
            l, "unmigrated = capture belongs to [policy]: it is for all of a database");
    if (strcmp(key, "unmigrated") == 0)
        return load_action(l, false, &a->unmigrated);
    if (strcmp(key, "unparsable") == 0)
        return load_action(l, false, &a->unparsable);
    if (strcmp(key, "checks") == 0)
        return take_checks(l);
    return load_unknown_key(l, keys, DG_ARRAY_SIZE(keys));
}

/* Rules between keys, once the whole section is known. */
int
load_access_end(struct loader *l)
{
    static const char *const grants[] = { "unmigrated", "unparsable", "checks" };
    struct pol_access *a = l->access;
    const struct pol_origin *claim = load_key_at(l, "application_name");

    if (a->action == POL_UNSET)
        return load_fault_at(l, &l->section_at,
            "[%s] has no action; add action = allow, note, warn, hold or reject",
            l->section_name);
    if (claim && a->action == DG_ALLOW)
        return load_fault_at(l, claim,
            "application_name is what the client claims: it may make a rule stricter, "
            "never looser; use role or client_addr with action = allow");
    for (size_t i = 0; i < DG_ARRAY_SIZE(grants); i++) {
        const struct pol_origin *at = load_key_at(l, grants[i]);
        if (at && a->action >= DG_HOLD)
            return load_fault_at(l, at,
                "%s has no effect with action = %s; it belongs to a section that lets "
                "statements pass",
                grants[i], dg_action_name((enum dg_action)a->action));
        if (at && claim)
            return load_fault_at(l, at,
                "%s can't depend on application_name, which is what the client claims; use "
                "role or client_addr",
                grants[i]);
    }
    if (claim && a->n_startup)
        return load_fault_at(l, load_key_at(l, "startup"),
            "startup can't depend on application_name, which is what the client claims; use "
            "role or client_addr");
    return 0;
}
