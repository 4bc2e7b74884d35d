// SPDX-License-Identifier: ISC
/* The match keys of access sections, compiled: lists of globs, networks, versions,
 * commands, objects, windows of time. In a list items are ORed, `!` takes away.
 *
 * Answers are three-valued, because what a key asks about can be unknown (an unqualified
 * name, no login yet, no clock): the caller reads POL_MAYBE towards the stricter side.
 * Parse functions fill err with what is wrong and what to write, without file and line.
 * thread: any (immutable once made) */
#ifndef DG_POLICY_PATTERN_H
#define DG_POLICY_PATTERN_H

#include "policy/when.h"
#include "sql/facts.h"

enum pol_truth {
    POL_NO,
    POL_MAYBE,
    POL_YES,
};

static inline enum pol_truth
pol_not(enum pol_truth t)
{
    return (enum pol_truth)(POL_YES - t);
}

static inline enum pol_truth
pol_and(enum pol_truth a, enum pol_truth b)
{
    return a < b ? a : b;
}

static inline enum pol_truth
pol_or(enum pol_truth a, enum pol_truth b)
{
    return a > b ? a : b;
}

/* How much of a statement a key covers. */
enum pol_cover {
    POL_NONE,
    POL_PART, /* some of its objects or subcommands, or only perhaps */
    POL_FULL,
};

/* One item of a list in a policy file. Which fields count depends on the key. */
struct pol_item {
    bool is_negated;
    const char *glob;   /* text keys; the name of an object; the tag of a command */
    const char *schema; /* objects: NULL any */
    const char *sub;    /* commands: NULL any */
    uint8_t addr[16];   /* networks: IPv6, or IPv4 mapped into it */
    int prefix;         /* bits of addr that count */
    int min, max;       /* server versions, as 150020, both included */
    int64_t from, to;   /* bytes, rows; both included */
    struct pol_when when;
};

struct pol_list {
    struct pol_item *items; /* in the policy's arena */
    size_t n;               /* 0: the key is not written, anything matches */
};

/* Parsers of one item (its `!` is taken off). */
typedef int
pol_item_fn(struct arena *a, struct str text, struct pol_item *out, struct err *err);
pol_item_fn pol_parse_glob, pol_parse_addr, pol_parse_version, pol_parse_command,
    pol_parse_object, pol_parse_when, pol_parse_size, pol_parse_rows;
/* Keys whose value is "" where the connection has none: matched by pol_match_glob. */
pol_item_fn pol_parse_tls, pol_parse_present, pol_parse_uid;

/* Splits at commas, takes `!` off, parses each item. An empty item is an error. */
int pol_list_parse(struct arena *a, struct str text, pol_item_fn *fn,
    struct pol_list *out, struct err *err) MUST_CHECK;

/* value NULL: unknown. */
enum pol_truth pol_match_glob(const struct pol_list *l, const char *value);
enum pol_truth pol_match_addr(const struct pol_list *l, const char *addr);
enum pol_truth pol_match_version(const struct pol_list *l, int server_version);
/* An amount that is known to be within [from, to]. */
enum pol_truth pol_match_amount(const struct pol_list *l, int64_t from, int64_t to);
enum pol_truth pol_match_when(const struct pol_list *l, int64_t now_us);

/* The schemas in which an unqualified name can stand. */
struct pol_path {
    bool is_known;
    const char **schemas; /* in the arena that pol_path_parse was given */
    size_t n;
};
/* search_path as the session set it, NULL unknown; role replaces "$user". */
void pol_path_parse(
    struct arena *a, const char *search_path, const char *role, struct pol_path *out);

enum pol_cover pol_match_command(const struct pol_list *l, const struct sql_facts *f);
enum pol_cover pol_match_objects(
    const struct pol_list *l, const struct sql_facts *f, const struct pol_path *path);
/* Is it surely one of these? (Exceptions of checks.) */
bool pol_is_excepted(
    const struct pol_list *l, const struct sql_object *o, const struct pol_path *path);

#endif
