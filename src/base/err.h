// SPDX-License-Identifier: ISC
/* The text of an error that a person must read, filled once where the fact is known:
 * one line, no newline, "file:line: what is wrong; what to do".  thread: owner's */
#ifndef DG_BASE_ERR_H
#define DG_BASE_ERR_H

#include "base/base.h"

struct err {
    char text[1024];
};

/* Both return their first argument, so that a function can `return err_set(err, ...)`.
 * err may be NULL. */
int err_set(struct err *err, int ret, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As err_set, with strerror(-ret) appended. */
int err_errno(struct err *err, int ret, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
