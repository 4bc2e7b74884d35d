// SPDX-License-Identifier: ISC
/* Rows of a history table that anybody may have filled, and a write of a client's after
 * them. Lines of cells split by `|` (`~` is null); after an empty line the SQL, after
 * another one the parameters, a line each, `b` before those in binary. No row may make a
 * state for what is in no file, and a forged verdict has a reason. */
#include "history/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_CELLS 4096
#define MAX_BINDS 16

static struct hist_set *sets[6];

static void
put(const char *dir, const char *name, const char *text)
{
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    DG_ASSERT(f && fputs(text, f) >= 0 && fclose(f) == 0, "cannot write %s", path);
}

static void
clean(const char *dir, const char *name)
{
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, name);

    unlink(path);
}

static struct hist_set *
make_set(const char *format, const char *const files[3])
{
    char dir[] = "/tmp/ddlgate-fuzz-XXXXXX";
    struct hist_conf conf = { .name = "f", .format = format, .path = dir };
    struct hist_set *set = NULL;
    struct err err = { "" };

    DG_ASSERT(mkdtemp(dir), "no folder");
    for (size_t i = 0; i < 3; i++)
        put(dir, files[i], i ? "CREATE TABLE b (id int);" : "CREATE TABLE a (id int);");
    int r = hist_set_load(&conf, &set, &err);
    DG_ASSERT(r == 0, "%s", err.text);
    for (size_t i = 0; i < 3; i++)
        clean(dir, files[i]);
    rmdir(dir);
    return set;
}

/* Cuts the part up to the empty line off. */
static char *
next_part(char **rest)
{
    char *part = *rest, *end = strstr(part, "\n\n");

    if (end) {
        *end = 0;
        *rest = end + 2;
    } else {
        *rest = part + strlen(part);
    }
    return part;
}

static size_t
split_cells(char *text, size_t n_cols, char **cells)
{
    size_t n = 0, col = 0;
    char *line;

    while (*text && (line = strsep(&text, "\n"))) {
        char *cell;
        for (col = 0; col < n_cols && n < MAX_CELLS; col++) {
            cell = line ? strsep(&line, "|") : NULL;
            cells[n++] = cell && strcmp(cell, "~") != 0 ? cell : NULL;
        }
        if (!text)
            break;
    }
    return n / n_cols;
}

static size_t
split_binds(char *text, struct hist_bind *binds)
{
    size_t n = 0;
    char *line;

    while (text && *text && n < MAX_BINDS && (line = strsep(&text, "\n"))) {
        bool is_binary = line[0] == 'b';
        line += is_binary;
        binds[n++] = (struct hist_bind){ .p = strcmp(line, "~") == 0 ? NULL : line,
            .n = strlen(line),
            .is_binary = is_binary };
    }
    return n;
}

static void
write_row(const struct hist_view *v, char *sql, const struct hist_bind *binds, size_t n)
{
    const char *table = hist_table_name(hist_view_set(v));
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(&table, 1);
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    struct hist_tx *tx = hist_tx_new(v);

    if (sql_scan(&scan, words, sql, strlen(sql), true, 1000, NULL) == 0) {
        AUTO(sql_tree_free)
        struct sql_tree *tree = sql_tree_new(&scan, words, sql, strlen(sql), true);
        for (size_t i = 0; i < tree->n; i++) {
            const struct sql_facts *f = &tree->facts[i];
            struct hist_match m = hist_match(v, f, &scan.stmts[f->stmt].digest);
            const struct hist_migration *mig = NULL;
            struct err why = { "" };
            if (!f->write) {
                hist_tx_ran(tx, &m);
                continue;
            }
            int r = hist_check_write(v, f, &m, n ? binds : NULL, n, tx, &mig, &why);
            DG_ASSERT(r == HIST_WRITE_OK || why.text[0], "no reason for %d", r);
            DG_ASSERT(r != HIST_WRITE_OK || f->write->op != SQL_WRITE_TRUNCATE
                    || !hist_is_table(
                        hist_view_set(v), f->write->schema, f->write->table),
                "truncating passes");
            hist_tx_wrote(tx, f, &m, binds, n);
        }
        hist_tx_unrecorded(tx, NULL);
    }
    hist_tx_free(tx);
}

static void
read_rows(struct hist_set *set, const char *text)
{
    AUTO(mem_free) char *copy = mem_strdup(text);
    AUTO(mem_free) char **cells = mem_array(MAX_CELLS, sizeof(*cells));
    struct hist_bind binds[MAX_BINDS];
    struct dg_rows rows = { .n_cols = set->tool->n_columns, .cells = cells };
    char *rest = copy, summary[256];
    char *table = next_part(&rest), *sql = next_part(&rest);

    rows.n_rows = split_cells(table, rows.n_cols, cells);
    size_t n_binds = split_binds(rest, binds);
    struct hist_view *v = hist_view_new(set, &rows, 0);
    for (size_t i = 0; i < set->n; i++)
        DG_ASSERT(rows.n_rows || hist_view_state(v, i) == DG_MIG_PENDING,
            "a state from %s", "nothing");
    hist_view_summary(v, summary, sizeof(summary));
    DG_ASSERT(hist_view_n_missing(v) <= rows.n_rows, "more missing than rows");
    write_row(v, sql, binds, n_binds);
    ref_drop(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *format;
        const char *files[3];
    } all[] = {
        { "numbered-sql", { "001_a.sql", "002_b.sql", "0015_c.sql" } },
        { "flyway", { "V1__a.sql", "V1.5__b.sql", "R__c.sql" } },
        { "golang-migrate", { "1_a.up.sql", "2_b.up.sql", "2_b.down.sql" } },
        { "sqlx", { "1_a.up.sql", "2_b.up.sql", "2_b.down.sql" } },
        { "node-pg-migrate", { "1_a.sql", "2_b.sql", "3_c.sql" } },
        { "atlas", { "1_a.sql", "2_b.sql", "3_c.sql" } },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(all) && !sets[i]; i++)
        sets[i] = make_set(all[i].format, all[i].files);
    if (size == 0 || memchr(data, 0, size))
        return 0;
    AUTO(mem_free) char *text = mem_strndup((const char *)data, size);
    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++)
        read_rows(sets[i], text);
    return 0;
}
