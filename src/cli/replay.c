// SPDX-License-Identifier: ISC
/* Recorded requests asked of another policy; see replay.h. */
#include "cli/replay.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "gate/rewrite.h"
#include "history/audited.h"

/* A migration, put together from the records of its statements or, where the configuration
 * has its file and the file holds them all, from that. */
struct unit {
    struct source *source;
    const char *version, *file;
    bool is_down, is_of_file;
    struct hist_attest_answer attested; /* is_of_file: what is known of its tests */
    struct hist_rollback rollback;      /* likewise, if has_rollback */
    bool has_rollback;
    const char **texts; /* owned; of its statements, each once */
    const char **digests;
    size_t n, cap, cap_digests;
    size_t index; /* in the source's set, once it is made */
};

struct source {
    const char *name;
    struct hist_set *set; /* owned reference */
    struct map *views;    /* owned; "edited\nmissing" -> view */
};

struct judging {
    struct replay *r;
    const struct pol *policy; /* NULL: the snapshot's */
    const struct gate_snapshot *snap;
    struct sql_words *own_words; /* owned; without a snapshot */
    const struct sql_words *words;
    struct map *sources, *units; /* owned */
    struct gate_units *judged;   /* owned; policies x sources, as needed */
    size_t n_judged, cap_judged;
    struct map *announced; /* owned; session, transaction, migration */
    struct arena *arena;
};

static void
source_free(void *p)
{
    struct source *s = p;
    size_t pos = 0;
    struct str key;
    void *view;

    while (map_next(s->views, &pos, &key, &view))
        ref_drop(view);
    map_free(s->views);
    ref_drop(s->set);
    mem_free(s);
}

static void
unit_free(void *p)
{
    struct unit *u = p;

    mem_free(u->texts);
    mem_free(u->digests);
    mem_free(u);
}

static void
judging_deinit_p(struct judging *j)
{
    for (size_t i = 0; i < j->n_judged; i++)
        gate_units_deinit(&j->judged[i]);
    mem_free(j->judged);
    map_free(j->units);
    map_free(j->sources);
    map_free(j->announced);
    sql_words_free(j->own_words);
    arena_free(j->arena);
}

/* ---- migrations ---- */

static struct source *
source_of(struct judging *j, const char *name)
{
    struct source *s = map_get(j->sources, str_of(name));

    if (!s) {
        s = mem_zalloc(sizeof(*s));
        s->name = name;
        s->set = hist_recorded_new(name);
        s->views = map_new(NULL);
        map_set(j->sources, str_of(name), s);
    }
    return s;
}

static bool
is_down(const char *match)
{
    return match && (strcmp(match, "down") == 0 || strcmp(match, "down blocked") == 0);
}

static struct unit *
unit_of(struct judging *j, const char *source, const char *version, const char *match,
    const char *file)
{
    const char *key = arena_printf(
        j->arena, "%s\n%s\n%d", source ? source : "", version, is_down(match));
    struct unit *u = map_get(j->units, str_of(key));

    if (!u) {
        u = mem_zalloc(sizeof(*u));
        u->source = source_of(j, source ? source : "");
        u->version = version;
        u->is_down = is_down(match);
        map_set(j->units, str_of(key), u);
    }
    u->file = u->file ? u->file : file;
    return u;
}

static void
unit_add(struct unit *u, const struct replay_stmt *s)
{
    for (size_t i = 0; s->digest && i < u->n; i++) {
        if (u->digests[i] && strcmp(u->digests[i], s->digest) == 0)
            return;
    }
    size_t n = u->n;
    MEM_GROW(u->texts, n, u->cap);
    MEM_GROW(u->digests, n, u->cap_digests);
    u->texts[u->n] = s->text;
    u->digests[u->n++] = s->digest;
}

/* Every migration that a record names, so that one can be judged with all its statements. */
static void
collect(struct judging *j)
{
    for (size_t i = 0; i < j->r->n; i++) {
        const struct replay_request *q = &j->r->requests[i];
        for (size_t k = 0; k < q->n_stmts; k++) {
            const struct replay_stmt *s = &q->stmts[k];
            source_of(j, s->source ? s->source : "");
            if (s->version && !s->is_cut)
                unit_add(unit_of(j, s->source, s->version, s->match, s->file), s);
            if (s->edited)
                unit_of(j, s->source, s->edited, NULL, s->edited);
        }
    }
}

