// SPDX-License-Identifier: ISC
/* See audited.h. */
#include "history/audited.h"

#include "history/source.h"

#include <string.h>

static const char *const match_words[] = {
    [HIST_MATCH_NONE] = HIST_WORD_NONE,
    [HIST_MATCH_PENDING] = "pending",
    [HIST_MATCH_REPEAT] = "repeat",
    [HIST_MATCH_APPLIED] = "applied",
    [HIST_MATCH_OUT_OF_ORDER] = "out of order",
    [HIST_MATCH_BLOCKED_FAILED] = "blocked",
    [HIST_MATCH_OWN] = "own",
    [HIST_MATCH_DOWN] = "down",
    [HIST_MATCH_DOWN_BLOCKED] = "down blocked",
};

static const char *const write_words[] = {
    [HIST_WRITE_OK] = "honest",
    [HIST_WRITE_NOT_SEEN_RUN] = "not seen to run",
    [HIST_WRITE_TOO_EARLY] = "too early",
    [HIST_WRITE_FORGED] = "forged",
    [HIST_WRITE_NEEDS_BINDS] = "needs parameters",
};

const char *
hist_match_word(enum hist_match_kind kind)
{
    return match_words[kind];
}

const char *
hist_write_word(enum hist_write_verdict verdict)
{
    return write_words[verdict];
}

bool
hist_match_of_word(struct str word, enum hist_match_kind *out)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(match_words); i++) {
        if (str_eqz(word, match_words[i])) {
            *out = (enum hist_match_kind)i;
            return true;
        }
    }
    return false;
}

bool
hist_write_of_word(struct str word, enum hist_write_verdict *out)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(write_words); i++) {
        if (str_eqz(word, write_words[i])) {
            *out = (enum hist_write_verdict)i;
            return true;
        }
    }
    return false;
}

/* ---- the set ---- */

struct hist_set *
hist_recorded_new(const char *source)
{
    struct hist_set *set = mem_zalloc(sizeof(*set));

    ref_init(&set->ref, hist_set_free);
    set->arena = arena_new();
    set->conf.name = arena_strdup(set->arena, source);
    return set;
}

size_t
hist_recorded_add(struct hist_set *set, const char *version, const char *file,
    bool is_down, const char *text, size_t len, const struct sql_words *words)
{
    struct err err = { "" };
    struct arena *a = set->arena;

    MEM_GROW(set->migrations, set->n_all, set->cap);
    struct hist_migration *m = &set->migrations[set->n_all];
    *m = (struct hist_migration){ .arena = a,
        .index = set->n_all++,
        .pair = HIST_NONE,
        .version = arena_strdup(a, version),
        .name = arena_strdup(a, version),
        .file = arena_strdup(a, file ? file : version),
        .is_down = is_down,
        .text = arena_strndup(a, text, len),
        .len = len };
    m->path = m->shown = m->file;
    set->n = set->n_all;
    int r = sql_scan(&m->scan, words, m->text, len, true, SQL_TREE_DEFAULT_DEPTH, &err);
    hist_keep_scan(m);
    m->tree = r ? sql_tree_unparsable(&m->scan, err.text, -1)
                : sql_tree_new_in(a, &m->scan, words, m->text, len, true);
    return m->index;
}

/* ---- the view ---- */

struct hist_view *
hist_recorded_view(struct hist_set *set, const char *edited, const char *missing)
{
    struct hist_view *v = mem_zalloc(sizeof(*v));

    ref_init(&v->ref, hist_view_free);
    v->set = ref_take(set);
    v->has_table = true;
    v->arena = arena_new();
    v->states = arena_alloc(v->arena, (set->n_all + 1) * sizeof(*v->states));
    for (size_t i = 0; edited && i < set->n_all; i++) {
        if (strcmp(set->migrations[i].file, edited) == 0)
            v->states[i] = DG_MIG_EDITED;
    }
    v->edited = hist_first_edited(v);
    if (missing) {
        MEM_GROW(v->missing, v->n_missing, v->missing_cap);
        v->missing[v->n_missing++] = (struct hist_missing){ .version = arena_strdup(
                                                                v->arena, missing) };
    }
    return v;
}
