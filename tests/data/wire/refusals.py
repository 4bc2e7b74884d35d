# SPDX-License-Identifier: ISC
"""Schema changes that policy refuses, in every state of a session: the stream must be that
of a syntax error at the same place (invariant 2). NO is the refused text."""
from talk import *

SELECT = extended("SELECT 1")
IN = "COPY t FROM STDIN"


def no(name="", portal=""):
    return [P(NO, name), B(name=name, portal=portal), D("P", portal), E(portal)]


CASES = {
    # --- simple
    "query": refused(Q(NO), Q("SELECT 1")),
    "query_twice": refused(Q(NO), Q(NO), Q("SELECT 1")),
    "text_first": refused(Q(NO + "; SELECT 1"), Q("SELECT 2")),
    "text_last": refused(Q("SELECT 1; " + NO), Q("SELECT 2")),
    "text_middle": refused(Q("INSERT INTO u VALUES (60, ''); " + NO + "; SELECT 1"), Q("SELECT count(*) FROM u")),
    "text_with_transaction": refused(Q("BEGIN; INSERT INTO u VALUES (60, ''); COMMIT; " + NO), Q("SELECT count(*) FROM u")),
    "text_begin": refused(Q("BEGIN; " + NO), Q("SELECT 1")),
    "text_commit": refused(Q("BEGIN"), Q("INSERT INTO u VALUES (60, '')"), Q(NO + "; COMMIT"), Q("SELECT 1"), Q("COMMIT"),
                           Q("SELECT count(*) FROM u")),
    "in_transaction": refused(Q("BEGIN"), Q("INSERT INTO u VALUES (60, '')"), Q(NO), Q("SELECT 1"), Q("COMMIT"),
                              Q("SELECT count(*) FROM u")),
    "in_failed_transaction": refused(Q("BEGIN"), Q("SELECT 1/0"), Q(NO), Q("ROLLBACK")),
    "in_failed_by_refusal": refused(Q("BEGIN"), Q(NO), Q(NO), Q("ROLLBACK")),
    "in_savepoint": refused(Q("BEGIN"), Q("SAVEPOINT a"), Q(NO), Q("ROLLBACK TO a"), Q("SELECT 1"), Q("COMMIT")),
    "in_savepoints": refused(Q("BEGIN"), Q("SAVEPOINT a"), Q("SAVEPOINT b"), Q(NO), Q("RELEASE b"), Q("ROLLBACK TO b"),
                             Q("RELEASE a"), Q("COMMIT")),
    "in_chain": refused(Q("BEGIN"), Q(NO), Q("COMMIT AND CHAIN"), Q("ROLLBACK")),
    "pipelined": refused(glue(Q("SELECT 1"), Q(NO), Q("SELECT 2"), Q(NO), Q("SELECT 3"))),
    "pipelined_in_transaction": refused(glue(Q("BEGIN"), Q(NO), Q("SELECT 2"), Q("ROLLBACK"))),
    "pipelined_after_error": refused(glue(Q("SELECT 1/0"), Q(NO), Q("SELECT 1"))),
    "beside_allowed_ddl": refused(glue(Q("CREATE TABLE made (x int)"), Q(NO), Q("DROP TABLE made"))),
    "text_with_allowed_ddl": refused(Q("CREATE TABLE made (x int); " + NO), Q("SELECT to_regclass('made')")),
    "with_cursor": refused(Q("BEGIN"), Q("DECLARE k CURSOR FOR SELECT a FROM t ORDER BY a"), Q("FETCH 1 k"), Q(NO),
                           Q("FETCH 1 k"), Q("ROLLBACK")),
    "cursor_with_hold_survives": refused(Q("BEGIN; DECLARE k CURSOR WITH HOLD FOR SELECT a FROM t ORDER BY a; COMMIT"),
                                         Q(NO), Q("FETCH 1 k")),
    "settings_go_back": refused(Q("BEGIN"), Q("SET DateStyle = German"), Q(NO), Q("ROLLBACK"), Q("SHOW DateStyle")),
    "settings_in_text": refused(Q("SET DateStyle = German; " + NO), Q("SHOW DateStyle")),
    "listen_in_transaction": refused(Q("BEGIN; LISTEN z_@own@"), Q(NO), Q("COMMIT"), Q("NOTIFY z_@own@")),
    "unnamed_statement_is_gone": refused(P("SELECT 1"), S(), Q(NO), B(), E(), S()),
    "named_statement_stays": refused(P("SELECT 1", "s"), S(), Q(NO), B(name="s"), E(), S()),
    "long_text": refused(Q(NO + " /* " + "x" * 100000 + " */"), Q("SELECT 1"), manners=("written", "glued")),
    "sql_prepare": refused(Q("PREPARE q AS SELECT 1"), Q(NO), Q("EXECUTE q")),
    "advisory_lock_stays": refused(Q("SELECT pg_advisory_lock(77)"), Q(NO), Q("SELECT pg_advisory_unlock(77)")),

    # --- extended
    "parse": refused(P(NO), S(), Q("SELECT 1")),
    "parse_named": refused(P(NO, "s"), S(), B(name="s"), E(), S()),
    "parse_named_then_good": refused(P(NO, "s"), S(), P("SELECT 1", "s"), B(name="s"), E(), S()),
    "parse_over_existing_name": refused(P("SELECT 1", "s"), S(), P(NO, "s"), S(), B(name="s"), E(), S()),
    "parse_over_unnamed": refused(P("SELECT 1"), S(), P(NO), S(), B(), E(), S()),
    "batch": refused(no(), S(), Q("SELECT 1")),
    "batch_first": refused(glue(no(), SELECT, SELECT, S(), SELECT, S())),
    "batch_last": refused(glue(SELECT, SELECT, no(), S(), SELECT, S())),
    "batch_middle": refused(glue(extended("INSERT INTO u VALUES (61, '')"), no(), SELECT, S()), Q("SELECT count(*) FROM u")),
    "batch_twice": refused(glue(no(), no("s"), S())),
    "batch_in_transaction": refused(glue(extended("BEGIN"), SELECT, no(), SELECT, S()), Q("SELECT 1"), Q("ROLLBACK")),
    "batch_with_commit": refused(glue(extended("BEGIN"), no(), extended("COMMIT"), S()), Q("SELECT 1"), Q("COMMIT")),
    "batch_after_error": refused(glue(extended("SELECT 1/0"), no(), S()), Q("SELECT 1")),
    "batch_before_error": refused(glue(no(), extended("SELECT 1/0"), S())),
    "pipeline_of_batches": refused(glue([[no(), S(), SELECT, S()] for _ in range(5)])),
    "pipeline_in_transaction": refused(glue([[extended(q), S()] for q in ("BEGIN", "SELECT 1")], no(), S(), SELECT, S(),
                                            extended("ROLLBACK"), S())),
    "pipeline_with_savepoints": refused(glue([[extended(q), S()] for q in ("BEGIN", "SAVEPOINT a")], no(), S(),
                                             [[extended(q), S()] for q in ("ROLLBACK TO a", "SELECT 1", "COMMIT")])),
    "flush": refused(P(NO), H("E"), B(), E(), H(), S()),
    "flush_before": refused(SELECT, H("C"), no(), S()),
    "query_in_batch": refused(glue(SELECT, Q(NO), SELECT, S())),
    "query_in_refused_batch": refused(glue(no(), Q("SELECT 1", ""), S()), Q("SELECT 2")),
    "refused_query_in_refused_batch": refused(glue(no(), Q(NO, ""), S()), Q("SELECT 2")),
    "described": refused(P(NO), D("S"), S(), Q("SELECT 1")),
    "closed_after": refused(P(NO, "s"), C("S", "s"), S(), P("SELECT 1", "s"), S()),
    "portal_suspended_stays": refused(Q("BEGIN"), P("SELECT generate_series(1, 5)"), B(portal="p"), E("p", 2), S(), Q(NO),
                                      E("p", 2), S(), Q("ROLLBACK")),
    "portal_suspended_savepoint": refused(Q("BEGIN"), P("SELECT generate_series(1, 5)"), B(portal="p"), E("p", 2), S(),
                                          Q("SAVEPOINT a"), Q(NO), Q("ROLLBACK TO a"), E("p", 2), S(), Q("ROLLBACK")),
    "portal_suspended_in_batch": refused(glue(P("SELECT generate_series(1, 5)"), B(portal="p"), E("p", 2), no(), E("p", 2), S())),
    "deferred_error_not_reached": refused(Q("BEGIN"), Q("INSERT INTO d VALUES (1)"), Q(NO), Q("COMMIT")),
    "implicit_transaction_undone": refused(glue(extended("INSERT INTO u VALUES (62, '')"), H(), no(), S()),
                                           Q("SELECT count(*) FROM u")),

    # --- copy
    "before_copy": refused(Q(NO), Q(IN, "G"), d("1\tx\n"), c(), Q("SELECT count(*) FROM t")),
    "after_copy": refused(Q(IN, "G"), d("1\tx\n"), c(), Q(NO), Q("SELECT count(*) FROM t")),
    "text_with_copy": refused(Q(IN + "; " + NO), Q("SELECT count(*) FROM t")),
    "text_with_copy_and_data": refused(glue(Q(IN + "; " + NO, ""), d("1\tx\n"), c("")), wait("Z"), Q("SELECT count(*) FROM t")),
    "behind_pipelined_copy": refused(glue(Q(IN, ""), d("1\tx\n"), c(""), Q(NO, "")), wait("Z"), wait("Z"),
                                     Q("SELECT count(*) FROM t")),
    "behind_failed_copy": refused(glue(Q(IN, ""), d("bad\n"), c(""), Q(NO, "")), wait("Z"), wait("Z"), Q("SELECT 1")),
    "behind_copy_in_batch": refused(P(IN), B(), E(), H("G"), d("1\tx\n"), c(""), no(), S(), Q("SELECT count(*) FROM t")),
    "copy_out_and_refusal": refused(glue(Q("COPY t TO STDOUT"), Q(NO), Q("COPY t TO STDOUT"))),
    "copy_in_transaction": refused(Q("BEGIN"), Q(IN, "G"), d("1\tx\n"), c(), Q(NO), Q("COMMIT"), Q("SELECT count(*) FROM t")),
    "stray_copy_data": refused(Q(NO), d("stray"), c(""), Q("SELECT 1")),
    "copy_into_refused": refused(Q(NO + "; COPY no_table FROM STDIN"), d("1\n"), c(""), Q("SELECT 1")),

    # --- functions, endings
    "function_behind": refused(Q(NO), F(870, b"ABC")),
    "function_in_refused_batch": refused(glue(no(), F(870, b"ABC", until=""), S()), Q("SELECT 1")),
    "terminate_behind": refused(Q(NO), X(), ends=False),
    "terminate_in_refused_batch": refused(no(), X(), ends=False),
    "notify_between": refused(Q("LISTEN z_@own@"), glue(Q("NOTIFY z_@own@, 'a'"), Q(NO), Q("NOTIFY z_@own@, 'b'"))),
    "notice_between": refused(glue(Q("SELECT say('a')"), Q(NO), Q("SELECT say('b')"))),
    "hundred": refused(glue([[Q(NO), Q("SELECT 1")] for _ in range(100)]), manners=("written", "glued")),
}
