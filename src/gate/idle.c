// SPDX-License-Identifier: ISC
/* What a session is told, and what the audit keeps, of a transaction that is idle while its
 * change locks others out. */
#include "gate/idle.h"

#include "ddlgate/sqlstate.h"
#include "gate/record.h"

#include <stdio.h>

int64_t
gate_idle_after_ms(const struct gate_client *c)
{
    struct gate_target t = gate_snapshot_find(c->env->snap, c->database);
    return t.policy ? pol_idle_after_ms(t.policy) : 0;
}

static void
fill_message(const struct pol_finding *f, const struct gate_intent *change,
    struct arena *a, struct gate_message *out)
{
    bool is_end = f->action >= DG_HOLD;
    const char *what = gate_message_line(a, f->message);
    *out = (struct gate_message){
        .severity = is_end ? "FATAL" : NULL,
        .sqlstate = f->sqlstate,
        .message = is_end
            ? arena_printf(a,
                "ddlgate: terminating connection due to rule %s: %s (request %s)",
                f->rule, what, change->request_id)
            : arena_printf(a, "ddlgate: rule %s: %s (request %s)", f->rule, what,
                change->request_id),
        .detail = gate_message_line(a, f->detail),
        .hint = gate_message_line(a, f->hint),
        .constraint = f->rule,
        .file = f->origin_file,
        .line = f->origin_line,
        .routine = f->rule,
    };
}

void
gate_idle_judge(struct gate_client *c, const struct gate_intent *change,
    int64_t idle_us, struct gate_idle *out)
{
    struct gate_target t = gate_snapshot_find(c->env->snap, c->database);
    char what[160];
    *out = (struct gate_idle){ .action = DG_ALLOW };
    pol_findings_init(&out->findings);
    if (!t.policy)
        return;
    snprintf(what, sizeof(what), "%s%s%s", change->command, change->object ? " " : "",
        change->object ? change->object : "");
    pol_idle_judge(t.policy, what, idle_us / 1000, &out->findings);
    if (out->findings.n == 0)
        return;
    const struct pol_finding *f = &out->findings.items[0];
    out->action = f->action;
    out->is_observed = f->is_observed;
    fill_message(f, change, out->findings.arena, &out->message);
    gate_record_idle(c, change, f, idle_us);
}

void
gate_idle_deinit(struct gate_idle *idle)
{
    pol_findings_deinit(&idle->findings);
}
