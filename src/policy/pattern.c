// SPDX-License-Identifier: ISC
/* Lists of text, addresses, versions and times; objects are in object.c, commands in
 * command.c. */
#include "policy/pattern.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

/* ---- lists ---- */

int
pol_list_parse(struct arena *a, struct str text, pol_item_fn *fn, struct pol_list *out,
    struct err *err)
{
    struct str rest = text, item;
    size_t max = 1;

    for (size_t i = 0; i < text.n; i++)
        max += text.p[i] == ',';
    struct pol_list l = { .items = arena_alloc(a, max * sizeof(*l.items)) };
    while (str_next_item(&rest, &item)) {
        struct pol_item *to = &l.items[l.n++];
        if (item.n && item.p[0] == '!') {
            to->is_negated = true;
            item = str_trim((struct str){ item.p + 1, item.n - 1 });
        }
        if (!item.n)
            return err_set(
                err, -EINVAL, "an item of the list is empty; remove the comma");
        int ret = fn(a, item, to, err);
        if (ret)
            return ret;
    }
    if (!l.n)
        return err_set(
            err, -EINVAL, "the value is empty; remove the key or name something");
    *out = l;
    return 0;
}

/* Any of the plain items (all, if there are none) and none of the negated ones. */
static enum pol_truth
match_list(const struct pol_list *l,
    enum pol_truth (*fn)(const struct pol_item *item, const void *value),
    const void *value)
{
    enum pol_truth in = POL_NO, out = POL_NO;
    bool has_plain = false;

    for (size_t i = 0; i < l->n; i++) {
        enum pol_truth t = fn(&l->items[i], value);
        if (l->items[i].is_negated) {
            out = pol_or(out, t);
        } else {
            in = pol_or(in, t);
            has_plain = true;
        }
    }
    return pol_and(has_plain ? in : POL_YES, pol_not(out));
}

/* ---- text ---- */

int
pol_parse_glob(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    (void)err;
    out->glob = arena_strndup(a, text.p, text.n);
    return 0;
}

/* `*` asks for something: a client without a certificate has no name. */
int
pol_parse_present(
    struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    size_t n = 0;
    while (n < text.n && text.p[n] == '*')
        n++;
    return pol_parse_glob(a, n == text.n ? STR("?*") : text, out, err);
}

/* yes, no, or a version of the protocol as OpenSSL names it. */
int
pol_parse_tls(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    static const char *const versions[] = { "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3" };
    bool v;

    for (size_t i = 0; i < DG_ARRAY_SIZE(versions); i++) {
        if (str_ieqz(text, versions[i]))
            return pol_parse_glob(a, str_of(versions[i]), out, err);
    }
    if (str_bool(text, &v))
        return err_set(err, -EINVAL,
            "\"%.*s\" is neither yes, no nor a version such as TLSv1.3",
            (int)(text.n < 60 ? text.n : 60), text.p);
    return pol_parse_glob(a, v ? STR("?*") : STR(""), out, err);
}

int
pol_parse_uid(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    int64_t uid;

    if (str_int64(text, 0, UINT32_MAX, &uid))
        return err_set(err, -EINVAL,
            "\"%.*s\" is no user id; write the number that `id -u NAME` prints",
            (int)(text.n < 60 ? text.n : 60), text.p);
    out->glob = arena_printf(a, "%lld", (long long)uid);
    return 0;
}

static enum pol_truth
match_glob(const struct pol_item *item, const void *value)
{
    return str_glob(item->glob, value) ? POL_YES : POL_NO;
}

enum pol_truth
pol_match_glob(const struct pol_list *l, const char *value)
{
    if (!l->n)
        return POL_YES;
    return value ? match_list(l, match_glob, value) : POL_MAYBE;
}

/* ---- addresses ---- */

static bool
parse_ip(const char *s, uint8_t out[16], bool *is_v4)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    uint8_t v4[4];

    if (inet_pton(AF_INET, s, v4) == 1) {
        memcpy(out, mapped, sizeof(mapped));
        memcpy(out + sizeof(mapped), v4, sizeof(v4));
        *is_v4 = true;
        return true;
    }
    *is_v4 = false;
    return inet_pton(AF_INET6, s, out) == 1;
}

