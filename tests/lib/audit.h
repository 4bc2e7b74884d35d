// SPDX-License-Identifier: ISC
/* What the audit's tests share: an answer to wait for, records, and a reader of the chain
 * that is independent of aud_verify: it goes from the newest record backwards by
 * ddlgate.prev.hash, so that it knows which lines the chain really holds. */
#ifndef DG_TESTS_LIB_AUDIT_H
#define DG_TESTS_LIB_AUDIT_H

#include <errno.h>
#include <fcntl.h>

#include "audit/audit.h"
#include "audit/file.h"
#include "audit/line.h"
#include "audit/record.h"
#include "base/mem.h"
#include "lib/unit.h"

struct answer {
    struct aud_wait wait;
    bool is_there;
};

static inline void
answer_run(struct task *task)
{
    struct answer *a = (struct answer *)(void *)((char *)task
        - offsetof(struct answer, wait.task));

    a->is_there = true;
}

/* Writes and waits; the result of whichever of the two said no. */
static inline int
audit_put(struct aud *a, struct task_queue *q, const struct aud_rec *rec)
{
    struct answer ans = { .wait = { .task = { .run = answer_run }, .queue = q } };

    int r = aud_write(a, rec, &ans.wait);
    if (r)
        return r;
    for (int i = 0; i < 1000 && !ans.is_there; i++) {
        for (struct task *t = task_wait(q, 20), *next; t; t = next) {
            next = t->next;
            t->run(t);
        }
    }
    ck_assert_msg(ans.is_there, "a waiter was not answered within 20 s");
    return ans.wait.result;
}

/* An intent (or, with an outcome, what became of it) with all usual fields. */
static inline struct aud_rec
audit_rec(enum aud_event event, const char *intent_id, enum aud_outcome outcome)
{
    return (struct aud_rec){
        .event = event,
        .outcome = outcome,
        .intent_id = intent_id,
        .session_id = "s1",
        .user = "app",
        .database = "shop",
        .command = "ALTER TABLE",
        .object = "public.orders",
        .object_type = "TABLE",
        .cls = "ddl",
        .text = "ALTER TABLE orders ADD note text",
        .statement_id = 7,
    };
}

struct chain_line {
    char *text; /* owned */
    char hash[HASH_HEX_SIZE];
    bool is_trusted; /* the newest record leads here */
};

struct chain {
    struct chain_line *lines;
    size_t n, cap;
};

static inline void
chain_free(struct chain *c)
{
    for (size_t i = 0; i < c->n; i++)
        mem_free(c->lines[i].text);
    mem_free(c->lines);
}

static inline void
chain_read_file(struct chain *c, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct aud_reader r;
    struct str line;

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    aud_reader_init(&r, fd);
    while (aud_reader_next(&r, &line) == AUD_READ_LINE) {
        MEM_GROW(c->lines, c->n, c->cap);
        c->lines[c->n] = (struct chain_line){ .text = mem_strndup(line.p, line.n) };
        aud_hash_line(line, c->lines[c->n++].hash);
    }
    aud_reader_deinit(&r);
    close(fd);
}

/* All files of the series, and which of their lines the chain holds. */
static inline struct chain
chain_read(const char *path)
{
    struct chain c = { 0 };
    struct aud_series *s;
    struct err err = { 0 };
    size_t n;
    char want[HASH_HEX_SIZE] = "";

    ck_assert_msg(aud_series_find(path, &s, &n, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < s[0].n; i++)
        chain_read_file(&c, s[0].files[i]);
    aud_series_free(s, n);
    for (size_t i = c.n; i > 0; i--) {
        struct chain_line *l = &c.lines[i - 1];
        const char *prev = strstr(l->text, "\"ddlgate.prev.hash\":\"");
        if (*want && strcmp(want, l->hash) != 0)
            continue;
        if (!prev)
            continue;
        l->is_trusted = true;
        snprintf(want, sizeof(want), "%.64s", prev + 21);
    }
    return c;
}

/* How many trusted lines hold all the texts (NULL: no matter). */
static inline size_t
chain_count(const struct chain *c, const char *a, const char *b)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        const struct chain_line *l = &c->lines[i];
        n += l->is_trusted && (!a || strstr(l->text, a)) && (!b || strstr(l->text, b));
    }
    return n;
}

/* aud_verify over the whole series. */
static inline int
audit_verify_all(const char *path, struct aud_verify *v, struct err *err)
{
    struct aud_series *s;
    size_t n;

    ck_assert_msg(aud_series_find(path, &s, &n, err) == 0, "%s", err->text);
    const char **files = mem_array(s[0].n, sizeof(*files));
    for (size_t i = 0; i < s[0].n; i++)
        files[i] = s[0].files[i];
    int r = aud_verify(files, s[0].n, v, err);
    mem_free(files);
    aud_series_free(s, n);
    return r;
}

/* TSan stops a forked child that makes threads unless told not to. */
const char *__tsan_default_options(void);

const char *
__tsan_default_options(void)
{
    return "die_after_fork=0";
}

#define WAIT_S 20 /* longer than anything takes, also under valgrind */

struct place {
    char *dir, *path;
    struct task_queue *q;
};

static inline void
place_make(struct place *p)
{
    p->dir = unit_mkdir();
    p->path = mem_printf("%s/audit.jsonl", p->dir);
    p->q = task_queue_new(NULL, NULL);
}

static inline void
place_drop(struct place *p)
{
    task_queue_free(p->q);
    mem_free(p->path);
    unit_rmdir(p->dir);
}

static inline struct aud *
open_at(const char *path, uint64_t rotate_bytes)
{
    struct aud_conf conf = {
        .path = path, .is_durable = true, .rotate_bytes = rotate_bytes
    };
    struct aud *a = NULL;
    struct err err = { 0 };

    ck_assert_msg(aud_open(&conf, &clk_real, &a, &err) == 0, "%s", err.text);
    return a;
}

static inline void
put_ok(struct aud *a, struct task_queue *q, enum aud_event event, const char *id,
    enum aud_outcome outcome)
{
    struct aud_rec rec = audit_rec(event, id, outcome);

    ck_assert_int_eq(audit_put(a, q, &rec), 0);
}

static inline struct aud_verify
verify_ok(const char *path)
{
    struct aud_verify v = { 0 };
    struct err err = { 0 };

    int r = audit_verify_all(path, &v, &err);
    ck_assert_msg(r == 0, "%s", err.text);
    return v;
}

static inline size_t
count_files(const char *path)
{
    struct aud_series *s;
    struct err err = { 0 };
    size_t n;

    ck_assert_msg(aud_series_find(path, &s, &n, &err) == 0, "%s", err.text);
    size_t files = s[0].n;
    aud_series_free(s, n);
    return files;
}

#endif
