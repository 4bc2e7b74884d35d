// SPDX-License-Identifier: ISC
/* Start, wiring, reload, shutdown. The control thread runs here: it accepts connections
 * and deals them out, owns snapshot and control connections, and handles signals. */
#include "app/app.h"

#include "admin/http.h"
#include "app/capture.h"
#include "app/console.h"
#include "app/historian.h"
#include "app/outlook.h"
#include "app/survey.h"
#include "app/usher.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/notify.h"
#include "session/links.h"
#include "session/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_LISTENERS  16
#define N_PARSERS      2
#define RESERVED_FDS   64 /* log, audit, control connections, event loops, ... */
#define DRAIN_CHECK_MS 100

struct worker_thread {
    struct sess_worker *worker; /* owned */
    pthread_t thread;
    bool is_started;
};

struct app {
    char *config_path;          /* owned */
    struct gate_snapshot *snap; /* owned; the newest */
    struct sess_links *links;   /* owned; of the same configuration */
    int64_t looked_us;          /* when migration folders were last looked at */
    struct aud *audit;
    struct net_loop *loop;
    struct historian *historian;
    struct survey *survey;
    struct outlook *outlook;
    atomic_ulong n_changes; /* schema changes sent or over, of all workers */
    struct usher *usher;
    struct capture *capture;
    struct console *console;
    struct sess_shared shared;
    struct app_listener listener;
    struct worker_thread *threads; /* owned */
    struct adm_http *http;         /* owned; NULL: none configured */
    struct net_listener *listeners[MAX_LISTENERS];
    size_t n_listeners;
    struct net_signal *signals[4];
    struct net_timer delay_timer; /* drain_delay */
    struct net_timer drain_timer;
    int64_t drain_until_us;
    bool is_draining, has_hurry, is_over;
    size_t next_worker;
    uint64_t n_accepted;
};

/* --- snapshot --------------------------------------------------------------------------- */

/* Takes both over. */
static void
publish(struct app *app, struct gate_snapshot *snap, struct sess_links *links)
{
    ref_drop(app->snap);
    app->snap = snap;
    ref_drop(app->links);
    app->links = links;
    for (size_t i = 0; i < app->shared.n_workers; i++)
        sess_worker_snapshot(app->threads[i].worker, snap, links);
    if (app->outlook) /* not when the last files are captured at the end */
        outlook_begin(app->outlook, snap);
}

static void
log_warning(void *ctx, const char *text)
{
    (void)ctx;
    log_warnx("%s", text);
}

/* What a DBA should know about a snapshot before anybody runs into it. */
static void
log_snapshot(const struct gate_snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++) {
        char hex[HASH_HEX_SIZE];
        const struct hist_set *set = s->sources[i].set;
        hash_hex(set->digest, sizeof(set->digest), hex);
        log_info("migrations %s: %zu in %s, digest %.12s", set->conf.name, set->n,
            set->conf.path, hex);
    }
    for (size_t i = 0; i < s->cfg->n_databases; i++) {
        const char *name = s->cfg->databases[i].name;
        if (strcmp(name, "*") != 0 && !gate_snapshot_find(s, name).source)
            log_warnx(
                "database %s has no [migrations] section: every schema change in it "
                "counts as unmigrated",
                name);
    }
}

/* Called when a schema change arrives: have the files changed since the last look? A
 * broken folder leaves the running snapshot as it is and is logged each time. */
static int
refresh(struct app *app, struct err *err)
{
    struct gate_snapshot *fresh = NULL;
    int r = gate_snapshot_refresh(app->snap, &fresh, err);
    app->looked_us = clk_real.mono_us(&clk_real);
    if (r == 0) {
        log_info("migration files have changed, read again");
        log_snapshot(fresh);
        publish(app, fresh, ref_take(app->links));
    } else if (r != GATE_E_UNCHANGED) {
        log_warnx(
            "migration files have changed but can't be read, the old ones stay: %s",
            err->text);
        return r;
    }
    return 0;
}

