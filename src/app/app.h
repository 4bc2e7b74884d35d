// SPDX-License-Identifier: ISC
/* struct app owns everything of a running gate and wires it together: configuration and
 * snapshot, audit, control connections, listeners, worker threads; reload and shutdown.
 * thread: control (the one that calls app_run), unless said otherwise */
#ifndef DG_APP_APP_H
#define DG_APP_APP_H

#include "base/err.h"

struct app;
struct gate_trail;
struct net_loop;

/* Somebody who is told what each transaction ran (gate/trail.h), in the place of
 * `unmigrated = capture`. */
struct app_listener {
    void (*committed)(void *ctx, struct gate_trail *trail); /* thread: worker */
    unsigned wants;                                         /* GATE_TRAIL_* */
    void *ctx;
};

/* Loads and checks everything, opens audit and listeners, starts the threads. listener may
 * be NULL; it is copied. */
int app_new(const char *config_path, const struct app_listener *listener,
    struct app **out, struct err *err) MUST_CHECK;
/* Serves until SIGTERM or SIGINT, or app_stop, then drains and returns 0. */
int app_run(struct app *app);
void app_stop(struct app *app);

/* For a gate that serves one command: where it listens, what it has seen. */
int app_port(const struct app *app);
struct net_loop *app_loop(struct app *app);
uint64_t app_n_accepted(const struct app *app); /* connections */
uint64_t app_n_texts(struct app *app); /* Query and Parse messages, after app_run */

void app_free(struct app *app);

#endif
