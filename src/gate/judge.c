// SPDX-License-Identifier: ISC
/* The machine around gate_decide that waits for parser, history and disk. */
#include "gate/judge.h"

#include "base/list.h"
#include "base/mem.h"
#include "gate/message.h"
#include "gate/record.h"
#include "gate/temp.h"
#include "gate/trail.h"
#include "history/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum step {
    STEP_PARSE,
    STEP_HISTORY,
    STEP_DECIDE, /* may wait for live facts, and then begins again */
    STEP_AUDIT,
    STEP_DONE,
};

/* --- requests ---------------------------------------------------------------------------- */

struct gate_request *
gate_request_new(
    struct gate_client *client, enum gate_kind kind, struct gate_text *text)
{
    struct gate_request *req = mem_zalloc(sizeof(*req));
    req->client = client;
    req->kind = kind;
    req->text = text;
    req->arena = arena_new();
    req->snap = ref_take(client->env->snap);
    pol_findings_init(&req->findings);
    req->asked.arena = req->arena;
    hash_random_id(req->id, 4);
    return req;
}

void
gate_run_deinit(struct gate_client *c, struct gate_run *run)
{
    gate_step_free(c, run->step);
    gate_intent_free(run->intent);
    mem_free(run->tx_name);
}

static void
runs_free(struct gate_client *c, struct gate_run *runs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gate_run_deinit(c, &runs[i]);
    mem_free(runs);
}

/* What was audited and then never forwarded. */
static void
close_intents(struct gate_request *req, enum aud_outcome outcome, const char *sqlstate,
    const char *why)
{
    for (size_t i = 0; i < req->n_runs; i++) {
        if (req->runs[i].intent)
            gate_record_outcome(
                req->client, req->runs[i].intent, outcome, sqlstate, why);
    }
    runs_free(req->client, req->runs, req->n_runs);
    req->runs = NULL;
    req->n_runs = 0;
}

static void
request_destroy(struct gate_request *req)
{
    close_intents(req, AUD_SKIPPED, NULL, "the session ended before it was sent");
    for (size_t i = 0; i < req->n_binds; i++)
        mem_free((void *)(uintptr_t)req->binds[i].p);
    mem_free(req->binds);
    mem_free(req->histories);
    mem_free(req->by_fact);
    pol_findings_deinit(&req->findings);
    pol_wants_deinit(&req->asked);
    gate_judged_clear(&req->judged);
    ref_drop(req->live);
    gate_rewrite_deinit(&req->rewrite);
    ref_drop(req->text);
    ref_drop(req->snap);
    mem_free(req->why_unknown);
    arena_free(req->arena);
    mem_free(req);
}

void
gate_request_free(struct gate_request *req)
{
    if (!req)
        return;
    DG_ASSERT(!req->is_waiting, "somebody still works on this request");
    request_destroy(req);
}

static struct gate_message_ctx
message_ctx(struct gate_request *req, struct pol_session *session,
    const struct gate_target *target)
{
    gate_client_pol_session(req->client, session);
    return (struct gate_message_ctx){
        .arena = req->arena,
        .text = req->text,
        .session = session,
        .policy = target->policy,
        .view = req->client->view,
        .request_id = req->id,
        .now_us = session->now_us,
    };
}

static void
refuse_fault(
    struct gate_request *req, const char *sqlstate, const char *what, const char *hint)
{
    struct pol_session session;
    struct gate_target target = gate_snapshot_find(req->snap, req->client->database);
    struct gate_message_ctx ctx = message_ctx(req, &session, &target);
    struct gate_message *m = arena_alloc(req->arena, sizeof(*m));
    gate_message_fault(&ctx, sqlstate, what, hint, m);
    req->refusal = m;
    req->verdict = GATE_REFUSE;
    req->client->env->stats.refused++;
}

/* --- step: parse ------------------------------------------------------------------------- */

static int run(struct gate_request *req);

static void
resume(struct gate_request *req)
{
    if (req->client->env->is_stopped)
        req->step = STEP_DONE;
    req->is_waiting = run(req) == GATE_WAIT;
    if (!req->is_waiting)
        req->done(req->ctx, req);
}

