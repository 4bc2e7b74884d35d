// SPDX-License-Identifier: ISC
/* Atlas: the hash of a file covers all files before it, as in atlas.sum. */
#include "history/source.h"

#include "base/base64.h"
#include "base/fs.h"

#include <string.h>

static int
finish(struct hist_set *set, struct err *err)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();

    for (size_t i = 0; i < set->n; i++) {
        struct hist_migration *m = &set->migrations[i];
        AUTO(mem_free) char *raw = NULL;
        uint8_t digest[HASH_SHA256_SIZE];
        char text[BASE64_SIZE(HASH_SHA256_SIZE) + 1];
        size_t n;
        int r = fs_read(m->path, HIST_MAX_FILE_BYTES, &raw, &n, err);
        if (r)
            return r;
        hash_sha256_add(h, m->file, strlen(m->file));
        hash_sha256_add(h, raw, n);
        hash_sha256_peek(h, digest);
        base64_encode(digest, sizeof(digest), text);
        m->checksum = arena_strdup(m->arena, text);
    }
    return 0;
}

const struct hist_ops hist_atlas_ops = { .finish = finish };
