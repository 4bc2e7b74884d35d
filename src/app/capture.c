// SPDX-License-Identifier: ISC
/* From a committed transaction to files and messages about them. */
#include "app/capture.h"

#include "app/newfile.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "history/capture.h"
#include "session/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Somebody else may take the next number while the file is written. */
#define MAX_TRIES 8

struct locked {
    char *path; /* owned */
    int fd;
};

struct capture {
    struct net_loop *loop;
    struct capture_ops ops;
    struct aud *audit;
    struct locked *folders; /* owned */
    size_t n_folders;
};

/* A transaction on its way to the control thread. */
struct job {
    struct task task;
    struct capture *capture;
    struct sess_worker *worker; /* where its session is, or was */
    char session_id[17];
    char *role, *database, *announced; /* owned */
    int server_version;
    int64_t at_us;
    struct gate_step **steps; /* owned, and what they point to */
    const char **again;       /* in arena; per step */
    size_t n;
    bool is_complete;
    struct arena *arena; /* owned */
};

struct capture *
capture_new(struct net_loop *loop, const struct capture_ops *ops, struct aud *audit)
{
    struct capture *c = mem_zalloc(sizeof(*c));
    c->loop = loop;
    c->ops = *ops;
    c->audit = audit;
    return c;
}

/* --- locks ------------------------------------------------------------------------------ */

static void
unlock_all(struct locked *folders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (folders[i].fd >= 0)
            close(folders[i].fd);
        mem_free(folders[i].path);
    }
    mem_free(folders);
}

void
capture_free(struct capture *c)
{
    if (!c)
        return;
    unlock_all(c->folders, c->n_folders);
    mem_free(c);
}

static struct locked *
find_locked(struct locked *folders, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(folders[i].path, path) == 0)
            return &folders[i];
    }
    return NULL;
}

static int
lock_folder(const char *path, int *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, -errno, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return r != -EBUSY
            ? err_errno(err, r, "%s", path)
            : err_set(err, r,
                "%s: another ddlgate captures into this folder (unmigrated = capture); one "
                "gate only can do so, or stop the other one first",
                path);
    }
    *out = fd;
    return 0;
}

/* Does any database's policy capture into this source? A name that only `*` stands for can
 * have any source. */
static bool
is_capturing(const struct gate_snapshot *s, const struct gate_source *source)
{
    const char *file;
    int line;
    for (size_t i = 0; i < s->cfg->n_databases; i++) {
        const char *name = s->cfg->databases[i].name;
        struct gate_target t = gate_snapshot_find(s, name);
        if (pol_is_capturing(t.policy, &file, &line)
            && (t.source == source || strcmp(name, "*") == 0)
            && hist_capture_format(source->set, NULL) == 0)
            return true;
    }
    return false;
}

int
capture_lock(struct capture *c, const struct gate_snapshot *snap, struct err *err)
{
    struct locked *now = mem_array(snap->n_sources + 1, sizeof(*now));
    size_t n = 0;
    int r = 0;
    for (size_t i = 0; i < snap->n_sources && !r; i++) {
        const char *path = snap->sources[i].cfg->path;
        if (!is_capturing(snap, &snap->sources[i]) || find_locked(now, n, path))
            continue;
        struct locked *was = find_locked(c->folders, c->n_folders, path);
        now[n] = (struct locked){ mem_strdup(path), was ? dup(was->fd) : -1 };
        if (now[n].fd < 0)
            r = lock_folder(path, &now[n].fd, err);
        n++;
    }
    if (r) {
        unlock_all(now, n);
        return r;
    }
    unlock_all(c->folders, c->n_folders);
    c->folders = now;
    c->n_folders = n;
    return 0;
}

/* --- the worker's part ------------------------------------------------------------------ */

static struct hist_captured
item_of(const struct job *j, size_t i)
{
    const struct gate_step *step = j->steps[i];
    const struct gate_text *t = step->text;
    struct str sql = gate_step_sql(step);
    return (struct hist_captured){
        .sql = sql.p,
        .len = sql.n,
        .base = (size_t)(sql.p - t->sql),
        .std_strings = t->std_strings,
        .facts = gate_step_facts(step),
        .n_facts = gate_text_end(t, step->fact) - step->fact,
        .search_path = step->search_path,
        .is_path_unknown = step->is_path_unknown,
        .server_version = j->server_version,
        .again = j->again[i],
    };
}

static void
job_free(struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        gate_step_free(NULL, j->steps[i]);
    mem_free(j->steps);
    mem_free(j->role);
    mem_free(j->database);
    mem_free(j->announced);
    arena_free(j->arena);
    mem_free(j);
}

static void write_file(struct task *task);

static size_t
count_captured(const struct gate_trail *trail)
{
    size_t n = 0;
    for (size_t i = 0; i < trail->n; i++)
        n += trail->steps[i]->is_captured;
    return n;
}

