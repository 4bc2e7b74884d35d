// SPDX-License-Identifier: ISC
/* SASLprep (RFC 4013) in the order and with the exceptions of PostgreSQL's pg_saslprep:
 *
 * - pure ASCII is taken as it is, and needs no library; so is what is no valid UTF-8, what
 *   the rules prohibit, and what they leave nothing of;
 * - what is prohibited is looked for after mapping but before normalisation. RFC 3454 has
 *   it the other way round, and libidn's own profile follows it: there U+0340 becomes
 *   U+0300, here it is prohibited, and the text stays as it was. The two would hash one
 *   password in two ways. So libidn gives its tables and its NFKC, not its profile.
 *
 * libidn's tables and NFKC are of Unicode 3.2; newer characters count as unassigned, and
 * that is prohibited, as in PostgreSQL. */
#include "auth/scram.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <stringprep.h>

static const Stringprep_table_element *const prohibited[] = {
    stringprep_rfc3454_A_1, /* unassigned */
    stringprep_rfc3454_C_1_2,
    stringprep_rfc3454_C_2_1,
    stringprep_rfc3454_C_2_2,
    stringprep_rfc3454_C_3,
    stringprep_rfc3454_C_4,
    stringprep_rfc3454_C_5,
    stringprep_rfc3454_C_6,
    stringprep_rfc3454_C_7,
    stringprep_rfc3454_C_8,
    stringprep_rfc3454_C_9,
};

/* A table ends with an element of zeros; C.2.1's first starts at zero, too. */
static bool
is_in(const Stringprep_table_element *table, uint32_t c)
{
    for (; table->start || table->end; table++)
        if (c >= table->start && c <= (table->end ? table->end : table->start))
            return true;
    return false;
}

static bool
is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

/* Characters of s to out, which has room for one per byte. False: no valid UTF-8. */
static bool
decode(const char *s, size_t n, uint32_t *out, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < n;) {
        size_t len = str_utf8_len(s + i, n - i);
        if (!len)
            return false;
        out[(*count)++] = str_utf8_char(s + i, len);
        i += len;
    }
    return true;
}

/* RFC 4013 2.1. */
static size_t
map(uint32_t *chars, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_in(stringprep_rfc3454_C_1_2, chars[i]))
            chars[kept++] = ' ';
        else if (!is_in(stringprep_rfc3454_B_1, chars[i]))
            chars[kept++] = chars[i];
    }
    return kept;
}

/* RFC 4013 2.3 and 2.5. */
static bool
has_prohibited(const uint32_t *chars, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < DG_ARRAY_SIZE(prohibited); k++)
            if (is_in(prohibited[k], chars[i]))
                return true;
    return false;
}

/* RFC 3454 part 6: text that runs to the left does so at both ends, and has nothing in it
 * that runs to the right. */
static bool
is_bidi_fine(const uint32_t *chars, size_t n)
{
    bool to_left = false, to_right = false;

    for (size_t i = 0; i < n; i++) {
        to_left |= is_in(stringprep_rfc3454_D_1, chars[i]);
        to_right |= is_in(stringprep_rfc3454_D_2, chars[i]);
    }
    return !to_left
        || (!to_right && is_in(stringprep_rfc3454_D_1, chars[0])
            && is_in(stringprep_rfc3454_D_1, chars[n - 1]));
}

/* The normalised characters as UTF-8, or NULL. What libidn keeps for a moment on its own
 * heap can't be wiped; its result is. */
static char *
normalise(const uint32_t *chars, size_t n)
{
    uint32_t *form = stringprep_ucs4_nfkc_normalize(chars, (ssize_t)n);
    if (!form)
        return NULL;
    size_t len = 0;
    while (form[len])
        len++;
    char *out = mem_alloc(4 * len + 1), *to = out;
    for (size_t i = 0; i < len; i++)
        to += stringprep_unichar_to_utf8(form[i], to);
    *to = 0;
    explicit_bzero(form, len * sizeof(*form));
    free(form);
    return out;
}

static char *
prepare(const char *password)
{
    size_t len = strlen(password), n;
    uint32_t *chars = mem_array(len, sizeof(*chars));
    char *out = NULL;

    if (decode(password, len, chars, &n)) {
        n = map(chars, n);
        if (n && !has_prohibited(chars, n) && is_bidi_fine(chars, n))
            out = normalise(chars, n);
    }
    explicit_bzero(chars, len * sizeof(*chars));
    mem_free(chars);
    return out;
}

char *
scram_saslprep(const char *password)
{
    char *out = is_ascii(password) ? NULL : prepare(password);

    return out ? out : mem_strdup(password);
}