static struct gate_snapshot *
current_snapshot(void *ctx)
{
    struct app *app = ctx;
    struct err err = { "" };
    int64_t now = clk_real.mono_us(&clk_real);
    if (now - app->looked_us >= app->snap->cfg->reload_interval_ms * 1000)
        (void)refresh(app, &err);
    return app->snap;
}

/* The files as they are right now, or nothing. */
static struct gate_snapshot *
fresh_snapshot(void *ctx, struct err *err)
{
    struct app *app = ctx;
    return refresh(app, err) == 0 ? app->snap : NULL;
}

/* Everything that files say, or nothing. */
static int
load(const char *path, bool settle, struct gate_snapshot **snap,
    struct sess_links **links, struct err *err)
{
    struct cfg *cfg = NULL;
    int r = cfg_load(path, settle, &cfg, err);
    if (r)
        return r;
    r = sess_links_new(cfg, links, err);
    if (r == 0)
        r = gate_snapshot_new(cfg, settle, snap, err);
    if (r != 0) {
        ref_drop(*links);
        *links = NULL;
    }
    ref_drop(cfg);
    return r;
}

static void
record_reload(struct app *app, const char *why)
{
    struct aud_rec rec = {
        .event = AUD_RELOAD, .outcome = why ? AUD_FAILED : AUD_NONE, .reason = why
    };
    (void)!aud_write(app->audit, &rec, NULL);
}

static int
reload(void *ctx, struct err *err)
{
    struct app *app = ctx;
    struct gate_snapshot *snap = NULL;
    struct sess_links *links = NULL;
    aud_reopen(app->audit);
    net_notify_reloading();
    int r = load(app->config_path, true, &snap, &links, err);
    if (r == 0)
        r = capture_lock(app->capture, snap, err);
    if (r != 0) {
        ref_drop(snap);
        ref_drop(links);
        log_error("reload failed: %s; the running configuration stays", err->text);
        record_reload(app, err->text);
        net_notify("READY=1");
        return r;
    }
    const struct cfg *was = app->snap->cfg, *now = snap->cfg;
    if (strcmp(was->listen_addr, now->listen_addr) != 0
        || was->listen_port != now->listen_port || was->workers != now->workers
        || strcmp(was->audit_file, now->audit_file) != 0)
        log_warnx("listen_addr, listen_port, workers and audit_file change only with a "
                  "restart");
    log_snapshot(snap);
    sess_links_warnings(links, log_warning, NULL);
    publish(app, snap, links);
    app->looked_us = clk_real.mono_us(&clk_real);
    record_reload(app, NULL);
    net_notify("READY=1");
    log_info("reloaded %s", app->config_path);
    return 0;
}

/* --- connections ------------------------------------------------------------------------ */

static void
accepted(void *ctx, int fd, const struct net_addr *peer)
{
    struct app *app = ctx;
    unsigned n = atomic_fetch_add(&app->shared.n_clients, 1);
    app->n_accepted++;
    bool is_rejected = n >= (unsigned)app->snap->cfg->max_client_conn;
    size_t i = app->next_worker++ % app->shared.n_workers;
    sess_worker_accept(app->threads[i].worker, fd, peer, is_rejected);
}

/* Out of descriptors: one is kept for saying so. */
static void
no_descriptor(void *ctx, int fd)
{
    static const char text[] =
        "SFATAL\0VFATAL\0C53300\0"
        "Mddlgate: too many connections, no file descriptor left\0";
    uint32_t len = (uint32_t)sizeof(text) + 4;
    char head[5] = { 'E', (char)(len >> 24), (char)(len >> 16), (char)(len >> 8),
        (char)len };
    (void)ctx;
    if (write(fd, head, sizeof(head)) < 0 || write(fd, text, sizeof(text)) < 0)
        return;
}

