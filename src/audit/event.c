// SPDX-License-Identifier: ISC
/* Names and codes of the audit's events; the table is in ecosystem terms (ECS) except for
 * the codes, which are ours and never change their meaning. */
#include "audit/record.h"

const char *
aud_event_action(enum aud_event e)
{
    switch (e) {
    case AUD_SESSION_START:
        return "session.start";
    case AUD_SESSION_END:
        return "session.end";
    case AUD_INTENT:
        return "ddl.intent";
    case AUD_DECISION:
        return "ddl.decision";
    case AUD_OUTCOME:
        return "ddl.outcome";
    case AUD_RELOAD:
        return "config.reload";
    case AUD_GAP:
        return "audit.gap";
    case AUD_MALFORMED:
        return "protocol.malformed";
    case AUD_AUTH_FAILURE:
        return "auth.failure";
    case AUD_APPROVAL:
        return "approval";
    case AUD_ROTATED:
        return "audit.rotated";
    case AUD_IDLE:
        return "transaction.idle";
    case AUD_CAPTURE:
        return "migration.captured";
    }
    DG_ASSERT(false, "no such event: %d", (int)e);
    return NULL;
}

const char *
aud_outcome_name(enum aud_outcome o)
{
    switch (o) {
    case AUD_NONE:
        return NULL;
    case AUD_COMMITTED:
        return "committed";
    case AUD_ROLLED_BACK:
        return "rolled back";
    case AUD_FAILED:
        return "failed";
    case AUD_SKIPPED:
        return "skipped";
    case AUD_CANCELLED:
        return "cancelled";
    case AUD_EXECUTED:
        return "executed";
    case AUD_UNKNOWN:
        return "unknown";
    }
    DG_ASSERT(false, "no such outcome: %d", (int)o);
    return NULL;
}

static const char *
outcome_code(enum aud_outcome o)
{
    switch (o) {
    case AUD_NONE:
    case AUD_UNKNOWN:
        return "DG30W";
    case AUD_FAILED:
    case AUD_CANCELLED:
        return "DG30E";
    case AUD_COMMITTED:
    case AUD_ROLLED_BACK:
    case AUD_SKIPPED:
    case AUD_EXECUTED:
        return "DG30I";
    }
    DG_ASSERT(false, "no such outcome: %d", (int)o);
    return NULL;
}

const char *
aud_event_code(enum aud_event e, enum aud_outcome o, enum dg_action d)
{
    switch (e) {
    case AUD_SESSION_START:
        return "DG00";
    case AUD_SESSION_END:
        return "DG01";
    case AUD_INTENT:
        return "DG10I";
    case AUD_DECISION:
        return d == DG_REJECT ? "DG20W" : "DG20I";
    case AUD_OUTCOME:
        return outcome_code(o);
    case AUD_RELOAD:
        return o == AUD_FAILED ? "DG50W" : "DG50I";
    case AUD_GAP:
        return "DG70E";
    case AUD_MALFORMED:
        return "DG80W";
    case AUD_AUTH_FAILURE:
        return "DG02W";
    case AUD_APPROVAL:
        return d == DG_REJECT ? "DG40W" : "DG40I";
    case AUD_ROTATED:
        return "DG71I";
    case AUD_IDLE:
        return d >= DG_HOLD ? "DG25W" : "DG25I";
    case AUD_CAPTURE:
        return o == AUD_FAILED ? "DG61W" : "DG61I";
    }
    DG_ASSERT(false, "no such event: %d", (int)e);
    return NULL;
}

const char *
aud_event_category(enum aud_event e)
{
    switch (e) {
    case AUD_SESSION_START:
    case AUD_SESSION_END:
        return "session";
    case AUD_INTENT:
    case AUD_DECISION:
    case AUD_OUTCOME:
    case AUD_IDLE:
        return "database";
    case AUD_RELOAD:
    case AUD_APPROVAL:
    case AUD_GAP:
    case AUD_ROTATED:
    case AUD_CAPTURE:
        return "configuration";
    case AUD_MALFORMED:
        return "network";
    case AUD_AUTH_FAILURE:
        return "authentication";
    }
    DG_ASSERT(false, "no such event: %d", (int)e);
    return NULL;
}

static const char *
outcome_result(enum aud_outcome o)
{
    switch (o) {
    case AUD_COMMITTED:
    case AUD_EXECUTED:
        return "success";
    case AUD_ROLLED_BACK:
    case AUD_FAILED:
    case AUD_SKIPPED:
    case AUD_CANCELLED:
        return "failure";
    case AUD_NONE:
    case AUD_UNKNOWN:
        return "unknown";
    }
    DG_ASSERT(false, "no such outcome: %d", (int)o);
    return NULL;
}

const char *
aud_event_result(const struct aud_rec *r)
{
    switch (r->event) {
    case AUD_INTENT:
        return "unknown"; /* the server has not answered yet */
    case AUD_OUTCOME:
        return outcome_result(r->outcome);
    case AUD_DECISION:
        if (r->is_observed)
            return "success";
        return r->decision == DG_REJECT ? "failure"
            : r->decision == DG_HOLD    ? "unknown"
                                        : "success";
    case AUD_IDLE:
        return r->decision >= DG_HOLD && !r->is_observed ? "failure" : "success";
    case AUD_RELOAD:
    case AUD_CAPTURE:
        return r->outcome == AUD_FAILED ? "failure" : "success";
    case AUD_GAP:
    case AUD_MALFORMED:
    case AUD_AUTH_FAILURE:
        return "failure";
    case AUD_SESSION_START:
    case AUD_SESSION_END:
    case AUD_APPROVAL:
    case AUD_ROTATED:
        return "success";
    }
    DG_ASSERT(false, "no such event: %d", (int)r->event);
    return NULL;
}
