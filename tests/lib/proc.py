# SPDX-License-Identifier: ISC
"""Children that never outlive us: clean environment, free ports, temporary folders."""
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BINARY = os.environ.get("DDLGATE", os.path.join(TOP, "build-test", "src", "ddlgate"))

# A unix socket's path may have 107 bytes; "/.s.PGSQL.65535" takes 15 of them.
MAX_SOCKET_FOLDER = 90


class Missing(Exception):
    """Something of the machine is missing; the text says what."""


def environment(**extra):
    """The environment for children: nothing that changes what psql or PostgreSQL do."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    env.update(LC_ALL="C.UTF-8", TZ="UTC", PGPASSFILE="/nonexistent", PGCONNECT_TIMEOUT="20",
               PGSYSCONFDIR="/nonexistent", PSQL_HISTORY="/dev/null")
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    env.setdefault("TSAN_OPTIONS",
                   "second_deadlock_stack=1:allocator_may_return_null=1:intercept_memmem=0")
    env.update(extra)
    return env


def temp_folder(prefix="ddlgate-"):
    folder = tempfile.mkdtemp(prefix=prefix)
    if len(folder) > MAX_SOCKET_FOLDER:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    return folder


def remove_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def die_with_parent():
    """For preexec_fn: the child gets SIGTERM when the thread that made it is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def as_postgres(argv):
    """PostgreSQL refuses to run as root: argv run as user postgres then, else as it is."""
    if os.geteuid() != 0:
        return list(argv)
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise Missing("user postgres is missing: install the Debian package postgresql")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
            "--pdeathsig=INT", "--"] + list(argv)


def run(argv, *, stdin=None, timeout=120, env=None, cwd=None):
    """Runs to the end; returns (stdout, stderr, status) as text."""
    p = subprocess.run(argv, input=stdin if stdin is not None else "", text=True,
                       errors="replace", capture_output=True, timeout=timeout,
                       env=env or environment(), cwd=cwd)
    return Run(p.stdout, p.stderr, p.returncode)


class Run:
    def __init__(self, out, err, status):
        self.out, self.err, self.status = out, err, status

    def __repr__(self):
        return f"status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def wait_for(what, test, timeout=15.0, pause=0.02):
    """Polls test() until it returns something true, which is returned."""
    end = time.monotonic() + timeout
    while True:
        result = test()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        time.sleep(pause)


def stop(process, sig=signal.SIGTERM, timeout=20):
    """Ends a child by pid; kills it when it does not go. Returns its status."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode
