// SPDX-License-Identifier: ISC
/* Any bytes through filter, scan and tree. The first byte chooses the string mode. What the
 * word filter or the scan calls harmless must give no fact of any class, whatever the
 * grammar says; positions lie inside the text, parents before their children. */
#include "base/mem.h"
#include "sql/tree.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_fact(
    const struct sql_facts *f, size_t index, const struct sql_scan *scan, size_t len)
{
    DG_ASSERT(f->tag && *f->tag, "no tag");
    DG_ASSERT(f->stmt < scan->n, "statement %zu of %zu", f->stmt, scan->n);
    DG_ASSERT(f->parent < (int)index, "parent %d of %zu", f->parent, index);
    DG_ASSERT(
        f->pos >= -1 && (f->pos < (int)len || f->pos == 0), "position %d", f->pos);
    for (size_t i = 0; i < f->n_objects; i++) {
        DG_ASSERT(f->objects[i].name, "object without a name");
        DG_ASSERT(f->objects[i].pos >= -1 && f->objects[i].pos < (int)len,
            "object at %d", f->objects[i].pos);
    }
    for (size_t i = 0; i < f->n_subs; i++)
        DG_ASSERT(f->subs[i].name && f->subs[i].pos < (int)len, "subcommand at %d",
            f->subs[i].pos);
}

static void
check_tree(
    const struct sql_tree *t, const struct sql_scan *scan, unsigned met, size_t len)
{
    unsigned classes = 0;

    for (size_t i = 0; i < t->n; i++) {
        check_fact(&t->facts[i], i, scan, len);
        classes |= t->facts[i].cls;
    }
    DG_ASSERT(
        t->classes == classes, "classes %u are not the union %u", t->classes, classes);
    /* a text that the grammar rejects the server rejects whole */
    DG_ASSERT(met != 0 || classes == 0 || t->is_unparsable,
        "called harmless, but of classes %u", classes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "schema_migrations" };
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(names, 1);
    AUTO(sql_scan_deinit) struct sql_scan scan = { .n = 0 };
    AUTO(sql_tree_free) struct sql_tree *tree = NULL;
    AUTO(mem_free) char *text = NULL;
    unsigned filtered;
    bool std;
    int r;

    if (size < 1 || size > 20000)
        return 0;
    std = data[0] & 1;
    size--;
    text = mem_strndup((const char *)data + 1, size);
    filtered = sql_filter(words, text, size, ~(unsigned)SQL_W_TX);
    r = sql_scan(&scan, words, text, size, std, SQL_TREE_DEFAULT_DEPTH, NULL);
    if (r == 0)
        tree = sql_tree_new(&scan, words, text, size, std);
    else
        tree = sql_tree_unparsable(&scan, "fuzz", 0);
    if (scan.n)
        check_tree(tree, &scan, filtered & scan.words, size + 1);
    return 0;
}
