// SPDX-License-Identifier: ISC
/* A zoneinfo file of any bytes is refused or answers for every time; the first byte chooses
 * whether the bytes are a file or a window of time as policy writes it. */
#include "policy/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t times[] = { INT64_C(-100000000000), -1, 0, 1, 951782400,
    1795176000, INT64_C(4102444800), INT64_C(253402300800) };

static void
read_zone(struct arena *a, const uint8_t *data, size_t size)
{
    const struct pol_zone *z;
    if (pol_zone_read(a, data, size, &z))
        return;
    for (size_t i = 0; i < DG_ARRAY_SIZE(times); i++) {
        int32_t offset = pol_zone_offset(z, times[i]);
        DG_ASSERT(offset > -700000 && offset < 700000, "offset %d", offset);
    }
}

static void
read_window(struct arena *a, const char *text, size_t size)
{
    struct pol_when w;
    struct err err = { "" };
    if (pol_when_parse(a, (struct str){ text, size }, &w, &err)) {
        DG_ASSERT(*err.text, "refused without a word");
        return;
    }
    for (size_t i = 0; i < DG_ARRAY_SIZE(times); i++)
        pol_when_holds(&w, times[i] * 1000000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_free) struct arena *a = arena_new();
    if (size > 0 && data[0] == 'T')
        read_zone(a, data, size);
    else
        read_window(a, (const char *)data, size);
    return 0;
}