static int
listen_on(struct app *app, const char *host, struct err *err)
{
    const struct cfg *cfg = app->snap->cfg;
    char port[16];
    struct net_addr addrs[MAX_LISTENERS];
    int64_t number = cfg->listen_port;
    /* Several addresses of a free port share the first one's. */
    if (number == 0 && app->n_listeners > 0)
        number = net_addr_port(net_listener_addr(app->listeners[0]));
    AUTO(mem_free) char *text = mem_printf("%lld", (long long)number);
    memcpy(port, text, strlen(text) + 1);
    int n = net_resolve(host, port, true, addrs, MAX_LISTENERS, err);
    if (n < 0)
        return n;
    for (int i = 0; i < n && app->n_listeners < MAX_LISTENERS; i++) {
        struct net_listener *l = NULL;
        int r = net_listen(app->loop, &addrs[i], (int)cfg->listen_backlog,
            cfg->so_reuseport, accepted, no_descriptor, app, &l, err);
        if (r)
            return r;
        app->listeners[app->n_listeners++] = l;
    }
    return 0;
}

/* Socket activation: the sockets are there already, and listen_addr doesn't count. */
static int
listen_inherited(struct app *app, int n, struct err *err)
{
    for (int i = 0; i < n && app->n_listeners < MAX_LISTENERS; i++) {
        struct net_listener *l = NULL;
        int r = net_listen_on(
            app->loop, NET_FIRST_FD + i, accepted, no_descriptor, app, &l, err);
        if (r)
            return r;
        app->listeners[app->n_listeners++] = l;
    }
    return 0;
}

/* Whoever waits for the first line may connect to any of them. */
static int
listen_all(struct app *app, struct err *err)
{
    int n_inherited = net_inherited_fds();
    int r = n_inherited > 0 ? listen_inherited(app, n_inherited, err) : 0;
    struct str rest = str_of(n_inherited > 0 ? "" : app->snap->cfg->listen_addr), item;
    while (!r && str_next_item(&rest, &item)) {
        AUTO(mem_free) char *host = mem_strndup(item.p, item.n);
        r = listen_on(app, host, err);
    }
    for (size_t i = 0; !r && i < app->n_listeners; i++) {
        char where[NET_ADDR_TEXT_SIZE];
        net_addr_text(net_listener_addr(app->listeners[i]), where);
        log_info(
            "listening on %s%s", where, n_inherited > 0 ? " (socket activation)" : "");
    }
    return r;
}

/* Who waits in a queue came in time: with SO_REUSEPORT the kernel has chosen this process
 * for him, and would reset his connection. */
static void
stop_listening(struct app *app)
{
    for (size_t i = 0; i < app->n_listeners; i++) {
        net_listener_take_all(app->listeners[i]);
        net_listener_free(app->listeners[i]);
    }
    app->n_listeners = 0;
}

static void
ask_history(void *ctx, struct gate_history_ask *ask)
{
    struct app *app = ctx;
    historian_ask(app->historian, ask);
}

static void
ask_live(void *ctx, struct gate_live_ask *ask)
{
    struct app *app = ctx;
    survey_ask(app->survey, ask);
}

static void
note_change(void *ctx)
{
    struct app *app = ctx;
    atomic_fetch_add(&app->n_changes, 1);
}

static void
committed(void *ctx, struct gate_trail *trail)
{
    struct app *app = ctx;
    if (app->listener.committed)
        app->listener.committed(app->listener.ctx, trail);
    else
        capture_committed(app->capture, trail);
}

static void
ask_console(void *ctx, struct sess_console_ask *ask)
{
    struct app *app = ctx;
    console_ask(app->console, ask);
}

static void
ask_usher(void *ctx, struct sess_ask *ask)
{
    struct app *app = ctx;
    usher_ask(app->usher, ask);
}

/* --- threads ---------------------------------------------------------------------------- */

static void *
worker_main(void *arg)
{
    sess_worker_run(arg);
    return NULL;
}

