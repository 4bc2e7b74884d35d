// SPDX-License-Identifier: ISC
/* Our process may end by SIGKILL, a crash, Ctrl-C: a handler is no place to stop a server
 * in. A process in a session of its own that sees its socket close covers all of these in
 * one way. The server gets SIGQUIT from the kernel should the keeper itself be killed. */
#include "scratch/keeper.h"

#include "base/buf.h"
#include "base/clk.h"
#include "base/mem.h"
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS   40
#define FAST_MS    5000 /* for a fast shutdown, */
#define AT_ONCE_MS 8000 /* and for an immediate one, which kills after 5 s itself */
#define DROP_MS    10000
#define TREE_FDS   16
#define LOG_TAIL   700 /* bytes of a program's output in an error */
#define LOG_FILE   "log"

/* No durability: the files die with the server. Its clients are few. */
static const char *const server_settings[] = {
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=60",
    "shared_buffers=32MB",
    "max_locks_per_transaction=512",
    "wal_level=logical",
    "max_wal_size=4GB",
    "logging_collector=off",
    "log_destination=stderr",
    "lc_messages=C",
};

struct keeper {
    const struct keeper_job *job;
    int fd, signals;
    unsigned n_databases;
};

void
keeper_name(const char *prefix, unsigned n, char *out, size_t size)
{
    if (n == 1)
        snprintf(out, size, "%s", prefix);
    else
        snprintf(out, size, "%s_%u", prefix, n);
}

/* --- telling ---------------------------------------------------------------------------- */

static void
tell(const struct keeper *k, const char *text)
{
    if (send(k->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return; /* nobody listens any more */
}

/* What the programs wrote last, on one line. */
static void
tell_log(const struct keeper *k, const char *what)
{
    AUTO(mem_free) char *path = mem_printf("%s/" LOG_FILE, k->job->folder);
    AUTO(buf_deinit) struct buf b = BUF_INIT(4096);
    char tail[LOG_TAIL + 1];
    ssize_t n = 0;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        off_t size = lseek(fd, 0, SEEK_END);
        n = pread(fd, tail, LOG_TAIL, size > LOG_TAIL ? size - LOG_TAIL : 0);
        close(fd);
    }
    buf_puts(&b, what);
    buf_puts(&b, ": ");
    for (ssize_t i = 0; i < n; i++) {
        char c = (unsigned char)tail[i] < ' ' ? ' ' : tail[i];
        if (c != ' ' || b.data[b.tail - 1] != ' ')
            buf_put(&b, &c, 1);
    }
    tell(k, buf_cstr(&b));
}

/* --- programs --------------------------------------------------------------------------- */

/* In the child: becomes the program, with nothing of ours but the log. */
static void NORETURN
become(const struct keeper_job *job, char *const argv[])
{
    AUTO(mem_free) char *log = mem_printf("%s/" LOG_FILE, job->folder);
    const char *path = getenv("PATH"), *libraries = getenv("LD_LIBRARY_PATH");
    char *env[] = { mem_printf("PATH=%s", path ? path : "/usr/bin:/bin"),
        mem_printf("HOME=%s", job->folder), mem_printf("LC_ALL=C"),
        libraries ? mem_printf("LD_LIBRARY_PATH=%s", libraries) : NULL, NULL };
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDONLY);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0
        || dup2(out, 2) < 0)
        _exit(126);
    if (job->uid
        && (setgroups(0, NULL) != 0 || setgid(job->gid) != 0
            || setuid(job->uid) != 0)) {
        perror("setuid");
        _exit(126);
    }
    /* after setuid, which would take it back */
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir(job->folder) != 0) {
        perror(job->folder);
        _exit(126);
    }
    execve(argv[0], argv, env);
    perror(argv[0]);
    _exit(127);
}

static pid_t
spawn(const struct keeper_job *job, char *const argv[])
{
    pid_t pid = fork();

    if (pid == 0)
        become(job, argv);
    return pid;
}

static pid_t
spawn_initdb(const struct keeper_job *job)
{
    AUTO(mem_free) char *program = mem_printf("%s/initdb", job->bin);
    AUTO(mem_free) char *data = mem_printf("%s/data", job->folder);
    char *argv[] = { program, mem_printf("-D"), data, mem_printf("--username=postgres"),
        mem_printf("--auth=trust"), mem_printf("--encoding=UTF8"),
        mem_printf("--locale=C"), mem_printf("--no-sync"),
        mem_printf("--no-instructions"), NULL };
    pid_t pid = spawn(job, argv);

    for (size_t i = 1; argv[i]; i++) {
        if (argv[i] != data)
            mem_free(argv[i]);
    }
    return pid;
}

static pid_t
spawn_server(const struct keeper_job *job)
{
    char *argv[MAX_ARGS] = { mem_printf("%s/postgres", job->bin), mem_strdup("-D"),
        mem_printf("%s/data", job->folder), mem_strdup("-p"), mem_strdup("5432"),
        mem_strdup("-c"), mem_printf("unix_socket_directories=%s", job->folder) };
    size_t n = 7;

    for (size_t i = 0; i < DG_ARRAY_SIZE(server_settings); i++) {
        argv[n++] = mem_strdup("-c");
        argv[n++] = mem_strdup(server_settings[i]);
    }
    DG_ASSERT(n < MAX_ARGS, "%zu arguments", n);
    pid_t pid = spawn(job, argv);
    for (size_t i = 0; i < n; i++)
        mem_free(argv[i]);
    return pid;
}

