// SPDX-License-Identifier: ISC
/* Time as an argument, so that tests own it. Timeouts use mono, records use wall. */
#ifndef DG_BASE_CLK_H
#define DG_BASE_CLK_H

#include "base/base.h"

struct clk {
    int64_t (*mono_us)(const struct clk *clk); /* CLOCK_MONOTONIC */
    int64_t (*wall_us)(const struct clk *clk); /* microseconds since 1970, UTC */
    void *ctx;
};

extern const struct clk clk_real;

#define CLK_RFC3339_SIZE 32
/* "2026-11-20T17:16:03.123456Z" */
void clk_rfc3339(int64_t wall_us, char out[CLK_RFC3339_SIZE]);

#endif
