// SPDX-License-Identifier: ISC
/* Our own JSON: everything that is known, in one object. */
#include "cli/report.h"

#include "base/json.h"
#include "base/names.h"

static void
put_place(struct json *j, const char *prefix, const struct report_place *p)
{
    char key[32];
    const struct {
        const char *name;
        int value;
    } parts[] = {
        { "line", p->line },
        { "column", p->column },
        { "end_line", p->end_line },
        { "end_column", p->end_column },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(parts); i++) {
        snprintf(key, sizeof(key), "%s%s", prefix, parts[i].name);
        json_kv_int(j, key, parts[i].value);
    }
}

static void
put_item(struct json *j, const struct report_item *it)
{
    json_object(j);
    json_kv(j, "rule", it->rule);
    json_kv(j, "file", it->name);
    put_place(j, "", &it->at);
    json_kv_int(j, "statement", (int64_t)it->stmt);
    put_place(j, "statement_", &it->stmt_at);
    json_kv(j, "command", it->command);
    json_kv(j, "object", it->object);
    json_kv(j, "column_name", it->column);
    json_kv(j, "severity", report_level_name(it->level));
    json_kv(j, "action", dg_action_name(it->action));
    json_kv_bool(j, "observed", it->is_observed);
    json_kv_bool(j, "failing", it->is_failing);
    json_kv(j, "message", it->message);
    json_kv(j, "detail", it->detail);
    json_kv(j, "hint", it->hint);
    json_kv(j, "policy_file", it->policy_file);
    if (it->policy_file)
        json_kv_int(j, "policy_line", it->policy_line);
    json_kv(j, "fingerprint", it->fingerprint);
    json_object_end(j);
}

static void
put_troubles(struct json *j, const struct report *r)
{
    json_key(j, "troubles");
    json_array(j);
    for (size_t i = 0; i < r->n_files; i++) {
        if (!r->files[i].trouble)
            continue;
        json_object(j);
        json_kv(j, "file", r->files[i].name);
        if (r->files[i].trouble_line)
            json_kv_int(j, "line", r->files[i].trouble_line);
        json_kv(j, "message", r->files[i].trouble);
        json_object_end(j);
    }
    json_array_end(j);
}

static void
write_json(const struct report *r, struct report_out *out)
{
    struct json j = JSON_INIT(&out->buf);

    json_object(&j);
    json_key(&j, "findings");
    json_array(&j);
    for (size_t i = 0; i < r->n; i++) {
        put_item(&j, &r->items[i]);
        report_flush(out);
    }
    json_array_end(&j);
    put_troubles(&j, r);
    json_kv_int(&j, "files", (int64_t)(r->n_files - r->n_trouble));
    json_kv_int(&j, "statements", (int64_t)r->n_stmts);
    json_kv_int(&j, "errors", (int64_t)r->n_level[REPORT_ERROR]);
    json_kv_int(&j, "warnings", (int64_t)r->n_level[REPORT_WARNING]);
    json_kv_int(&j, "notes", (int64_t)r->n_level[REPORT_NOTE]);
    json_kv_int(&j, "failing", (int64_t)r->n_failing);
    json_object_end(&j);
    buf_puts(&out->buf, "\n");
    report_flush(out);
}

const struct report_writer report_json = { "json", write_json, true };
