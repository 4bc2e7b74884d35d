// SPDX-License-Identifier: ISC
/* From digests to the places in the files where they stand, and from versions and names to
 * files. Built once at load, read by all threads after. A client can only ask for digests,
 * never add one, so that SHA-256's own bits are hash enough. */
#include "history/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
bucket_of(const struct hist_index *ix, const struct sql_digest *d)
{
    uint32_t h;

    memcpy(&h, d->bytes, sizeof(h));
    return h & (ix->n_buckets - 1);
}

uint32_t
hist_index_find(const struct hist_index *ix, const struct sql_digest *digest)
{
    uint32_t at = ix->heads[bucket_of(ix, digest)];

    while (at != HIST_NO_DIGEST && !sql_digest_eq(&ix->places[at].digest, digest))
        at = ix->places[at].next;
    return at;
}

/* Adds a place in front of its digest's chain. Files come in order of application, so the
 * newest stands first. Returns the place. */
static uint32_t
add_place(struct hist_index *ix, const struct sql_digest *digest, uint32_t migration,
    uint32_t stmt)
{
    uint32_t old = hist_index_find(ix, digest), at = ix->n++;
    uint32_t *link = &ix->heads[bucket_of(ix, digest)];

    DG_ASSERT(at < ix->cap, "the places were counted");
    ix->places[at] = (struct hist_place){ .digest = *digest,
        .migration = migration,
        .stmt = stmt,
        .next = old == HIST_NO_DIGEST ? *link : ix->places[old].next,
        .same = old };
    if (old != HIST_NO_DIGEST) {
        while (*link != old)
            link = &ix->places[*link].next;
    }
    *link = at;
    return at;
}

/* --- what the statements are ----------------------------------------------------------- */

static bool
adds_columns_if_missing(const struct sql_facts *f)
{
    for (size_t i = 0; i < f->n_subs; i++) {
        if (strcmp(f->subs[i].name, "ADD COLUMN") != 0
            || !(f->subs[i].flags & SQL_F_IF_NOT_EXISTS))
            return false;
    }
    return f->n_subs > 0;
}

static unsigned
flags_of_fact(const struct sql_facts *f)
{
    unsigned flags = 0;

    if ((f->cls & DG_MIGRATE_DEFAULT) && !(f->flags & SQL_F_TEMP))
        flags |= HIST_S_CHANGE;
    if (f->cls != DG_OTHER || f->write || f->prep != SQL_PREP_NONE
        || (f->flags
            & (SQL_F_UNPARSABLE | SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE | SQL_F_READING)))
        flags |= HIST_S_TRACKED;
    if (f->parent != -1 || (f->flags & SQL_F_UNPARSABLE))
        return flags;
    if (str_prefix(f->tag, "CREATE ") && (f->flags & SQL_F_IF_NOT_EXISTS))
        flags |= HIST_S_CREATES;
    if (strcmp(f->tag, "ALTER TABLE") == 0 && adds_columns_if_missing(f))
        flags |= HIST_S_CREATES;
    return flags;
}

void
hist_classify(struct hist_migration *m)
{
    m->stmts = arena_alloc(m->arena, m->scan.n * sizeof(*m->stmts));
    for (size_t i = 0; i < m->tree->n; i++) {
        const struct sql_facts *f = &m->tree->facts[i];
        DG_ASSERT(
            f->stmt < m->scan.n, "fact of statement %zu of %zu", f->stmt, m->scan.n);
        m->stmts[f->stmt].flags |= flags_of_fact(f);
        m->has_insert |= f->write && f->write->op == SQL_WRITE_INSERT;
    }
    m->says_no_tx = m->is_no_tx;
    for (size_t i = 0; i < m->tree->n; i++)
        m->is_no_tx |= (m->tree->facts[i].flags & SQL_F_NO_TX) != 0;
    m->n_schema_changes = 0;
    for (size_t i = 0; i < m->scan.n; i++)
        m->n_schema_changes += (m->stmts[i].flags & HIST_S_CHANGE) != 0;
}

/* Checkouts differ in line ends, which constants and bodies keep: a file with CRLF also
 * stands for the same text with LF, since some tools read it so. */
