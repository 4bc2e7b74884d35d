// SPDX-License-Identifier: ISC
/* For the tests of policy: a policy from a text, a statement judged by it, and findings as
 * one line, "reject drop-table, note 10 watch?" (`?`: only observed). */
#ifndef DG_TESTS_LIB_POLICY_H
#define DG_TESTS_LIB_POLICY_H

#include "base/mem.h"
#include "base/names.h"
#include "policy/policy.h"

#include "lib/unit.h"

/* Loads text as DIR/policy.ini; err is filled with DIR/ cut off. */
static inline int
policy_try(const char *text, struct pol **out, struct err *err)
{
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "policy.ini", text, strlen(text));
    struct err raw = { "" };
    int ret = pol_load(path, false, out, &raw);
    size_t n = strlen(dir) + 1;
    const char *from = raw.text;
    char *to = err->text;
    while (*from) { /* an error can name the file twice */
        if (strncmp(from, dir, n - 1) == 0 && from[n - 1] == '/')
            from += n;
        else
            *to++ = *from++;
    }
    *to = '\0';
    free(path);
    unit_rmdir(dir);
    return ret;
}

static inline struct pol *
policy_of(const char *text)
{
    struct pol *p = NULL;
    struct err err = { "" };
    int ret = policy_try(text, &p, &err);
    ck_assert_msg(ret == 0, "policy is refused: %s", err.text);
    return p;
}

/* A statement text, read. */
struct policy_text {
    struct sql_words *words;
    struct sql_scan scan;
    struct sql_tree *tree;
    struct pol_text text;
};

static inline void
policy_text_init(struct policy_text *t, const char *sql, const char *history_table)
{
    struct err err = { "" };
    t->words = history_table ? sql_words_new(&history_table, 1) : NULL;
    int ret = sql_scan(
        &t->scan, t->words, sql, strlen(sql), true, SQL_TREE_DEFAULT_DEPTH, &err);
    t->tree = ret ? sql_tree_unparsable(&t->scan, err.text, -1)
                  : sql_tree_new(&t->scan, t->words, sql, strlen(sql), true);
    t->text = (struct pol_text){
        .text = sql, .len = strlen(sql), .scan = &t->scan, .tree = t->tree
    };
}

static inline void
policy_text_deinit(struct policy_text *t)
{
    sql_tree_free(t->tree);
    sql_scan_deinit(&t->scan);
    sql_words_free(t->words);
}

static inline const char *
policy_line(const struct pol_findings *f, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->n && n < size; i++) {
        const struct pol_finding *x = &f->items[i];
        n += (size_t)snprintf(out + n, size - n, "%s%s %s%s%s", i ? ", " : "",
            dg_action_name(x->action), x->rule, x->is_observed ? "?" : "",
            x->is_captured ? " (captured)" : "");
    }
    return out;
}

#endif
