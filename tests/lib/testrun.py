# SPDX-License-Identifier: ISC
"""The end of contrib/test: runs meson's tests, the e2e set and, if asked for, the
interoperability set; adds the cases up.

    testrun.py BUILD_FOLDER [--suite NAME ...] [-k PATTERN] [--slow]"""
import argparse
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as xml

import proc

LAST_LINES = 40


def meson(build, suites, pattern):
    """meson test; returns (passed, failed) counted in cases, failures printed."""
    listed = subprocess.run(["meson", "test", "-C", build, "--list"] +
                            [f"--suite={s}" for s in suites],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    # "ddlgate:unit / sql_lex"
    names = [line.rsplit(" / ", 1)[1].strip() for line in listed.splitlines() if " / " in line]
    names = [n for n in names if not pattern or pattern in n]
    if not names:
        return 0, 0
    junit = os.path.join(build, "meson-logs", "testlog.junit.xml")
    if os.path.exists(junit):
        os.remove(junit)
    log = os.path.join(build, "meson-test.log")
    with open(log, "w") as out:
        status = subprocess.run(["meson", "test", "-C", build, "--no-rebuild",
            f"--num-processes={max(2, os.cpu_count() or 2)}", "--timeout-multiplier=4", *names],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            # Check's own limit of 4 s is none for sanitizers on a busy machine.
            env=proc.environment(CK_TIMEOUT_MULTIPLIER="10")).returncode
    if not os.path.exists(junit):
        with open(log) as f:
            print("".join(f.readlines()[-LAST_LINES:]))
        return 0, 1
    passed = failed = 0
    for suite in xml.parse(junit).getroot().iter("testsuite"):
        bad = []
        cases = suite.findall("testcase")
        for case in cases:
            problem = case.find("failure") is not None or case.find("error") is not None
            if case.find("skipped") is None:
                passed, failed = passed + (not problem), failed + problem
            if problem:
                bad.append(case.get("name"))
        name = (suite.get("name") or "").split(".")[-1]
        ok = suite.get("failures") == "0" and suite.get("errors") == "0" and not bad
        # Programs that speak TAP are suites of their own; the rest stands in one.
        what = f"{len(cases)} cases" if ":" in name else ", ".join(c.get("name") for c in cases)
        print(f"{'ok  ' if ok else 'FAIL'} {name} ({what})", flush=True)
        if not ok:
            failed += not bad
            print_failure(suite, bad)
    if status and not failed:
        failed += 1
    return passed, failed


def print_failure(suite, bad):
    for name in bad:
        print(f"     failed: {name}")
    text = "\n".join(filter(None, (e.text for tag in ("system-out", "system-err", "failure")
                                   for e in suite.iter(tag))))
    lines = [l for l in text.splitlines() if not re.match(r"ok \d+", l)]
    for line in lines[-LAST_LINES:]:
        print(f"     {line}")


def runner(folder, pattern, *options):
    """tests/FOLDER/run; its last line is the count."""
    argv = [sys.executable, "-B", os.path.join(proc.TOP, "tests", folder, "run"), *options]
    argv += ["-k", pattern] if pattern else []
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")
    last = ""
    try:
        for line in child.stdout:
            if last:
                print(last, flush=True)
            last = line.rstrip("\n")
        child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        child.wait()
        raise
    m = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    if not m:
        print(last)
        return 0, 1
    return int(m.group(1)), int(m.group(2))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--suite", action="append", choices=["unit", "e2e", "fuzz", "style", "interop", "tools"])
    p.add_argument("-k", default="")
    p.add_argument("--slow", action="store_true")
    args = p.parse_args()

    def interrupted(signum, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)
    suites = args.suite or ["style", "unit", "fuzz", "e2e"]
    passed = failed = 0
    try:
        of_meson = [s for s in suites if s not in ("e2e", "interop", "tools")]
        if of_meson:
            p, f = meson(args.build, of_meson, args.k)
            passed, failed = passed + p, failed + f
        if "e2e" in suites:
            p, f = runner("e2e", args.k, *(["--slow"] if args.slow else []))
            passed, failed = passed + p, failed + f
        if "tools" in suites:
            p, f = runner("e2e", args.k, "--tools")
            passed, failed = passed + p, failed + f
        if "interop" in suites:
            p, f = runner("interop", args.k)
            passed, failed = passed + p, failed + f
            # Where the gate only carries the login, its protocol version and key are the
            # server's own.
            p, f = runner("interop", args.k, "--mode", "plain", "--servers", "15,18",
                          "--drivers", "libpq,psycopg3-newest,pgx")
            passed, failed = passed + p, failed + f
    except KeyboardInterrupt:
        print("interrupted")
        failed += 1
    if passed + failed == 0:
        print("no test has that name")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
