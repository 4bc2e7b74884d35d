// SPDX-License-Identifier: ISC
/* Reads a policy file strictly: whatever can't mean what its author thought is an error
 * with file and line. Sections [policy] and [check ID] are read here. */
#include "policy/load.h"

#include "base/fs.h"
#include "base/names.h"
#include "policy/allows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ---- */

static int fault(struct loader *l, const struct pol_origin *at, const char *fmt,
    va_list ap) PRINTF_LIKE(3, 0);

static int
fault(struct loader *l, const struct pol_origin *at, const char *fmt, va_list ap)
{
    char text[800];
    vsnprintf(text, sizeof(text), fmt, ap);
    return err_set(l->err, -EINVAL, "%s:%d: %s", at->file, at->line, text);
}

int
load_fault(struct loader *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct pol_origin at = { l->file, l->item->line };
    int ret = fault(l, &at, fmt, ap);
    va_end(ap);
    return ret;
}

int
load_fault_at(struct loader *l, const struct pol_origin *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int ret = fault(l, at, fmt, ap);
    va_end(ap);
    return ret;
}

const struct pol_origin *
load_key_at(const struct loader *l, const char *key)
{
    for (size_t i = 0; i < l->n_keys; i++) {
        if (strcmp(l->keys[i], key) == 0)
            return &l->keys_at[i];
    }
    return NULL;
}

int
load_unknown_key(struct loader *l, const char *const *known, size_t n)
{
    const char *near = pol_nearest(str_of(l->item->key), known, n);
    if (near)
        return load_fault(l, "unknown key \"%s\" in [%s]; did you mean \"%s\"?",
            l->item->key, l->section_name, near);
    AUTO(arena_free) struct arena *a = arena_new();
    const char *list = "";
    for (size_t i = 0; i < n; i++)
        list = arena_printf(a, "%s%s%s", list, i ? ", " : "", known[i]);
    return load_fault(l, "unknown key \"%s\" in [%s]; its keys are %s", l->item->key,
        l->section_name, list);
}

/* ---- values ---- */

int
load_action(struct loader *l, bool has_off, int *out)
{
    struct str value = str_of(l->item->value);
    enum dg_action action;

    if (has_off && str_ieqz(value, "off")) {
        *out = DG_ALLOW;
        return 0;
    }
    if (dg_action_parse(value, &action))
        return load_fault(l,
            "%s = %.40s is no action; write %s, note, warn, hold or reject",
            l->item->key, l->item->value, has_off ? "off" : "allow");
    if (action == DG_REWRITE)
        return load_fault(l,
            "%s = rewrite is an action of checks; use reject, which shows the safe form",
            l->item->key);
    *out = action;
    return 0;
}

/* A check's own, which may be rewrite. */
static int
check_action(struct loader *l, int *out)
{
    if (!str_ieqz(str_of(l->item->value), "rewrite"))
        return load_action(l, true, out);
    if (!pol_check_may_rewrite(l->check))
        return load_fault(l,
            "%s has no safe form that the gate can make by itself (`ddlgate check --list` "
            "shows which have one); use reject, which shows what to write instead",
            pol_check_row(l->check)->info.id);
    *out = DG_REWRITE;
    return 0;
}

static int
rewrite_else(struct loader *l, int *out)
{
    if (load_action(l, false, out) != 0)
        return -EINVAL;
    if (*out != DG_WARN && *out != DG_REJECT)
        return load_fault(l, "rewrite_else is reject or warn, not %s", l->item->value);
    return 0;
}

int
load_mode(struct loader *l, bool *is_observed)
{
    struct str value = str_of(l->item->value);
    bool is_observe = str_ieqz(value, "observe");

    if (!is_observe && !str_ieqz(value, "enforce"))
        return load_fault(
            l, "mode = %.40s is unknown; write observe or enforce", l->item->value);
    *is_observed = is_observe;
    return 0;
}