static char *
without_cr(const char *text, size_t len, size_t *n)
{
    char *out = NULL;

    *n = 0;
    if (!memchr(text, '\r', len))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n') {
            if (!out) {
                out = mem_alloc(len);
                memcpy(out, text, i);
            }
            continue;
        }
        if (out)
            out[*n] = text[i];
        (*n)++;
    }
    return out;
}

static void
add_lf_places(struct hist_index *ix, const struct hist_migration *m)
{
    size_t n;
    AUTO(mem_free) char *text = without_cr(m->text, m->len, &n);
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };

    if (!text || sql_scan(&scan, NULL, text, n, true, SQL_TREE_DEFAULT_DEPTH, NULL) != 0
        || scan.n != m->scan.n)
        return;
    for (size_t i = 0; i < scan.n; i++) {
        if ((m->stmts[i].flags & HIST_S_TRACKED)
            && !sql_digest_eq(&scan.stmts[i].digest, &m->scan.stmts[i].digest))
            add_place(ix, &scan.stmts[i].digest, (uint32_t)m->index, (uint32_t)i);
    }
}

static void
add_migration(struct hist_index *ix, struct hist_migration *m)
{
    for (size_t i = 0; i < m->scan.n; i++) {
        struct hist_stmt *s = &m->stmts[i];
        s->digest = HIST_NO_DIGEST;
        if (!(s->flags & HIST_S_TRACKED))
            continue;
        uint32_t at = add_place(
            ix, &m->scan.stmts[i].digest, (uint32_t)m->index, (uint32_t)i);
        if (ix->places[at].same == HIST_NO_DIGEST)
            continue;
        const struct hist_place *older = &ix->places[ix->places[at].same];
        if (older->migration == m->index)
            s->nth = m->stmts[older->stmt].nth + 1;
    }
    add_lf_places(ix, m);
}

/* All places of a digest get one number: that of the newest one. Places are looked at from
 * the newest on, one after the other as they lie in memory. */
static void
number_digests(struct hist_set *set)
{
    struct hist_index *ix = set->index;
    AUTO(mem_free) uint32_t *newest = mem_alloc(ix->n * sizeof(*newest));

    memset(newest, 0xff, ix->n * sizeof(*newest));
    for (uint32_t at = ix->n; at-- > 0;) {
        const struct hist_place *p = &ix->places[at];
        struct hist_migration *m = &set->migrations[p->migration];
        if (newest[at] == HIST_NO_DIGEST)
            newest[at] = at;
        if (p->same != HIST_NO_DIGEST)
            newest[p->same] = newest[at];
        if (sql_digest_eq(&p->digest, &m->scan.stmts[p->stmt].digest))
            m->stmts[p->stmt].digest = newest[at];
    }
}

/* --- versions and names ---------------------------------------------------------------- */

bool
hist_is_version(const struct hist_set *set, const char *s)
{
    return set->tool->flags & HIST_T_TEXT ? *s != 0 : hist_version_is_valid(s);
}

static int
compare_versions(const struct hist_set *set, const char *a, const char *b)
{
    return set->tool->flags & HIST_T_TEXT ? strcmp(a, b) : hist_version_cmp(a, b);
}

static int
by_version(const void *a, const void *b, void *ctx)
{
    const struct hist_set *set = ctx;
    const struct hist_migration *x = &set->migrations[*(const uint32_t *)a];
    const struct hist_migration *y = &set->migrations[*(const uint32_t *)b];
    int c = compare_versions(set, x->version, y->version);

    return c ? c : (x->index < y->index ? -1 : 1);
}

static int
same_version(
    const struct hist_migration *a, const struct hist_migration *b, struct err *err)
{
    return err_set(err, -EEXIST,
        "%s: version %s is also that of %s; give one of them another version", b->path,
        b->version, a->file);
}

/* Every rollback to its migration. */
static int
pair_rollbacks(struct hist_set *set, struct err *err)
{
    for (size_t i = set->n; i < set->n_all; i++) {
        struct hist_migration *down = &set->migrations[i];
        const struct hist_migration *found = hist_by_version(set, down->version);
        if (!found)
            continue; /* never admitted, since it rolls nothing back */
        struct hist_migration *up = &set->migrations[found->index];
        if (up->pair != HIST_NONE)
            return same_version(&set->migrations[up->pair], down, err);
        up->pair = i;
        down->pair = up->index;
    }
    return 0;
}

