// SPDX-License-Identifier: ISC
/* The operational log: one line per event on standard error, UTC time, level, text.
 * Control bytes and invalid UTF-8 in the text are escaped here, so that nothing from a
 * client can forge a line. Secrets and SQL literals never come here.  thread: any */
#ifndef DG_BASE_LOG_H
#define DG_BASE_LOG_H

#include "base/base.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
};

void log_set_level(enum log_level level);
/* Where lines go instead of standard error; NULL restores it. For tests. */
void log_set_sink(void (*sink)(void *ctx, const char *line), void *ctx);

void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);  /* appends strerror(errno) */
void log_warnx(const char *fmt, ...) PRINTF_LIKE(1, 2); /* does not */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
