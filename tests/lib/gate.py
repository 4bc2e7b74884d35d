# SPDX-License-Identifier: ISC
"""A ddlgate of its own configuration folder, started, watched and ended by a test."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import proc
import wire

# What a sanitizer or our own assert writes; none of it may be in a gate's output.
FAULTS = re.compile(r"Sanitizer|runtime error:|assertion failed|DG_ASSERT|SUMMARY:")

POLICY = """\
[policy]
environment = staging
"""


class Gate:
    """Writes ddlgate.ini, policy.ini and migrations/ into a folder and runs `serve`.

    policy: its text. migrations: {file name: text}, None for no [migrations] section.
    conf: more keys of [ddlgate] (None removes a default). databases: lines of [databases].
    extra: text appended to ddlgate.ini."""

    def __init__(self, folder, upstream_port, *, policy=POLICY, migrations=None,
                 fmt="numbered-sql", history_table=None, source=None, conf=None,
                 databases=None, extra="", binary=None, wrapper=()):
        self.folder, self.binary = folder, binary or proc.BINARY
        self.wrapper = list(wrapper)
        self.lines, self.process, self.port = [], None, None
        self.popen = {}  # more arguments of subprocess.Popen
        self.has_ended = threading.Event()
        os.makedirs(folder, exist_ok=True)
        self.write("policy.ini", policy)
        settings = {
            "listen_addr": "127.0.0.1", "listen_port": 0, "workers": 2,
            "policy": "policy.ini", "audit_file": "audit.jsonl",
            "control": "user=ddlgate", "shutdown_timeout": 3, "reload_interval": 1,
        }
        settings.update(conf or {})
        text = "[ddlgate]\n"
        text += "".join(f"{k} = {v}\n" for k, v in settings.items() if v is not None)
        text += "\n[databases]\n"
        text += databases or f"* = host=127.0.0.1 port={upstream_port}\n"
        if migrations is not None:
            os.makedirs(self.path("migrations"), exist_ok=True)
            for name, body in migrations.items():
                self.write("migrations/" + name, body)
            text += f"\n[migrations m]\ndatabases = *\nformat = {fmt}\npath = migrations\n"
            if history_table:
                text += f"history_table = {history_table}\n"
            text += "".join(f"{k} = {v}\n" for k, v in (source or {}).items())
        self.config = self.write("ddlgate.ini", text + extra)

    # --- files ------------------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        """Writes and renames, so that nobody reads half a file."""
        path = self.path(name)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)
        return path

    # --- process ----------------------------------------------------------------------

    def launch(self):
        self.process = subprocess.Popen(
            self.wrapper + [self.binary, "serve", "-c", self.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=proc.environment(), cwd="/", restore_signals=False,
            preexec_fn=proc.die_with_parent, **self.popen)
        # Not a file: a limit on file sizes (how tests make the audit fail) must not stop it.
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
        self.has_ended.set()

    def start(self, timeout=30):
        self.launch()

        def ready():
            if self.has_ended.is_set():
                raise AssertionError("the gate ended at start:\n" + self.text())
            m = re.search(r"listening on (?:127\.0\.0\.1|\[::1\]|\*|0\.0\.0\.0):(\d+)", self.text())
            return m and int(m.group(1))
        self.port = proc.wait_for("`listening on` in the gate's log", ready, timeout)
        return self

    def text(self):
        return "\n".join(self.lines)

    def wait_log(self, pattern, timeout=15, start=0):
        """Waits for a line from number `start` on that matches; returns it."""
        return proc.wait_for(f"a log line like {pattern!r}", lambda: next(
            (l for l in self.lines[start:] if re.search(pattern, l)), None), timeout)

    def reload(self):
        """SIGHUP; returns the log line that tells how it went."""
        start = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_log(r"reloaded|reload failed", start=start)

    def stop(self, sig=signal.SIGTERM):
        """Ends it and asserts that it ended well."""
        if not self.process:
            return
        status = proc.stop(self.process, sig)
        self.reader.join(10)
        self.process = None
        bad = [l for l in self.lines if FAULTS.search(l)]
        assert not bad, "the gate's sanitizer or assert spoke:\n" + self.text()[-6000:]
        assert status == 0, f"the gate ended with status {status}:\n" + self.text()[-6000:]

    def kill(self):
        """kill -9: nothing is asserted."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join(10)
            self.process = None

    @property
    def pid(self):
        return self.process.pid

    def limit_files(self, size):
        """No file of the gate may grow beyond size bytes ("unlimited" lifts it): the way to
        make the audit unwritable for root, too."""
        r = proc.run(["prlimit", "--pid", str(self.pid), f"--fsize={size}:"])
        assert r.status == 0, r

    # --- clients ----------------------------------------------------------------------

    def wire(self, db, user="app", password=None, **params):
        return wire.Wire(self.port).startup(user, db, password, **params)

    def psql(self, db, *args, user="app", stdin=None, password=None, timeout=60):
        return psql(self.port, db, *args, user=user, stdin=stdin, password=password,
                    timeout=timeout)

    def command(self, *args, stdin=None):
        """Another subcommand of the same binary."""
        return command(*args, stdin=stdin, binary=self.binary)

    # --- audit ------------------------------------------------------------------------

    def audit_path(self):
        return self.path("audit.jsonl")

    def audit(self, **match):
        """Records in order; keys are given with `_` for `.`: event_action="ddl.intent"."""
        records = []
        try:
            with open(self.audit_path(), "rb") as f:
                data = f.read()
        except OSError:
            return []
        for line in data.split(b"\n")[:-1]:
            r = json.loads(line)
            if all(r.get(k.replace("_", ".")) == v for k, v in match.items()):
                records.append(r)
        return records

    def wait_audit(self, n=1, timeout=15, **match):
        """Waits until n records match; returns them."""
        def enough():
            found = self.audit(**match)
            return found if len(found) >= n else None
        return proc.wait_for(f"{n} audit records {match}", enough, timeout)

    def outcomes(self, n, timeout=15):
        """The first n outcome words, in order of the records."""
        return [outcome(r) for r in self.wait_audit(n, timeout, event_action="ddl.outcome")]


def outcome(record):
    """The word of design invariant 5: committed, rolled back, failed, ..."""
    return record.get("ddlgate.outcome")


def psql(port, db, *args, user="app", stdin=None, password=None, timeout=60):
    """psql without any start file. Status as psql's: 3 with ON_ERROR_STOP."""
    env = proc.environment(PGAPPNAME="psql", **({"PGPASSWORD": password} if password else {}))
    return proc.run(["psql", "-X", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", db,
                     "-w", "-v", "ON_ERROR_STOP=1", *args], stdin=stdin, env=env,
                    timeout=timeout)


def command(*args, stdin=None, binary=None):
    return proc.run([binary or proc.BINARY, *args], stdin=stdin)


def send_signal(gate, sig):
    gate.process.send_signal(sig)


def sleep(seconds):
    time.sleep(seconds)
