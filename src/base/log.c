// SPDX-License-Identifier: ISC
/* The operational log; see log.h. A line is made on the stack and goes out in one write,
 * so that lines of several threads don't mix. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clk.h"
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_TEXT_MAX 4096 /* bytes of one text; what is longer is cut */
/* One byte becomes 4 ("\x1b") at worst; time, level and mark of the cut take the rest. */
#define LOG_LINE_MAX (4 * LOG_TEXT_MAX + 256)

/* The program's only state outside struct app: logging must work before there is one. */
static atomic_int threshold = LOG_LEVEL_INFO;
static void (*log_sink)(void *ctx, const char *line);
static void *sink_ctx;

void
log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

void
log_set_sink(void (*sink)(void *ctx, const char *line), void *ctx)
{
    log_sink = sink;
    sink_ctx = ctx;
}

static const char *
level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_DEBUG:
        return "DEBUG";
    case LOG_LEVEL_INFO:
        return "INFO";
    case LOG_LEVEL_WARNING:
        return "WARNING";
    case LOG_LEVEL_ERROR:
        return "ERROR";
    }
    DG_ASSERT(false, "no log level %d", (int)level);
    return NULL;
}

/* Adds text with everything escaped that could deceive a reader. */
static void
put_escaped(struct buf *line, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = str_utf8_len(text + i, n - i);
        uint32_t c = len ? str_utf8_char(text + i, len) : 0;
        if (!len || (len == 1 && str_char_is_deceptive(c)))
            buf_putf(line, "\\x%02x", (unsigned)(unsigned char)text[i]);
        else if (str_char_is_deceptive(c))
            buf_putf(line, "\\u%04" PRIx32, c);
        else
            buf_put(line, text + i, len);
        i += len ? len : 1;
    }
}

static void
write_line(const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* nobody to tell */
        p += done;
        n -= (size_t)done;
    }
}

static void PRINTF_LIKE(3, 0)
    log_line(enum log_level level, const char *reason, const char *fmt, va_list ap)
{
    char text[LOG_TEXT_MAX], memory[LOG_LINE_MAX], time[CLK_RFC3339_SIZE];
    struct buf line = { .data = memory, .cap = sizeof(memory), .max = sizeof(memory) };

    int n = vsnprintf(text, sizeof(text), fmt, ap);
    DG_ASSERT(n >= 0, "a format that can't be printed");
    clk_rfc3339(clk_real.wall_us(&clk_real), time);
    buf_putf(&line, "%s %s ", time, level_name(level));
    put_escaped(&line, text, strlen(text));
    if ((size_t)n >= sizeof(text))
        buf_puts(&line, "...");
    if (reason)
        buf_putf(&line, ": %s", reason);
    if (log_sink) {
        log_sink(sink_ctx, buf_cstr(&line));
        return;
    }
    buf_put(&line, "\n", 1);
    write_line(line.data, buf_len(&line));
}

static bool
is_shown(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* All of these keep errno, so that a caller can log first and return -errno after. */
#define LOG_FUNCTION(name, level)       \
    void name(const char *fmt, ...)     \
    {                                   \
        int saved = errno;              \
        va_list ap;                     \
        if (!is_shown(level))           \
            return;                     \
        va_start(ap, fmt);              \
        log_line(level, NULL, fmt, ap); \
        va_end(ap);                     \
        errno = saved;                  \
    }

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_warnx, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)

void
log_warn(const char *fmt, ...)
{
    int saved = errno;
    char reason[64];
    va_list ap;

    if (!is_shown(LOG_LEVEL_WARNING))
        return;
    va_start(ap, fmt);
    log_line(LOG_LEVEL_WARNING, strerror_r(saved, reason, sizeof(reason)), fmt, ap);
    va_end(ap);
    errno = saved;
}
