/* The catalogue of checks: X-macro tables, included with the macros one wants defined.
 *
 * POL_CHECK(symbol, id, group, development, staging, production, scope, when, function,
 * params, summary): defaults are actions without their prefix (ALLOW: off).
 *   scope   SAFETY: runs unless the policy says otherwise. STANDARD: a question of a team's
 *           taste; runs where the policy has a [check ID] section for it, or checks = all.
 *   when    POL_ON_...: STATIC looks at statements that change the schema or the server (a
 *           migration as a whole, or a text that is in no migration); LIVE the same, and says
 *           nothing where nobody reads facts from the server (offline); FILE looks at every
 *           statement, in migration files and in `check` only, never at application traffic;
 *           END is asked once, at the end of such a file; HISTORY needs the migration history
 *           of a session; SESSION is asked by a session while nothing is sent
 *           (policy/idle.c); ALWAYS runs in all of them; EXEMPT is no check of its own.
 *   params  keys of its section beside action, message, hint, mode and reason, set apart by
 *           `;`, with the default after `=` (tbl/check_params.h says what they take).
 * The order is that of findings about one statement.
 *
 * POL_LEFT_OUT(id, group, development, staging, production, needs, why): rules of the
 * catalogue that are no check here. needs: LIVE (more facts from running servers than one
 * look at the catalogue gives), ELSEWHERE (another part does it; why names it). */
#ifndef POL_CHECK
#define POL_CHECK(symbol, id, group, dev, stg, prod, scope, when, function, params, summary)
#endif
#ifndef POL_LEFT_OUT
#define POL_LEFT_OUT(id, group, dev, stg, prod, needs, why)
#endif

POL_CHECK(UNPARSABLE, "unparsable-statement", "security", WARN, REJECT, REJECT, SAFETY,
    ALWAYS, pol_check_unparsable, "",
    "A statement that may change the schema and can't be read completely.")

#include "ddlgate/tbl/checks_history.h"
#include "ddlgate/tbl/checks_destructive.h"
#include "ddlgate/tbl/checks_locking.h"
#include "ddlgate/tbl/checks_transaction.h"
#include "ddlgate/tbl/checks_type.h"
#include "ddlgate/tbl/checks_naming.h"
#include "ddlgate/tbl/checks_modelling.h"
#include "ddlgate/tbl/checks_security.h"
#include "ddlgate/tbl/checks_hygiene.h"

#undef POL_CHECK
#undef POL_LEFT_OUT
