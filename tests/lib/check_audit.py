#!/usr/bin/env python3
"""Validates audit files against a JSON schema: check_audit.py [--open] SCHEMA FILE...

Knows the keywords that contrib/audit.schema.json uses and refuses a schema with others, so
that nothing is passed over. Fields that the schema doesn't name are errors, since each must
be documented; --open admits them, as a consumer should. Also: one flat object a line, no
key twice, a newline at the end.  Exit status 0, 1 (some line is wrong), 2."""
import json
import re
import sys

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
}
KEYWORDS = {
    "$schema", "title", "description", "type", "required", "properties", "allOf", "if",
    "then", "enum", "const", "pattern", "items", "minItems", "minimum", "maximum",
}


def check_schema(schema, where="schema"):
    unknown = set(schema) - KEYWORDS
    if unknown:
        sys.exit(f"{where}: keyword {sorted(unknown)[0]} is not known to this checker")
    for name, part in schema.get("properties", {}).items():
        check_schema(part, f"{where}.{name}")
    for key in ("if", "then", "items"):
        if key in schema:
            check_schema(schema[key], f"{where}.{key}")
    for number, part in enumerate(schema.get("allOf", [])):
        check_schema(part, f"{where}.allOf[{number}]")


def faults(value, schema, where=""):
    """What is wrong with value, as texts."""
    if "type" in schema and not TYPES[schema["type"]](value):
        yield f"{where} is no {schema['type']}: {value!r}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where} is {value!r}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} is {value!r}, which doesn't match {schema['pattern']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where} is {value}, below {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{where} is {value}, above {schema['maximum']}"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{where} has {len(value)} items"
        for item in value:
            yield from faults(item, schema.get("items", {}), f"item of {where}")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{name} is missing"
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from faults(value[name], part, name)
    for part in schema.get("allOf", []):
        yield from faults(value, part, where)
    if "if" in schema and not any(faults(value, schema["if"], where)):
        yield from faults(value, schema.get("then", {}), where)


def flat_object(pairs):
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} stands twice")
    for name, value in pairs:
        if isinstance(value, dict):
            raise ValueError(f"{name} is an object")
    return dict(pairs)


def line_faults(line, schema, is_open):
    if not line.endswith(b"\n"):
        yield "the line has no end"
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=flat_object)
    except ValueError as e:
        yield str(e)
        return
    yield from faults(record, schema, "the record")
    if isinstance(record, dict) and not is_open:
        for name in record.keys() - schema["properties"].keys():
            yield f"{name} is not in the schema"


def main(args):
    is_open = args[:1] == ["--open"]
    args = args[1:] if is_open else args
    if len(args) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(args[0], encoding="utf-8") as f:
        schema = json.load(f)
    check_schema(schema)
    n_lines = n_bad = 0
    for path in args[1:]:
        with open(path, "rb") as f:
            for number, line in enumerate(f, 1):
                n_lines += 1
                found = list(line_faults(line, schema, is_open))
                n_bad += bool(found)
                for text in found:
                    print(f"{path}:{number}: {text}")
    print(f"{n_lines} records, {n_bad} wrong")
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