static bool
bits_agree(const uint8_t *a, const uint8_t *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, (size_t)whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

int
pol_parse_addr(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    const char *slash = memchr(text.p, '/', text.n);
    size_t n = slash ? (size_t)(slash - text.p) : text.n;
    char *ip = arena_strndup(a, text.p, n);
    int64_t bits;
    bool is_v4;

    if (!parse_ip(ip, out->addr, &is_v4))
        goto bad;
    bits = is_v4 ? 32 : 128;
    if (slash && str_int64((struct str){ slash + 1, text.n - n - 1 }, 0, bits, &bits))
        goto bad;
    out->prefix = (int)bits + (is_v4 ? 96 : 0);
    uint8_t low[16];
    memcpy(low, out->addr, sizeof(low));
    for (int i = out->prefix; i < 128; i++)
        low[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    if (memcmp(low, out->addr, sizeof(low)) != 0)
        return err_set(err, -EINVAL,
            "network \"%.*s\" has bits set beyond its length; write its first address",
            (int)text.n, text.p);
    return 0;
bad:
    return err_set(err, -EINVAL,
        "\"%.*s\" is no address or network; write it as 10.0.0.0/8 or fd00::/8",
        (int)(text.n < 60 ? text.n : 60), text.p);
}

static enum pol_truth
match_addr(const struct pol_item *item, const void *value)
{
    return bits_agree(item->addr, value, item->prefix) ? POL_YES : POL_NO;
}

enum pol_truth
pol_match_addr(const struct pol_list *l, const char *addr)
{
    uint8_t bytes[16];
    bool is_v4;

    if (!l->n)
        return POL_YES;
    if (!addr || !parse_ip(addr, bytes, &is_v4))
        return POL_MAYBE;
    return match_list(l, match_addr, bytes);
}

/* ---- server versions ---- */

/* "15" or "15.4"; *is_major tells that no minor version is written. */
static bool
parse_version(struct str s, int *out, bool *is_major)
{
    const char *dot = memchr(s.p, '.', s.n);
    size_t n = dot ? (size_t)(dot - s.p) : s.n;
    int64_t major, minor = 0;

    if (str_int64((struct str){ s.p, n }, 10, 999, &major))
        return false;
    if (dot && str_int64((struct str){ dot + 1, s.n - n - 1 }, 0, 9999, &minor))
        return false;
    *is_major = !dot;
    *out = (int)(major * 10000 + minor);
    return true;
}

int
pol_parse_version(
    struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    static const char *const ops[] = { ">=", "<=", ">", "<", "=" };
    struct str s = text;
    size_t op = 4;
    int v, last;
    bool is_major;

    (void)a;
    for (size_t i = 0; i < DG_ARRAY_SIZE(ops); i++) {
        if (s.n > strlen(ops[i]) && memcmp(s.p, ops[i], strlen(ops[i])) == 0) {
            op = i;
            s = str_trim((struct str){ s.p + strlen(ops[i]), s.n - strlen(ops[i]) });
            break;
        }
    }
    if (!parse_version(s, &v, &is_major))
        return err_set(err, -EINVAL,
            "\"%.*s\" is no server version; write it as 15, 15.4, >=15 or <17",
            (int)(text.n < 60 ? text.n : 60), text.p);
    last = is_major ? v + 9999 : v;
    out->min = op == 0 || op == 4 ? v : op == 2 ? last + 1 : 0;
    out->max = op == 1 || op == 4 ? last : op == 3 ? v - 1 : INT_MAX;
    return 0;
}

static enum pol_truth
match_version(const struct pol_item *item, const void *value)
{
    const int *v = value;
    return *v >= item->min && *v <= item->max ? POL_YES : POL_NO;
}

enum pol_truth
pol_match_version(const struct pol_list *l, int server_version)
{
    if (!l->n)
        return POL_YES;
    return server_version > 0 ? match_list(l, match_version, &server_version)
                              : POL_MAYBE;
}

/* ---- amounts ---- */

/* >=, <=, >, <; what is left of text is the number. */
static const char *
take_comparison(struct str *text)
{
    static const char *const ops[] = { ">=", "<=", ">", "<" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(ops); i++) {
        size_t n = strlen(ops[i]);
        if (text->n > n && memcmp(text->p, ops[i], n) == 0) {
            *text = str_trim((struct str){ text->p + n, text->n - n });
            return ops[i];
        }
    }
    return NULL;
}

static void
set_amount(const char *op, int64_t v, struct pol_item *out)
{
    bool is_less = op[0] == '<', is_equal = op[1] == '=';

    out->from = is_less ? 0 : is_equal ? v : v + 1;
    out->to = !is_less ? INT64_MAX : is_equal ? v : v - 1;
}

int
pol_parse_size(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    struct str s = text;
    const char *op = take_comparison(&s);
    uint64_t bytes;

    (void)a;
    if (!op || str_size(s, &bytes) || bytes >= INT64_MAX)
        return err_set(err, -EINVAL,
            "\"%.*s\" is no comparison with a size; write it as >=10GB or <100MB",
            (int)(text.n < 60 ? text.n : 60), text.p);
    set_amount(op, (int64_t)bytes, out);
    return 0;
}

int
pol_parse_rows(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    struct str s = text;
    const char *op = take_comparison(&s);
    int64_t n;

    (void)a;
    if (!op || str_int64(s, 0, INT64_MAX - 1, &n))
        return err_set(err, -EINVAL,
            "\"%.*s\" is no comparison with a number of rows; write it as >=1000000",
            (int)(text.n < 60 ? text.n : 60), text.p);
    set_amount(op, n, out);
    return 0;
}

struct amount {
    int64_t from, to;
};

static enum pol_truth
match_amount(const struct pol_item *item, const void *value)
{
    const struct amount *v = value;
    if (v->to < item->from || v->from > item->to)
        return POL_NO;
    return v->from >= item->from && v->to <= item->to ? POL_YES : POL_MAYBE;
}

enum pol_truth
pol_match_amount(const struct pol_list *l, int64_t from, int64_t to)
{
    struct amount v = { from, to };
    return l->n ? match_list(l, match_amount, &v) : POL_YES;
}

/* ---- time ---- */

int
pol_parse_when(struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    return pol_when_parse(a, text, &out->when, err);
}

static enum pol_truth
match_when(const struct pol_item *item, const void *value)
{
    const int64_t *now = value;
    return pol_when_holds(&item->when, *now) ? POL_YES : POL_NO;
}

enum pol_truth
pol_match_when(const struct pol_list *l, int64_t now_us)
{
    if (!l->n)
        return POL_YES;
    return now_us > 0 ? match_list(l, match_when, &now_us) : POL_MAYBE;
}
