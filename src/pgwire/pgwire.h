// SPDX-License-Identifier: ISC
/* PostgreSQL's frontend/backend protocol 3.0 (manual chapter 55) as pure functions: bytes
 * in, bytes out, no socket, no allocation but where said.  thread: any */
#ifndef DG_PGWIRE_PGWIRE_H
#define DG_PGWIRE_PGWIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define PGW_HEADER_SIZE 5 /* type byte and length */
#define PGW_MAX_MESSAGE \
    0x3ffffffe                   /* length field; the server's PQ_LARGE_MESSAGE_LIMIT */
#define PGW_MAX_SMALL      10000 /* the same for messages that hold no data */
#define PGW_MAX_AUTH       65535 /* body; the server's PG_MAX_AUTH_TOKEN_LENGTH */
#define PGW_MAX_STARTUP    10004 /* whole packet; MAX_STARTUP_PACKET_LENGTH and 4 */
#define PGW_MAX_CANCEL_KEY 256   /* protocol 3.2; 4 bytes in 3.0 */
#define PGW_CANCEL_CODE    80877102
#define PGW_SSL_CODE       80877103
#define PGW_GSSENC_CODE    80877104
#define PGW_PROTOCOL_3_0   196608
#define PGW_PROTOCOL_3_2   196610

enum {
    PGW_NEED_MORE = 1,  /* nothing consumed */
    PGW_E_MALFORMED = 2 /* err says how: close both sides */
};

/* The header of a message: body_len is the length field minus 4. */
struct pgw_head {
    char type;
    uint32_t body_len;
};

/* From client, after login: also checks the length against the type before anything is
 * buffered (the limits the server itself has, src/backend/tcop/postgres.c and pqcomm.h);
 * unknown types and authentication replies ('p') are malformed.
 * From client, until AuthenticationOk: nothing but 'p'.
 * From server: known types and lengths.
 * All look at PGW_HEADER_SIZE bytes: 0, PGW_NEED_MORE, PGW_E_MALFORMED. */
int pgw_head_client(const char *p, size_t n, struct pgw_head *out, struct err *err)
    MUST_CHECK;
int pgw_head_login(const char *p, size_t n, struct pgw_head *out, struct err *err)
    MUST_CHECK;
int pgw_head_server(const char *p, size_t n, struct pgw_head *out, struct err *err)
    MUST_CHECK;

/* Walks over the DataRow and CopyData messages at the front of p: the bulk of all traffic,
 * of which only the lengths matter. Returns the bytes dealt with, and in *rest how many of
 * the last message are still to come; stops before a header that is incomplete, of another
 * type, or wrong. */
size_t pgw_skip_rows(const char *p, size_t n, size_t *rest);

/* The first packet of a connection. */
enum pgw_startup_kind {
    PGW_STARTUP,
    PGW_SSL_REQUEST,
    PGW_GSSENC_REQUEST,
    PGW_CANCEL_REQUEST,
};
#define PGW_MAX_PARAMS 64
struct pgw_startup {
    enum pgw_startup_kind kind;
    uint32_t protocol; /* PGW_STARTUP */
    size_t size;       /* bytes of the whole packet */
    struct str keys[PGW_MAX_PARAMS],
        values[PGW_MAX_PARAMS]; /* borrowed from the packet */
    size_t n;
    uint32_t cancel_pid;   /* PGW_CANCEL_REQUEST */
    struct str cancel_key; /* its secret: 4 bytes in protocol 3.0 */
};
/* 0, PGW_NEED_MORE, PGW_E_MALFORMED (bad length, missing terminator, duplicate key, no
 * user, too many parameters; err has the text for the client). A bad length or code is
 * seen before the rest of the packet is there. What stands after out->size bytes is not
 * looked at: after an SSL or GSS request there must be nothing (the caller checks). */
int pgw_startup_parse(const char *p, size_t n, struct pgw_startup *out, struct err *err)
    MUST_CHECK;
/* The value of a key or NULL. As the server: user, database, options and replication are
 * compared with case, parameters without. */
const struct str *pgw_startup_get(const struct pgw_startup *s, const char *key);
/* Does `options` (-c name=value, --name=value, escaped blanks) set this parameter? Its
 * last value, decoded, in out (cut at size - 1 bytes). What a parameter of the packet's
 * own says wins over `options` on the server. options.n <= PGW_MAX_STARTUP. */
bool pgw_options_get(struct str options, const char *name, char *out, size_t size);
void pgw_startup_build(struct buf *out, uint32_t protocol, const struct str *keys,
    const struct str *values, size_t n);

/* ErrorResponse or NoticeResponse. Empty or NULL fields are left out. message, detail, hint
 * and where are cut, at a character, after PGW_MAX_TEXT bytes, names after PGW_MAX_NAME:
 * much of it comes from a client's text. out needs room for PGW_MAX_ERROR bytes at most,
 * else it asserts. */
#define PGW_MAX_TEXT  8192
#define PGW_MAX_NAME  1024
#define PGW_MAX_ERROR (48 << 10)
struct pgw_error {
    const char *severity; /* ERROR, FATAL, WARNING */
    const char *sqlstate;
    const char *message, *detail, *hint, *where;
    const char *schema, *table, *column, *constraint;
    const char *file, *routine;
    int line;     /* 0: none */
    int position; /* in characters from 1, 0: none */
};
void pgw_error_build(struct buf *out, bool is_notice, const struct pgw_error *e);
/* The ErrorResponse, or NoticeResponse, with this body and another POSITION; false: its shape
 * is wrong. */
