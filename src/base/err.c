// SPDX-License-Identifier: ISC
/* Error texts: one line, cut at a character if too long; see err.h. */
#include "base/err.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies text into err as one line. The text may have been made from err's own. */
static void
store(struct err *err, const char *text)
{
    size_t n = strlen(text), at = 0;

    while (at < n) {
        size_t len = str_utf8_len(text + at, n - at);
        size_t step = len ? len : 1;
        if (at + step >= sizeof(err->text))
            break;
        if (step == 1 && ((unsigned char)text[at] < 0x20 || text[at] == 0x7f))
            err->text[at] = ' ';
        else
            memcpy(err->text + at, text + at, step);
        at += step;
    }
    err->text[at] = 0;
}

/* As vsnprintf; a character that was cut in two is left out. */
static void PRINTF_LIKE(3, 0) print(char *out, size_t size, const char *fmt, va_list ap)
{
    DG_ASSERT(fmt, "no format");
    int whole = vsnprintf(out, size, fmt, ap);
    size_t n = strlen(out);

    if (whole < 0 || (size_t)whole < size)
        return;
    for (size_t k = 1; k <= 3 && k <= n; k++) {
        char *p = out + n - k;
        if (((unsigned char)*p & 0xc0) == 0xc0 && str_utf8_len(p, k) == 0)
            *p = 0;
        if (((unsigned char)*p & 0xc0) != 0x80)
            return;
    }
}

int
err_set(struct err *err, int ret, const char *fmt, ...)
{
    char text[sizeof(err->text)];
    va_list ap;

    if (!err)
        return ret;
    va_start(ap, fmt);
    print(text, sizeof(text), fmt, ap);
    va_end(ap);
    store(err, text);
    return ret;
}

int
err_errno(struct err *err, int ret, const char *fmt, ...)
{
    char text[sizeof(err->text)], reason[128], whole[sizeof(text) + sizeof(reason) + 2];
    va_list ap;

    if (!err)
        return ret;
    va_start(ap, fmt);
    print(text, sizeof(text) - sizeof(reason), fmt, ap);
    va_end(ap);
    snprintf(
        whole, sizeof(whole), "%s: %s", text, strerror_r(-ret, reason, sizeof(reason)));
    store(err, whole);
    return ret;
}
