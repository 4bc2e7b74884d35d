// SPDX-License-Identifier: ISC
/* Base64; see base64.h. */
#include "base/base64.h"

#include <errno.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(const void *p, size_t n, char *out)
{
    const uint8_t *in = p;

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        if (left > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            bits |= in[i + 2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    *out = 0;
}

/* Its six bits, or -1. */
static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
base64_decode(struct str text, void *out, size_t max, size_t *n)
{
    uint8_t *to = out;
    size_t pad = 0, used = 0;

    if (text.n % 4)
        return -EINVAL;
    while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
        pad++;
    if (text.n / 4 * 3 - pad > max)
        return -ERANGE;
    for (size_t i = 0; i < text.n; i += 4) {
        size_t skip = i + 4 == text.n ? pad : 0;
        uint32_t bits = 0;
        for (size_t k = 0; k < 4; k++) {
            int v = k < 4 - skip ? value_of(text.p[i + k]) : 0;
            if (v < 0)
                return -EINVAL;
            bits = bits << 6 | (uint32_t)v;
        }
        if (bits & ((1u << (8 * skip)) - 1))
            return -EINVAL;
        for (size_t k = 0; k < 3 - skip; k++)
            to[used++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    *n = used;
    return 0;
}
