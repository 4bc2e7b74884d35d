# SPDX-License-Identifier: ISC
"""Replication connections: their commands, CopyBoth, and SQL among it."""
from talk import *

# Positions, the system's number, the database; what is said of a message out of place.
LSN = rb"[0-9A-F]+/[0-9A-F]+|\b\d{19}\b|\bt\d+_\d+_[dg]\d\b"
VIOLATION = rb"M[^\0]*\0|[FLR][^\0]*\0"
FLAT = '("include-xids" \'0\', "skip-empty-xacts" \'1\')'


def logical(*steps, mask=LSN, **kw):
    return case(*steps, user="postgres", params={"replication": "database"}, mask=mask, is_walsender=True, **kw)


def physical(*steps, **kw):
    return case(*steps, user="postgres", params={"replication": "true"}, mask=LSN, is_walsender=True, **kw)


def slot(*steps, **kw):
    """With a logical slot. While it is being made the server takes no other command, so
    there is no gluing."""
    return logical(Q("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL test_decoding NOEXPORT_SNAPSHOT"), *steps,
                   manners=("written", "dribbled"), **kw)


def no(*steps, make=logical, **kw):
    c = make(*steps, **kw)
    c.has_refusal = True
    return c


START = Q(f"START_REPLICATION SLOT s LOGICAL 0/0 {FLAT}", "WE")
STATUS = d(b"r" + struct.pack("!QQQQB", 0, 0, 0, 0, 0))

CASES = {
    "identify_system": physical(Q("IDENTIFY_SYSTEM")),
    "identify_system_in_database": logical(Q("IDENTIFY_SYSTEM")),
    "show": physical(Q("SHOW wal_segment_size"), Q("SHOW nothing")),
    "syntax_error": physical(Q("IDENTIFY NOBODY"), Q("IDENTIFY_SYSTEM")),
    "empty": physical(Q("")),
    "sql_in_physical": physical(Q("SELECT 1"), Q("IDENTIFY_SYSTEM")),
    "timeline_history_unknown": physical(Q("TIMELINE_HISTORY 77")),
    "create_and_drop_physical_slot": physical(Q("CREATE_REPLICATION_SLOT ps TEMPORARY PHYSICAL RESERVE_WAL"),
                                              Q("READ_REPLICATION_SLOT ps"), Q("DROP_REPLICATION_SLOT ps")),
    "create_slot_twice": slot(Q("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL test_decoding")),
    "create_slot_in_physical": physical(Q("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL test_decoding")),
    "create_slot_unknown_plugin": logical(Q("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL nothing_at_all")),
    "create_slot_bad_name": logical(Q('CREATE_REPLICATION_SLOT "Bad" TEMPORARY LOGICAL test_decoding')),
    "create_slot_in_transaction": logical(Q("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ"),
                                          Q("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL test_decoding (SNAPSHOT 'use')"),
                                          Q("SELECT count(*) FROM t"), Q("COMMIT"), manners=("written", "dribbled")),
    "create_slot_options": logical(Q("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL test_decoding (SNAPSHOT 'nothing', TWO_PHASE)"),
                                   Q("DROP_REPLICATION_SLOT s WAIT"), manners=("written", "dribbled")),
    "drop_slot_unknown": logical(Q("DROP_REPLICATION_SLOT nobody")),
    "read_slot_unknown": logical(Q("READ_REPLICATION_SLOT nobody")),
    "sql": logical(Q("SELECT 1"), Q("SELECT * FROM t ORDER BY a"), Q("selec"), Q("SELECT 1; SELECT 2")),
    "sql_transaction": logical(Q("BEGIN"), Q("SELECT 1/0"), Q("SELECT 1"), Q("ROLLBACK")),
    "sql_copy": logical(Q("COPY t TO STDOUT"), Q("COPY t FROM STDIN", "G"), d("1\tx\n"), c(), Q("SELECT count(*) FROM t")),
    "sql_ddl": logical(Q("CREATE TABLE made (x int)"), Q("DROP TABLE made")),
    "sql_ddl_refused": no(Q(NO), Q("SELECT 1")),
    "sql_ddl_refused_in_transaction": no(Q("BEGIN"), Q(NO), Q("SELECT 1"), Q("ROLLBACK")),
    "sql_ddl_refused_in_text": no(Q("SELECT 1; " + NO), Q("IDENTIFY_SYSTEM")),
    "extended_is_not_supported": logical(P("SELECT 1"), S(), Q("SELECT 1")),
    "function_call_is_not_supported": logical(F(870, b"A")),
    "sync_alone": logical(S()),
    "start_unknown_slot": logical(Q("START_REPLICATION SLOT nobody LOGICAL 0/0")),
    "start_bad_option": slot(Q("START_REPLICATION SLOT s LOGICAL 0/0 (nonsense 'x')")),
    "start_logical": slot(START, act("INSERT INTO t VALUES (50, 'streamed')"), wait(b"COMMIT"), STATUS,
                             c(), Q("SELECT 1")),
    "start_logical_twice": slot(START, c(), START, wait("Z"), Q("SELECT 1")),
    "start_logical_many": slot(START, act("INSERT INTO t SELECT i, repeat('w', 500) FROM generate_series(1, 500) i"),
                                  wait(b"COMMIT"), c(), Q("IDENTIFY_SYSTEM")),
    "start_logical_then_refused": no(START, act("INSERT INTO t VALUES (51, 'x')"), wait(b"COMMIT"), c(), Q(NO), Q("SELECT 1"),
                                     make=slot),
    "start_logical_terminated": slot(START, act("SELECT pg_terminate_backend(@pid@)"), ends=False),
    "start_logical_gone": slot(START, X(), ends=False),
    "start_logical_query_in_it": slot(START, Q("SELECT 1", "E"), ends=False, mask=LSN + b"|" + VIOLATION),
    "start_logical_fail": slot(START, f("enough", "E"), ends=False),
    "start_physical": physical(Q("START_REPLICATION 0/1000000", "WE"), c(""), wait("Z"), Q("IDENTIFY_SYSTEM"), drop="d"),
    "start_physical_ahead": physical(Q("START_REPLICATION FF/0"), Q("IDENTIFY_SYSTEM")),
    "start_physical_unknown_timeline": physical(Q("START_REPLICATION 0/1000000 TIMELINE 99")),
}
