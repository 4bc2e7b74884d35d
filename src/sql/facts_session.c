// SPDX-License-Identifier: ISC
/* Facts of statements that steer the session: transactions, prepared statements, settings,
 * cursors, EXPLAIN. All are class other; what they wrap is found by the walk.
 *
 * Subcommands: COMMIT and ROLLBACK have AND CHAIN, EXPLAIN has ANALYZE, SET has LOCAL. */
#include "sql/make.h"

#include <string.h>

#define SET_KIND(type) PG_QUERY__VARIABLE_SET_KIND__VAR_##type

/* ---- transactions ---- */

static void
transaction(struct mk *m, const PgQuery__TransactionStmt *s)
{
    static const struct {
        const char *tag;
        enum sql_tx tx;
    } kinds[] = {
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN] = { "BEGIN", SQL_TX_BEGIN },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START] = { "START TRANSACTION",
            SQL_TX_BEGIN },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT] = { "COMMIT",
            SQL_TX_COMMIT },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK] = { "ROLLBACK",
            SQL_TX_ROLLBACK },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT] = { "SAVEPOINT",
            SQL_TX_SAVEPOINT },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE] = { "RELEASE",
            SQL_TX_RELEASE },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO] = { "ROLLBACK",
            SQL_TX_ROLLBACK_TO },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE] = { "PREPARE TRANSACTION",
            SQL_TX_PREPARE },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED] = { "COMMIT PREPARED",
            SQL_TX_COMMIT_PREPARED },
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED] = { "ROLLBACK PREPARED",
            SQL_TX_ROLLBACK_PREPARED },
    };
    size_t kind = (size_t)s->kind;

    if (kind >= DG_ARRAY_SIZE(kinds) || !kinds[kind].tag) {
        mk_begin(m, "BEGIN", DG_DDL);
        m->f.flags |= SQL_F_UNPARSABLE;
        return;
    }
    mk_begin(m, kinds[kind].tag, DG_OTHER);
    m->f.tx = kinds[kind].tx;
    m->f.tx_name = mk_text(m, s->gid[0] ? s->gid : s->savepoint_name);
    if (m->f.tx == SQL_TX_COMMIT_PREPARED || m->f.tx == SQL_TX_ROLLBACK_PREPARED)
        m->f.flags |= SQL_F_NO_TX;
    if (s->chain)
        mk_sub(m, "AND CHAIN");
}

/* ---- settings ---- */

static void
set(struct mk *m, const PgQuery__VariableSetStmt *s)
{
    const bool is_reset = s->kind == SET_KIND(RESET) || s->kind == SET_KIND(RESET_ALL);

    mk_begin(m, is_reset ? "RESET" : "SET", DG_OTHER);
    m->f.setting = s->kind == SET_KIND(RESET_ALL) ? "all" : mk_fold(m, s->name);
    m->f.setting_is_local = s->is_local;
    if (s->kind == SET_KIND(SET_VALUE))
        m->f.setting_value = mk_join(m, s->args, s->n_args, ", ");
    if (mk_setting_is_read(m->f.setting))
        m->f.flags |= SQL_F_READING;
    if (s->is_local)
        mk_sub(m, "LOCAL");
}

static void
discard(struct mk *m, const PgQuery__DiscardStmt *s)
{
    switch ((int)s->target) {
    case PG_QUERY__DISCARD_MODE__DISCARD_PLANS:
        mk_begin(m, "DISCARD PLANS", DG_OTHER);
        break;
    case PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES:
        mk_begin(m, "DISCARD SEQUENCES", DG_OTHER);
        break;
    case PG_QUERY__DISCARD_MODE__DISCARD_TEMP:
        mk_begin(m, "DISCARD TEMP", DG_OTHER);
        break;
    default:
        mk_begin(m, "DISCARD ALL", DG_OTHER);
        m->f.flags |= SQL_F_READING | SQL_F_NO_TX;
        m->f.setting = "all";
        m->f.prep = SQL_PREP_DEALLOCATE_ALL;
    }
}

/* ---- prepared statements ---- */

static void
prepared(struct mk *m, const char *tag, enum sql_prep prep, const char *name)
{
    mk_begin(m, tag, DG_OTHER);
    m->f.prep = prep;
    m->f.prep_name = mk_text(m, name);
}

static bool
wrappers(struct mk *m, const pgq_node *n)
{
    const char *name;

    switch ((int)n->node_case) {
    case NODE(PREPARE_STMT):
        prepared(m, "PREPARE", SQL_PREP_PREPARE, n->prepare_stmt->name);
        return true;
    case NODE(EXECUTE_STMT):
        prepared(m, "EXECUTE", SQL_PREP_EXECUTE, n->execute_stmt->name);
        return true;
    case NODE(DEALLOCATE_STMT):
        name = n->deallocate_stmt->name;
        if (name[0])
            prepared(m, "DEALLOCATE", SQL_PREP_DEALLOCATE, name);
        else
            prepared(m, "DEALLOCATE ALL", SQL_PREP_DEALLOCATE_ALL, NULL);
        return true;
    case NODE(EXPLAIN_STMT):
        mk_begin(m, "EXPLAIN", DG_OTHER);
        if (mk_option_is_on(
                n->explain_stmt->options, n->explain_stmt->n_options, "analyze"))
            mk_sub(m, "ANALYZE");
        return true;
    case NODE(DECLARE_CURSOR_STMT):
        mk_begin(m, "DECLARE CURSOR", DG_OTHER);
        return true;
    default:
        return false;
    }
}

bool
facts_session(struct mk *m, const pgq_node *node)
{
    switch ((int)node->node_case) {
    case NODE(TRANSACTION_STMT):
        transaction(m, node->transaction_stmt);
        return true;
    case NODE(VARIABLE_SET_STMT):
        set(m, node->variable_set_stmt);
        return true;
    case NODE(DISCARD_STMT):
        discard(m, node->discard_stmt);
        return true;
    case NODE(VARIABLE_SHOW_STMT):
        mk_begin(m, "SHOW", DG_OTHER);
        return true;
    case NODE(CONSTRAINTS_SET_STMT):
        mk_begin(m, "SET CONSTRAINTS", DG_OTHER);
        return true;
    case NODE(CLOSE_PORTAL_STMT):
        mk_begin(m,
            node->close_portal_stmt->portalname[0] ? "CLOSE CURSOR"
                                                   : "CLOSE CURSOR ALL",
            DG_OTHER);
        return true;
    case NODE(FETCH_STMT):
        mk_begin(m, node->fetch_stmt->ismove ? "MOVE" : "FETCH", DG_OTHER);
        return true;
    case NODE(NOTIFY_STMT):
        mk_begin(m, "NOTIFY", DG_OTHER);
        return true;
    case NODE(LISTEN_STMT):
        mk_begin(m, "LISTEN", DG_OTHER);
        return true;
    case NODE(UNLISTEN_STMT):
        mk_begin(m, "UNLISTEN", DG_OTHER);
        return true;
    case NODE(LOAD_STMT):
        mk_begin(m, "LOAD", DG_OTHER);
        return true;
    case NODE(CHECK_POINT_STMT):
        mk_begin(m, "CHECKPOINT", DG_OTHER);
        return true;
    default:
        return wrappers(m, node);
    }
}