static void
parsed(struct task *task)
{
    struct gate_request *req = LIST_ENTRY(task, struct gate_request, parse_task);
    req->step = STEP_HISTORY;
    resume(req);
}

static void
parse_away(struct task *task)
{
    struct gate_request *req = LIST_ENTRY(task, struct gate_request, parse_task);
    gate_text_parse(req->text);
    task->run = parsed;
    task_post(req->client->env->queue, task);
}

/* --- step: history ----------------------------------------------------------------------- */

static bool
needs_history(const struct gate_request *req, const struct gate_target *target)
{
    const struct sql_tree *tree = req->text->tree;
    bool any = false;
    for (size_t i = 0; i < tree->n && !any; i++)
        pol_is_tracked(target->policy, &tree->facts[i], &any);
    return any;
}

static void
history_read(struct task *task)
{
    struct gate_history_ask *ask = LIST_ENTRY(task, struct gate_history_ask, task);
    struct gate_request *req = ask->owner;
    struct gate_client *c = req->client;
    if (ask->snap && ask->snap != c->view_snap) {
        gate_client_forget_view(c);
        c->view_snap = ref_take(ask->snap);
    }
    if (ask->snap) {
        ref_drop(req->snap);
        req->snap = ref_take(ask->snap);
    }
    c->view = ask->view;
    if (!c->view)
        req->why_unknown = mem_strdup(ask->why.text);
    ref_drop(ask->snap);
    mem_free(ask->database);
    mem_free(ask);
    req->step = STEP_DECIDE;
    resume(req);
}

/* Within a transaction its first reading stands, under the snapshot it was made for. */
static void
keep_to_view(struct gate_request *req)
{
    struct gate_client *c = req->client;
    struct gate_target t = gate_snapshot_find(req->snap, c->database);
    if (t.source && t.source->set == hist_view_set(c->view))
        return;
    ref_drop(req->snap);
    req->snap = ref_take(c->view_snap);
}

static int
step_history(struct gate_request *req)
{
    struct gate_client *c = req->client;
    struct gate_target target = gate_snapshot_find(req->snap, c->database);
    req->step = STEP_DECIDE;
    if (!target.source)
        return 0;
    if (c->view && (gate_text_commits(req->text) || needs_history(req, &target))) {
        keep_to_view(req);
        return 0;
    }
    if (!needs_history(req, &target))
        return 0;
    struct gate_history_ask *ask = mem_zalloc(sizeof(*ask));
    ask->owner = req;
    ask->queue = c->env->queue;
    ask->database = mem_strdup(c->database);
    ask->task.run = history_read;
    c->env->read_history(c->env->ctx, ask);
    return GATE_WAIT;
}

/* --- live facts -------------------------------------------------------------------------- */

/* A check may find out by the first answer that it wants to know more: asked once again,
 * for everything. */
#define MAX_ASKS 2

static void
live_read(struct task *task)
{
    struct gate_live_ask *ask = LIST_ENTRY(task, struct gate_live_ask, task);
    struct gate_request *req = ask->owner;

    ref_drop(req->live);
    req->live = ref_take(ask->live);
    gate_live_ask_free(ask);
    pol_findings_deinit(&req->findings);
    pol_findings_init(&req->findings);
    gate_judged_clear(&req->judged);
    resume(req);
}

/* Does some rule want to know more of the server than it was told, and can it be asked? */
static bool
ask_live(struct gate_request *req)
{
    struct gate_env *env = req->client->env;
    const struct pol_wants *wants = &req->findings.wants;

    if (!wants->n || !env->read_live || !req->snap->cfg->control
        || req->n_asks == MAX_ASKS || (req->live && !req->live->is_known))
        return false;
    for (size_t i = 0; i < wants->n; i++)
        pol_wants_add(&req->asked, &wants->items[i]);
    struct gate_live_ask *ask = gate_live_ask_new(req->client, req->snap, &req->asked);
    ask->owner = req;
    ask->task.run = live_read;
    req->n_asks++;
    env->stats.asked++;
    env->read_live(env->ctx, ask);
    return true;
}