static bool
holds_all(const struct hist_migration *m, const struct unit *u)
{
    for (size_t i = 0; i < u->n; i++) {
        bool found = false;
        for (size_t k = 0; k < m->scan.n && !found; k++) {
            char hex[HASH_HEX_SIZE];
            hash_hex(m->scan.stmts[k].digest.bytes, HASH_SHA256_SIZE, hex);
            found = u->digests[i] && strcmp(hex, u->digests[i]) == 0;
        }
        if (!found)
            return false;
    }
    return u->n > 0;
}

/* The configuration's file of a migration, as it was when it ran. */
static const struct hist_migration *
file_of(const struct judging *j, struct unit *u)
{
    for (size_t i = 0; j->snap && u->file && i < j->snap->n_sources; i++) {
        const struct gate_source *s = &j->snap->sources[i];
        if (strcmp(s->cfg->name, u->source->name) != 0)
            continue;
        for (size_t k = 0; k < s->set->n_all; k++) {
            const struct hist_migration *m = &s->set->migrations[k];
            if (m->file && strcmp(m->file, u->file) == 0 && m->is_down == u->is_down
                && holds_all(m, u)) {
                hist_attest_ask(s->attest, s->set, m, &u->attested);
                u->has_rollback = hist_rollback_of(s->set, m, j->arena, &u->rollback);
                return m;
            }
        }
    }
    return NULL;
}

static void
make_unit(struct judging *j, struct unit *u)
{
    const struct hist_migration *m = file_of(j, u);

    u->is_of_file = m != NULL;
    if (m) {
        u->index = hist_recorded_add(
            u->source->set, u->version, u->file, u->is_down, m->text, m->len, j->words);
        return;
    }
    size_t n = 1;
    for (size_t i = 0; i < u->n; i++)
        n += strlen(u->texts[i]) + 2;
    AUTO(buf_deinit) struct buf text = BUF_INIT(n);
    for (size_t i = 0; i < u->n; i++) {
        buf_puts(&text, u->texts[i]);
        buf_puts(&text, ";\n");
    }
    u->index = hist_recorded_add(u->source->set, u->version, u->file, u->is_down,
        buf_cstr(&text), buf_len(&text), j->words);
}

static void
make_units(struct judging *j)
{
    size_t pos = 0;
    struct str key;
    void *u;

    while (map_next(j->units, &pos, &key, &u))
        make_unit(j, u);
}

/* Without the file nobody knows what else stood in it. */
static bool
speaks_of_file(const struct pol_finding *f)
{
    const struct pol_check_info *info = pol_check_info_of(f->rule);

    return info && (strcmp(info->when, "file") == 0 || strcmp(info->when, "end") == 0);
}

static void
judge_unit(const struct pol *pol, const struct unit *u, struct pol_findings *out)
{
    struct hist_migration *m = &u->source->set->migrations[u->index];
    struct pol_text t = { .text = m->text,
        .len = m->len,
        .file = m->file,
        .scan = &m->scan,
        .tree = m->tree };
    AUTO(pol_findings_deinit) struct pol_findings all;

    if (u->is_of_file && !u->is_down)
        t.attested = &u->attested;
    if (u->has_rollback)
        t.rollback = &u->rollback;
    pol_findings_init(&all);
    pol_findings_init(out);
    pol_judge_unit(pol, &t, u->is_of_file ? out : &all);
    if (u->is_of_file)
        return;
    struct arena *a = out->arena; /* the texts stay with the findings they are of */
    out->arena = out->wants.arena = all.arena;
    all.arena = all.wants.arena = a;
    for (size_t i = 0; i < all.wants.n; i++)
        pol_wants_add(&out->wants, &all.wants.items[i]);
    for (size_t i = 0; i < all.n; i++) {
        if (!speaks_of_file(&all.items[i]))
            pol_findings_add(out, &all.items[i]);
    }
    for (size_t i = 0; i < m->scan.n; i++)
        m->scan.stmts[i].line = 0; /* not those of the file */
}

/* What the policy says of the source's migrations. */
static const struct gate_units *
units_of(struct judging *j, const struct pol *pol, const struct source *s)
{
    for (size_t i = 0; i < j->n_judged; i++) {
        if (j->judged[i].policy == pol && j->judged[i].set == s->set)
            return &j->judged[i];
    }
    size_t n = j->n_judged, pos = 0;
    struct str key;
    void *u;
    MEM_GROW(j->judged, n, j->cap_judged);
    struct gate_units *units = &j->judged[j->n_judged++];
    gate_units_init_given(units, s->set, pol);
    while (map_next(j->units, &pos, &key, &u)) {
        const struct unit *unit = u;
        struct pol_findings findings;
        if (unit->source != s)
            continue;
        judge_unit(pol, unit, &findings);
        gate_units_give(units, unit->index, &findings);
    }
    return units;
}