/* Signals belong to the control thread: workers are started with all of them blocked. */
static int
start_workers(struct app *app, struct err *err)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int r = 0;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, SQL_TREE_WORKER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (size_t i = 0; i < app->shared.n_workers && r == 0; i++) {
        struct worker_thread *t = &app->threads[i];
        r = pthread_create(&t->thread, &attr, worker_main, t->worker);
        t->is_started = r == 0;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return r ? err_errno(err, -r, "can't start worker threads") : 0;
}

static size_t
worker_count(const struct cfg *cfg)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cfg->workers > 0)
        return (size_t)cfg->workers;
    return cores > 0 ? (size_t)cores : 1;
}

static void
make_workers(struct app *app)
{
    size_t n = worker_count(app->snap->cfg);
    app->shared.audit = app->audit;
    app->shared.clk = &clk_real;
    app->shared.read_history = ask_history;
    app->shared.read_live = ask_live;
    app->shared.note_change = note_change;
    app->shared.ask = ask_usher;
    app->shared.console = ask_console;
    app->shared.committed = committed;
    app->shared.trail_wants = app->listener.committed ? app->listener.wants
                                                      : GATE_TRAIL_CAPTURED;
    app->shared.databases = tally_new();
    app->shared.users = tally_new();
    app->shared.ctx = app;
    app->shared.parsers = task_pool_new(N_PARSERS, SQL_TREE_PARSER_STACK, "parser");
    app->shared.workers = mem_array(n, sizeof(*app->shared.workers));
    app->threads = mem_array(n, sizeof(*app->threads));
    for (size_t i = 0; i < n; i++) {
        app->threads[i].worker = sess_worker_new(
            &app->shared, i, app->snap, app->links);
        app->shared.workers[i] = app->threads[i].worker;
        app->shared.n_workers++;
    }
}

static void
stop_workers(struct app *app)
{
    for (size_t i = 0; i < app->shared.n_workers; i++) {
        struct worker_thread *t = &app->threads[i];
        if (!t->is_started)
            continue;
        sess_worker_stop(t->worker);
        pthread_join(t->thread, NULL);
        t->is_started = false;
    }
}

/* --- signals and shutdown --------------------------------------------------------------- */

static void
log_stats(const struct app *app)
{
    struct gate_stats s = { 0 };
    for (size_t i = 0; i < app->shared.n_workers; i++)
        sess_worker_stats(app->threads[i].worker, &s);
    log_info("stats: texts=%llu filtered=%llu scanned=%llu parsed=%llu judged=%llu "
             "refused=%llu asked=%llu clients=%u",
        (unsigned long long)s.texts, (unsigned long long)s.filtered,
        (unsigned long long)s.scanned, (unsigned long long)s.parsed,
        (unsigned long long)s.judged, (unsigned long long)s.refused,
        (unsigned long long)s.asked, atomic_load(&app->shared.n_clients));
}

static void
drain_workers(struct app *app, bool is_now)
{
    for (size_t i = 0; i < app->shared.n_workers; i++)
        sess_worker_drain(app->threads[i].worker, is_now);
}

static void
drain_tick(void *ctx)
{
    struct app *app = ctx;
    int64_t now = clk_real.mono_us(&clk_real);
    if (atomic_load(&app->shared.n_clients) == 0) {
        net_loop_stop(app->loop);
        return;
    }
    if (now >= app->drain_until_us && !app->is_over) {
        log_warnx("%u clients are still connected, ending them",
            atomic_load(&app->shared.n_clients));
        drain_workers(app, true);
        app->is_over = true;
    } else if (!app->is_over) {
        drain_workers(app, false);
    }
    net_timer_start(&app->drain_timer, DRAIN_CHECK_MS);
}

static void
drain(void *ctx)
{
    struct app *app = ctx;
    int64_t wait_ms = app->has_hurry ? 0 : app->snap->cfg->shutdown_timeout_ms;
    log_info("shutting down: no new connections, %u clients finish their transactions",
        atomic_load(&app->shared.n_clients));
    stop_listening(app);
    app->drain_until_us = clk_real.mono_us(&clk_real) + wait_ms * 1000;
    drain_tick(app);
}