int
load_text(struct loader *l, const char **out)
{
    if (!*l->item->value)
        return load_fault(
            l, "%s is empty; write a text or remove the key", l->item->key);
    *out = arena_strdup(l->pol->arena, l->item->value);
    return 0;
}

int
load_message(struct loader *l, const char **out)
{
    size_t n = strlen(l->item->value);
    if (n > POL_MAX_MESSAGE)
        return load_fault(l,
            "message has %zu bytes, %d fit into the one line that every driver shows; put "
            "the rest into hint",
            n, POL_MAX_MESSAGE);
    return load_text(l, out);
}

int
load_list(struct loader *l, pol_item_fn *fn, struct pol_list *out)
{
    struct err why = { "" };
    if (pol_list_parse(l->pol->arena, str_of(l->item->value), fn, out, &why))
        return load_fault(l, "%s: %s", l->item->key, why.text);
    return 0;
}

/* ---- [policy] ---- */

static const char *const policy_keys[] = { "environment", "defaults", "migrate",
    "unmigrated", "unparsable", "temporary", "mode", "checks", "transaction",
    "exceptions", "baseline", "require", "facts_timeout", "when_unknown",
    "rewrite_else", "rewrite_migrated" };
static const char *const stage_names[] = { "development", "staging", "production" };