static struct hist_view *
view_of(struct judging *j, struct source *s, const struct replay_stmt *stmt)
{
    const char *key = arena_printf(j->arena, "%s\n%s", stmt->edited ? stmt->edited : "",
        stmt->missing ? stmt->missing : "");
    struct hist_view *v = map_get(s->views, str_of(key));

    if (!v) {
        v = hist_recorded_view(s->set, stmt->edited, stmt->missing);
        map_set(s->views, str_of(key), v);
    }
    return v;
}

/* ---- one request ---- */

/* What the record says of one statement of the text. */
struct told {
    const char *match; /* word */
    const char *version;
    const struct replay_stmt *stmt; /* NULL: only the two above */
};

static const char *
read_whole(
    struct judging *j, const struct replay_request *q, size_t n, struct told *told)
{
    const char *p = q->whole_history ? q->whole_history : "";

    for (size_t i = 0; i < n; i++) {
        const char *end = strchr(p, '\n');
        enum hist_match_kind kind;
        if (!end)
            return "the record has fewer statements than its text";
        struct str line = { p, (size_t)(end - p) }, word = line;
        /* words hold blanks, too: the longest that is one */
        while (word.n && !hist_match_of_word(word, &kind)
            && !str_eqz(word, HIST_WORD_UNKNOWN)
            && !str_eqz(word, HIST_WORD_UNCONFIGURED))
            word.n--;
        if (!word.n)
            return "the record's history can't be read";
        told[i].match = arena_strndup(j->arena, word.p, word.n);
        if (word.n + 1 < line.n)
            told[i].version = arena_strndup(
                j->arena, word.p + word.n + 1, line.n - word.n - 1);
        p = end + 1;
    }
    for (size_t i = 0; i < n; i++) {
        const struct replay_stmt *lead = &q->stmts[0];
        if (lead->match && strcmp(told[i].match, lead->match) == 0)
            told[i].stmt = lead;
    }
    return NULL;
}

static const char *
read_stmts(const struct replay_request *q, size_t n, struct told *told)
{
    if (n != q->n_stmts)
        return "the recorded statements don't read as they were recorded";
    for (size_t i = 0; i < n; i++)
        told[i] = (struct told){ q->stmts[i].match, q->stmts[i].version, &q->stmts[i] };
    return NULL;
}

static const char *
join(struct judging *j, const struct replay_request *q)
{
    if (q->whole)
        return q->whole;
    size_t n = 1;
    for (size_t i = 0; i < q->n_stmts; i++)
        n += strlen(q->stmts[i].text) + 2;
    if (q->n_stmts == 1)
        return q->stmts[0].text;
    AUTO(buf_deinit) struct buf b = BUF_INIT(n);
    for (size_t i = 0; i < q->n_stmts; i++) {
        buf_puts(&b, i ? ";\n" : "");
        buf_puts(&b, q->stmts[i].text);
    }
    return arena_strdup(j->arena, buf_cstr(&b));
}

static struct pol_history
history_of(struct judging *j, struct source *s, const struct told *t,
    const struct replay_request *q)
{
    static const struct replay_stmt nothing = { .text = "" };
    struct pol_history h = { .is_known = true };
    const struct replay_stmt *stmt = t->stmt ? t->stmt : &nothing;

    if (strcmp(t->match, HIST_WORD_UNCONFIGURED) == 0)
        return h;
    h.is_known = hist_match_of_word(str_of(t->match), &h.match.kind);
    if (!h.is_known) {
        h.why = "it was when this was recorded";
        return h;
    }
    h.view = view_of(j, s, &q->stmts[0]);
    if (t->version) {
        const struct unit *u = unit_of(j, s->name, t->version, t->match, NULL);
        const struct hist_migration *m = u->index < s->set->n_all && u->n
            ? &s->set->migrations[u->index]
            : NULL;
        bool is_listed = h.match.kind != HIST_MATCH_NONE
            && h.match.kind != HIST_MATCH_OWN;
        h.match.migration = is_listed ? m : NULL;
        h.write_migration = is_listed ? NULL : m;
        if (is_listed && !m)
            h.is_known = false; /* only a refused text names it */
    }
    if (stmt->write && hist_write_of_word(str_of(stmt->write), &h.write))
        h.write_reason = "as it was recorded";
    return h;
}

