# SPDX-License-Identifier: ISC
"""Compares what a driver's program wrote in its two runs."""
import json
import re

from pair import without_ids

STEPS = ["connect", "types", "parameters", "prepared", "batch", "batch_error", "copy_in",
         "copy_out", "cursor", "cancel", "transaction", "savepoint", "notify", "big_result",
         "big_param", "refused", "usable"]
# Names of an error's fields as drivers' programs print them, and on the wire.
FIELDS = {"severity": "S", "sqlstate": "C", "message": "M", "detail": "D", "hint": "H",
          "position": "P", "context": "W", "schema": "s", "table": "t", "column": "c",
          "constraint": "n", "file": "F", "line": "L", "routine": "R"}
MAY_DIFFER = {"pid", "key", "time", "oid"}


def parse(output):
    """The JSON lines; raises ValueError with the line that is none."""
    steps = []
    for line in output.splitlines():
        try:
            step = json.loads(line)
            steps.append((step["step"], step["result"]))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"not a step's JSON: {line[:200]}") from None
    return steps


def blank(value):
    if isinstance(value, dict):
        return {k: "*" if k in MAY_DIFFER else blank(v) for k, v in value.items()}
    if isinstance(value, list):
        return [blank(v) for v in value]
    return value


def clip(value):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 600 else text[:300] + " ... " + text[-300:]


def difference(a, b, path=""):
    """The innermost place where two results differ, as a text."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for k in a:
            if a[k] != b[k]:
                return difference(a[k], b[k], f"{path}.{k}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return difference(x, y, f"{path}[{i}]")
    return f"{path or 'result'}: directly {clip(a)}, through the gate {clip(b)}"


def wanted_steps(expect):
    unknown = set(expect.get("lacks", {})) - set(STEPS)
    assert not unknown, f"expect.json: no such step: {unknown}"
    return [s for s in STEPS if s not in expect.get("lacks", {})]


def shown(text, reference):
    """Which parts of the refusal a printed error shows."""
    def has(part):
        return all(line.strip() in text for line in without_ids(part).splitlines())
    position = reference.get("P", "")
    parts = {"message": has(reference["M"]), "detail": has(reference["D"]),
             "hint": has(reference["H"]), "sqlstate": reference["C"] in text,
             "position": bool(re.search(r"LINE 1: CREATE TABLE interop_refused.*\n *\^"
                                        rf"|[Pp]osition\W+{position}\b", text))}
    return {name for name, there in parts.items() if there}


def refusal_problems(result, expect, reference):
    if not result.get("refused"):
        return ["refused: the gate let CREATE TABLE pass"]
    problems = []
    fields = result.get("fields", {})
    want = set(expect.get("fields", []))
    if "class" in expect:
        if fields.get("class") != expect["class"]:
            problems.append(f"refused: class is {fields.get('class')}, want {expect['class']}")
    got = {k for k in fields if k != "class"}
    if got != want:
        problems.append(f"refused: fields {sorted(got)}, expect.json has {sorted(want)}")
    for name in sorted(got & want):
        value = reference.get(FIELDS[name])
        mine = None if fields[name] in (None, "") else without_ids(str(fields[name]))
        if mine != (value and without_ids(value)):
            problems.append(f"refused: {name} is {clip(fields[name])}, on the wire it is {clip(value)}")
    visible = shown(without_ids(result.get("text") or ""), reference)
    if visible != set(expect.get("text", [])):
        problems.append(f"refused: the printed error shows {sorted(visible)}, expect.json has "
                        f"{sorted(expect.get('text', []))}: {clip(result.get('text'))}")
    return problems


def step_names_problem(where, steps, expect):
    names, want = [s for s, _ in steps], wanted_steps(expect)
    if names == want:
        return []
    return [f"{where}: steps are {' '.join(names)}; want {' '.join(want)}"]


def alone(where, steps, expect, is_tls):
    """What can be said about one run without the other."""
    problems = step_names_problem(where, steps, expect)
    for name, result in steps:
        if name == "connect" and result.get("tls") not in (None, is_tls):
            problems.append(f"{where}: the client says TLS {result['tls']}, want {is_tls}")
        if name == "refused" and where == "directly" and result != {"refused": False}:
            problems.append(f"{where}: refused: {clip(result)}")
    return problems


def both(direct, gate, expect, reference, is_own_login):
    """Problems of the two runs, most telling first; [] when all is well. is_own_login: the
    gate authenticates, so that the protocol version is what it speaks, not the server."""
    problems = []
    for (name, a), (other, b) in zip(direct, gate):
        if name != other:
            break
        if name == "refused":
            problems += refusal_problems(b, expect, reference)
            continue
        a, b = blank(a), blank(b)
        if name == "connect":
            for key in ("tls", "protocol") if is_own_login else ("tls",):
                a.pop(key, None), b.pop(key, None)
        if a != b:
            problems.append(f"{name}{difference(a, b)}")
    return problems