static int
find_stage(const char *name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(stage_names); i++) {
        if (strcmp(name, stage_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

static struct pol_origin
here(const struct loader *l)
{
    return (struct pol_origin){ l->file, l->item->line };
}

/* `unmigrated` and its like: another spelling of a check's action. */
static int
short_form(struct loader *l, enum pol_check check)
{
    if (l->sections[check].file)
        return load_fault(l,
            "\"%s\" is short for [check %s], which stands at %s:%d; keep one of them",
            l->item->key, pol_check_row(check)->info.id, l->sections[check].file,
            l->sections[check].line);
    l->shorts[check] = here(l);
    l->pol->checks[check].origin = here(l);
    return load_action(l, false, &l->actions[check]);
}

/* `capture` lets pass what can be written into a file; what can't, or whose history isn't
 * known, is refused. */
static int
policy_unmigrated(struct loader *l)
{
    struct loader capture = *l;
    struct ini_item item = *l->item;

    l->pol->is_capturing = str_ieqz(str_of(item.value), "capture");
    l->pol->capture_at = here(l);
    if (!l->pol->is_capturing)
        return short_form(l, POL_C_FIRST);
    item.value = "reject";
    capture.item = &item;
    int ret = short_form(&capture, POL_C_FIRST);
    l->shorts[POL_C_FIRST] = capture.shorts[POL_C_FIRST];
    l->actions[POL_C_FIRST] = capture.actions[POL_C_FIRST];
    return ret;
}

static int
policy_migrate(struct loader *l)
{
    unsigned classes;
    struct str bad;

    if (dg_classes_parse(str_of(l->item->value), &classes, &bad))
        return load_fault(l, "migrate: \"%.*s\" is no class; write ddl, code, dcl",
            (int)bad.n, bad.p);
    if (classes & ~(unsigned)(DG_MIGRATE_DEFAULT | DG_MAINTENANCE | DG_CLUSTER))
        return load_fault(l,
            "migrate: class history is no schema change; write ddl, code, "
            "dcl, maintenance or cluster");
    if (!(classes & DG_DDL))
        return load_fault(l,
            "migrate must name ddl; to let unmigrated changes pass, set "
            "unmigrated = allow");
    l->pol->migrate = classes;
    return 0;
}

/* One of a few words; their order is that of the enum. */
static int
policy_word(struct loader *l, const char *const *words, size_t n, int *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(l->item->value, words[i]) == 0) {
            *out = (int)i;
            return 0;
        }
    }
    AUTO(arena_free) struct arena *a = arena_new();
    const char *list = "";
    for (size_t i = 0; i < n; i++)
        list = arena_printf(a, "%s%s%s", list,
            i == 0           ? ""
                : i + 1 == n ? " or "
                             : ", ",
            words[i]);
    return load_fault(
        l, "%s = %.40s is unknown; write %s", l->item->key, l->item->value, list);
}

static int
policy_manner(struct loader *l)
{
    static const char *const scopes[] = { "listed", "safety", "all" };
    static const char *const wraps[] = { "unknown", "file", "tool", "query" };
    static const char *const exceptions[] = { "deny", "audit", "allow" };
    const char *key = l->item->key;
    int at = 0, ret;

    if (strcmp(key, "checks") == 0) {
        ret = policy_word(l, scopes, DG_ARRAY_SIZE(scopes), &at);
        if (!ret)
            l->pol->scope = (enum pol_scope)at;
        return ret;
    }
    if (strcmp(key, "transaction") == 0) {
        ret = policy_word(l, wraps, DG_ARRAY_SIZE(wraps), &at);
        if (!ret)
            l->pol->wrap = (enum pol_wrap)at;
        return ret;
    }
    ret = policy_word(l, exceptions, DG_ARRAY_SIZE(exceptions), &at);
    if (!ret)
        l->pol->exceptions = (enum pol_exceptions)at;
    return ret;
}

static int
policy_facts_timeout(struct loader *l)
{
    int64_t ms;

    if (str_duration(str_of(l->item->value), 1, &ms) || ms < 10 || ms > 10000)
        return load_fault(l,
            "facts_timeout = %.40s is no time that a statement can wait; write 10ms to 10s",
            l->item->value);
    l->pol->facts_timeout_ms = ms;
    return 0;
}

static int load_when_unknown(struct loader *l, int *out);

static int
policy_baseline(struct loader *l)
{
    AUTO(mem_free) char *path = fs_relative_to(l->item->file, l->item->value);
    struct err why = { "" };

    if (!*l->item->value)
        return load_fault(l, "baseline is empty; name a file or remove the key");
    map_free(l->pol->baseline);
    l->pol->baseline = NULL;
    if (pol_baseline_load(path, &l->pol->baseline, &why))
        return load_fault(l, "baseline: %s", why.text);
    return 0;
}

/* The findings name this line: it is what asks for the attestation. */
static int
policy_require(struct loader *l)
{
    struct str bad;

    if (hist_tested_parse(str_of(l->item->value), &l->pol->required, &bad))
        return load_fault(l,
            "require: \"%.*s\" can't be tested; write verified, reversible, idempotent",
            (int)(bad.n < 40 ? bad.n : 40), bad.p);
    if (!l->sections[POL_C_ATTESTED].file)
        l->pol->checks[POL_C_ATTESTED].origin = here(l);
    return 0;
}

static int
policy_key(struct loader *l)
{
    const char *key = l->item->key, *value = l->item->value;

    if (strcmp(key, "environment") == 0) {
        l->environment_at = here(l);
        return load_text(l, &l->pol->environment);
    }
    if (strcmp(key, "defaults") == 0) {
        if (find_stage(value) < 0)
            return load_fault(l,
                "defaults = %.40s is unknown; write development, staging or production",
                value);
        return load_text(l, &l->defaults);
    }
    if (strcmp(key, "migrate") == 0)
        return policy_migrate(l);
    if (strcmp(key, "unmigrated") == 0)
        return policy_unmigrated(l);
    if (strcmp(key, "unparsable") == 0)
        return short_form(l, POL_C_UNPARSABLE);
    if (strcmp(key, "temporary") == 0)
        return short_form(l, POL_C_TEMP);
    if (strcmp(key, "mode") == 0)
        return load_mode(l, &l->pol->is_observed);
    if (strcmp(key, "checks") == 0 || strcmp(key, "transaction") == 0
        || strcmp(key, "exceptions") == 0)
        return policy_manner(l);
    if (strcmp(key, "facts_timeout") == 0)
        return policy_facts_timeout(l);
    if (strcmp(key, "when_unknown") == 0) {
        int word = POL_STRICT;
        int ret = load_when_unknown(l, &word);
        l->pol->when_unknown = (enum pol_unknown)word;
        return ret;
    }
    if (strcmp(key, "baseline") == 0)
        return policy_baseline(l);
    if (strcmp(key, "require") == 0)
        return policy_require(l);
    if (strcmp(key, "rewrite_else") == 0)
        return rewrite_else(l, &l->rewrite_else);
    if (strcmp(key, "rewrite_migrated") == 0) {
        if (str_bool(str_of(value), &l->pol->rewrites_migrated) != 0)
            return load_fault(l, "rewrite_migrated is yes or no, not %.40s", value);
        return 0;
    }
    return load_unknown_key(l, policy_keys, DG_ARRAY_SIZE(policy_keys));
}

static int
policy_begin(struct loader *l)
{
    if (l->policy_at.file && strcmp(l->policy_at.file, l->file) == 0)
        return load_fault(l,
            "[policy] stands at line %d already; merge the two (an including file may "
            "override single keys)",
            l->policy_at.line);
    l->policy_at = here(l);
    return 0;
}

/* ---- [check ID] ---- */

static int
check_begin(struct loader *l, struct str id)
{
    if (!pol_check_find(id, &l->check)) {
        const char *ids[POL_N_CHECKS];
        for (size_t i = 0; i < POL_N_CHECKS; i++)
            ids[i] = pol_check_row((enum pol_check)i)->info.id;
        const char *near = pol_nearest(id, ids, POL_N_CHECKS);
        for (size_t i = 0; i < pol_n_left_out(); i++) {
            if (str_eqz(id, pol_left_out(i)->id))
                return load_fault(l, "check \"%.*s\" can't be set: %s", (int)id.n, id.p,
                    pol_left_out(i)->why);
        }
        if (near)
            return load_fault(l, "unknown check \"%.*s\"; did you mean \"%s\"?",
                (int)id.n, id.p, near);
        return load_fault(l,
            "check \"%.*s\" is unknown to this version; `ddlgate check --list` names all",
            (int)id.n, id.p);
    }
    if (l->shorts[l->check].file)
        return load_fault(l,
            "[check %.*s] and its short form in [policy] at %s:%d say the same; keep one "
            "of them",
            (int)id.n, id.p, l->shorts[l->check].file, l->shorts[l->check].line);
    if (!l->sections[l->check].file)
        l->sections[l->check] = here(l);
    if (l->actions[l->check] == POL_UNSET)
        l->pol->checks[l->check].origin = here(l);
    return 0;
}

static int
check_param(struct loader *l, enum pol_param_key key)
{
    struct pol_value *v = &l->pol->checks[l->check].params[key];
    struct err why = { "" };

    pol_value_deinit(v);
    if (pol_value_parse(l->pol->arena, key, l->item->value, v, &why))
        return load_fault(l, "%s: %s", l->item->key, why.text);
    v->is_written = true;
    return 0;
}

/* Does it matter to the check that live facts are unknown? */
static bool
uses_facts(enum pol_check check)
{
    const struct pol_check_row *row = pol_check_row(check);
    return row->when == POL_ON_LIVE
        || pol_params_have(row->info.params, "min_table_size");
}

static int
load_when_unknown(struct loader *l, int *out)
{
    static const char *const words[] = { "strict", "loose" };
    return policy_word(l, words, DG_ARRAY_SIZE(words), out);
}

/* Names the keys that this check has. */
static int
check_unknown_key(struct loader *l)
{
    const char *known[6 + 8] = { "action", "message", "hint", "mode", "reason",
        "rewrite_else" };
    struct str rest = str_of(pol_check_row(l->check)->info.params), key, value;
    size_t n = pol_check_may_rewrite(l->check) ? 6 : 5;

    while (n < DG_ARRAY_SIZE(known) && pol_params_next(&rest, &key, &value))
        known[n++] = arena_strndup(l->pol->arena, key.p, key.n);
    if (uses_facts(l->check) && n < DG_ARRAY_SIZE(known))
        known[n++] = "when_unknown";
    return load_unknown_key(l, known, n);
}

static int
check_key(struct loader *l)
{
    static const char *const sizes[] = { "min_table_size", "max_table_size", "min_size",
        "min_table_rows", "min_rows", "table_size", "table_rows" };
    struct pol_check_conf *c = &l->pol->checks[l->check];
    const char *params = pol_check_row(l->check)->info.params, *key = l->item->key;
    enum pol_param_key param;

    if (strcmp(key, "action") == 0) {
        c->origin = here(l);
        return check_action(l, &l->actions[l->check]);
    }
    if (strcmp(key, "rewrite_else") == 0) {
        if (!pol_check_may_rewrite(l->check))
            return load_fault(l,
                "rewrite_else belongs to checks that can be rewritten, "
                "which %s can't",
                pol_check_row(l->check)->info.id);
        return rewrite_else(l, &l->rewrite_elses[l->check]);
    }
    if (strcmp(key, "message") == 0)
        return load_message(l, &c->message);
    if (strcmp(key, "hint") == 0)
        return load_text(l, &c->hint);
    if (strcmp(key, "reason") == 0)
        return load_text(l, &c->reason);
    if (strcmp(key, "mode") == 0)
        return load_mode(l, &c->is_observed);
    if (pol_params_have(params, key) && strcmp(key, "except") == 0)
        return load_list(l, pol_parse_object, &c->except);
    if (pol_params_have(params, key) && pol_param_find(str_of(key), &param))
        return check_param(l, param);
    if (strcmp(key, "when_unknown") == 0 && uses_facts(l->check))
        return load_when_unknown(l, &c->when_unknown);
    for (size_t i = 0; i < DG_ARRAY_SIZE(sizes); i++) {
        if (strcmp(key, sizes[i]) == 0)
            return load_fault(l, "%s is no key of this check; %s", key,
                pol_params_have(params, "min_table_size")
                    ? "write min_table_size = 100MB"
                    : "its findings don't depend on the size of a table");
    }
    return check_unknown_key(l);
}

/* ---- sections ---- */

static int
end_section(struct loader *l)
{
    return l->section == LOAD_ACCESS ? load_access_end(l) : 0;
}

static bool
take_word(struct str *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || memcmp(s->p, word, n) != 0 || (s->n > n && s->p[n] != ' '))
        return false;
    *s = str_trim((struct str){ s->p + n, s->n - n });
    return true;
}