static struct pol_session
session_of(const struct replay_request *q)
{
    return (struct pol_session){
        .database = q->database,
        .role = q->user,
        .client_addr = q->client_addr,
        .application_name = q->application_name,
        .tls = q->tls,
        .client_cert_cn = q->cn,
        .peer_uid = q->peer_uid,
        .listener = q->listener,
        .server_version = q->server_version,
        .in_transaction = q->in_transaction == 1,
        .is_tx_unknown = q->in_transaction < 0,
        .search_path = q->search_path,
        .now_us = q->time_us,
    };
}

static void
fill_verdict(struct judging *j, const struct pol_findings *f, struct replay_verdict *v)
{
    const struct pol_finding *lead = NULL;

    v->enforced = f->action;
    for (size_t i = 0; i < f->n; i++) {
        const struct pol_finding *x = &f->items[i];
        if (x->is_observed && x->action > v->observed && x->action > v->enforced)
            v->observed = x->action;
    }
    enum dg_action shown = v->observed > v->enforced ? v->observed : v->enforced;
    for (size_t i = 0; i < f->n && !lead; i++) {
        if (f->items[i].action == shown && f->items[i].action > DG_ALLOW)
            lead = &f->items[i];
    }
    if (!lead)
        return;
    v->rule = arena_strdup(j->r->arena, lead->rule);
    v->message = arena_strdup(j->r->arena, lead->message);
    v->rule_set = lead->origin_file
        ? arena_printf(j->r->arena, "%s:%d", lead->origin_file, lead->origin_line)
        : NULL;
}

/* Warnings of a migration come with its first statement in a transaction. */
static size_t
announce(struct judging *j, const struct replay_request *q, const struct pol_history *h,
    const struct gate_text *t, struct gate_ran *ran)
{
    size_t n = 0;

    for (size_t i = 0; i < t->tree->n; i++) {
        const struct hist_migration *m = h[i].match.migration;
        if (!m || q->in_transaction != 1 || (n && ran[n - 1].match.migration == m))
            continue;
        const char *key = arena_printf(j->arena, "%s\n%u\n%p",
            q->session ? q->session : "", q->epoch, (const void *)m);
        if (map_get(j->announced, str_of(key)))
            ran[n++] = (struct gate_ran){ .match = h[i].match };
        else
            map_set(j->announced, str_of(key), j);
    }
    return n;
}

static void
decide(struct judging *j, struct replay_request *q, const struct gate_target *target,
    struct source *s, const struct gate_text *text, const struct told *told)
{
    size_t n = text->tree->n;
    AUTO(mem_free) struct pol_history *h = mem_array(n + 1, sizeof(*h));
    AUTO(mem_free) struct gate_ran *ran = mem_array(n + 1, sizeof(*ran));
    AUTO(pol_findings_deinit) struct pol_findings found;
    struct pol_session session = session_of(q);
    bool has_view = false;

    pol_findings_init(&found);
    for (size_t i = 0; i < n; i++) {
        h[i] = history_of(j, s, &told[text->tree->facts[i].stmt], q);
        has_view |= h[i].view != NULL;
    }
    struct gate_context ctx = { .target = *target, .snap = j->snap };
    if (has_view) {
        ctx.view = view_of(j, s, &q->stmts[0]);
        ctx.target.units = units_of(j, target->policy, s);
    }
    ctx.ran = ran;
    ctx.n_ran = announce(j, q, h, text, ran);
    gate_decide_known(&ctx, &session, text, h, &found);
    AUTO(gate_rewrite_deinit) struct gate_rewrite rewrite;
    const struct gate_moment at = { .kind = GATE_QUERY,
        .tx_status = q->in_transaction == 0 ? 'I' : 'T' };
    gate_rewrite(target->policy, text, &at, SQL_TREE_DEFAULT_DEPTH, &found, &rewrite);
    q->is_blind = found.wants.n > 0;
    fill_verdict(j, &found, &q->now);
}

/* Read as the gate read it. NULL: nothing in it that policy looks at. */
static struct gate_text *
read_text(struct judging *j, const struct replay_request *q, const char *sql)
{
    struct gate_reading reading = {
        .std_strings = !q->is_non_std_strings,
        .is_certain = true,
        .is_safe_encoding = true,
    };
    struct gate_stats stats = { 0 };
    struct gate_text *t = NULL;
    int r = gate_text_read(j->words, NULL, sql, strlen(sql), &reading,
        SQL_TREE_DEFAULT_DEPTH, SQL_W_ALL, &stats, &t);

    if (r == GATE_TEXT_PARSE_AWAY)
        gate_text_parse(t);
    if (q->error && (!t || !t->tree->is_unparsable)) {
        ref_drop(t);
        t = gate_text_unreadable(sql, strlen(sql), q->error);
    }
    return t;
}

