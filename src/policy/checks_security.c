// SPDX-License-Identifier: ISC
/* Checks of group security: what the gate can't see through. */
#include "policy/rules.h"

#include "ddlgate/sqlstate.h"

#include <string.h>

/* ---- unparsable-statement ---- */

/* Too deep or too long to be given to the parser at all: not a question of grammar. */
static bool
is_too_complex(const struct pol_run *r)
{
    return r->text->scan && r->text->scan->max_depth > SQL_TREE_DEFAULT_DEPTH;
}

void
pol_check_unparsable(struct pol_run *r, const struct sql_facts *f)
{
    if (!(f->flags & SQL_F_UNPARSABLE))
        return;
    bool is_complex = is_too_complex(r);
    const char *why = f->error ? f->error : "the gate's grammar does not know it";
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "it can't be read: %s", why),
            .detail =
                "It may change the schema, and what it changes can't be known; the "
                "server was not asked.",
            .hint = is_complex
                ? "Split it into smaller statements."
                : "Check its syntax. If the server is newer than the gate's "
                  "grammar (15) and accepts it, let it pass with an [access] "
                  "section: unparsable = allow.",
            .at = f->error ? f->error_pos + 1 : 0,
            .sqlstate = is_complex ? DG_SQLSTATE_TOO_COMPLEX : NULL));
}

void
pol_report_unread(struct pol_run *r, const struct sql_facts *f)
{
    bool is_query = strcmp(f->tag, "UNKNOWN") != 0;

    r->check = POL_C_UNPARSABLE;
    if (!pol_is_worth(r))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "it can't be read: %s", f->error),
            .detail = is_query ? "It seems to be a query, which changes no schema."
                               : "It seems to change no schema.",
            .hint = "Check its syntax. The gate's grammar is that of PostgreSQL 15; a "
                    "newer server may accept it.",
            .at = f->error_pos + 1, .is_limited = true,
            .at_most = is_query ? DG_NOTE : DG_WARN));
}

/* ---- ddl-hidden-in-code ---- */

void
pol_check_hidden(struct pol_run *r, const struct sql_facts *f)
{
    bool is_call = strcmp(f->tag, "CALL") == 0, is_do = strcmp(f->tag, "DO") == 0;
    bool is_dynamic = f->flags & SQL_F_DYNAMIC;

    if (!(f->flags & (SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE))
        || (f->flags & SQL_F_UNPARSABLE))
        return;
    const char *message =
        "its body changes the schema, where rules can't see all of it";
    const char *hint = "Write the schema changes as plain statements of the migration.";
    if (is_call) {
        message = "what the procedure does can't be seen from here";
        hint =
            "Put the procedure's schema changes into the migration as plain statements. "
            "Let a harmless one pass with an [access] section: command = CALL, object = "
            "its name, action = allow, unmigrated = allow, checks = off.";
    } else if (is_dynamic) {
        message = "it runs SQL text that is only known at run time";
        hint = "Write the statements out instead of building them with EXECUTE.";
    }
    pol_report(r,
        POL_REPORT(.message = message,
            .detail = is_do || is_call
                ? "What runs inside takes the same locks and can drop the same "
                  "data, but is judged only as far as it can be read."
                : "Whoever calls it later changes the schema with a plain SELECT "
                  "or CALL, past migrations and rules.",
            .hint = hint));
}
