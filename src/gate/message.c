// SPDX-License-Identifier: ISC
/* Findings to text. MESSAGE stands alone in one line (many drivers show nothing else),
 * DETAIL lists every finding and what the gate knows, HINT is what to do. */
#include "gate/message.h"

#include "base/mem.h"
#include "base/names.h"

#include <stdio.h>
#include <string.h>

#define MAX_MESSAGE  199
#define MAX_SENT     1000 /* of a rewritten text in its notice */
#define MAX_FINDINGS 20   /* in one DETAIL; more are counted */

/* Names may be anything a client likes: control bytes and what is no UTF-8 become
 * harmless. */
static char *
clean(struct arena *a, const char *s, bool keep_newlines)
{
    char *copy = arena_strdup(a, s);
    size_t left = copy ? strlen(copy) : 0;
    for (char *p = copy; left > 0;) {
        size_t n = str_utf8_len(p, left);
        if (n == 0)
            *p = '?';
        else if (((unsigned char)*p < 0x20 && !(*p == '\n' && keep_newlines))
            || *p == 0x7f)
            *p = ' ';
        n = n ? n : 1;
        p += n;
        left -= n;
    }
    return copy;
}

static char *
one_line(struct arena *a, const char *s)
{
    return clean(a, s, false);
}

const char *
gate_message_line(struct arena *a, const char *s)
{
    return one_line(a, s);
}

static const struct sql_facts *
fact_of(const struct gate_message_ctx *ctx, const struct pol_finding *f)
{
    const struct sql_tree *tree = ctx->text->tree;
    return f->fact < tree->n ? &tree->facts[f->fact] : NULL;
}

static const char *
describe(const struct gate_message_ctx *ctx, const struct pol_finding *f)
{
    char text[160] = "statement";
    const struct sql_facts *fact = fact_of(ctx, f);
    if (fact)
        sql_facts_describe(fact, text, sizeof(text));
    return one_line(ctx->arena, text);
}

/* Cuts at a character boundary. */
static const char *
cut(struct arena *a, char *s, size_t max)
{
    size_t n = strlen(s);
    if (n <= max)
        return s;
    n = max - 3;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return arena_printf(a, "%.*s...", (int)n, s);
}

static void
put_finding(struct buf *b, const struct pol_finding *f)
{
    buf_putf(b, "%s%s%s (%s%s): %s", buf_len(b) ? "\n" : "",
        f->is_observed ? "observed " : "", dg_action_name(f->action), f->rule,
        f->origin_file ? "" : ", built-in default", f->message);
    if (f->detail)
        buf_putf(b, "; %s", f->detail);
    if (f->origin_file)
        buf_putf(b, " [%s:%d]", f->origin_file, f->origin_line);
}

static const char *
detail_of(const struct gate_message_ctx *ctx, const struct pol_findings *f)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT((size_t)1 << 20);
    size_t shown = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->items[i].action < DG_WARN)
            continue;
        if (shown++ < MAX_FINDINGS)
            put_finding(&b, &f->items[i]);
    }
    if (shown > MAX_FINDINGS)
        buf_putf(&b, "\nand %zu more", shown - MAX_FINDINGS);
    if (ctx->view) {
        char summary[256];
        int64_t age_s = (ctx->now_us - hist_view_read_us(ctx->view)) / 1000000;
        hist_view_summary(ctx->view, summary, sizeof(summary));
        buf_putf(&b, "\nknown migrations: %s (history read %lld s ago)", summary,
            (long long)(age_s > 0 ? age_s : 0));
    }
    return clean(ctx->arena, buf_cstr(&b), true);
}

static const char *
where_of(const struct gate_message_ctx *ctx, const struct pol_finding *f)
{
    const struct sql_facts *fact = f ? fact_of(ctx, f) : NULL;
    return arena_printf(ctx->arena, "database %s, environment %s, statement %zu of %zu",
        one_line(ctx->arena, ctx->session->database ? ctx->session->database : "?"),
        ctx->policy ? pol_environment(ctx->policy) : "?", fact ? fact->stmt + 1 : 1,
        ctx->text->scan.n);
}

static int
position_of(const struct gate_message_ctx *ctx, const struct pol_finding *f)
{
    const struct sql_facts *fact = fact_of(ctx, f);
    int pos = f->pos;
    if (pos < 0 && f->object)
        pos = f->object->pos;
    if (pos < 0 && fact)
        pos = fact->pos;
    if (pos < 0 && fact && fact->stmt < ctx->text->scan.n)
        pos = (int)ctx->text->scan.stmts[fact->stmt].start;
    if (pos < 0 || (size_t)pos > ctx->text->len)
        return 0;
    return gate_text_place(ctx->text, (size_t)pos);
}