static int
begin_section(struct loader *l)
{
    struct str name = str_of(l->item->section);

    l->section_name = arena_strdup(l->pol->arena, l->item->section);
    l->section_at = here(l);
    l->n_keys = 0;
    if (take_word(&name, "policy") && !name.n) {
        l->section = LOAD_POLICY;
        return policy_begin(l);
    }
    if (take_word(&name, "access") && name.n) {
        l->section = LOAD_ACCESS;
        return load_access_begin(l, name);
    }
    if (take_word(&name, "check") && name.n) {
        l->section = LOAD_CHECK;
        return check_begin(l, name);
    }
    return load_fault(l,
        "unknown section [%s]; a policy has [policy], [access NAME] and [check ID]",
        l->item->section);
}

static int
take_key(struct loader *l)
{
    const struct pol_origin *before = load_key_at(l, l->item->key);
    if (before)
        return load_fault(l,
            "key \"%s\" stands at line %d of [%s] already; merge the two", l->item->key,
            before->line, l->section_name);
    if (l->n_keys == LOAD_MAX_KEYS)
        return load_fault(
            l, "[%s] has more than %d keys", l->section_name, LOAD_MAX_KEYS);
    l->keys[l->n_keys] = arena_strdup(l->pol->arena, l->item->key);
    l->keys_at[l->n_keys++] = here(l);
    switch (l->section) {
    case LOAD_POLICY:
        return policy_key(l);
    case LOAD_ACCESS:
        return load_access_key(l);
    case LOAD_CHECK:
        return check_key(l);
    case LOAD_NONE:
        break;
    }
    DG_ASSERT(false, "the INI reader gave a key before a section");
    return -EINVAL;
}

