// SPDX-License-Identifier: ISC
/* The few macros every file uses: scope-bound cleanup, checked results, asserts.
 *
 * Convention of return values in the whole program: 0 done; <0 -errno, a failure to pass
 * up untouched; >0 an outcome that the function's comment lists (MODULE_E_REASON). */
#ifndef DG_BASE_BASE_H
#define DG_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN          __attribute__((noreturn))

/* Owned local: `AUTO(buf_deinit) struct buf b = BUF_INIT(...)`; fn_p gets its address. */
#define AUTO(fn) __attribute__((cleanup(fn##_p)))

/* Makes fn_p for a destructor that takes a pointer: CLEANUP_DEFINE(struct pol *, pol_unref) */
#define CLEANUP_DEFINE(type, fn)       \
    static inline void fn##_p(type *p) \
    {                                  \
        if (*p)                        \
            fn(*p);                    \
    }

/* For what cannot happen: our own bugs, never input. Always compiled. */
#define DG_ASSERT(cond, ...) \
    ((cond) ? (void)0 : dg_assert_failed(__FILE__, __LINE__, #cond, __VA_ARGS__))

void dg_assert_failed(const char *file, int line, const char *cond, const char *fmt,
    ...) NORETURN PRINTF_LIKE(4, 5);

#define DG_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
