// SPDX-License-Identifier: ISC
/* Windows of time in a zone: "Mon-Fri 08:00-18:00 Europe/Berlin". Zones are UTC, offsets
 * such as +01:00, and names of the IANA database, whose files are read at load and kept,
 * so that judging needs neither the environment nor the C library's state.
 * thread: any (immutable once made) */
#ifndef DG_POLICY_WHEN_H
#define DG_POLICY_WHEN_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct pol_zone;

/* Where the zone's clock stands: seconds to add to UTC at that second of UTC. */
int32_t pol_zone_offset(const struct pol_zone *z, int64_t utc_s);
/* Errors say what is wrong with the name, without file and line. */
int pol_zone_load(struct arena *a, struct str name, const struct pol_zone **out,
    struct err *err) MUST_CHECK;
/* The same from the bytes of a TZif file (RFC 8536), for tests and the fuzzer. */
int pol_zone_read(struct arena *a, const void *data, size_t n,
    const struct pol_zone **out) MUST_CHECK;

struct pol_when {
    unsigned days; /* bit 0 is Monday */
    int from_min,
        to_min; /* minutes of the day; from > to: over midnight, and the day is
                           * that of its start */
    const struct pol_zone *zone;
};

/* One item: [days] [HH:MM-HH:MM] zone; days or hours must be there. */
int pol_when_parse(
    struct arena *a, struct str text, struct pol_when *out, struct err *err) MUST_CHECK;
bool pol_when_holds(const struct pol_when *w, int64_t wall_us);

#endif