void
capture_committed(struct capture *c, struct gate_trail *trail)
{
    const struct gate_client *client = trail->client;
    size_t n = count_captured(trail);
    if (n == 0)
        return;
    struct job *j = mem_zalloc(sizeof(*j));
    j->capture = c;
    j->worker = LIST_ENTRY(client->env, struct sess_worker, env);
    j->role = mem_strdup(client->role);
    j->database = mem_strdup(client->database);
    j->announced = mem_strdup(client->announced);
    memcpy(j->session_id, client->session_id, sizeof(j->session_id));
    j->server_version = client->server_version;
    j->at_us = client->env->clk->wall_us(client->env->clk);
    j->is_complete = trail->is_complete;
    j->arena = arena_new();
    j->steps = mem_array(n, sizeof(*j->steps));
    j->again = arena_alloc(j->arena, n * sizeof(*j->again));
    for (size_t i = 0; i < trail->n; i++) {
        if (!trail->steps[i]->is_captured)
            continue;
        j->steps[j->n++] = gate_trail_take(trail, i);
        struct hist_captured item = item_of(j, j->n - 1);
        j->again[j->n - 1] = hist_again(&item, j->arena);
    }
    j->task.run = write_file;
    task_post(net_loop_queue(c->loop), &j->task);
}

/* --- the control thread's part ---------------------------------------------------------- */

static void
record(const struct job *j, const struct gate_target *t,
    const struct hist_new_files *files, const char *why)
{
    const struct gate_step *first = j->steps[0];
    char reason[1200];
    if (why)
        snprintf(reason, sizeof(reason), "%s", why);
    else
        snprintf(reason, sizeof(reason),
            "%zu statements of one transaction, %zu of them can't run twice, %zu are not "
            "undone",
            j->n, files->n_once, files->n_stuck);
    struct aud_rec rec = {
        .event = AUD_CAPTURE,
        .outcome = why ? AUD_FAILED : AUD_NONE,
        .reason = reason,
        .session_id = j->session_id,
        .user = j->role,
        .database = j->database,
        .request_id = first->request_id,
        .command = gate_step_facts(first)->tag,
        .environment = t && t->policy ? pol_environment(t->policy) : NULL,
        .migration_source = t && t->source ? t->source->cfg->name : NULL,
        .migration_file = files ? files->name : NULL,
    };
    (void)!aud_write(j->capture->audit, &rec, NULL);
}

static void
fail(const struct job *j, const struct gate_target *t, const char *why)
{
    AUTO(mem_free)
    char *message = mem_printf("ddlgate: what was just committed could not be written "
                               "into a migration file: %.300s",
        why);
    log_error(
        "%zu statements that %s committed in database %s could not be captured: %s",
        j->n, j->role, j->database, why);
    record(j, t, NULL, why);
    sess_worker_notice(j->worker, j->session_id, true, message,
        "The change stands in the database: write it into a migration by hand (the audit "
        "log has the statements).");
}

static void
succeed(const struct job *j, const struct gate_target *t,
    const struct hist_new_files *files)
{
    AUTO(mem_free)
    char *path = mem_printf("%s/%s",
        t->source->cfg->path_shown ? t->source->cfg->path_shown : t->source->cfg->path,
        files->name);
    AUTO(mem_free) char *message = mem_printf("ddlgate: captured into %s", path);
    log_info("%s: %zu statements that %s committed in database %s", path, j->n, j->role,
        j->database);
    record(j, t, files, NULL);
    if (!j->announced || strcmp(j->announced, path) != 0)
        sess_worker_notice(j->worker, j->session_id, false, message, NULL);
}

/* Renders and writes once. -EEXIST: the name was taken meanwhile. */
static int
try_to_write(const struct job *j, const struct hist_set *set, struct arena *a,
    struct hist_new_files *files, struct err *err)
{
    struct hist_captured *items = arena_alloc(a, j->n * sizeof(*items));
    struct newfile out[HIST_CAPTURE_MAX_FILES];
    for (size_t i = 0; i < j->n; i++)
        items[i] = item_of(j, i);
    struct hist_capture cap = { .items = items,
        .n = j->n,
        .role = j->role,
        .database = j->database,
        .at_us = j->at_us };
    int r = hist_capture_render(set, &cap, a, files, err);
    for (size_t i = 0; i < files->n && !r; i++)
        out[i] = (struct newfile){ files->items[i].path, files->items[i].text,
            files->items[i].len };
    return r ? r : newfile_write(set->conf.path, out, files->n, err);
}

static int
capture(const struct job *j, struct gate_target *t, struct arena *a,
    struct hist_new_files *files, struct err *err)
{
    struct capture *c = j->capture;
    int r = -EEXIST;
    if (!j->is_complete)
        return err_set(err, -EINVAL,
            "not all of the transaction is known: it was too large, or an answer of the "
            "server could not be attributed");
    for (int i = 0; i < MAX_TRIES && r == -EEXIST; i++) {
        struct gate_snapshot *snap = c->ops.refresh(c->ops.ctx, err);
        if (!snap)
            return -EIO;
        *t = gate_snapshot_find(snap, j->database);
        if (!t->database || !t->source)
            return err_set(
                err, -ENOENT, "the [migrations] section of the database is gone");
        r = try_to_write(j, t->source->set, a, files, err);
    }
    return r;
}

static void
write_file(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    struct capture *c = j->capture;
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_new_files files = { .n = 0 };
    struct gate_target t = { .policy = NULL };
    struct err err = { "" }, ignored = { "" };
    if (capture(j, &t, a, &files, &err) != 0) {
        fail(j, &t, err.text);
    } else {
        succeed(j, &t, &files);
        (void)c->ops.refresh(c->ops.ctx, &ignored); /* it logs what is wrong itself */
    }
    job_free(j);
}