static int
take_item(void *ctx, const struct ini_item *item)
{
    struct loader *l = ctx;
    int ret = 0;

    if (!item->key)
        ret = end_section(l); /* still with the file and line that it stands in */
    if (ret)
        return ret;
    l->item = item;
    if (!l->file || strcmp(l->file, item->file) != 0)
        l->file = arena_strdup(l->pol->arena, item->file);
    return item->key ? take_key(l) : begin_section(l);
}

/* ---- the whole ---- */

static int
resolve_stage(struct loader *l, const char *path)
{
    struct pol *p = l->pol;
    const char *as = l->as_environment;

    if (as) {
        bool is_stage = find_stage(as) >= 0;
        if (!is_stage && !l->defaults)
            return err_set(l->err, -EINVAL,
                "environment %.60s is none of development, staging and production, and "
                "the policy names no defaults for others",
                as);
        p->environment = arena_strdup(p->arena, as);
        p->stage = (enum pol_stage)find_stage(is_stage ? as : l->defaults);
        return 0;
    }
    if (!p->environment)
        return err_set(l->err, -EINVAL,
            "%s: [policy] names no environment; add environment = development, staging or "
            "production",
            path);
    int stage = find_stage(l->defaults ? l->defaults : p->environment);
    if (stage < 0)
        return err_set(l->err, -EINVAL,
            "%s:%d: environment = %.60s is a name of your own; add defaults = development, "
            "staging or production, whose actions the checks take",
            l->environment_at.file, l->environment_at.line, p->environment);
    p->stage = (enum pol_stage)stage;
    return 0;
}