static const char *
why_not(const struct replay_request *q)
{
    if (!q->n_stmts)
        return "no statement was recorded"; /* its intent failed to be written */
    for (size_t i = 0; i < q->n_stmts; i++) {
        if (!q->stmts[i].match)
            return "an older gate recorded it, without the state of the history";
        if (q->stmts[i].is_cut && !q->whole)
            return "the text was cut (audit_max_text)";
    }
    return q->is_whole_cut ? "the text was cut (audit_max_text)" : NULL;
}

static bool
is_execute(const struct gate_text *t)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        if (t->tree->facts[i].prep == SQL_PREP_EXECUTE)
            return true;
    }
    return false;
}

static bool
has_tracked(const struct gate_text *t, const struct pol *policy)
{
    bool unused;

    for (size_t i = 0; i < t->tree->n; i++) {
        if (pol_is_tracked(policy, &t->tree->facts[i], &unused))
            return true;
    }
    return false;
}

static const char *
judge(struct judging *j, struct replay_request *q)
{
    const char *why = why_not(q);
    struct gate_target target = { .policy = j->policy };
    if (why)
        return why;
    if (j->snap && q->database) {
        struct gate_target found = gate_snapshot_find(j->snap, q->database);
        if (!found.database)
            return "its database is not in the configuration";
        found.policy = j->policy ? j->policy : found.policy;
        target = found;
        target.units = NULL;
    }
    if (!target.policy)
        return "the record names no database";
    AUTO(gate_text_unref) struct gate_text *text = read_text(j, q, join(j, q));
    if (!text || !has_tracked(text, target.policy))
        return text && is_execute(text)
            ? "SQL EXECUTE runs what was prepared before, which the record doesn't hold"
            : "it is no schema change by itself: what the transaction did decided";
    if (is_execute(text))
        return "SQL EXECUTE runs what was prepared before, which the record doesn't hold";
    AUTO(mem_free) struct told *told = mem_array(text->scan.n + 1, sizeof(*told));
    why = q->whole ? read_whole(j, q, text->scan.n, told)
                   : read_stmts(q, text->scan.n, told);
    if (why)
        return why;
    const char *source = q->stmts[0].source;
    decide(j, q, &target, source_of(j, source ? source : ""), text, told);
    return NULL;
}

/* ---- all of them ---- */

/* Without a configuration the tracked tables are those that records call class history. */
static void
find_words(struct judging *j)
{
    size_t n = 0, cap = 0;
    const char **names = NULL;

    if (j->snap) {
        j->words = j->snap->words;
        return;
    }
    AUTO(map_free) struct map *seen = map_new(NULL);
    for (size_t i = 0; i < j->r->n; i++) {
        for (size_t k = 0; k < j->r->requests[i].n_stmts; k++) {
            const struct replay_stmt *s = &j->r->requests[i].stmts[k];
            const char *dot = s->object ? strrchr(s->object, '.') : NULL;
            const char *name = dot ? dot + 1 : s->object;
            if (!name || !s->cls || strcmp(s->cls, "history") != 0
                || map_get(seen, str_of(name)))
                continue;
            map_set(seen, str_of(name), seen);
            MEM_GROW(names, n, cap);
            names[n++] = name;
        }
    }
    j->own_words = sql_words_new(names, n);
    j->words = j->own_words;
    mem_free(names);
}

void
replay_judge(
    struct replay *r, const struct pol *policy, const struct gate_snapshot *snap)
{
    AUTO(judging_deinit)
    struct judging j = { .r = r,
        .policy = policy,
        .snap = snap,
        .sources = map_new(source_free),
        .units = map_new(unit_free),
        .announced = map_new(NULL),
        .arena = arena_new() };

    find_words(&j);
    collect(&j);
    make_units(&j);
    for (size_t i = 0; i < r->n; i++)
        r->requests[i].skipped = judge(&j, &r->requests[i]);
}

static enum dg_action
observed_of(const struct replay_verdict *v)
{
    return v->observed > v->enforced ? v->observed : DG_ALLOW;
}

bool
replay_is_changed(const struct replay_request *q)
{
    if (q->skipped)
        return false;
    if (q->was.enforced != q->now.enforced)
        return true;
    return q->was.enforced < DG_HOLD && observed_of(&q->was) != observed_of(&q->now);
}

void
replay_verdict_text(const struct replay_verdict *v, char out[32])
{
    enum dg_action observed = observed_of(v);

    snprintf(out, 32, "%s%s", observed ? "would " : "",
        dg_action_name(observed ? observed : v->enforced));
}
