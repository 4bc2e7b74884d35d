# SPDX-License-Identifier: ISC
"""Startup packets of all kinds, and protocol versions."""
from talk import *

V3_2, V3_7 = (3 << 16) | 2, (3 << 16) | 7


def go(*steps, until="Z", **params):
    """With a startup packet of its own."""
    protocol = params.pop("protocol", wire.V3)
    return case(startup(params, until, protocol), *steps, is_bare=True)


def me(*steps, **kw):
    return go(*steps, user="app", database="@db@", **kw)


def fails(**kw):
    return case_without_end(me(until="", **kw))


def case_without_end(c):
    c.ends = False
    return c


def shows(name, **kw):
    return me(Q(f"SHOW {name}"), **kw)


CASES = {
    "plain": me(Q("SELECT 1")),
    "application_name": shows("application_name", application_name="suite"),
    "application_name_odd": shows("application_name", application_name="né\n'\"x"),
    "application_name_long": shows("application_name", application_name="a" * 200),
    "client_encoding": shows("client_encoding", client_encoding="UTF8"),
    "client_encoding_lower": shows("client_encoding", client_encoding="utf8"),
    "client_encoding_latin1": shows("client_encoding", client_encoding="LATIN1"),
    "client_encoding_wrong": fails(client_encoding="nothing"),
    "datestyle": shows("DateStyle", DateStyle="SQL, DMY"),
    "datestyle_wrong": fails(DateStyle="Klingon"),
    "timezone": shows("TimeZone", TimeZone="Asia/Tokyo"),
    "timezone_wrong": fails(TimeZone="Mars/Olympus"),
    "names_in_any_case": shows("DateStyle", dAtEsTyLe="German"),
    "extra_float_digits": shows("extra_float_digits", extra_float_digits="3"),
    "search_path": shows("search_path", search_path="pg_catalog, public"),
    "own_setting": shows("my.own", **{"my.own": "x"}),
    "unknown_setting": fails(nothing="x"),
    "setting_out_of_reach": fails(shared_buffers="1GB"),
    "setting_of_superusers": fails(log_statement="none"),
    "standard_conforming_strings_off": me(Q("SHOW standard_conforming_strings"), Q("SELECT 'a\\\\b'"),
                                          standard_conforming_strings="off"),
    "standard_conforming_strings_on": shows("standard_conforming_strings", standard_conforming_strings="on"),
    "client_min_messages": me(Q("SELECT say('nobody hears')"), client_min_messages="error"),
    "options": shows("work_mem", options="-c work_mem=3MB"),
    "options_long": shows("work_mem", options="--work-mem=3MB"),
    "options_many": me(Q("SHOW work_mem"), Q("SHOW geqo"), options="-c work_mem=3MB  -c geqo=off"),
    "options_escaped": shows("application_name", options="-c application_name=a\\ b\\\\c"),
    "options_short_forms": me(Q("SHOW enable_seqscan"), Q("SHOW DateStyle"), options="-f s -e"),
    "options_wrong": fails(options="-c work_mem"),
    "options_unknown": fails(options="--nothing"),
    "options_empty": me(Q("SELECT 1"), options=""),
    "options_and_parameter": shows("work_mem", options="-c work_mem=3MB", work_mem="4MB"),
    "empty_value": shows("application_name", application_name=""),
    "fifty_parameters": me(Q("SHOW a.p49"), **{f"a.p{i}": str(i) for i in range(50)}),
    "long_value": shows("my.own", **{"my.own": "v" * 9000}),
    "no_database": go(Q("SELECT 1"), user="app", until="ZE"),
    "unknown_user": case_without_end(go(user="nobody at all", database="@db@", until="")),
    "unknown_database": case_without_end(go(user="app", database="nowhere at all", until="")),
    "long_user": case_without_end(go(user="u" * 100, database="@db@", until="")),
    "replication_false": me(Q("SELECT 1"), replication="false"),
    "replication_off": me(Q("SELECT 1"), replication="off"),
    "replication_wrong": fails(replication="perhaps"),
    "replication_refused_for_app": fails(replication="database"),
    "protocol_3_2": me(Q("SELECT 1"), protocol=V3_2),
    "protocol_3_7": me(extended("SELECT 1"), S(), protocol=V3_7),
    "protocol_3_9999": me(Q("SELECT 1"), protocol=(3 << 16) | 9999),
    "protocol_option": me(Q("SELECT 1"), **{"_pq_.nothing": "1"}),
    "protocol_options": me(Q("SELECT 1"), **{"_pq_.one": "1", "_pq_.two": "", "_pq_.three": "x"}),
    "protocol_option_and_minor": me(Q("SELECT 1"), protocol=V3_2, **{"_pq_.one": "1"}),
    "protocol_option_and_ddl": me(Q("CREATE TABLE made (x int)"), Q("DROP TABLE made"), protocol=V3_2,
                                  **{"_pq_.one": "1"}),
}