static int
check_capture(const struct loader *l)
{
    const struct pol *p = l->pol;

    if (p->is_capturing && p->is_observed)
        return err_set(l->err, -EINVAL,
            "%s:%d: unmigrated = capture and mode = observe exclude each other: what is "
            "only observed passes and leaves no file",
            p->capture_at.file, p->capture_at.line);
    if (!p->is_capturing || l->as_environment
        || strcmp(p->environment, "development") == 0)
        return 0;
    return err_set(l->err, -EINVAL,
        "%s:%d: unmigrated = capture writes files for whoever tries things out: only with "
        "environment = development, not %.60s",
        p->capture_at.file, p->capture_at.line, p->environment);
}

/* A drop is only rewritten to a move if it is known where to. */
static int
check_quarantine(const struct loader *l)
{
    const struct pol_check_conf *c = &l->pol->checks[POL_C_DROP_TABLE];
    const char *schema = c->params[POL_P_QUARANTINE].text;

    if (l->actions[POL_C_DROP_TABLE] == DG_REWRITE && !schema)
        return err_set(l->err, -EINVAL,
            "%s:%d: action = rewrite of drop-table moves tables to another schema: write "
            "quarantine = SCHEMA beside it",
            c->origin.file, c->origin.line);
    if (schema && (strlen(schema) > 63 || str_prefix(schema, "pg_")))
        return err_set(l->err, -EINVAL,
            "%s:%d: quarantine = %.70s: a schema's name has at most 63 bytes and doesn't "
            "begin with pg_",
            l->sections[POL_C_DROP_TABLE].file, l->sections[POL_C_DROP_TABLE].line,
            schema);
    return 0;
}

static enum dg_action
default_action(enum pol_stage stage, const struct pol_check_info *info)
{
    switch (stage) {
    case POL_DEVELOPMENT:
        return info->development;
    case POL_STAGING:
        return info->staging;
    case POL_PRODUCTION:
        return info->production;
    }
    DG_ASSERT(false, "no stage %d", (int)stage);
    return DG_REJECT;
}