/* --- step: decide ------------------------------------------------------------------------ */

/* SQL EXECUTE runs what was prepared: that is judged with it. */
static void
decide_executed(struct gate_request *req, const struct gate_context *ctx,
    const struct pol_session *session)
{
    const struct sql_tree *tree = req->text->tree;
    for (size_t i = 0; i < tree->n; i++) {
        struct gate_text *texts[GATE_MAX_CANDIDATES];
        bool is_tx;
        if (tree->facts[i].prep != SQL_PREP_EXECUTE || !tree->facts[i].prep_name)
            continue;
        size_t n = gate_prepared_get(
            req->client, str_of(tree->facts[i].prep_name), 0, texts, &is_tx);
        for (size_t k = 0; k < n; k++) {
            size_t first = req->findings.n, first_locking = req->findings.n_locking;
            struct pol_history *h = mem_array(texts[k]->tree->n, sizeof(*h));
            gate_decide(ctx, session, texts[k], h, &req->findings);
            mem_free(h);
            for (size_t j = first; j < req->findings.n; j++) {
                req->findings.items[j].fact = i;
                req->findings.items[j].object = NULL;
                req->findings.items[j].pos = -1;
            }
            for (size_t j = first_locking; j < req->findings.n_locking; j++)
                req->findings.locking[j] = i;
            gate_rewrite_deny(
                ctx->target.policy, &req->findings, first, "it was prepared before");
        }
    }
}

static void
refuse(struct gate_request *req, const struct gate_message_ctx *ctx)
{
    struct gate_message *m = arena_alloc(req->arena, sizeof(*m));
    gate_message_refusal(ctx, &req->findings, m);
    if (req->text->is_too_complex && strcmp(m->constraint, "unparsable-statement") == 0)
        m->sqlstate = "54001";
    req->refusal = m;
    req->verdict = GATE_REFUSE;
    req->client->env->stats.refused++;
    gate_record_refusal(req);
}

/* The first change of a transaction gives its file the name. */
static void
announce_capture(struct gate_request *req, const struct gate_message_ctx *ctx)
{
    const struct pol_findings *f = &req->findings;
    struct gate_client *c = req->client;
    char path[512];
    size_t i = 0;
    while (i < f->n && !f->items[i].is_captured)
        i++;
    if (i == f->n || c->announced || req->kind == GATE_PARSE)
        return;
    size_t root = gate_text_root(req->text, f->items[i].fact);
    hist_capture_path(
        hist_view_set(c->view), &req->text->tree->facts[root], path, sizeof(path));
    c->announced = mem_strdup(path);
    gate_message_capture(ctx, &f->items[i], path, &req->notices[req->n_notices++]);
}

/* A move to quarantine tells by itself where each table went, or that there was none. */
static bool
is_told_by_server(const struct gate_rewrite *rw)
{
    bool has_timeout = false;
    for (int i = 0; i < POL_N_TIMEOUTS; i++)
        has_timeout |= rw->timeout_ms[i] > 0;
    return rw->text && rw->text->tag && !has_timeout;
}

static void
add_notices(struct gate_request *req, const struct gate_message_ctx *ctx)
{
    const struct pol_findings *f = &req->findings;
    req->notices = arena_alloc(req->arena, (f->n + 2) * sizeof(*req->notices));
    announce_capture(req, ctx);
    if (req->rewrite.did && !is_told_by_server(&req->rewrite))
        gate_message_rewritten(ctx, &req->rewrite, &req->notices[req->n_notices++]);
    for (size_t i = 0; i < f->n; i++) {
        if (f->items[i].action == DG_WARN && !f->items[i].is_observed)
            gate_message_warning(ctx, &f->items[i], &req->notices[req->n_notices++]);
    }
}

/* A Parse whose safe form takes several statements may be run by a Query in place of the last
 * Execute of a batch (session/extended.c). Any other gets the form of one statement, if there is
 * that: it is prepared so. */