bool pgw_error_move(
    struct buf *out, bool is_notice, const char *body, size_t n, int position);
/* The same without the fields whose codes are listed. */
bool pgw_error_strip(
    struct buf *out, bool is_notice, const char *body, size_t n, const char *codes);
/* Finds a field by its code ('C', 'M', ...) in a body; false if absent or unterminated. */
bool pgw_error_field(const char *body, size_t n, char code, struct str *out);

/* Client messages. All check that the body has exactly the shape the protocol says
 * (terminators, no surplus bytes); 0 or PGW_E_MALFORMED. Results borrow from body. */
int pgw_parse_query(const char *body, size_t n, struct str *sql, struct err *err)
    MUST_CHECK;
struct pgw_parse {
    struct str name, sql;
    unsigned n_types; /* parameter types it declares */
    struct str types; /* their number and oids, as they stand behind the text */
};
int pgw_parse_parse(const char *body, size_t n, struct pgw_parse *out, struct err *err)
    MUST_CHECK;
struct pgw_bind {
    struct str portal, statement;
    const char *formats; /* n_formats big-endian int16 */
    unsigned n_formats, n_params;
    const char *params; /* n_params of int32 length and bytes */
    size_t params_len;
};
int pgw_parse_bind(const char *body, size_t n, struct pgw_bind *out, struct err *err)
    MUST_CHECK;
/* The i-th parameter: *p NULL for SQL null. Walks from the start: O(i). */
bool pgw_bind_param(
    const struct pgw_bind *b, unsigned i, struct str *value, bool *is_binary);
/* Execute: portal. Describe and Close: *what is 'S' or 'P'. */
int pgw_parse_execute(const char *body, size_t n, struct str *portal, struct err *err)
    MUST_CHECK;
int pgw_parse_target(const char *body, size_t n, char *what, struct str *name,
    struct err *err) MUST_CHECK;

/* FunctionCall: the function's OID; the arguments are walked, too. */
int pgw_parse_function_call(const char *body, size_t n, uint32_t *oid, struct err *err)
    MUST_CHECK;

/* Server messages the relay looks into: 0 or PGW_E_MALFORMED. */
enum pgw_auth {
    PGW_AUTH_OK = 0,
    PGW_AUTH_CLEARTEXT = 3,
    PGW_AUTH_MD5 = 5,
    PGW_AUTH_SASL = 10,
    PGW_AUTH_SASL_CONTINUE = 11,
    PGW_AUTH_SASL_FINAL = 12,
};
int pgw_parse_auth(const char *body, size_t n, uint32_t *kind) MUST_CHECK; /* 'R' */
int
pgw_parse_ready(const char *body, size_t n, char *status) MUST_CHECK; /* I, T or E */
int pgw_parse_backend_key(const char *body, size_t n, uint32_t *pid, struct str *key)
    MUST_CHECK;
int pgw_parse_parameter_status(
    const char *body, size_t n, struct str *name, struct str *value) MUST_CHECK;
int pgw_parse_command_complete(const char *body, size_t n, struct str *tag) MUST_CHECK;

/* Builders. All text is ours or was checked before; out must have room (buf_put asserts).
 * Names and texts hold no NUL. */
void pgw_build_query(struct buf *out, const char *sql);
void pgw_build_parse(struct buf *out, struct str name, const char *sql);
/* types: as in struct pgw_parse. */
void pgw_build_parse_typed(
    struct buf *out, struct str name, const char *sql, struct str types);
void pgw_build_bind(
    struct buf *out, struct str portal, struct str statement);     /* no parameters */
void pgw_build_execute(struct buf *out, struct str portal);        /* all rows */
void pgw_build_close(struct buf *out, char what, struct str name); /* 'S' or 'P' */
void pgw_build_sync(struct buf *out);
void pgw_build_copy_data(struct buf *out, struct str data);
void pgw_build_copy_fail(struct buf *out, const char *message);
void pgw_build_terminate(struct buf *out);
void pgw_build_cancel(struct buf *out, uint32_t pid, struct str key);
/* What a server says: for answers that the gate gives itself. */
void pgw_build_auth_ok(struct buf *out);
void pgw_build_parameter_status(struct buf *out, const char *name, struct str value);
void pgw_build_backend_key(struct buf *out, uint32_t pid, struct str key);
/* NegotiateProtocolVersion: the newest version we speak, and options we don't know. */
void pgw_build_negotiate(
    struct buf *out, uint32_t protocol, const struct str *options, size_t n);
void pgw_build_ready(struct buf *out, char status);
void pgw_build_row_description(
    struct buf *out, const char *const *names, size_t n); /* text */
void pgw_build_data_row(
    struct buf *out, const char *const *values, size_t n); /* NULL: null */
void pgw_build_command_complete(struct buf *out, const char *tag);

static inline uint32_t
pgw_u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static inline unsigned
pgw_u16(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (unsigned)u[0] << 8 | u[1];
}

#endif
