// SPDX-License-Identifier: ISC
/* struct app owns everything of a running gate and wires it together: configuration and
 * snapshot, audit, control connections, listeners, worker threads; reload and shutdown.
 * thread: control (the one that calls app_run), unless said otherwise */
#ifndef DG_APP_APP_H
#define DG_APP_APP_H

#include "base/err.h"

struct app;

/* Loads and checks everything, opens audit and listeners, starts the threads. */
int app_new(const char *config_path, struct app **out, struct err *err) MUST_CHECK;
/* Serves until SIGTERM or SIGINT, then drains and returns 0. */
int app_run(struct app *app);
void app_free(struct app *app);

#endif
