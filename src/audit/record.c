// SPDX-License-Identifier: ISC
/* Renders records; see record.h. */
#include "audit/record.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/names.h"

#define ECS_VERSION "9.4.0"

const struct aud_chain aud_chain_start = {
    .hash = "0000000000000000000000000000000000000000000000000000000000000000",
};

/* At most max bytes, not cut inside a character. */
static struct str
at_most(const char *s, size_t max, bool *is_cut)
{
    struct str v = { s, strnlen(s, max + 1) };

    *is_cut = v.n > max;
    if (!*is_cut)
        return v;
    v.n = max;
    for (size_t back = 0; back < 4 && back < v.n; back++) {
        unsigned char c = (unsigned char)s[v.n - back];
        if ((c & 0xc0) != 0x80) {
            v.n -= back;
            break;
        }
    }
    return v;
}

static void
put(struct json *j, const char *key, const char *s, size_t max)
{
    bool is_cut;

    if (s && *s)
        json_kv_str(j, key, at_most(s, max, &is_cut));
}

static void
put_short(struct json *j, const char *key, const char *s)
{
    put(j, key, s, AUD_MAX_SHORT);
}

static void
put_count(struct json *j, const char *key, uint64_t v)
{
    if (v)
        json_kv_int(j, key, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static void
put_strings(struct json *j, const char *key, const char *first, const char *second)
{
    json_key(j, key);
    json_array(j);
    if (first)
        json_strz(j, first);
    if (second)
        json_strz(j, second);
    json_array_end(j);
}

/* ECS' words for what a statement does, from its command tag. */
static const char *
kind_of_change(const char *command)
{
    if (!command)
        return "change";
    if (str_prefix(command, "CREATE ") || strcmp(command, "SELECT INTO") == 0)
        return "creation";
    if (str_prefix(command, "DROP "))
        return "deletion";
    return "change";
}

static void
put_types(struct json *j, const struct aud_rec *r)
{
    const char *kind = kind_of_change(r->command), *second = NULL;

    switch (r->event) {
    case AUD_SESSION_START:
        kind = "start";
        break;
    case AUD_SESSION_END:
        kind = "end";
        break;
    case AUD_INTENT:
        second = "allowed";
        break;
    case AUD_DECISION:
        if (r->decision == DG_REJECT && !r->is_observed)
            second = "denied";
        else
            second = r->decision == DG_HOLD && !r->is_observed ? "info" : "allowed";
        break;
    case AUD_OUTCOME:
        if (r->outcome == AUD_FAILED || r->outcome == AUD_CANCELLED)
            second = "error";
        break;
    case AUD_IDLE:
        kind = r->decision >= DG_HOLD && !r->is_observed ? "end" : "info";
        break;
    case AUD_CAPTURE:
        kind = r->outcome == AUD_FAILED ? "error" : "creation";
        break;
    case AUD_RELOAD:
        kind = "change";
        second = r->outcome == AUD_FAILED ? "error" : NULL;
        break;
    case AUD_APPROVAL:
        kind = r->decision == DG_REJECT ? "denied" : "allowed";
        break;
    case AUD_GAP:
        kind = "error";
        break;
    case AUD_ROTATED:
        kind = "info";
        break;
    case AUD_MALFORMED:
        kind = "protocol";
        second = "denied";
        break;
    case AUD_AUTH_FAILURE:
        kind = "denied";
        break;
    }
    put_strings(j, "event.type", kind, second);
}

static void
put_envelope(struct json *j, const struct aud_rec *r, const char *host, int64_t wall_us)
{
    char time[CLK_RFC3339_SIZE];

    clk_rfc3339(wall_us, time);
    json_kv(j, "@timestamp", time);
    json_kv(j, "ecs.version", ECS_VERSION);
    json_kv(j, "event.kind", "event");
    put_strings(j, "event.category", aud_event_category(r->event), NULL);
    put_types(j, r);
    json_kv(j, "event.action", aud_event_action(r->event));
    json_kv(j, "event.code", aud_event_code(r->event, r->outcome, r->decision));
    json_kv(j, "event.outcome", aud_event_result(r));
    put(j, "event.reason", r->reason, AUD_MAX_LONG);
    if (r->duration_us > 0)
        json_kv_int(j, "event.duration",
            r->duration_us > INT64_MAX / 1000 ? INT64_MAX : r->duration_us * 1000);
    json_kv(j, "service.name", "ddlgate");
    json_kv(j, "service.version", DG_VERSION);
    put_short(j, "service.node.name", host);
    json_kv_int(j, "process.pid", getpid());
}

static void
put_session(struct json *j, const struct aud_rec *r)
{
    put_short(j, "user.name", r->user);
    put_short(j, "client.address", r->client_addr);
    if (r->client_port > 0)
        json_kv_int(j, "client.port", r->client_port);
    put_short(j, "tls.version", r->tls_version);
    put_short(j, "tls.cipher", r->tls_cipher);
    put_short(j, "tls.client.subject", r->tls_subject);
    put_short(j, "tls.client.x509.subject.common_name", r->tls_cn);
    put_short(j, "server.address", r->server_addr);
    if (r->server_port > 0)
        json_kv_int(j, "server.port", r->server_port);
    json_kv(j, "db.system.name", "postgresql");
    put_short(j, "db.namespace", r->database);
    put_short(j, "ddlgate.session.id", r->session_id);
    put_short(j, "ddlgate.application_name", r->application_name);
    put_short(j, "ddlgate.listener", r->listener);
    put_short(j, "ddlgate.peer_uid", r->peer_uid);
    put_count(j, "ddlgate.upstream.version",
        r->server_version > 0 ? (uint64_t)r->server_version : 0);
    put_count(j, "ddlgate.upstream.pid", r->server_pid);
    put_short(j, "ddlgate.environment", r->environment);
}

static void
put_text(struct json *j, const struct aud_rec *r)
{
    bool is_cut;

    if (!r->text)
        return;
    json_kv_str(j, "db.query.text", at_most(r->text, AUD_MAX_TEXT, &is_cut));
    json_kv_bool(j, "ddlgate.query.truncated", r->is_text_cut || is_cut);
    put_count(j, "ddlgate.query.length", r->text_bytes);
}

/* "ALTER TABLE public.orders" */
static void
put_summary(struct json *j, const struct aud_rec *r)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(AUD_MAX_SHORT + AUD_MAX_LONG + 2);
    bool is_cut;

    if (!r->command || !*r->command)
        return;
    struct str word = at_most(r->command, AUD_MAX_SHORT, &is_cut);
    buf_put(&b, word.p, word.n);
    if (r->object && *r->object) {
        word = at_most(r->object, AUD_MAX_LONG, &is_cut);
        buf_puts(&b, " ");
        buf_put(&b, word.p, word.n);
    }
    json_kv_str(j, "db.query.summary", (struct str){ buf_ptr(&b), buf_len(&b) });
}

static bool
has_decision(const struct aud_rec *r)
{
    return r->event == AUD_INTENT || r->event == AUD_DECISION
        || r->event == AUD_APPROVAL || r->decision != DG_ALLOW;
}

static void
put_statement(struct json *j, const struct aud_rec *r)
{
    put_short(j, "db.operation.name", r->command);
    put(j, "db.collection.name", r->object, AUD_MAX_LONG);
    put_summary(j, r);
    put_text(j, r);
    put_short(j, "db.response.status_code", r->sqlstate);
    put_short(j, "rule.name", r->rule);
    put_short(j, "rule.ruleset", r->rule_set);
    put_count(j, "ddlgate.statement.id", r->statement_id);
    if (r->statement_id)
        json_kv_int(j, "ddlgate.substatement.id", r->substatement_id);
    put_short(j, "ddlgate.request.id", r->request_id);
    put_short(j, "ddlgate.intent.id", r->intent_id);
    put_short(j, "ddlgate.class", r->cls);
    put_short(j, "ddlgate.object.type", r->object_type);
    put_short(j, "ddlgate.digest", r->digest);
    if (has_decision(r))
        json_kv(j, "ddlgate.decision", dg_action_name(r->decision));
    if (r->is_observed)
        json_kv_bool(j, "ddlgate.observed", true);
    json_kv(j, "ddlgate.outcome", aud_outcome_name(r->outcome));
    put(j, "ddlgate.findings", r->findings, AUD_MAX_LONG);
    put(j, "ddlgate.rewrite.text", r->rewritten_text, AUD_MAX_TEXT);
    put_short(j, "ddlgate.rewrite.settings", r->rewritten_settings);
    put_short(j, "ddlgate.rewrite.follow_up", r->rewritten_follow_up);
    put_short(j, "ddlgate.migration.source", r->migration_source);
    put_short(j, "ddlgate.migration.version", r->migration_version);
    put_short(j, "ddlgate.migration.file", r->migration_file);
}

/* What a replay needs beside the statement. */
static void
put_circumstances(struct json *j, const struct aud_rec *r)
{
    if (r->tx != AUD_TX_UNTOLD)
        json_kv_bool(j, "ddlgate.in_transaction", r->tx == AUD_TX_INSIDE);
    put(j, "ddlgate.search_path", r->search_path, AUD_MAX_LONG);
    if (r->is_non_std_strings)
        json_kv_bool(j, "ddlgate.standard_conforming_strings", false);
    put_short(j, "ddlgate.query.error", r->query_error);
    put_short(j, "ddlgate.history.match", r->history_match);
    put_short(j, "ddlgate.history.write", r->history_write);
    put_short(j, "ddlgate.history.edited", r->history_edited);
    put_short(j, "ddlgate.history.missing", r->history_missing);
    put(j, "ddlgate.request.text", r->request_text, AUD_MAX_TEXT);
    put(j, "ddlgate.request.history", r->request_history, AUD_MAX_LONG);
    if (r->is_request_cut)
        json_kv_bool(j, "ddlgate.request.truncated", true);
}

static void
put_note(struct json *j, const struct aud_note *note)
{
    struct str id;

    put_short(j, "error.message", note->error);
    if (note->since_us) {
        char time[CLK_RFC3339_SIZE];
        clk_rfc3339(note->since_us, time);
        json_kv(j, "event.start", time);
    }
    put_short(j, "ddlgate.audit.previous_file", note->previous_file);
    put_short(j, "ddlgate.audit.tail", note->tail);
    put_count(j, "ddlgate.audit.cut_bytes", note->cut_bytes);
    put_count(j, "ddlgate.audit.lost_records", note->lost_records);
    if (!note->open_intents || map_count(note->open_intents) == 0)
        return;
    json_key(j, "ddlgate.audit.open_intents");
    json_array(j);
    for (size_t pos = 0; map_next(note->open_intents, &pos, &id, NULL);) {
        if (buf_len(j->out) > AUD_MAX_LINE / 2)
            break; /* a million of them; a line must stay readable */
        json_str(j, id);
    }
    json_array_end(j);
}

void
aud_rec_render(struct buf *out, const struct aud_rec *rec, const struct aud_note *note,
    const char *host, int64_t wall_us)
{
    struct json j = JSON_INIT(out);

    json_object(&j);
    put_envelope(&j, rec, host, wall_us);
    put_session(&j, rec);
    put_statement(&j, rec);
    put_circumstances(&j, rec);
    if (note)
        put_note(&j, note);
}

bool
aud_rec_is_final(const struct aud_rec *rec)
{
    return rec->event == AUD_OUTCOME && rec->outcome != AUD_EXECUTED
        && rec->outcome != AUD_NONE;
}

void
aud_hash_line(struct str line, char out[HASH_HEX_SIZE])
{
    uint8_t sum[HASH_SHA256_SIZE];

    hash_sha256_of(line.p, line.n, sum);
    hash_hex(sum, sizeof(sum), out);
}

void
aud_chain_add(struct aud_chain *chain, const char *id, struct str head, struct buf *out)
{
    size_t at = buf_len(out);

    buf_put(out, head.p, head.n);
    buf_putf(out,
        ",\"event.sequence\":%" PRIu64
        ",\"event.id\":\"%s\",\"ddlgate.prev.hash\":\"%s\"}",
        ++chain->sequence, id, chain->hash);
    aud_hash_line((struct str){ buf_ptr(out) + at, buf_len(out) - at }, chain->hash);
    buf_puts(out, "\n");
}

/* The 128 bits, five at a time from the top; the first character has three. */
static void
encode_id(const uint8_t bits[16], char out[AUD_ID_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned acc = 0, have = 2; /* two leading zero bits make 26 * 5 */
    size_t n = 0;

    for (size_t i = 0; i < 16; i++) {
        acc = acc << 8 | bits[i];
        for (have += 8; have >= 5; have -= 5)
            out[n++] = digits[acc >> (have - 5) & 31];
        acc &= 31;
    }
    out[n] = 0;
    DG_ASSERT(n == AUD_ID_SIZE - 1 && have == 0, "an id of %zu characters", n);
}

void
aud_id_next(struct aud_ids *ids, int64_t wall_us, char out[AUD_ID_SIZE])
{
    uint64_t ms = wall_us > 0 ? (uint64_t)wall_us / 1000 : 0;
    uint8_t bits[16];

    if (ms > ids->ms) {
        ids->ms = ms;
        hash_random(ids->tail, sizeof(ids->tail));
        ids->tail[0] &= 0x7f; /* room to count up */
    } else {
        for (size_t i = sizeof(ids->tail); i > 0 && ++ids->tail[i - 1] == 0; i--)
            ;
    }
    for (size_t i = 0; i < 6; i++)
        bits[i] = (uint8_t)(ids->ms >> (40 - 8 * i));
    memcpy(bits + 6, ids->tail, sizeof(ids->tail));
    encode_id(bits, out);
}
