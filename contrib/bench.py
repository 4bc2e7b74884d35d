#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""Measures ddlgate against the direct connection and against pgbouncer.

Method: everything on loopback, one private PostgreSQL; rounds are interleaved (direct, gate,
pgbouncer, direct, ...) and ratios are taken within a round, then the median over rounds is
shown, so that a machine whose speed drifts still gives usable figures. The most trustworthy
column is the proxy's own CPU time per transaction or per megabyte (10^6 bytes), summed over
its threads from /proc/PID/task/*/schedstat."""
import argparse
import os
import re
import signal
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tests/lib"))
import gate as gate_lib  # noqa: E402
import pg  # noqa: E402
import proc  # noqa: E402
import wire  # noqa: E402

SCALE = 5
MODES = "simple", "extended", "prepared"
CLIENTS = 1, 8, 64
GOALS = {  # workload prefix: (rate at least, CPU at most), as ratios to pgbouncer's default
    "simple": (0.95, 1.05), "extended": (0.95, 1.05), "prepared": (0.95, 1.05),
    "copy": (None, 0.8), "rows": (None, 0.8),
}
POLICY = "[policy]\nenvironment = production\n"


# --- who is measured -----------------------------------------------------------------------

class Target:
    def __init__(self, name, port, pid=None, stop=lambda: None, gate=None):
        self.name, self.port, self.pid, self.stop, self.gate = name, port, pid, stop, gate

    def cpu(self):
        """Seconds of CPU that its process has used so far."""
        if not self.pid:
            return 0.0
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as f:
                    total += int(f.read().split()[0])
            except OSError:
                pass
        return total / 1e9

    def rss(self):
        with open(f"/proc/{self.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def switches(self):
        """Times its threads were put to sleep: each is a wake-up later."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as f:
                total += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", f.read()))
        return total


def start_gate(name, folder, server_port, workers):
    g = gate_lib.Gate(os.path.join(folder, name), server_port, policy=POLICY,
                      migrations={"001_none.sql": "SELECT 1;\n"},
                      conf={"workers": workers, "max_client_conn": 5000, "control": "user=postgres"})
    g.start()
    return Target(name, g.port, g.pid, g.stop, g)


def start_pgbouncer(name, folder, server_port, **settings):
    port = proc.free_port()
    path = os.path.join(folder, name)
    os.makedirs(path)
    with open(os.path.join(path, "users"), "w") as f:
        f.write('"postgres" ""\n')
    values = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "",
              "auth_type": "trust", "auth_file": os.path.join(path, "users"),
              "pool_mode": "session", "max_client_conn": 5000, "default_pool_size": 2000,
              **settings}
    ini = os.path.join(path, "pgbouncer.ini")
    with open(ini, "w") as f:
        f.write(f"[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\n")
        f.writelines(f"{k} = {v}\n" for k, v in values.items())
    program = next((p for p in ("/usr/sbin/pgbouncer", "/usr/bin/pgbouncer") if os.path.exists(p)),
                   "pgbouncer")
    log = open(os.path.join(path, "log"), "w")
    p = subprocess.Popen(proc.as_postgres([program, ini]), stdin=subprocess.DEVNULL, stdout=log,
                         stderr=log, env=proc.environment(), cwd=path)

    def ready():
        if p.poll() is not None:
            with open(log.name) as f:
                raise proc.Missing(f"pgbouncer did not start: {f.read()}")
        try:
            wire.Wire(port).startup("postgres", "postgres").close()
            return True
        except OSError:
            return False
    proc.wait_for(name, ready)
    return Target(name, port, p.pid, lambda: proc.stop(p, signal.SIGINT, 5))


# --- workloads: each returns (units done, seconds) -----------------------------------------

class Bench:
    def __init__(self, cluster, args):
        self.cluster, self.args = cluster, args
        self.pgbench = os.path.join(cluster.bindir, "pgbench")

    def prepare(self, names):
        r = proc.run([self.pgbench, "-i", "-q", "-s", str(SCALE), "-h", "127.0.0.1", "-p",
                      str(self.cluster.port), "-U", "postgres", "postgres"])
        if r.status:
            sys.exit(r.err)
        size = self.args.mb * 1000000
        if any(n.startswith("copy") or n == "rows_narrow" for n in names):
            # 100 bytes a row as COPY text.
            self.cluster.sql("CREATE UNLOGGED TABLE narrow AS SELECT i AS id, repeat('n', 88) AS"
                             f" body FROM generate_series(1000000, {1000000 + size // 97}) i")
            self.cluster.sql("CREATE UNLOGGED TABLE incoming (id int, body text)")
        if "rows_wide" in names:
            self.cluster.sql("CREATE UNLOGGED TABLE wide (body text); ALTER TABLE wide ALTER body"
                             " SET STORAGE EXTERNAL; INSERT INTO wide SELECT repeat('w', 10000)"
                             f" FROM generate_series(1, {size // 10000})")
        self.cluster.sql("CHECKPOINT")

    def transactions(self, port, mode, clients, *more):
        threads = 1 if clients == 1 else 2
        r = proc.run([self.pgbench, "-n", "-S", "-M", mode, "-c", str(clients), "-j",
                      str(threads), "-T", str(self.args.seconds), "-h", "127.0.0.1", "-p",
                      str(port), "-U", "postgres", *more, "postgres"])
        n = re.search(r"actually processed: (\d+)", r.out)
        tps = re.search(r"tps = ([0-9.]+)", r.out)
        if r.status or not n or "failed transactions: 0" not in r.out:
            sys.exit(f"pgbench failed: {r.err}")
        return int(n.group(1)), int(n.group(1)) / float(tps.group(1))

    def bulk_out(self, port, sql):
        """Reads an answer as fast as it comes, looking at nothing but its end."""
        with wire.Wire(port, timeout=600).startup("postgres", "postgres") as w:
            buffer, total, tail = bytearray(1 << 18), 0, b""
            start = time.monotonic()
            w.send(wire.query(sql))
            while not tail.endswith(b"Z\0\0\0\5I"):
                n = w.sock.recv_into(buffer)
                if not n:
                    sys.exit("the connection ended in the middle of an answer")
                total += n
                tail = (tail + bytes(buffer[max(0, n - 6):n]))[-6:]
            return total / 1e6, time.monotonic() - start

    def copy_in(self, port):
        self.cluster.sql("TRUNCATE incoming")
        rows = b"".join(b"%d\t%s\n" % (i, b"n" * 88) for i in range(1000000, 1000640))
        piece = wire.message("d", rows) * 16
        with wire.Wire(port, timeout=600).startup("postgres", "postgres") as w:
            w.send(wire.query("COPY incoming FROM STDIN")).until("G")
            start, total = time.monotonic(), 0
            while total < self.args.mb * 1000000:
                w.sock.sendall(piece)
                total += len(piece)
            w.send(wire.message("c")).until().must()
            return total / 1e6, time.monotonic() - start

    def workloads(self):
        table = {}
        for mode in MODES:
            for c in CLIENTS:
                table[f"{mode}_c{c}"] = lambda port, m=mode, n=c: self.transactions(port, m, n)
        table["connect_c4"] = lambda port: self.transactions(port, "simple", 4, "-C")
        table["copy_out"] = lambda port: self.bulk_out(port, "COPY narrow TO STDOUT")
        table["copy_in"] = self.copy_in
        table["rows_narrow"] = lambda port: self.bulk_out(port, "SELECT * FROM narrow")
        table["rows_wide"] = lambda port: self.bulk_out(port, "SELECT * FROM wide")
        return table


# --- figures -------------------------------------------------------------------------------

def unit_of(workload):
    return "MB" if workload.startswith(("copy", "rows")) else "transaction"


def measure(workload, run, targets, rounds):
    """{target: [(rate, CPU us per unit), one per round]}"""
    results = {t.name: [] for t in targets}
    for i in range(rounds):
        turn = targets[i % len(targets):] + targets[:i % len(targets)]
        for t in turn:
            before = t.cpu()
            n, seconds = run(t.port)
            results[t.name].append((n / seconds, (t.cpu() - before) / n * 1e6))
    return results


def ratio(results, name, base, column):
    pairs = zip(results[name], results[base])
    return statistics.median(a[column] / b[column] for a, b in pairs if b[column])


def report(workload, results, goals):
    unit = unit_of(workload)
    base = "pgbouncer_1to1" if "pgbouncer_1to1" in results else "pgbouncer"
    print(f"\n{workload}  (per {unit}; ratios to {base}, median of rounds)")
    print(f"  {'':16}{'rate':>12}{'ratio':>8}{'CPU us':>12}{'lowest':>10}{'ratio':>8}")
    for name, rounds in results.items():
        cpu = [r[1] for r in rounds]
        line = f"  {name:16}{statistics.median(r[0] for r in rounds):12.1f}"
        line += f"{ratio(results, name, base, 0):8.2f}" if base in results else f"{'-':>8}"
        if max(cpu) > 0:
            line += f"{statistics.median(cpu):12.2f}{min(cpu):10.2f}"
            line += f"{ratio(results, name, base, 1):8.2f}" if base in results else f"{'-':>8}"
        print(line)
    for name in results:
        for prefix, (rate, cpu) in GOALS.items():
            if base in results and name.startswith("ddlgate") and workload.startswith(prefix):
                if rate:
                    goal(goals, f"{name} {workload}: rate", ratio(results, name, base, 0), rate, True)
                goal(goals, f"{name} {workload}: CPU", ratio(results, name, base, 1), cpu, False)
    sys.stdout.flush()


def goal(goals, name, value, limit, at_least):
    goals.append((value >= limit if at_least else value <= limit,
                  f"{name} {value:.2f} (goal: {'at least' if at_least else 'at most'} {limit})"))


def system_calls(bench, targets, goals):
    """System calls of the proxy for one simple round trip, exact: strace -c. A run of one
    client is counted twice, short and long; the difference holds no login and no exit."""
    print("\nsystem calls per simple round trip (1 client)")
    for t in targets:
        if not t.pid:
            continue
        counts = []
        for n in 1000, 5000:
            out = os.path.join(bench.cluster.folder, "strace")
            tracer = subprocess.Popen(["strace", "-f", "-c", "-o", out, "-p", str(t.pid)],
                                      stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            line = tracer.stderr.readline()
            if "attached" not in line:
                tracer.wait()
                print(f"  strace can't attach here: {line.strip()}")
                return
            r = proc.run([bench.pgbench, "-n", "-S", "-c", "1", "-t", str(n), "-h", "127.0.0.1",
                          "-p", str(t.port), "-U", "postgres", "postgres"])
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
            assert r.status == 0, r
            with open(out) as f:
                rows = [l.split() for l in f if re.match(r"\s*[0-9.]+\s+[0-9.]+", l)]
            os.unlink(out)
            counts.append({r[-1]: int(r[3]) for r in rows if r[-1] != "total"})
        per = {k: (v - counts[0].get(k, 0)) / 4000 for k, v in counts[1].items()}
        per = {k: v for k, v in per.items() if abs(v) >= 0.01}
        total = sum(per.values())
        print(f"  {t.name:16}{total:6.2f}  " + ", ".join(f"{v:.2f} {k}" for k, v in
              sorted(per.items(), key=lambda x: -x[1])))
        if t.gate:
            goal(goals, f"{t.name}: system calls per simple round trip", round(total, 1), 6, False)


def idle(bench, targets, n, goals):
    print(f"\n{n} idle sessions, each logged in and one query done")
    for t in targets:
        if not t.pid:
            continue
        bench.transactions(t.port, "simple", 8)
        sessions = [wire.Wire(t.port).startup("postgres", "postgres") for _ in range(10)]
        for w in sessions:
            w.query("SELECT 1")
        before = t.rss()
        for _ in range(n):
            w = wire.Wire(t.port).startup("postgres", "postgres")
            w.query("SELECT 1")
            sessions.append(w)
        time.sleep(1)
        after = t.rss()
        switches, cpu = t.switches(), t.cpu()
        time.sleep(5)
        switches, cpu = t.switches() - switches, t.cpu() - cpu
        print(f"  {t.name:16}{(after - before) / n / 1000:6.2f} kB each, {after / 1e6:.1f} MB in"
              f" all, {switches / 5:.1f} wake-ups and {cpu / 5 * 1000:.2f} ms CPU per second")
        if t.gate:
            goal(goals, f"{t.name}: kB of resident memory per idle session",
                 (after - before) / n / 1000, 4, False)
            goal(goals, f"{t.name}: wake-ups per second while idle", switches / 5, 0, False)
        for w in sessions:
            w.close()
        proc.wait_for("the sessions' end", lambda: bench.cluster.value(
            "SELECT count(*) < 200 FROM pg_stat_activity") == "t" or "pgbouncer" in t.name, 60)


def counters(target):
    """The gate's own counters: what share of the texts cost a parse."""
    start = len(target.gate.lines)
    target.gate.process.send_signal(signal.SIGUSR1)
    line = target.gate.wait_log("stats:", start=start)
    print("\ncounters of the gate: " + line.split("stats: ", 1)[1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-w", "--workloads", default="", help="comma separated beginnings of names")
    p.add_argument("-t", "--targets", default="direct,ddlgate,ddlgate_1,pgbouncer,pgbouncer_64k",
                   help="ddlgate: a worker per core, ddlgate_1: one, as pgbouncer has;\n"
                   "also: pgbouncer_1to1 (a new server connection per client)")
    p.add_argument("-r", "--rounds", type=int, default=5)
    p.add_argument("-s", "--seconds", type=int, default=2, help="per round and target")
    p.add_argument("--mb", type=int, default=500, help="size of the bulk workloads")
    p.add_argument("--idle", type=int, default=1000, help="idle sessions")
    p.add_argument("--list", action="store_true", help="names of the workloads")
    args = p.parse_args()

    others = ["syscalls", "idle"]
    names = list(Bench.workloads(Bench.__new__(Bench))) + others
    if args.list:
        print("\n".join(names))
        return
    prefixes = [w for w in args.workloads.split(",") if w]
    names = [n for n in names if not prefixes or n.startswith(tuple(prefixes))]
    wanted = args.targets.split(",")
    if any(n == "connect_c4" for n in names) and "pgbouncer" in wanted:
        wanted.append("pgbouncer_1to1")
    folder = proc.temp_folder("ddlgate-bench-")
    os.chmod(folder, 0o755)
    cluster = pg.Cluster(os.path.join(folder, "pg"), log_statements=False, roles="", settings={
        "max_connections": str(args.idle * 3 + 200), "shared_buffers": "512MB",
        "max_wal_size": "4GB", "wal_level": "minimal", "max_wal_senders": "0"})
    made, goals = [], []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        cluster.make()
        cluster.start()
        bench = Bench(cluster, args)
        print(f"preparing {args.mb} MB of rows" if any(n.startswith(("copy", "rows")) for n in names)
              else "preparing", flush=True)
        bench.prepare(names)
        make = {
            "direct": lambda n: Target(n, cluster.port),
            "ddlgate": lambda n: start_gate(n, folder, cluster.port, 0),
            "ddlgate_1": lambda n: start_gate(n, folder, cluster.port, 1),
            "pgbouncer": lambda n: start_pgbouncer(n, folder, cluster.port),
            "pgbouncer_64k": lambda n: start_pgbouncer(n, folder, cluster.port, pkt_buf=65536),
            "pgbouncer_1to1": lambda n: start_pgbouncer(n, folder, cluster.port, server_lifetime=0),
        }
        for name in dict.fromkeys(wanted):
            if name not in make:
                sys.exit(f"no such target: {name}; there are {', '.join(make)}")
            made.append(make[name](name))
        table = bench.workloads()
        for name in names:
            if name in others:
                continue
            use = [t for t in made if (t.name == "pgbouncer_1to1") <= (name == "connect_c4")
                   or "pgbouncer_1to1" in args.targets]
            for t in use:
                if not name.startswith(("copy", "rows")):
                    table[name](t.port) if args.rounds > 1 else None  # warm up
            report(name, measure(name, table[name], use, args.rounds), goals)
        gates = [t for t in made if t.gate]
        if gates:
            counters(gates[0])
        if "syscalls" in names:
            system_calls(bench, [t for t in made if t.name != "pgbouncer_1to1"], goals)
        if "idle" in names:
            idle(bench, [t for t in made if t.name != "pgbouncer_1to1"], args.idle, goals)
        print()
        for reached, text in goals:
            print(f"{'reached' if reached else 'MISSED '}  {text}")
    except proc.Missing as e:
        sys.exit(f"{e}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        for t in made:
            t.stop()
        cluster.stop()
        proc.remove_folder(folder)


if __name__ == "__main__":
    main()
