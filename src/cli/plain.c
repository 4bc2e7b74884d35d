// SPDX-License-Identifier: ISC
/* See plain.h. */
#include "cli/plain.h"

#include <inttypes.h>

void
cli_put_plain(struct buf *out, struct str s, size_t max)
{
    bool is_space = false;
    size_t n = 0;

    for (size_t i = 0; i < s.n; n++) {
        size_t len = str_utf8_len(s.p + i, s.n - i);
        uint32_t c = len ? str_utf8_char(s.p + i, len) : 0xfffd;
        if (max && n >= max) {
            buf_puts(out, "…");
            return;
        }
        bool was_space = is_space;
        is_space = c == ' ' || (c >= '\t' && c <= '\r');
        if (is_space && !was_space)
            buf_puts(out, " ");
        else if (!len || (!is_space && str_char_is_deceptive(c)))
            buf_putf(out, "\\u%04" PRIx32, c);
        else if (!is_space)
            buf_put(out, s.p + i, len);
        i += len ? len : 1;
    }
}