static void
fill_object(const struct gate_message_ctx *ctx, const struct pol_finding *f,
    struct gate_message *out)
{
    const struct sql_facts *fact = fact_of(ctx, f);
    const struct sql_object *o = f->object;
    if (!o && fact && fact->n_objects)
        o = &fact->objects[0];
    if (o && o->kind == SQL_O_SCHEMA) {
        out->schema = one_line(ctx->arena, o->name);
    } else if (o) {
        out->schema = one_line(ctx->arena, o->schema);
        out->table = one_line(ctx->arena, o->on ? o->on : o->name);
    }
    out->column = one_line(ctx->arena, f->column);
    out->constraint = f->rule;
    out->file = f->origin_file;
    out->line = f->origin_line;
    out->routine = f->rule;
}

void
gate_message_refusal(const struct gate_message_ctx *ctx, const struct pol_findings *f,
    struct gate_message *out)
{
    const struct pol_finding *lead = pol_findings_lead(f);
    char *text = arena_printf(ctx->arena,
        "ddlgate: %s refused by rule %s: ", describe(ctx, lead), lead->rule);
    const char *tail = arena_printf(ctx->arena, " (request %s)", ctx->request_id);
    text = arena_printf(ctx->arena, "%s%s", text, one_line(ctx->arena, lead->message));
    *out = (struct gate_message){
        .sqlstate = lead->sqlstate,
        .message = arena_printf(ctx->arena, "%s%s",
            cut(ctx->arena, text, MAX_MESSAGE - strlen(tail)), tail),
        .detail = detail_of(ctx, f),
        .hint = clean(ctx->arena, lead->hint, true),
        .where = where_of(ctx, lead),
        .position = position_of(ctx, lead),
    };
    fill_object(ctx, lead, out);
}

void
gate_message_warning(const struct gate_message_ctx *ctx, const struct pol_finding *f,
    struct gate_message *out)
{
    char *text = arena_printf(ctx->arena, "ddlgate: %s: rule %s: %s", describe(ctx, f),
        f->rule, one_line(ctx->arena, f->message));
    *out = (struct gate_message){
        .sqlstate = "01000",
        .message = cut(ctx->arena, text, MAX_MESSAGE),
        .detail = clean(ctx->arena, f->detail, true),
        .hint = clean(ctx->arena, f->hint, true),
        .where = where_of(ctx, f),
        .position = position_of(ctx, f),
    };
    fill_object(ctx, f, out);
}

void
gate_message_capture(const struct gate_message_ctx *ctx, const struct pol_finding *f,
    const char *path, struct gate_message *out)
{
    char *text = arena_printf(ctx->arena,
        "ddlgate: %s goes into %s when it is committed", describe(ctx, f),
        one_line(ctx->arena, path));
    *out = (struct gate_message){
        .severity = "NOTICE",
        .sqlstate = "00000",
        .message = cut(ctx->arena, text, MAX_MESSAGE),
        .where = where_of(ctx, f),
    };
    fill_object(ctx, f, out);
}

void
gate_message_rewritten(const struct gate_message_ctx *ctx,
    const struct gate_rewrite *rw, struct gate_message *out)
{
    char *text = arena_printf(ctx->arena, "ddlgate: %s is rewritten by %s: %s",
        describe(ctx, rw->lead), rw->rules, one_line(ctx->arena, rw->did));
    const char *hint = rw->remark;
    *out = (struct gate_message){
        .severity = "NOTICE",
        .sqlstate = "00000",
        .message = cut(ctx->arena, text, MAX_MESSAGE),
        .where = where_of(ctx, rw->lead),
        .position = position_of(ctx, rw->lead),
    };
    const char *all = rw->sent ? rw->sent : rw->text ? rw->text->sql : NULL;
    if (all) {
        bool is_cut;
        AUTO(mem_free)
        char *sent = sql_redact(
            all, strlen(all), ctx->text->std_strings, MAX_SENT, &is_cut);
        out->detail = clean(ctx->arena,
            arena_printf(ctx->arena, "Sent: %s%s", sent, is_cut ? "..." : ""), true);
    }
    if (rw->follow_up)
        hint = arena_printf(ctx->arena, "Later, in a transaction of its own: %s%s%s",
            rw->follow_up, hint ? " " : "", hint ? hint : "");
    out->hint = clean(ctx->arena, hint, true);
    fill_object(ctx, rw->lead, out);
}

void
gate_message_fault(const struct gate_message_ctx *ctx, const char *sqlstate,
    const char *what, const char *hint, struct gate_message *out)
{
    *out = (struct gate_message){
        .sqlstate = sqlstate,
        .message = arena_printf(
            ctx->arena, "ddlgate: %s (request %s)", what, ctx->request_id),
        .hint = hint,
        .where = where_of(ctx, NULL),
    };
}
