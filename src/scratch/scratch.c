// SPDX-License-Identifier: ISC
/* Servers and databases to throw away; see scratch.h and keeper.h. */
#include "scratch/scratch.h"

#include "base/clk.h"
#include "base/hash.h"
#include "base/mem.h"
#include "control/control.h"
#include "scratch/keeper.h"
#include "scratch/programs.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 60000
#define TRY_AGAIN_MS       20
#define OUR_NAME           "ddlgate_scratch"
#define SOCKET_ROOM        40 /* bytes of sun_path that folder and socket need below TMPDIR */
#define MAX_SOCKET_PATH    107
#define MAX_DATABASES      1000

struct scratch {
    char *folder; /* owned */
    char *bin;    /* owned; of the private server; NULL: none */
    char *server; /* owned: conninfo of a database to make others from; wiped */
    char *prefix; /* owned: of the databases' names */
    int64_t timeout_ms;
    struct ctl_link *link; /* owned */
    pid_t keeper;          /* 0: none */
    int fd;                /* to the keeper */
    char **conninfos;      /* owned; what was lent */
    size_t n, cap;
};

/* --- a private server ------------------------------------------------------------------- */

/* A unix socket's path is short: a deep TMPDIR is passed over. */
static int
make_folder(struct scratch *s, uid_t uid, gid_t gid, struct err *err)
{
    const char *tmp = getenv("TMPDIR");

    if (!tmp || *tmp != '/' || strlen(tmp) + SOCKET_ROOM > MAX_SOCKET_PATH)
        tmp = "/tmp";
    char *folder = mem_printf("%s/ddlgate-scratch-XXXXXX", tmp);
    if (!mkdtemp(folder)) {
        int e = errno;
        mem_free(folder);
        return err_errno(err, -e, "can't make a folder in %s (TMPDIR)", tmp);
    }
    s->folder = folder;
    if (uid && chown(folder, uid, gid) != 0) {
        int e = errno;
        rmdir(folder);
        return err_errno(err, -e, "%s", folder);
    }
    return 0;
}

static int
start_keeper(struct scratch *s, const struct keeper_job *job, struct err *err)
{
    int r = keeper_start(job, &s->keeper, &s->fd, err);

    if (r)
        rmdir(s->folder);
    return r;
}

/* What the keeper says when it is at its end. */
static int
keeper_ended(struct scratch *s, struct err *err)
{
    char text[1000];
    ssize_t n = recv(s->fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = 0;
    return err_set(err, -EIO, "the scratch server did not start: %s",
        n > 0 ? text : "its keeper process has ended");
}

static int
wait_ready(struct scratch *s, struct err *err)
{
    int64_t end_us = clk_real.mono_us(&clk_real) + s->timeout_ms * 1000;
    struct pollfd fd = { .fd = s->fd, .events = POLLIN };
    struct err why = { "" };

    AUTO(mem_free) char *socket = mem_printf("%s/.s.PGSQL.5432", s->folder);
    while (clk_real.mono_us(&clk_real) < end_us) {
        if (poll(&fd, 1, TRY_AGAIN_MS) > 0)
            return keeper_ended(s, err);
        /* before the server is there libpq's answer would be no news */
        if (access(socket, F_OK) == 0
            && ctl_link_open(s->server, s->timeout_ms, &s->link, &why) == 0)
            return 0;
    }
    return err_set(err, -ETIMEDOUT,
        "the scratch server was not ready within %lld s: %s",
        (long long)s->timeout_ms / 1000, why.text[0] ? why.text : "initdb still runs");
}

/* What would lead our own connections somewhere else. */
static void
clear_environment(void)
{
    static const char *const names[] = { "PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE",
        "PGPASSWORD", "PGPASSFILE", "PGREQUIREAUTH", "PGREQUIREPEER",
        "PGCHANNELBINDING", "PGSSLMODE", "PGSSLNEGOTIATION", "PGGSSENCMODE",
        "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
}

static int
open_private(struct scratch *s, const struct scratch_opts *opts, struct err *err)
{
    struct keeper_job job = { .folder = NULL };
    int r = programs_find(opts->pg_bin, &s->bin, err);

    if (!r)
        r = programs_user(&job.uid, &job.gid, err);
    if (!r)
        r = make_folder(s, job.uid, job.gid, err);
    if (r)
        return r;
    clear_environment();
    job.bin = s->bin;
    job.folder = s->folder;
    s->prefix = mem_strdup(opts->dbname ? opts->dbname : OUR_NAME);
    /* the socket's folder is open to nobody else: trust is enough */
    s->server = mem_printf(
        "host='%s' port=5432 user=postgres dbname=template1", s->folder);
    r = start_keeper(s, &job, err);
    return r ? r : wait_ready(s, err);
}

/* --- a server of the caller's ----------------------------------------------------------- */

static int
open_given(struct scratch *s, const struct scratch_opts *opts, struct err *err)
{
    struct err why = { "" };
    char id[9];
    int r = ctl_link_open(opts->server, s->timeout_ms, &s->link, &why);

    if (r)
        return err_set(err, r, "--server: %s", why.text);
    s->server = ctl_link_conninfo(s->link);
    hash_random_id(id, sizeof(id) - 1);
    for (char *c = id; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    s->prefix = mem_printf(OUR_NAME "_%s", id);
    r = make_folder(s, 0, 0, err);
    struct keeper_job job = {
        .folder = s->folder, .server = s->server, .prefix = s->prefix
    };
    return r ? r : start_keeper(s, &job, err);
}

/* --- both ------------------------------------------------------------------------------- */

int
scratch_open(const struct scratch_opts *opts, struct scratch **out, struct err *err)
{
    AUTO(scratch_free) struct scratch *s = mem_zalloc(sizeof(*s));

    s->fd = -1;
    s->timeout_ms = opts->timeout_ms ? opts->timeout_ms : DEFAULT_TIMEOUT_MS;
    int r = opts->server ? open_given(s, opts, err) : open_private(s, opts, err);
    if (r)
        return r;
    *out = s;
    s = NULL;
    return 0;
}

static char *
quoted(const char *name)
{
    char *out = mem_array(strlen(name) * 2 + 3, 1), *p = out;

    *p++ = '"';
    for (; *name; name++) {
        if (*name == '"')
            *p++ = '"';
        *p++ = *name;
    }
    *p = '"';
    return out;
}

int
scratch_new_database(struct scratch *s, const char **conninfo, struct err *err)
{
    char name[128];
    struct err why = { "" };

    DG_ASSERT(s->n < MAX_DATABASES, "%zu databases", s->n);
    keeper_name(s->prefix, (unsigned)s->n + 1, name, sizeof(name));
    AUTO(mem_free) char *ident = quoted(name);
    AUTO(mem_free)
    char *sql = mem_printf("CREATE DATABASE %s TEMPLATE template0", ident);
    /* told before, so that none is forgotten */
    if (send(s->fd, "d", 1, MSG_NOSIGNAL) != 1)
        return keeper_ended(s, err);
    int r = ctl_link_run(s->link, sql, NULL, &why);
    if (r)
        return err_set(err, r, "can't create the scratch database %s: %s%s", name,
            why.text, s->bin ? "" : " (--server's user needs CREATEDB)");
    char *made = ctl_conninfo_with(s->server, "dbname", name);
    DG_ASSERT(made, "a conninfo of our own can't be read");
    MEM_GROW(s->conninfos, s->n, s->cap);
    s->conninfos[s->n++] = made;
    *conninfo = made;
    return 0;
}

/* Which of our databases it is, from 1; 0: none. */
static size_t
number_of(const struct scratch *s, const char *conninfo)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->conninfos[i] == conninfo)
            return i + 1;
    }
    return 0;
}