/* --- waiting ---------------------------------------------------------------------------- */

enum happening {
    CLOSED, /* our parent has gone, or somebody wants us to end */
    ENDED,  /* the child has */
    TIMED_OUT,
};

static void
read_bytes(struct keeper *k, bool *is_closed)
{
    char bytes[64];
    ssize_t n = recv(k->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n > 0)
        k->n_databases += (unsigned)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        *is_closed = true;
}

/* One signal; true if it asks us to end. */
static bool
read_signal(const struct keeper *k)
{
    struct signalfd_siginfo info;

    return read(k->signals, &info, sizeof(info)) == sizeof(info)
        && info.ssi_signo != SIGCHLD;
}

/* timeout_ms < 0: none. With listens = false only the child's end counts. child 0: none. */
static enum happening
wait_event(struct keeper *k, pid_t child, bool listens, int timeout_ms, int *status)
{
    int64_t end_ms = clk_real.mono_us(&clk_real) / 1000 + timeout_ms;

    for (;;) {
        struct pollfd fds[2] = { { .fd = k->signals, .events = POLLIN },
            { .fd = listens ? k->fd : -1, .events = POLLIN } };
        if (child && waitpid(child, status, WNOHANG) == child)
            return ENDED;
        int64_t left = end_ms - clk_real.mono_us(&clk_real) / 1000;
        if (timeout_ms >= 0 && left <= 0)
            return TIMED_OUT;
        if (poll(fds, 2, timeout_ms < 0 ? -1 : (int)left) < 0)
            continue;
        bool is_closed = fds[0].revents && read_signal(k) && listens;
        if (fds[1].revents)
            read_bytes(k, &is_closed);
        if (is_closed)
            return CLOSED;
    }
}

/* --- a private server ------------------------------------------------------------------- */

static void
stop(struct keeper *k, pid_t pid, bool is_server)
{
    int status;

    kill(pid, is_server ? SIGINT : SIGTERM);
    if (wait_event(k, pid, false, FAST_MS, &status) == ENDED)
        return;
    kill(pid, SIGQUIT);
    if (wait_event(k, pid, false, AT_ONCE_MS, &status) == ENDED)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path) != 0 && errno != ENOENT;
}

static bool
remove_tree(const char *folder)
{
    return nftw(folder, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0
        || access(folder, F_OK) != 0;
}

static void
keep_server(struct keeper *k)
{
    int status = 0;
    pid_t pid = spawn_initdb(k->job);
    enum happening event = pid < 0 ? ENDED : wait_event(k, pid, true, -1, &status);

    if (event == CLOSED) {
        stop(k, pid, false);
        return;
    }
    if (pid < 0 || status != 0) {
        tell_log(k, "initdb failed");
        return;
    }
    pid = spawn_server(k->job);
    event = pid < 0 ? ENDED : wait_event(k, pid, true, -1, &status);
    if (event == CLOSED)
        stop(k, pid, true);
    else
        tell_log(k, "PostgreSQL ended");
}

/* --- a server of the caller's ----------------------------------------------------------- */

static bool
drop_databases(const struct keeper *k)
{
    AUTO(ctl_link_free) struct ctl_link *l = NULL;
    bool is_clean = true;

    if (k->n_databases == 0)
        return true;
    if (ctl_link_open(k->job->server, DROP_MS, &l, NULL) != 0)
        return false;
    for (unsigned n = 1; n <= k->n_databases; n++) {
        char name[64];
        keeper_name(k->job->prefix, n, name, sizeof(name));
        AUTO(mem_free)
        char *sql = mem_printf("DROP DATABASE IF EXISTS \"%s\" WITH (FORCE)", name);
        is_clean &= ctl_link_run(l, sql, NULL, NULL) == 0;
    }
    return is_clean;
}

/* --- the process ------------------------------------------------------------------------ */

static int
open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Never returns: what the parent would do at its end (output, leak checks) is not ours. */
static void NORETURN
keep(const struct keeper_job *job, int fd)
{
    struct keeper k = { .job = job, .fd = fd };
    bool is_clean = true;
    int status;

    /* Ctrl-C is for the parent; its end is our word to clean up. */
    setsid();
    signal(SIGPIPE, SIG_IGN);
    k.signals = open_signals();
    if (job->bin) {
        keep_server(&k);
    } else {
        wait_event(&k, 0, true, -1, &status);
        is_clean = drop_databases(&k);
    }
    is_clean &= remove_tree(job->folder);
    _exit(is_clean ? 0 : 1);
}

int
keeper_start(const struct keeper_job *job, pid_t *pid, int *fd, struct err *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(err, -errno, "can't make a socket pair");
    *pid = fork();
    if (*pid < 0) {
        int e = errno;
        close(pair[0]);
        close(pair[1]);
        return err_errno(err, -e, "can't start another process");
    }
    if (*pid == 0) {
        close(pair[0]);
        keep(job, pair[1]);
    }
    close(pair[1]);
    *fd = pair[0];
    return 0;
}
