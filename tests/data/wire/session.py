# SPDX-License-Identifier: ISC
"""What a session says on its own: parameters, notices, notifications; functions called by
their oid; and how sessions end."""
from talk import *

INT = struct.pack


def notify_self(payload=""):
    return f"NOTIFY chan_@own@, '{payload}'"


LISTEN = "LISTEN chan_@own@"

CASES = {
    # --- ParameterStatus
    "set_application_name": case(Q("SET application_name = 'other'"), Q("SELECT 1")),
    "set_application_name_same": case(Q("SET application_name = ''")),
    "set_datestyle": case(Q("SET DateStyle = 'SQL, DMY'"), Q("SELECT date '2001-02-03'")),
    "set_timezone": case(Q("SET TimeZone = 'Asia/Tokyo'"), Q("SELECT timestamptz '2001-02-03 04:05Z'"),
                         Q("SET TIME ZONE 3"), Q("SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE")),
    "set_intervalstyle": case(Q("SET IntervalStyle = iso_8601"), Q("SELECT interval '1 day'")),
    "set_standard_conforming_strings": case(Q("SET standard_conforming_strings = off"), Q("SELECT 'a\\\\b'"),
                                            Q("SET standard_conforming_strings = on"), Q("SELECT 'a\\\\b'")),
    "set_client_encoding": case(Q("SET client_encoding = 'UTF8'"), Q("SET client_encoding = 'utf-8'")),
    "set_client_encoding_latin1": case(Q("SET client_encoding = LATIN1"), Q(b"SELECT '\xe9', length('\xe9')"),
                                       Q("RESET client_encoding"), Q("SELECT 'é'")),
    "set_client_encoding_unknown": case(Q("SET client_encoding = nothing")),
    "set_names": case(Q("SET NAMES 'LATIN1'"), Q("SET NAMES")),
    "set_twice_in_a_text": case(Q("SET DateStyle = German; SET DateStyle = SQL; SET TimeZone = 'UTC'")),
    "set_rolled_back": case(Q("BEGIN"), Q("SET DateStyle = German"), Q("ROLLBACK"), Q("SHOW DateStyle")),
    "set_rolled_back_to_savepoint": case(Q("BEGIN"), Q("SAVEPOINT a"), Q("SET application_name = 'x'"),
                                         Q("ROLLBACK TO a"), Q("COMMIT")),
    "set_local": case(Q("BEGIN"), Q("SET LOCAL TimeZone = 'Europe/Paris'"), Q("COMMIT"), Q("SHOW TimeZone")),
    "set_local_outside": case(Q("SET LOCAL TimeZone = 'Europe/Paris'")),
    "set_failed_text": case(Q("SET DateStyle = German; SELECT 1/0"), Q("SHOW DateStyle")),
    "set_by_function": case(Q("SELECT set_config('DateStyle', 'German', false)"), Q("SELECT set_config('TimeZone', 'UTC', true)")),
    "set_unknown": case(Q("SET nothing = 1"), Q("SET my.thing = 1"), Q("SHOW my.thing")),
    "set_wrong": case(Q("SET work_mem = 'lots'"), Q("SET DateStyle = 'Klingon'")),
    "set_role": case(Q("SET ROLE app"), Q("RESET ROLE"), Q("SET ROLE postgres"), Q("SELECT current_user")),
    "set_session_authorization": case(Q("SET SESSION AUTHORIZATION app"), Q("SELECT session_user"), user="postgres"),
    "reset_all": case(Q("SET DateStyle = German; SET TimeZone = 'Asia/Tokyo'"), Q("RESET ALL")),
    "set_in_function": case(Q("SELECT german()"), Q("SHOW DateStyle")),
    "set_extended": case(extended("SET DateStyle = German"), H("C"), extended("SELECT date '2001-02-03'"), S()),
    "set_extended_fails_later": case(extended("SET DateStyle = German"), extended("SELECT 1/0"), S(), Q("SHOW DateStyle")),
    "set_search_path": case(Q("SET search_path = pg_catalog"), Q("SELECT * FROM t"), Q("RESET search_path"),
                            Q("SELECT count(*) FROM t")),
    "default_transaction": case(Q("SET default_transaction_read_only = on"), Q("DELETE FROM t")),
    "in_hot_standby_is_off": case(Q("SHOW in_hot_standby")),

    # --- notices
    "notice": case(Q("SELECT say('hello')")),
    "notices": case(Q("SELECT say(i::text) FROM generate_series(1, 20) i")),
    "notice_of_the_server": case(Q("BEGIN; BEGIN"), Q("COMMIT; COMMIT")),
    "notice_long": case(Q("SELECT say(repeat('n', 200000))")),
    "notice_in_error": case(Q("SELECT say('first'), 1/0")),
    "notice_levels": case(Q("SET client_min_messages = debug1"), Q("SELECT say('d')"),
                          Q("SET client_min_messages = error"), Q("SELECT say('nobody hears')")),
    "notice_in_batch": case(extended("SELECT say('one')"), extended("SELECT say('two')"), S()),
    "notice_while_skipping": case(P("selec"), extended("SELECT say('never')"), S()),
    "notice_in_copy": case(Q("COPY (SELECT say(i::text) FROM generate_series(1, 3) i) TO STDOUT")),
    "notice_verbose_fields": case(Q("SELECT fail('01000')")),
    "truncate_cascade_notice": case(Q("DROP TABLE IF EXISTS a1, a2, a3")),
    "identifier_truncated": case(Q("SELECT 1 AS " + "n" * 100)),
    "vacuum_verbose": case(Q("VACUUM (VERBOSE) u"), drop="N"),

    # --- notifications
    "notify_self": case(Q(LISTEN), Q(notify_self("p")), Q("SELECT 1")),
    "notify_without_listen": case(Q(notify_self())),
    "notify_in_transaction": case(Q(LISTEN), Q("BEGIN"), Q(notify_self("a")), Q("SELECT 1"), Q(notify_self("b")), Q("COMMIT")),
    "notify_rolled_back": case(Q(LISTEN), Q("BEGIN"), Q(notify_self("a")), Q("ROLLBACK")),
    "notify_twice_is_once": case(Q(LISTEN), Q("BEGIN; NOTIFY chan_@own@, 'x'; NOTIFY chan_@own@, 'x'; COMMIT")),
    "notify_long": case(Q(LISTEN), Q(notify_self("l" * 7999)), Q(notify_self("l" * 8000))),
    "notify_in_batch": case(Q(LISTEN), glue([[extended(notify_self(str(i))), S()] for i in range(5)])),
    "unlisten": case(Q(LISTEN), Q("UNLISTEN *"), Q(notify_self())),
    "notified_while_idle": case(Q(LISTEN), act("NOTIFY chan_@own@, 'from elsewhere'"), wait("A"), Q("SELECT 1")),
    "notified_while_idle_many": case(Q(LISTEN), act("SELECT pg_notify('chan_@own@', i::text) FROM generate_series(1, 50) i"),
                                     wait("A"), Q("SELECT 1")),
    "notified_in_transaction_comes_after": case(Q(LISTEN), Q("BEGIN"), act("NOTIFY chan_@own@, 'later'"), Q("SELECT 1"),
                                                Q("COMMIT")),
    "notified_in_open_batch": case(Q(LISTEN), P("SELECT 1"), H("1"), act("NOTIFY chan_@own@, 'w'"), B(), E(), S(),
                                   Q("SELECT 1")),
    "listen_in_failed_transaction": case(Q("BEGIN"), Q(LISTEN), Q("SELECT 1/0"), Q("ROLLBACK"), Q(notify_self())),

    # --- FunctionCall
    "function": case(F(870, b"ABC")),
    "function_binary": case(F(177, INT("!i", 20), INT("!i", 22), formats=[1], result=1)),
    "function_text_arguments": case(F(177, b"20", b"22", formats=[0])),
    "function_mixed": case(F(177, INT("!i", 20), b"22", formats=[1, 0], result=1)),
    "function_null_of_strict": case(F(870, None)),
    "function_of_no_arguments": case(F(1299), drop="V"),
    "function_unknown": case(F(999)),
    "function_wrong_count": case(F(870, b"a", b"b"), Q("SELECT 1")),
    "function_bad_value": case(F(177, b"x", b"y"), Q("SELECT 1")),
    "function_fails": case(F(154, INT("!i", 1), INT("!i", 0), formats=[1], result=1), Q("SELECT 1")),
    "function_bad_format": case(F(870, b"a", formats=[3])),
    "function_in_transaction": case(Q("BEGIN"), F(870, b"ABC"), Q("COMMIT")),
    "function_in_failed_transaction": case(Q("BEGIN"), Q("SELECT 1/0"), F(870, b"ABC"), Q("ROLLBACK")),
    "function_of_the_user": case(F("twice", INT("!i", 21), formats=[1], result=1)),
    "function_of_the_user_that_speaks": case(F("say", b"hello")),
    "function_of_the_user_that_fails": case(F("fail", b"22012"), Q("SELECT 1")),
    "function_pipelined": case(glue([F(870, b"ABC") for _ in range(5)])),
    "function_skipped": case(P("selec"), F(870, b"ABC", until=""), S()),
    "function_big": case(F(870, b"B" * 500000)),
    "function_void": case(F(2626, INT("!d", 0.0), formats=[1], result=1)),

    # --- ends
    "terminate": case(X(), ends=False),
    "terminate_in_transaction": case(Q("BEGIN"), X(), ends=False),
    "terminate_in_batch": case(P("SELECT 1"), B(), X(), ends=False),
    "terminate_with_a_query_behind": case(X(), Q("SELECT 1", ""), ends=False, manners=("glued",)),
    "terminate_in_copy": case(Q("COPY t FROM STDIN", "G"), d("1\tx\n"), X(), ends=False),
    "terminate_in_copy_out": case(Q("COPY t TO STDOUT", ""), X(), ends=False),
    "terminated_by_itself": case(Q("SELECT pg_terminate_backend(pg_backend_pid())"), ends=False),
    "terminated_while_idle": case(Q("SELECT 1"), act("SELECT pg_terminate_backend(@pid@)"), ends=False),
    "terminated_in_transaction": case(Q("BEGIN"), act("SELECT pg_terminate_backend(@pid@)"), ends=False),
    "terminated_in_query": case(Q("SELECT pg_sleep(60)", ""), pause(0.3), act("SELECT pg_terminate_backend(@pid@)"), ends=False),
    "terminated_in_rows": case(Q("SELECT i, CASE WHEN i = 500 THEN pg_terminate_backend(pg_backend_pid()) END"
                                 " FROM generate_series(1, 1000) i", ""), ends=False),
    "terminated_in_batch": case(extended("SELECT 1"), extended("SELECT pg_terminate_backend(pg_backend_pid())"), S(), ends=False),
    "terminated_in_copy_in": case(Q("COPY t FROM STDIN", "G"), d("1\tx\n"), pause(0.1), act("SELECT pg_terminate_backend(@pid@)"),
                                  ends=False, manners=("written", "dribbled")),
    "terminated_in_ddl": case(Q("CREATE TABLE made AS SELECT pg_terminate_backend(pg_backend_pid())"), ends=False),
    "terminated_in_open_ddl": case(Q("BEGIN"), Q("CREATE TABLE made (x int)"), act("SELECT pg_terminate_backend(@pid@)"), ends=False),
    "cancelled_by_itself": case(Q("SELECT pg_cancel_backend(pg_backend_pid())"), Q("SELECT 1")),
    "cancelled_in_query": case(Q("SELECT pg_sleep(60)", ""), pause(0.3), act("SELECT pg_cancel_backend(@pid@)"), wait("Z"),
                               Q("SELECT 1")),
    "cancelled_in_batch": case(extended("SELECT 1"), extended("SELECT pg_sleep(60)"), extended("SELECT 2"), S(""), pause(0.3),
                               act("SELECT pg_cancel_backend(@pid@)"), wait("Z"), Q("SELECT 1")),
    "cancelled_while_idle": case(act("SELECT pg_cancel_backend(@pid@)"), pause(0.1), Q("SELECT 1")),
    "idle_session_timeout": case(Q("SET idle_session_timeout = 100"), ends=False),
    "idle_in_transaction_timeout": case(Q("SET idle_in_transaction_session_timeout = 100"), Q("BEGIN"), ends=False),
}