/* First the probes say no, then, after drain_delay, the sockets close, then the sessions
 * end. A second signal ends all waiting. */
static void
shut_down(struct app *app)
{
    int64_t delay_ms = app->snap->cfg->drain_delay_ms;
    app->has_hurry = app->is_draining;
    app->is_draining = true;
    net_notify(app->has_hurry ? "STATUS=shutting down now" : "STOPPING=1");
    if (delay_ms > 0 && !app->has_hurry) {
        log_info("draining: not ready any more, new clients are taken for %lld ms",
            (long long)delay_ms);
        net_timer_start(&app->delay_timer, delay_ms);
        return;
    }
    net_timer_stop(&app->delay_timer);
    drain(app);
}

static bool
is_ready(void *ctx, const char **why)
{
    struct app *app = ctx;
    if (app->is_draining)
        *why = "shutting down";
    else if (!aud_is_writable(app->audit))
        *why = "the audit can't be written: schema changes are refused";
    else
        return true;
    return false;
}

static void
on_signal(void *ctx, int signum)
{
    struct app *app = ctx;
    struct err err = { "" };
    if (signum == SIGHUP)
        (void)!reload(app, &err); /* has logged why */
    else if (signum == SIGUSR1)
        log_stats(app);
    else
        shut_down(app); /* a second one ends the wait */
}

static int
listen_http(struct app *app, struct err *err)
{
    struct adm_http_ops ops = { .is_ready = is_ready, .ctx = app };
    char where[NET_ADDR_TEXT_SIZE];
    if (!app->snap->cfg->http_listen)
        return 0;
    int r = adm_http_new(app->loop, app->snap->cfg->http_listen, &ops, &app->http, err);
    if (r)
        return r;
    net_addr_text(adm_http_addr(app->http), where);
    log_info("probes on http://%s/readyz and /livez", where);
    return 0;
}

static void
catch_signals(struct app *app)
{
    static const int numbers[] = { SIGHUP, SIGTERM, SIGINT, SIGUSR1 };
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < DG_ARRAY_SIZE(numbers); i++)
        app->signals[i] = net_signal_new(app->loop, numbers[i], on_signal, app);
}

/* --- app -------------------------------------------------------------------------------- */

/* Each client needs two descriptors. */
static int
raise_limits(const struct cfg *cfg, struct err *err)
{
    uint64_t wanted = 2 * (uint64_t)cfg->max_client_conn + RESERVED_FDS, got = 0;
    int r = net_limit_fds(wanted, &got);
    if (r || got < wanted)
        return err_set(err, -EMFILE,
            "max_client_conn = %lld needs %llu file descriptors, the limit is %llu; raise it "
            "(ulimit -n, LimitNOFILE) or lower max_client_conn",
            (long long)cfg->max_client_conn, (unsigned long long)wanted,
            (unsigned long long)got);
    return 0;
}

static void
app_free_p(struct app **app)
{
    app_free(*app);
}

