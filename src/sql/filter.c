// SPDX-License-Identifier: ISC
/* The word filter; see filter.h. 64 bytes at a time become one bit each (letter or
 * underscore: yes), runs of ones are the words, and a table by first letter and length
 * leaves few of them to be compared.
 *
 * A run of letters and underscores is taken as a word whatever stands beside it. So each
 * keyword that is a token is seen: it holds neither digits nor `$` nor bytes >= 128, and a
 * letter or underscore right before or after it would belong to the same token. Glued to
 * other things (`1e5INTO`, `$a$x$a$INTO`, `'x'INTO`) it is still a run of its own. The
 * price are hits on `set1` or inside strings and comments, which the scan sorts out.
 *
 * What is left out again, and why that can't hide a command (a statement starts at the
 * start of the text or after a `;`, comments aside):
 * - the only INTO of a text that starts with INSERT or MERGE: both must be followed by
 *   their own INTO, so it can't be that of a SELECT ... INTO;
 * - the only SET of a text that starts with UPDATE: UPDATE needs one (all are counted,
 *   the next kind too: `UPDATE t update SET a = 1; SET b = 2`);
 * - SET after UPDATE with nothing but spaces or tabs between: the word before is neither
 *   `;` nor the end of a comment (a line comment would end in a newline), and inside a
 *   comment or string SET is no command;
 * - DO before white space and NOTHING or UPDATE: if DO is a token, the next one is that
 *   word, but the command DO is followed by a string or LANGUAGE;
 * - words that need a second keyword (COMMENT ON, SECURITY LABEL, ...) before anything
 *   that doesn't begin like it and can't begin a comment. */
#include "sql/filter.h"

#include "base/mem.h"
#include "sql/words.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BLOCK     64
#define MASK_SIZE 32 /* letters without case, and `_` as the last */

#define LENGTH_BIT(n) (1u << ((n) < 31 ? (n) : 31))

/* clang-format off */
#define ORBIT(c, letter, len, name, group, place, next, flags)                              \
    | ((letter) == (c) && (group) ? LENGTH_BIT(len) : 0)
#define ORBIT_NO_TX(c, letter, len, name, group, place, next, flags)                        \
    | ((letter) == (c) && (group) && (group) != SQL_W_TX ? LENGTH_BIT(len) : 0)
#define COUNT_BELOW(c, letter, len, name, group, place, next, flags) + ((letter) < (c))
#define ENTRY(c, letter, len, name, group, place, next, flags)                              \
    { name, len, group, place, next, flags },
#define ALPHABET(M)                                                                         \
    0, M('A'), M('B'), M('C'), M('D'), M('E'), M('F'), M('G'), M('H'), M('I'), M('J'),      \
    M('K'), M('L'), M('M'), M('N'), M('O'), M('P'), M('Q'), M('R'), M('S'), M('T'),         \
    M('U'), M('V'), M('W'), M('X'), M('Y'), M('Z'), 0, 0, 0, 0
/* U is there with length 1: U&"..." */
#define BITS_OF(c)       ((c) == 'U' ? 2u : 0u) SQL_WORDS(ORBIT, c)
#define BITS_NO_TX_OF(c) ((c) == 'U' ? 2u : 0u) SQL_WORDS(ORBIT_NO_TX, c)
#define FIRST_OF(c)      0 SQL_WORDS(COUNT_BELOW, c)

static const struct sql_word fixed[] = { SQL_WORDS(ENTRY, 0) };
static const uint8_t fixed_first[MASK_SIZE] = { ALPHABET(FIRST_OF), 0 };
/* Which lengths occur for a first letter: [with the words of transactions] */
static const uint32_t fixed_mask[2][MASK_SIZE] = {
    { ALPHABET(BITS_NO_TX_OF), 0 },
    { ALPHABET(BITS_OF), 0 },
};
/* clang-format on */

struct name {
    char *text; /* owned; lower case */
    size_t n;
    size_t run, n_run; /* its longest run of letters and underscores */
};

struct sql_words {
    uint32_t mask[2][MASK_SIZE];
    struct name *names; /* owned */
    size_t n;
    bool is_any; /* a name without a letter: every text could hold it */
};

static bool
is_run_byte(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* upper: what sql_word's names hold; only A-Z and `_`. */
static bool
equals_upper(const char *p, const char *upper, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((p[i] & 0xdf) != upper[i])
            return false;
    }
    return true;
}