static void
prepare_single(struct gate_request *req, const struct pol *policy,
    struct gate_moment at, struct pol_findings before)
{
    struct gate_rewrite single;
    at.is_single = true;
    gate_rewrite(
        policy, req->text, &at, (unsigned)req->snap->cfg->max_depth, &before, &single);
    gate_rewrite_deinit(&req->rewrite);
    req->rewrite = single;
    req->text->takes_several = true;
}

/* Of an Execute the server has what its Parse was given, whatever policy says now. */
static void
rewrite(struct gate_request *req, const struct pol *policy)
{
    struct gate_moment at = { .kind = req->kind,
        .tx_status = req->client->tx_status,
        .is_batch_begun = req->is_batch_begun,
        .request_id = req->id };
    struct pol_findings *found = &req->findings, before = *found;
    if (req->kind == GATE_PARSE && found->action == DG_REWRITE) {
        before.items = arena_alloc(req->arena, found->n * sizeof(*found->items));
        memcpy(before.items, found->items, found->n * sizeof(*found->items));
    }
    gate_rewrite(policy, req->text, &at, (unsigned)req->snap->cfg->max_depth, found,
        &req->rewrite);
    if (req->kind == GATE_PARSE && gate_rewrite_is_several(&req->rewrite))
        prepare_single(req, policy, at, before);
    if (req->kind == GATE_PARSE && !req->text->in_place)
        req->text->in_place = ref_take(req->rewrite.text);
    if (req->kind == GATE_EXECUTE && !req->rewrite.text)
        req->rewrite.text = ref_take(req->text->in_place);
}

static void
add_ran(struct gate_request *req, struct gate_ran ran)
{
    struct gate_client *c = req->client;
    MEM_GROW(c->ran, c->n_ran, c->cap_ran);
    if (!c->view_snap)
        c->view_snap = ref_take(req->snap); /* keeps what ran points to */
    c->ran[c->n_ran++] = ran;
}

static void
add_recorded(void *ctx, const struct hist_migration *m)
{
    add_ran(ctx, (struct gate_ran){ .recorded = m });
}

/* The rows of the history that a COPY brought. */
static void
note_copied(struct gate_request *req)
{
    const struct pol_history *h = &req->histories[0];
    struct hist_copy rows;
    if (h->view && req->copy_data.p
        && hist_copy_rows(
               req->arena, &req->text->tree->facts[0], req->copy_data, &rows, NULL)
            == 0
        && rows.facts)
        hist_each_written(h->view, rows.facts, &h->match, rows.binds, rows.n_binds,
            add_recorded, req);
}

static int
step_decide(struct gate_request *req)
{
    struct gate_client *c = req->client;
    struct gate_target target = gate_snapshot_find(req->snap, c->database);
    struct pol_session session;
    req->step = STEP_AUDIT;
    if (!target.database) { /* gone by a reload: nothing says what is allowed */
        refuse_fault(req, "55000", "this database is no longer configured in the gate",
            "reconnect");
        req->step = STEP_DONE;
        return 0;
    }
    struct gate_message_ctx mctx = message_ctx(req, &session, &target);
    struct gate_context ctx = {
        .target = target,
        .snap = req->snap,
        .view = target.source ? c->view : NULL,
        .why_unknown = req->why_unknown,
        .ran = c->ran,
        .n_ran = c->n_ran,
        .binds = req->has_binds ? req->binds : NULL,
        .n_binds = req->n_binds,
        .search_path = c->search_path,
        .is_path_unknown = c->is_path_unknown,
        .login_path = c->login_path,
        .is_path_in_tx = c->is_path_in_tx || c->is_path_local,
        .has_copy = req->kind == GATE_COPY,
        .copy_data = req->copy_data,
        .runs = req->kind != GATE_PARSE,
        .is_query = req->kind == GATE_QUERY,
        .in_block = c->tx_status != 'I' || req->is_in_batch,
        .in_failed_block = c->tx_status == 'E' && !c->has_rolled_to,
        .is_tx_unsure = c->is_tx_unsure,
        .live = req->live,
        .made = c->made,
        .own_pid = (int)c->server_pid,
        .under_way = c->judged,
        .judged = &req->judged,
    };
    mem_free(req->histories);
    req->histories = mem_array(req->text->tree->n, sizeof(*req->histories));
    gate_decide(&ctx, &session, req->text, req->histories, &req->findings);
    decide_executed(req, &ctx, &session);
    if (ask_live(req)) {
        req->step = STEP_DECIDE;
        return GATE_WAIT;
    }
    c->env->stats.judged++;
    rewrite(req, target.policy);
    if (req->findings.action >= DG_HOLD) {
        refuse(req, &mctx);
        req->step = STEP_DONE;
        return 0;
    }
    req->verdict = GATE_PASS;
    add_notices(req, &mctx);
    if (req->kind == GATE_COPY)
        note_copied(req);
    if (req->kind == GATE_PARSE || req->kind == GATE_COPY || req->kind == GATE_SYNC)
        req->step = STEP_DONE;
    return 0;
}