int
app_new(const char *config_path, const struct app_listener *listener, struct app **out,
    struct err *err)
{
    AUTO(app_free) struct app *app = mem_zalloc(sizeof(*app));
    if (listener)
        app->listener = *listener;
    app->config_path = mem_strdup(config_path);
    int r = load(config_path, false, &app->snap, &app->links, err);
    if (r)
        return r;
    const struct cfg *cfg = app->snap->cfg;
    r = raise_limits(cfg, err);
    if (r)
        return r;
    struct aud_conf conf = {
        .path = cfg->audit_file,
        .is_durable = cfg->audit_durable,
        .rotate_bytes = cfg->audit_rotate_size,
        .rotate_ms = cfg->audit_rotate_age_ms,
    };
    r = aud_open(&conf, &clk_real, &app->audit, err);
    if (r)
        return r;
    app->loop = net_loop_new();
    net_timer_init(&app->drain_timer, app->loop, drain_tick, app);
    net_timer_init(&app->delay_timer, app->loop, drain, app);
    struct historian_ops ops = { .current = current_snapshot, .ctx = app };
    app->historian = historian_new(app->loop, &ops, cfg->control_idle_timeout_ms);
    app->survey = survey_new(app->loop, &app->n_changes, cfg->control_idle_timeout_ms);
    app->outlook = outlook_new();
    app->usher = usher_new(app->loop, cfg->control_idle_timeout_ms);
    struct console_ops console_ops = { .current = current_snapshot,
        .reload = reload,
        .read_history = ask_history,
        .ctx = app };
    app->console = console_new(app->loop, &console_ops);
    struct capture_ops capture_ops = { .refresh = fresh_snapshot, .ctx = app };
    app->capture = capture_new(app->loop, &capture_ops, app->audit);
    r = capture_lock(app->capture, app->snap, err);
    if (r)
        return r;
    if (!cfg->control)
        log_warnx(
            "no `control` login: the migration history is unknown, schema changes are "
            "refused where policy asks for migrations; sizes of tables, their locks and "
            "all else that rules ask the server for stay unknown");
    log_snapshot(app->snap);
    sess_links_warnings(app->links, log_warning, NULL);
    make_workers(app);
    catch_signals(app);
    r = start_workers(app, err);
    outlook_begin(app->outlook, app->snap);
    if (!r)
        r = listen_all(app, err);
    if (!r)
        r = listen_http(app, err);
    if (r)
        return r;
    *out = app;
    app = NULL;
    return 0;
}

int
app_run(struct app *app)
{
    net_notify("READY=1");
    net_loop_run(app->loop);
    log_stats(app);
    log_info("shut down");
    return 0;
}

void
app_stop(struct app *app)
{
    shut_down(app);
}

int
app_port(const struct app *app)
{
    return app->n_listeners ? net_addr_port(net_listener_addr(app->listeners[0])) : 0;
}

struct net_loop *
app_loop(struct app *app)
{
    return app->loop;
}

uint64_t
app_n_accepted(const struct app *app)
{
    return app->n_accepted;
}

uint64_t
app_n_texts(struct app *app)
{
    struct gate_stats s = { 0 };
    for (size_t i = 0; i < app->shared.n_workers; i++)
        sess_worker_stats(app->threads[i].worker, &s);
    return s.texts;
}

void
app_free(struct app *app)
{
    if (!app)
        return;
    stop_listening(app);
    outlook_free(app->outlook);
    app->outlook = NULL;
    stop_workers(app);
    if (app->capture) /* what was committed last still gets its file */
        task_run_all(net_loop_queue(app->loop));
    if (app->shared.parsers)
        task_pool_free(app->shared.parsers);
    console_stop(app->console);
    if (app->loop)
        task_run_all(net_loop_queue(app->loop)); /* questions nobody has taken yet */
    historian_free(app->historian);
    if (app->console)
        task_run_all(net_loop_queue(app->loop)); /* histories that it waited for */
    console_free(app->console);
    survey_free(app->survey);
    usher_free(app->usher);
    capture_free(app->capture);
    for (size_t i = 0; i < app->shared.n_workers; i++)
        sess_worker_free(app->threads[i].worker);
    tally_free(app->shared.databases);
    tally_free(app->shared.users);
    mem_free(app->shared.workers);
    mem_free(app->threads);
    for (size_t i = 0; i < DG_ARRAY_SIZE(app->signals); i++)
        net_signal_free(app->signals[i]);
    if (app->loop) {
        net_timer_deinit(&app->drain_timer);
        net_timer_deinit(&app->delay_timer);
        adm_http_free(app->http);
        task_run_all(net_loop_queue(app->loop));
    }
    net_loop_free(app->loop);
    aud_close(app->audit);
    ref_drop(app->snap);
    ref_drop(app->links);
    mem_free(app->config_path);
    mem_free(app);
}