static int
order_versions(struct hist_set *set, struct err *err)
{
    struct hist_index *ix = set->index;

    ix->by_version = mem_array(set->n + 1, sizeof(*ix->by_version));
    for (uint32_t i = 0; i < set->n && set->migrations[i].version; i++)
        ix->by_version[ix->n_versioned++] = i;
    qsort_r(ix->by_version, ix->n_versioned, sizeof(*ix->by_version), by_version, set);
    for (uint32_t i = 1; i < ix->n_versioned; i++) {
        const struct hist_migration *a = &set->migrations[ix->by_version[i - 1]];
        const struct hist_migration *b = &set->migrations[ix->by_version[i]];
        if (compare_versions(set, a->version, b->version) == 0)
            return same_version(a, b, err);
    }
    for (size_t i = ix->n_versioned + 1; i < set->n; i++) {
        const struct hist_migration *a = &set->migrations[i - 1];
        const struct hist_migration *b = &set->migrations[i];
        if (strcmp(a->name, b->name) == 0)
            return err_set(err, -EEXIST,
                "%s: its name is also that of %s; give one of them another name",
                b->path, a->file);
    }
    return pair_rollbacks(set, err);
}

const struct hist_migration *
hist_by_version(const struct hist_set *set, const char *version)
{
    const struct hist_index *ix = set->index;
    size_t lo = 0, hi = hist_is_version(set, version) ? ix->n_versioned : 0;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct hist_migration *m = &set->migrations[ix->by_version[mid]];
        int c = compare_versions(set, version, m->version);
        if (c == 0)
            return m;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const struct hist_migration *
hist_by_name(const struct hist_set *set, const char *name)
{
    size_t lo = set->index->n_versioned, hi = set->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(name, set->migrations[mid].name);
        if (c == 0)
            return &set->migrations[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* --- building -------------------------------------------------------------------------- */

static size_t
add_texts(
    const struct hist_set *set, struct buf *texts, struct sql_digest *out, size_t max)
{
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    int r = sql_scan(&scan, NULL, buf_cstr(texts), buf_len(texts), true,
        SQL_TREE_DEFAULT_DEPTH, NULL);

    DG_ASSERT(r == 0 && scan.n <= max, "own texts of %s", set->tool->format);
    for (size_t i = 0; i < scan.n; i++)
        out[i] = scan.stmts[i].digest;
    return scan.n;
}

static void
add_own(struct hist_set *set)
{
    struct hist_index *ix = set->index;
    AUTO(buf_deinit) struct buf own = BUF_INIT(64 << 10);
    AUTO(buf_deinit) struct buf setup = BUF_INIT(64 << 10);

    hist_own_texts(set, &own);
    ix->n_own = add_texts(set, &own, ix->own, DG_ARRAY_SIZE(ix->own));
    hist_setup_texts(set, &setup);
    ix->n_setup = add_texts(set, &setup, ix->setup, DG_ARRAY_SIZE(ix->setup));
}

int
hist_index_build(struct hist_set *set, struct err *err)
{
    struct hist_index *ix = mem_zalloc(sizeof(*ix));
    size_t n = 0;

    set->index = ix;
    for (size_t i = 0; i < set->n_all; i++)
        n += set->migrations[i].scan.n
            * (memchr(set->migrations[i].text, '\r', set->migrations[i].len) ? 2 : 1);
    if (n >= HIST_NO_DIGEST / 2)
        return err_set(err, -EFBIG, "%s: too many statements", set->conf.path);
    ix->cap = (uint32_t)n;
    ix->places = mem_array(n + 1, sizeof(*ix->places));
    for (ix->n_buckets = 64; ix->n_buckets < n; ix->n_buckets *= 2)
        ;
    ix->heads = mem_array(ix->n_buckets, sizeof(*ix->heads));
    memset(ix->heads, 0xff, ix->n_buckets * sizeof(*ix->heads));
    int r = order_versions(set, err);
    if (r)
        return r;
    for (size_t i = 0; i < set->n_all; i++) {
        set->has_no_tx |= !set->migrations[i].is_down && set->migrations[i].is_no_tx;
        add_migration(ix, &set->migrations[i]);
    }
    number_digests(set);
    add_own(set);
    return 0;
}

void
hist_index_free(struct hist_index *ix)
{
    if (!ix)
        return;
    mem_free(ix->places);
    mem_free(ix->heads);
    mem_free(ix->by_version);
    mem_free(ix);
}
