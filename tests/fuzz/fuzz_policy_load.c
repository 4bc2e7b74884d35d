// SPDX-License-Identifier: ISC
/* A policy file of any bytes either loads or is refused with file and line; what loads can
 * judge. */
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ignore(void *ctx, const char *name, const char *value)
{
    (void)ctx;
    DG_ASSERT(*name && *value, "a startup parameter without name or value");
}

static void
judge(const struct pol *p)
{
    static const char sql[] =
        "drop table billing.a, b; alter table c add x int not null, "
        "drop y; do $$begin execute x; end$$; create temp table t ()";
    struct pol_session s = {
        .role = "app", .database = "shop", .now_us = 1795176000000000
    };
    struct pol_findings f;
    struct sql_scan scan;
    struct err err;
    int r = sql_scan(
        &scan, NULL, sql, sizeof(sql) - 1, true, SQL_TREE_DEFAULT_DEPTH, &err);
    DG_ASSERT(r == 0, "%s", err.text);
    struct sql_tree *tree = sql_tree_new(&scan, NULL, sql, sizeof(sql) - 1, true);
    struct pol_text t = {
        .text = sql, .len = sizeof(sql) - 1, .scan = &scan, .tree = tree
    };
    pol_findings_init(&f);
    pol_judge_text(p, &s, &t, &f);
    pol_judge_unit(p, &t, &f);
    pol_startup(p, &s, ignore, NULL);
    for (size_t i = 0; i < f.n; i++)
        DG_ASSERT(strlen(f.items[i].message) <= 110, "a long message");
    DG_ASSERT(f.action == DG_ALLOW || pol_findings_lead(&f), "nothing leads");
    pol_findings_deinit(&f);
    sql_tree_free(tree);
    sql_scan_deinit(&scan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct err err = { "" };
    struct pol *p = NULL;
    int fd = memfd_create("policy", MFD_CLOEXEC);
    /* Includes would read this machine's files. */
    bool ok = fd >= 0 && write(fd, data, size) == (ssize_t)size
        && !memmem(data, size, "%include", 8);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (ok && pol_load(path, false, &p, &err) == 0) {
        judge(p);
        ref_drop(p);
    } else if (ok) {
        DG_ASSERT(strncmp(err.text, path, strlen(path)) == 0, "no file: %s", err.text);
    }
    if (fd >= 0)
        close(fd);
    return 0;
}