/* --- step: audit ------------------------------------------------------------------------- */

/* The fact that stands for root in records: itself, or the first tracked one it hides. */
static bool
find_tracked(
    const struct gate_request *req, const struct pol *policy, size_t root, size_t *out)
{
    const struct gate_text *t = req->text;
    for (size_t i = root, end = gate_text_end(t, root); i < end; i++) {
        bool unused;
        if (gate_text_root(t, i) == root
            && pol_is_tracked(policy, &t->tree->facts[i], &unused)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool
executes_tracked(
    const struct gate_request *req, const struct pol *policy, const struct sql_facts *f)
{
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    bool is_tx, found = false, unused;
    if (f->prep != SQL_PREP_EXECUTE || !f->prep_name)
        return false;
    size_t n = gate_prepared_get(req->client, str_of(f->prep_name), 0, texts, &is_tx);
    for (size_t k = 0; k < n && !found; k++) {
        const struct sql_tree *tree = texts[k]->tree;
        for (size_t i = 0; i < tree->n && !found; i++)
            found = pol_is_tracked(policy, &tree->facts[i], &unused);
    }
    return found;
}

/* Does a fact of the statement lock what others use? */
static bool
is_locking(const struct gate_request *req, size_t root)
{
    const struct pol_findings *f = &req->findings;
    size_t low = 0, high = f->n_locking;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->locking[mid] < root)
            low = mid + 1;
        else
            high = mid;
    }
    return low < f->n_locking && f->locking[low] < gate_text_end(req->text, root);
}

static int
add_run(struct gate_request *req, const struct pol *policy, size_t root,
    bool *is_change, struct aud_wait *wait)
{
    const struct sql_facts *f = &req->text->tree->facts[root];
    size_t fact = root;
    bool tracked = f->prep != SQL_PREP_PREPARE
        && find_tracked(req, policy, root, &fact);
    tracked |= executes_tracked(req, policy, f);
    *is_change = tracked;
    bool wanted = gate_trail_wants(req, root, tracked);
    if (!tracked && !wanted && f->tx == SQL_TX_NONE)
        return 0;
    struct gate_run run = {
        .ordinal = (unsigned)f->stmt,
        .tag = f->prep == SQL_PREP_NONE && fact == root
                && !(f->flags & SQL_F_UNPARSABLE) && (tracked || !wanted)
            ? f->tag
            : NULL,
        .tx = f->tx,
        .tx_name = mem_strdup(f->tx_name),
    };
    int r = tracked ? gate_record_intent(req, fact, wait, &run.intent) : 0;
    if (r) {
        mem_free(run.tx_name);
        return r;
    }
    if (tracked)
        run.intent->is_locking = is_locking(req, root);
    if (wanted) {
        run.step = gate_step_new(req, root, tracked, run.intent);
        run.is_step_lost = !run.step;
    }
    req->runs[req->n_runs++] = run;
    return 0;
}

static void
refuse_unaudited(struct gate_request *req)
{
    close_intents(req, AUD_SKIPPED, NULL, "audit failed before it was sent");
    refuse_fault(req, "58030",
        "the audit log can't be written, so schema changes are stopped",
        "free space or repair audit_file's disk; the gate goes on by itself, its log says "
        "why");
}

static void
audited(struct task *task)
{
    struct aud_wait *wait = LIST_ENTRY(task, struct aud_wait, task);
    struct gate_request *req = LIST_ENTRY(wait, struct gate_request, audit_wait);
    req->step = STEP_DONE;
    if (wait->result != 0)
        refuse_unaudited(req);
    resume(req);
}

/* Which roots will have an intent is counted first: only the last one waits for the disk,
 * since records are written in order. */
static size_t
last_tracked(const struct gate_request *req, const struct pol *policy)
{
    const struct sql_tree *tree = req->text->tree;
    size_t last = SIZE_MAX, unused;
    for (size_t i = 0; i < tree->n; i++) {
        if (tree->facts[i].parent < 0
            && ((tree->facts[i].prep != SQL_PREP_PREPARE
                    && find_tracked(req, policy, i, &unused))
                || executes_tracked(req, policy, &tree->facts[i])))
            last = i;
    }
    return last;
}

/* The rows of the history that the statement writes. */
static void
note_rows(struct gate_request *req, size_t root)
{
    const struct gate_text *t = req->text;
    for (size_t i = root, end = gate_text_end(t, root); i < end; i++) {
        const struct pol_history *h = &req->histories[i];
        if (h->view && gate_text_root(t, i) == root && gate_writes_row(t, i))
            hist_each_written(h->view, &t->tree->facts[i], &h->match,
                req->has_binds ? req->binds : NULL, req->n_binds, add_recorded, req);
    }
}

/* What the text will have changed in the session once it ran, noted when it is forwarded:
 * if it fails, the transaction fails with it and ReadyForQuery clears the notes. */
static void
note_effects(struct gate_request *req, size_t root, bool is_change)
{
    struct gate_client *c = req->client;
    const struct sql_facts *f = &req->text->tree->facts[root];
    const struct pol_history *h = &req->histories[root];
    if (gate_tx_ends(f->tx)) {
        gate_client_tx_ended(c);
        c->has_ended = true;
        return;
    }
    if (gate_tx_is_savepoint(f->tx) || gate_match_is_of_file(&h->match))
        add_ran(req,
            (struct gate_ran){
                .match = h->match,
                .tx = gate_tx_is_savepoint(f->tx) ? f->tx : SQL_TX_NONE,
                .name = mem_strdup(f->tx_name),
                .is_free = req->findings.is_free,
            });
    c->has_rolled_to |= f->tx == SQL_TX_ROLLBACK_TO;
    note_rows(req, root);
    c->holds_change |= is_change;
    /* In a batch or text of several statements an earlier BEGIN may decide over it. */
    bool is_alone = req->kind == GATE_QUERY && req->text->scan.n == 1;
    for (size_t i = root, end = gate_text_end(req->text, root); i < end; i++) {
        f = &req->text->tree->facts[i];
        if ((f->setting || (f->flags & SQL_F_READING))
            && gate_text_root(req->text, i) == root)
            gate_client_setting(c, f, is_alone);
    }
}

/* What others see of the schema is about to change, and what this transaction made is its
 * own business for now. */
static void
note_made(struct gate_request *req)
{
    struct gate_client *c = req->client;
    struct pol_text text = { .text = req->text->sql,
        .len = req->text->len,
        .scan = &req->text->scan,
        .tree = req->text->tree };

    if (!c->holds_change)
        return;
    pol_made_note(&c->made, &text);
    gate_judged_keep(c, &req->judged);
    if (c->env->note_change)
        c->env->note_change(c->env->ctx);
}

static int
step_audit(struct gate_request *req)
{
    struct gate_target target = gate_snapshot_find(req->snap, req->client->database);
    const struct sql_tree *tree = req->text->tree;
    size_t last = last_tracked(req, target.policy);
    bool durable = req->snap->cfg->audit_durable;
    req->runs = mem_array(tree->n, sizeof(*req->runs));
    req->audit_wait = (struct aud_wait){ .task.run = audited,
        .queue = req->client->env->queue };
    req->step = STEP_DONE;
    for (size_t i = 0; i < tree->n; i++) {
        bool is_change;
        if (tree->facts[i].parent >= 0)
            continue;
        int r = add_run(req, target.policy, i, &is_change,
            durable && i == last ? &req->audit_wait : NULL);
        if (r) {
            refuse_unaudited(req);
            return 0;
        }
        note_effects(req, i, is_change);
    }
    gate_temp_note(req->client, req->text);
    note_made(req);
    if (last == SIZE_MAX || !durable)
        return 0;
    req->step = STEP_AUDIT;
    return GATE_WAIT;
}

/* Does the PREPARE at fact i prepare something policy looks at? */
static bool
hides_tracked(const struct gate_client *c, const struct gate_text *text, size_t i)
{
    struct gate_target t = gate_snapshot_find(c->env->snap, c->database);
    bool found = !t.policy, unused;
    for (size_t k = i + 1, end = gate_text_end(text, i); k < end && !found; k++)
        found = gate_text_root(text, k) == i
            && pol_is_tracked(t.policy, &text->tree->facts[k], &unused);
    return found;
}

/* --- the loop of steps ------------------------------------------------------------------- */

static int
run(struct gate_request *req)
{
    for (;;) {
        switch ((enum step)req->step) {
        case STEP_PARSE:
            if (!req->text->tree) {
                req->parse_task.run = parse_away;
                task_pool_post(req->client->env->parsers, &req->parse_task);
                return GATE_WAIT;
            }
            req->step = STEP_HISTORY;
            break;
        case STEP_HISTORY:
            if (step_history(req) == GATE_WAIT)
                return GATE_WAIT;
            break;
        case STEP_DECIDE:
            if (step_decide(req) == GATE_WAIT)
                return GATE_WAIT;
            break;
        case STEP_AUDIT:
            if (step_audit(req) == GATE_WAIT)
                return GATE_WAIT;
            break;
        case STEP_DONE:
            return 0;
        }
    }
}

int
gate_judge(struct gate_request *req)
{
    DG_ASSERT(req->step == STEP_PARSE, "request is judged once");
    req->is_waiting = run(req) == GATE_WAIT;
    return req->is_waiting ? GATE_WAIT : 0;
}

bool
gate_awaits_rows(const struct gate_request *req)
{
    return req->verdict == GATE_PASS && gate_text_is_copy(req->text) && req->histories
        && req->histories[0].view && req->histories[0].write == HIST_WRITE_NEEDS_BINDS;
}

void
gate_not_sent(struct gate_request *req, enum aud_outcome outcome, const char *sqlstate,
    const char *why)
{
    DG_ASSERT(!req->is_waiting, "the judgement is under way");
    close_intents(req, outcome, sqlstate, why);
}

void
gate_cancel(struct gate_request *req)
{
    DG_ASSERT(!req->is_waiting, "the judgement is under way");
    if (req->verdict == GATE_REFUSE)
        return;
    close_intents(
        req, AUD_CANCELLED, NULL, "cancelled by the client before it was sent");
    refuse_fault(req, "57014", "canceling statement due to user request", NULL);
}

void
gate_note_prepared(struct gate_client *c, struct gate_text *text, uint64_t unit)
{
    const struct sql_tree *tree = text->tree;
    struct gate_place place = { unit, GATE_IN_QUERY };
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        if (f->prep == SQL_PREP_DEALLOCATE_ALL)
            gate_prepared_clear(c, unit);
        else if (f->prep == SQL_PREP_DEALLOCATE && f->prep_name)
            gate_prepared_set(c, str_of(f->prep_name), NULL, false, place);
        else if (f->prep == SQL_PREP_PREPARE && f->prep_name)
            gate_prepared_set(c, str_of(f->prep_name),
                hides_tracked(c, text, i) ? text : NULL, false, place);
    }
}