static int
run_on_database(struct scratch *s, const char *what, size_t number, const char *more,
    size_t other, struct err *err)
{
    char name[128];
    struct err why = { "" };

    keeper_name(s->prefix, (unsigned)number, name, sizeof(name));
    AUTO(mem_free) char *ident = quoted(name);
    keeper_name(s->prefix, (unsigned)other, name, sizeof(name));
    AUTO(mem_free) char *ident_other = other ? quoted(name) : NULL;
    AUTO(mem_free)
    char *sql = mem_printf("%s %s %s %s", what, ident, more, other ? ident_other : "");
    int r = ctl_link_run(s->link, sql, NULL, &why);
    return r ? err_set(err, r, "%s %s: %s", what, ident, why.text) : 0;
}

int
scratch_drop_database(struct scratch *s, const char *conninfo, struct err *err)
{
    size_t number = number_of(s, conninfo);

    DG_ASSERT(number, "not a database of this scratch");
    return run_on_database(
        s, "DROP DATABASE IF EXISTS", number, "WITH (FORCE)", 0, err);
}

int
scratch_copy_database(
    struct scratch *s, const char *from, const char **copy, struct err *err)
{
    size_t number = *copy ? number_of(s, *copy) : 0, source = number_of(s, from);

    DG_ASSERT(source && (!*copy || number), "not a database of this scratch");
    if (!number) {
        int r = scratch_new_database(s, copy, err);
        if (r)
            return r;
        number = s->n;
    }
    int r = scratch_drop_database(s, *copy, err);
    return r ? r
             : run_on_database(s, "CREATE DATABASE", number, "TEMPLATE", source, err);
}

static void
wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    mem_free(text);
}

const char *
scratch_folder(const struct scratch *s)
{
    return s->folder;
}

int
scratch_close(struct scratch *s, struct err *err)
{
    int status = 0, r = 0;

    if (!s)
        return 0;
    ctl_link_free(s->link);
    if (s->fd >= 0)
        close(s->fd);
    while (s->keeper && waitpid(s->keeper, &status, 0) < 0 && errno == EINTR)
        continue;
    if (s->keeper && status != 0)
        r = err_set(err, -EIO,
            "not everything of the scratch database could be removed; look for databases "
            "that begin with %s, and the folder %s",
            s->prefix, s->folder);
    for (size_t i = 0; i < s->n; i++)
        wipe(s->conninfos[i]);
    mem_free(s->conninfos);
    wipe(s->server);
    mem_free(s->prefix);
    mem_free(s->folder);
    mem_free(s->bin);
    mem_free(s);
    return r;
}

void
scratch_free(struct scratch *s)
{
    (void)scratch_close(s, NULL);
}
