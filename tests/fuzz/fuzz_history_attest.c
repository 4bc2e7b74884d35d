// SPDX-License-Identifier: ISC
/* An attestation. Whatever it says, a refusal names file and line, and what was read gives
 * an answer. */
#include "history/attest.h"

#include "base/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    struct hist_attest *a = NULL;
    struct err err = { "" };

    if (hist_attest_parse("f", text, &a, &err) != 0) {
        DG_ASSERT(str_prefix(err.text, "f:"), "no line: %s", err.text);
        return 0;
    }
    const struct hist_attested *x = hist_attest_find(a, "001_a.sql");
    DG_ASSERT(!x || (x->with && strcmp(x->key, "001_a.sql") == 0), "half a paragraph");
    ref_drop(a);
    return 0;
}
