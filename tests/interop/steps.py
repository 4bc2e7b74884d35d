# SPDX-License-Identifier: ISC
"""What the programs of Python's drivers share."""
import hashlib
import json
import sys

REFUSED = "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)"
BIG = "0123456789abcdef" * 65536
TYPES = """SELECT 7::int2 AS a, 42 AS b, 9007199254740993::int8 AS c, 0.1::float8 AS d,
    12345678901234567890.123456789::numeric AS e, 'naïve – 漢字 🐘' AS f, '\\x00ff10'::bytea AS g,
    true AS h, '2024-02-29'::date AS i, '2024-02-29 12:34:56.789'::timestamp AS j,
    '2024-02-29 12:34:56.789+02'::timestamptz AS k,
    '6f1b1b3e-0d6f-4a0a-9d2c-3f6c1e7b8a90'::uuid AS l, '{"a": [1, null]}'::json AS m,
    '{"b": {"c": 2.50}}'::jsonb AS n, ARRAY[1, NULL, 3] AS o, NULL::text AS p,
    interval '1 mon 2 days 03:04:05' AS q"""


def emit(step, result):
    print(json.dumps({"step": step, "result": result}, ensure_ascii=False), flush=True)


def kind(value):
    """A value with its Python type."""
    return f"{type(value).__name__} {bytes(value)!r}" if isinstance(value, memoryview) \
        else f"{type(value).__name__} {value!r}"


def md5(text):
    return hashlib.md5(text if isinstance(text, bytes) else text.encode()).hexdigest()


def bulk_text():
    """1000 rows for table bulk in COPY's text format, with what needs escaping."""
    return "".join(f"{i}\tname {i} é\t" + ("\\N" if i % 3 == 0 else f"a\\tb\\\\{i}") + "\n"
                   for i in range(1000))


BULK_SUM = ("SELECT count(*)::text, md5(string_agg(id || name || coalesce(note, '-'), ',' ORDER BY id))"
            " FROM bulk")


def error_class(e):
    return f"{type(e).__module__}.{type(e).__name__}"


def diag_error(e):
    """An error of psycopg 2 or 3; fields of its `diag` without those that are None."""
    names = {"severity": "severity", "sqlstate": "sqlstate", "message": "message_primary",
             "detail": "message_detail", "hint": "message_hint", "position": "statement_position",
             "context": "context", "schema": "schema_name", "table": "table_name",
             "column": "column_name", "constraint": "constraint_name", "file": "source_file",
             "line": "source_line", "routine": "source_function"}
    fields = {k: getattr(e.diag, v) for k, v in names.items() if getattr(e.diag, v) is not None}
    return {**fields, "class": error_class(e)}


def fails(expected, function, *args, **kw):
    """Calls it; returns the exception of the expected class, ends the program if none came."""
    try:
        function(*args, **kw)
    except expected as e:
        return e
    sys.exit(f"{function} did not fail: {args}")