/* The catalogue's own values of what the policy doesn't write. */
static void
default_params(struct loader *l, size_t check)
{
    struct str rest = str_of(pol_check_row((enum pol_check)check)->info.params);
    struct str name, value;
    struct err err = { "" };
    enum pol_param_key key;

    while (pol_params_next(&rest, &name, &value)) {
        struct pol_value *v;
        if (!value.p || !pol_param_find(name, &key))
            continue;
        v = &l->pol->checks[check].params[key];
        if (v->is_written)
            continue;
        int ret = pol_value_parse(l->pol->arena, key,
            arena_strndup(l->pol->arena, value.p, value.n), v, &err);
        DG_ASSERT(ret == 0, "default of %s: %s", v->text, err.text);
    }
}

/* Does it run without being asked for? What tells whether a statement is migrated at all,
 * and whether it can be read, always does. */
static bool
is_asked(const struct loader *l, size_t check)
{
    const struct pol_check_row *row = pol_check_row((enum pol_check)check);
    bool is_basic = (row->when == POL_ON_HISTORY && !row->info.is_standard)
        || row->when == POL_ON_ALWAYS || row->when == POL_ON_EXEMPT
        || (check == POL_C_ATTESTED && l->pol->required);

    return is_basic || l->pol->scope >= row->scope || l->sections[check].file
        || l->actions[check] != POL_UNSET;
}

static int
finish(struct loader *l, const char *path)
{
    int ret = end_section(l);
    if (!ret)
        ret = resolve_stage(l, path);
    if (!ret)
        ret = check_capture(l);
    if (!ret)
        ret = check_quarantine(l);
    for (size_t i = 0; i < POL_N_CHECKS && !ret; i++) {
        const struct pol_check_info *info = &pol_check_row((enum pol_check)i)->info;
        enum dg_action unset = is_asked(l, i) ? default_action(l->pol->stage, info)
                                              : DG_ALLOW;
        l->pol->checks[i].action = l->actions[i] == POL_UNSET
            ? unset
            : (enum dg_action)l->actions[i];
        l->pol->checks[i].rewrite_else = (enum dg_action)(
            l->rewrite_elses[i] == POL_UNSET ? l->rewrite_else : l->rewrite_elses[i]);
        default_params(l, i);
    }
    return ret;
}

static void
pol_free(struct ref *ref)
{
    struct pol *p = (struct pol *)(void *)ref;
    for (size_t i = 0; i < POL_N_CHECKS; i++) {
        for (size_t k = 0; k < POL_N_PARAMS; k++)
            pol_value_deinit(&p->checks[i].params[k]);
    }
    map_free(p->baseline);
    arena_free(p->arena);
    mem_free(p->accesses);
    mem_free(p);
}

static void
pol_drop_p(struct pol **p)
{
    ref_drop(*p);
}

int
pol_load_as(const char *path, const char *environment, bool settle, struct pol **out,
    struct err *err)
{
    AUTO(pol_drop) struct pol *p = mem_zalloc(sizeof(*p));
    struct loader l = {
        .pol = p, .err = err, .as_environment = environment, .rewrite_else = DG_REJECT
    };

    DG_ASSERT(path || environment, "neither policy nor environment");

    ref_init(&p->ref, pol_free);
    p->arena = arena_new();
    p->migrate = DG_MIGRATE_DEFAULT;
    p->scope = POL_SAFETY;
    p->facts_timeout_ms = POL_FACTS_TIMEOUT_MS;
    for (size_t i = 0; i < POL_N_CHECKS; i++) {
        l.actions[i] = l.rewrite_elses[i] = POL_UNSET;
        p->checks[i].when_unknown = POL_UNSET;
    }
    int ret = path ? ini_read(path, settle, take_item, &l, err) : 0;
    if (!ret)
        ret = finish(&l, path);
    if (ret)
        return ret;
    *out = p;
    p = NULL;
    return 0;
}

int
pol_load(const char *path, bool settle, struct pol **out, struct err *err)
{
    return pol_load_as(path, NULL, settle, out, err);
}
