// SPDX-License-Identifier: ISC
/* ddlgate.ini as one typed, immutable object; a reload makes a new one. Settings stand in
 * include/ddlgate/tbl/settings.h (name, type, limits, default, prose), which also makes the
 * sample file's test possible. Every error has file:line.  thread: any once loaded */
#ifndef DG_CONFIG_CONFIG_H
#define DG_CONFIG_CONFIG_H

#include "base/cell.h"
#include "base/err.h"

struct arena;
struct map;

/* Settings with words, in the order of their tables. */
enum cfg_auth {
    CFG_AUTH_PASSTHROUGH,
    CFG_AUTH_SCRAM,
    CFG_AUTH_MD5,
    CFG_AUTH_CERT,
    CFG_AUTH_TRUST,
    CFG_AUTH_HBA,
};
enum cfg_sslmode {
    CFG_SSL_DISABLE,
    CFG_SSL_ALLOW,
    CFG_SSL_PREFER,
    CFG_SSL_REQUIRE,
    CFG_SSL_VERIFY_CA,
    CFG_SSL_VERIFY_FULL,
};
enum cfg_target {
    CFG_TARGET_ANY,
    CFG_TARGET_READ_WRITE,
    CFG_TARGET_READ_ONLY,
    CFG_TARGET_PRIMARY,
    CFG_TARGET_STANDBY,
    CFG_TARGET_PREFER_STANDBY,
};

/* One of the hosts that a connection string lists. */
struct cfg_host {
    const char *host;     /* name, address or folder of a unix socket */
    const char *hostaddr; /* where to connect instead; NULL: host */
    const char *port;
};

/* TLS of one side. */
struct cfg_tls {
    enum cfg_sslmode mode;
    const char *key_file, *cert_file, *ca_file, *crl_file; /* resolved; NULL: none */
    const char *ciphers, *protocols;
};

/* A server, as a libpq string describes it: an entry of [databases] or [peers]. */
struct cfg_database {
    const char *name;       /* "*" is the fallback */
    const char *conninfo;   /* for libpq: where and how, without user and password */
    const char *policy;     /* resolved path; NULL: the general one */
    struct cfg_host *hosts; /* in the arena; at least one */
    size_t n_hosts;
    const char *dbname; /* NULL: as the client names it */
    const char *user,
        *password; /* the gate's own, for this database's sessions; NULL */
    enum cfg_target target;
    int64_t connect_timeout_ms; /* for each address */
    struct cfg_tls tls;
    bool has_sni, is_direct_tls, sends_proxy_header;
    int64_t max_connections; /* 0: no limit */
    const char *file;
    int line;
};

struct cfg_user {
    const char *name;
    int64_t max_connections;
};

struct cfg_migrations {
    const char *name;
    const char *databases;     /* comma list of globs; the section's name if not set */
    const char *format;        /* as written: history knows the formats */
    const char *path;          /* resolved */
    const char *path_shown;    /* as written, for messages to clients */
    const char *history_table; /* as written: "public.x" or "x"; NULL: the format's */
    const char *attestation;   /* resolved: `attestation`, else PATH.attest */
    /* lists of globs; NULL: not set */
    const char *history_owner, *unrelated_schemas;
    const char *search_path, *baseline; /* NULL: not set */
    const char *repeat;                 /* "none", "create" (default) or "all" */
    const char **placeholders;          /* name, value, ...; owned */
    size_t n_placeholders;              /* pairs */
    const char *file;
    int line;
};

struct cfg {
    struct ref ref;
    const char *path;
#define CFG_ENUM(name, words, def, prose)    int name;
#define CFG_STRING(name, def, prose)         const char *name;
#define CFG_PATH(name, def, prose)           const char *name;
#define CFG_BOOL(name, def, prose)           bool name;
#define CFG_INT(name, min, max, def, prose)  int64_t name;
#define CFG_SIZE(name, min, max, def, prose) uint64_t name;
#define CFG_TIME(name, min, max, def, prose) int64_t name##_ms;
#include "ddlgate/tbl/settings.h"
    struct cfg_database *databases; /* owned */
    size_t n_databases;
    struct map
        *databases_by_name; /* owned; its values are indexes into databases, from 1 */
    struct cfg_database *peers; /* owned; other gates that may know a cancel key */
    size_t n_peers;
    struct cfg_user *users; /* owned */
    size_t n_users;
    struct cfg_migrations *migrations; /* owned */
    size_t n_migrations;
    struct arena *arena; /* owned; all strings */
};

/* settle: two readings 100 ms apart must agree (at reload). *out has one reference; drop
 * it with ref_drop. 0, -EINVAL (err says file:line and what to write) or -errno. */
int
cfg_load(const char *path, bool settle, struct cfg **out, struct err *err) MUST_CHECK;
/* The entry for a client's database name: exact, else "*", else NULL. */
const struct cfg_database *cfg_find_database(const struct cfg *c, const char *name);
/* Is it the name of the gate's own virtual database? */
bool cfg_is_admin_database(const struct cfg *c, const char *name);
bool cfg_is_admin_user(const struct cfg *c, const char *user);
/* Sessions that user may have; 0: no limit. */
int64_t cfg_user_limit(const struct cfg *c, const char *user);
/* TLS towards clients, from client_tls_*. */
struct cfg_tls cfg_client_tls(const struct cfg *c);
/* Does one of the globs in the section's `databases` match? */
bool cfg_migrations_cover(const struct cfg_migrations *m, const char *database);
/* Which [migrations] section a database has; NULL: none. First match in file order. */
const struct cfg_migrations *
cfg_find_migrations(const struct cfg *c, const char *database);

#endif