static bool
equals_lower(const char *p, const char *lower, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ascii_lower(p[i]) != lower[i])
            return false;
    }
    return true;
}

const struct sql_word *
sql_word_find(const char *p, size_t n)
{
    unsigned char letter = (unsigned char)(p[0] & 0xdf);

    if (letter < 'A' || letter > 'Z')
        return NULL;
    for (size_t i = fixed_first[letter & 31];
         i < DG_ARRAY_SIZE(fixed) && fixed[i].name[0] == (char)letter; i++) {
        if (fixed[i].len == n && equals_upper(p, fixed[i].name, n))
            return &fixed[i];
    }
    return NULL;
}

static void
name_init(struct name *name, const char *text)
{
    name->n = strlen(text);
    name->text = mem_strndup(text, name->n);
    for (size_t i = 0; i < name->n; i++)
        name->text[i] = ascii_lower(name->text[i]);
    for (size_t i = 0; i < name->n;) {
        size_t from = i;
        while (i < name->n && is_run_byte(name->text[i]))
            i++;
        if (i - from > name->n_run) {
            name->run = from;
            name->n_run = i - from;
        }
        i += i == from;
    }
}

struct sql_words *
sql_words_new(const char *const *names, size_t n)
{
    struct sql_words *w = mem_zalloc(sizeof(*w));

    memcpy(w->mask, fixed_mask, sizeof(w->mask));
    w->names = mem_array(n ? n : 1, sizeof(*w->names));
    for (size_t i = 0; i < n; i++) {
        struct name *name = &w->names[w->n++];
        name_init(name, names[i]);
        if (!name->n_run) {
            w->is_any = true;
            continue;
        }
        size_t letter = (size_t)(name->text[name->run] & 31);
        w->mask[0][letter] |= LENGTH_BIT(name->n_run);
        w->mask[1][letter] |= LENGTH_BIT(name->n_run);
        /* The server cuts longer spellings of such a name down to it. */
        if (name->n >= SQL_NAME_MAX)
            w->is_any = true;
    }
    return w;
}

void
sql_words_free(struct sql_words *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++)
        mem_free(w->names[i].text);
    mem_free(w->names);
    mem_free(w);
}

bool
sql_words_has_n(const struct sql_words *w, const char *p, size_t n)
{
    for (size_t i = 0; w && i < w->n; i++) {
        if (w->names[i].n == n && equals_lower(p, w->names[i].text, n))
            return true;
    }
    return false;
}

bool
sql_words_has(const struct sql_words *w, const char *name)
{
    return sql_words_has_n(w, name, strlen(name));
}

/* Bit i is set if p[i] is a letter or an underscore. */
static uint64_t
run_bits(const char *p)
{
    uint64_t bits = 0;

#if defined(__SSE2__)
    const __m128i lower = _mm_set1_epi8(0x20), under = _mm_set1_epi8('_');
    /* 'a'..'z' moved to the bottom of the signed range, where one comparison does */
    const __m128i shift = _mm_set1_epi8((char)('a' + 128)),
                  last = _mm_set1_epi8(-128 + 26);
    for (int i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i letter = _mm_cmplt_epi8(
            _mm_sub_epi8(_mm_or_si128(v, lower), shift), last);
        __m128i is_run = _mm_or_si128(letter, _mm_cmpeq_epi8(v, under));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(is_run) << i;
    }
#else
    for (int i = 0; i < BLOCK; i++)
        bits |= (uint64_t)is_run_byte(p[i]) << i;
#endif
    return bits;
}

struct filter {
    const struct sql_words *words;
    const char *text;
    size_t len;
    unsigned groups;
    unsigned n_into;
    unsigned n_set, n_set_alone; /* alone: not right after UPDATE */
};

static size_t
skip_space(const struct filter *f, size_t pos)
{
    while (pos < f->len && is_space(f->text[pos]))
        pos++;
    return pos;
}

/* Is the keyword `upper` the token at pos? */
static bool
word_at(const struct filter *f, size_t pos, const char *upper, size_t n)
{
    if (n > f->len || pos > f->len - n || !equals_upper(f->text + pos, upper, n))
        return false;
    char next = pos + n < f->len ? f->text[pos + n] : ' ';
    return !is_run_byte(next) && !(next & 0x80) && next != '$'
        && (next < '0' || next > '9');
}

