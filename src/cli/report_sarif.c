// SPDX-License-Identifier: ISC
/* SARIF 2.1.0 (OASIS standard), as GitHub code scanning and other viewers read it: one run,
 * every check as a rule, paths as URIs, columns in code points. Findings under mode =
 * observe are suppressed ones; they are left out unless asked for, since some viewers
 * ignore `suppressions`. */
#include "cli/report.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static void
put_message(struct json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_object(j);
    json_kv(j, "text", text);
    json_object_end(j);
}

static const char *
level_of(enum dg_action action)
{
    switch (action) {
    case DG_ALLOW:
        return "none";
    case DG_NOTE:
        return "note";
    case DG_WARN:
    case DG_REWRITE:
        return "warning";
    case DG_HOLD:
    case DG_REJECT:
        return "error";
    }
    return "none";
}

static void
put_rules(struct json *j, const struct report *r)
{
    json_key(j, "rules");
    json_array(j);
    for (size_t i = 0; i < pol_n_checks(); i++) {
        const struct pol_check_info *k = pol_check_info(i);
        bool is_observed = false;
        enum dg_action action = k->production;
        if (r->policy)
            action = pol_check_action(r->policy, k->id, &is_observed);
        json_object(j);
        json_kv(j, "id", k->id);
        put_message(j, "shortDescription", k->summary);
        json_key(j, "defaultConfiguration");
        json_object(j);
        json_kv(j, "level", level_of(action));
        json_kv_bool(j, "enabled", action > DG_ALLOW);
        json_object_end(j);
        json_key(j, "properties");
        json_object(j);
        json_key(j, "tags");
        json_array(j);
        json_strz(j, k->group);
        json_array_end(j);
        json_object_end(j);
        json_object_end(j);
    }
    json_array_end(j);
}

static void
put_driver(struct json *j, const struct report *r)
{
    json_key(j, "tool");
    json_object(j);
    json_key(j, "driver");
    json_object(j);
    json_kv(j, "name", "ddlgate");
    json_kv(j, "version", DG_VERSION);
    json_kv(j, "semanticVersion", DG_VERSION);
    put_rules(j, r);
    json_object_end(j);
    json_object_end(j);
}

/* RFC 3986: relative paths stay relative; whatever isn't plain is percent-encoded. */
static void
put_uri(struct json *j, const char *path)
{
    AUTO(buf_deinit) struct buf uri = BUF_INIT((size_t)1 << 20);

    if (*path == '/')
        buf_puts(&uri, "file://");
    for (const char *p = path; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || strchr("-._~/", c);
        if (is_plain)
            buf_put(&uri, p, 1);
        else
            buf_putf(&uri, "%%%02X", c);
    }
    json_kv(j, "uri", buf_cstr(&uri));
}

static void
put_region(struct json *j, const char *key, const struct report_place *p)
{
    json_key(j, key);
    json_object(j);
    json_kv_int(j, "startLine", p->line);
    json_kv_int(j, "startColumn", p->column);
    json_kv_int(j, "endLine", p->end_line);
    json_kv_int(j, "endColumn", p->end_column);
    json_object_end(j);
}

static void
put_location(struct json *j, const struct report_item *it)
{
    json_key(j, "locations");
    json_array(j);
    json_object(j);
    json_key(j, "physicalLocation");
    json_object(j);
    json_key(j, "artifactLocation");
    json_object(j);
    put_uri(j, it->path);
    json_object_end(j);
    put_region(j, "region", &it->at);
    /* the standard wants a region that the context properly encloses */
    if (memcmp(&it->at, &it->stmt_at, sizeof(it->at)) != 0)
        put_region(j, "contextRegion", &it->stmt_at);
    json_object_end(j);
    if (it->object) {
        json_key(j, "logicalLocations");
        json_array(j);
        json_object(j);
        json_kv(j, "fullyQualifiedName", it->object);
        json_object_end(j);
        json_array_end(j);
    }
    json_object_end(j);
    json_array_end(j);
}

static void
put_text(struct json *j, const struct report_item *it)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT((size_t)1 << 20);

    buf_putf(&text, "%s: %s", it->what, it->message);
    if (it->detail)
        buf_putf(&text, "\n%s", it->detail);
    if (it->hint)
        buf_putf(&text, "\n%s", it->hint);
    put_message(j, "message", buf_cstr(&text));
}

static int
rule_index(const char *id)
{
    for (size_t i = 0; i < pol_n_checks(); i++) {
        if (strcmp(pol_check_info(i)->id, id) == 0)
            return (int)i;
    }
    return -1;
}

static void
put_result(struct json *j, const struct report_item *it)
{
    char hash[40];
    int index = rule_index(it->rule);

    json_object(j);
    json_kv(j, "ruleId", it->rule);
    if (index >= 0)
        json_kv_int(j, "ruleIndex", index);
    json_kv(j, "level",
        it->is_observed ? level_of(it->action) : report_level_name(it->level));
    put_text(j, it);
    put_location(j, it);
    json_key(j, "partialFingerprints");
    json_object(j);
    snprintf(hash, sizeof(hash), "%s:%zu", it->line_hash, it->occurrence);
    json_kv(j, "primaryLocationLineHash", hash);
    json_kv(j, "ddlgate/v1", it->fingerprint);
    json_object_end(j);
    if (it->is_observed) {
        json_key(j, "suppressions");
        json_array(j);
        json_object(j);
        json_kv(j, "kind", "external");
        json_kv(j, "justification", "the policy says mode = observe");
        json_object_end(j);
        json_array_end(j);
    }
    json_key(j, "properties");
    json_object(j);
    json_kv(j, "action", dg_action_name(it->action));
    json_kv_int(j, "statement", (int64_t)it->stmt);
    json_kv(j, "policyFile", it->policy_file);
    if (it->policy_file)
        json_kv_int(j, "policyLine", it->policy_line);
    json_object_end(j);
    json_object_end(j);
}

static void
put_invocation(struct json *j, const struct report *r)
{
    json_key(j, "invocations");
    json_array(j);
    json_object(j);
    json_kv_bool(j, "executionSuccessful", r->n_trouble == 0);
    json_key(j, "toolExecutionNotifications");
    json_array(j);
    for (size_t i = 0; i < r->n_files; i++) {
        if (!r->files[i].trouble)
            continue;
        json_object(j);
        json_kv(j, "level", "error");
        put_message(j, "message", r->files[i].trouble);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
    json_array_end(j);
}

static void
write_sarif(const struct report *r, struct report_out *out)
{
    struct json j = JSON_INIT(&out->buf);

    json_object(&j);
    json_kv(&j, "$schema", SCHEMA);
    json_kv(&j, "version", "2.1.0");
    json_key(&j, "runs");
    json_array(&j);
    json_object(&j);
    put_driver(&j, r);
    put_invocation(&j, r);
    json_kv(&j, "columnKind", "unicodeCodePoints");
    json_key(&j, "results");
    json_array(&j);
    for (size_t i = 0; i < r->n; i++) {
        if (r->items[i].is_observed && !r->has_suppressed)
            continue;
        put_result(&j, &r->items[i]);
        report_flush(out);
    }
    json_array_end(&j);
    json_object_end(&j);
    json_array_end(&j);
    json_object_end(&j);
    buf_puts(&out->buf, "\n");
    report_flush(out);
}

const struct report_writer report_sarif = { "sarif", write_sarif, true };