/* The word is followed by what it needs to be a command, or that can't be told. */
static bool
next_fits(const struct filter *f, size_t end, char letter)
{
    size_t pos = skip_space(f, end);

    if (!letter)
        return true;
    if (pos == f->len)
        return false;
    char c = f->text[pos];
    return ascii_lower(c) == letter || c == '-' || c == '/';
}

static bool
is_conflict_action(const struct filter *f, size_t end)
{
    size_t pos = skip_space(f, end);

    return pos > end && (word_at(f, pos, "UPDATE", 6) || word_at(f, pos, "NOTHING", 7));
}

static bool
follows_update(const struct filter *f, size_t start)
{
    size_t end = start;

    while (end > 0 && (f->text[end - 1] == ' ' || f->text[end - 1] == '\t'))
        end--;
    if (end == start || end < 7 || !equals_upper(f->text + end - 6, "UPDATE", 6))
        return false;
    return is_space(f->text[end - 7]);
}

static void
fixed_word(struct filter *f, size_t start, size_t n)
{
    const struct sql_word *word = sql_word_find(f->text + start, n);

    if (!word || !word->group)
        return;
    switch (word->name[0]) {
    case 'D':
        if (n == 2 && is_conflict_action(f, start + n))
            return;
        break;
    case 'I':
        if (word->group == SQL_W_INTO) {
            f->n_into++;
            return;
        }
        break;
    case 'S':
        if (n == 3) {
            f->n_set++;
            f->n_set_alone += !follows_update(f, start);
            return;
        }
        break;
    }
    if (next_fits(f, start + n, word->next))
        f->groups |= word->group;
}

/* A run whose first letter and length are those of a word. */
static void
candidate(struct filter *f, size_t start, size_t n)
{
    const char *p = f->text + start;
    const struct sql_words *w = f->words;

    if (n == 1) {
        if (f->len - start > 2 && p[1] == '&' && p[2] == '"')
            f->groups |= SQL_W_HISTORY | SQL_W_SETTING;
    } else {
        fixed_word(f, start, n);
    }
    for (size_t i = 0; w && i < w->n; i++) {
        const struct name *name = &w->names[i];
        if (name->n_run == n && equals_lower(p, name->text + name->run, n))
            f->groups |= SQL_W_HISTORY;
    }
}

static void
all_runs(struct filter *f, const uint32_t *mask)
{
    bool in_run = false; /* one goes on from the block before */
    char tail[BLOCK] = { 0 };

    for (size_t base = 0; base < f->len; base += BLOCK) {
        const char *p = f->text + base;
        if (f->len - base < BLOCK)
            p = memcpy(tail, p, f->len - base);
        uint64_t bits = run_bits(p);
        uint64_t starts = bits & ~((bits << 1) | in_run);
        in_run = bits >> (BLOCK - 1);
        for (; starts; starts &= starts - 1) {
            int i = __builtin_ctzll(starts);
            uint64_t gap = ~(bits >> i);
            size_t start = base + (size_t)i,
                   n = gap ? (size_t)__builtin_ctzll(gap) : BLOCK;
            if (i + (int)n == BLOCK) {
                while (start + n < f->len && is_run_byte(f->text[start + n]))
                    n++;
            }
            if (mask[p[i] & 31] & LENGTH_BIT(n))
                candidate(f, start, n);
        }
    }
}

unsigned
sql_filter(const struct sql_words *words, const char *text, size_t len, unsigned watch)
{
    struct filter f = { .words = words, .text = text, .len = len };
    bool is_tx = watch & SQL_W_TX;

    all_runs(&f, words ? words->mask[is_tx] : fixed_mask[is_tx]);
    if (words && words->is_any)
        f.groups |= SQL_W_HISTORY;
    if (f.n_into || f.n_set_alone) {
        size_t first = skip_space(&f, 0);
        bool is_write = word_at(&f, first, "INSERT", 6)
            || word_at(&f, first, "MERGE", 5);
        if (f.n_into > 1 || (f.n_into && !is_write))
            f.groups |= SQL_W_INTO;
        bool is_own_set = f.n_set == 1 && word_at(&f, first, "UPDATE", 6);
        if (f.n_set_alone && !is_own_set)
            f.groups |= SQL_W_SETTING;
    }
    return f.groups & watch;
}
