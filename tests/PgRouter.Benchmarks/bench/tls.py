#!/usr/bin/env python3
"""What TLS towards clients costs: logins per second and CPU time per login and per transaction, in clear text and encrypted, beside PgBouncer.

Each round measures all systems in a random order, with the same certificate (ECDSA, P-256); what is printed is the median of the rounds.
"""

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from cluster import HOST, Cluster, postgres_binary
from processes import BenchError, as_postgres, cpu_seconds, run
from systems import pgbouncer, pgrouter

SYSTEMS = {"pgbouncer": pgbouncer, "pgrouter": pgrouter}
CASES = {"login": ["-C"], "select": []}


def main():
    options = arguments()
    directory = tempfile.mkdtemp(prefix="pgrouter-tls-bench-")
    if as_postgres():
        shutil.chown(directory, "postgres", "postgres")
    cluster = Cluster(directory, options.scale)
    started = {}
    try:
        cluster.start()
        certificate = make_certificate(directory)
        for name, start in SYSTEMS.items():
            started[name] = start(cluster, directory, tls=certificate)
        report(rounds(started, options), options)
    finally:
        for system in started.values():
            system.daemon.stop()
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def make_certificate(directory):
    """Paths of a certificate for the router and of its key."""
    certificate, key = os.path.join(directory, "tls.crt"), os.path.join(directory, "tls.key")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=bench",
         "-out", certificate, "-keyout", key], **as_postgres())
    return certificate, key


def rounds(systems, options):
    """Rate and CPU microseconds by system, case and sslmode, one of each per round."""
    samples = {}
    turns = [(name, case, mode) for name in systems for case in CASES for mode in ("disable", "require")]
    for _ in range(options.rounds):
        random.shuffle(turns)
        for turn in turns:
            samples.setdefault(turn, []).append(measure(systems[turn[0]], turn[1], turn[2], options))
    return samples


def measure(system, case, mode, options):
    command = [postgres_binary("pgbench"), "-n", "-S", *CASES[case], "-c", str(options.clients), "-j", "2", "-T", str(options.seconds),
               "-h", HOST, "-p", str(system.port), "-U", "postgres", "postgres"]
    before, begin = cpu_seconds(system.daemon.pid), time.monotonic()
    done = subprocess.run(command, env={**os.environ, "PGSSLMODE": mode}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    cpu, took = cpu_seconds(system.daemon.pid) - before, time.monotonic() - begin
    found = re.search(r"actually processed: (\d+)", done.stdout)
    if done.returncode != 0 or not found or int(found[1]) == 0:
        raise BenchError(f"{' '.join(command)} failed ({done.returncode}):\n{done.stderr[-4000:]}")
    return int(found[1]) / took, cpu * 1e6 / int(found[1])


def report(samples, options):
    print(f"{options.clients} clients, {options.rounds} rounds of {options.seconds} s; medians")
    print("| system | case | clear: per second | TLS: per second | clear: CPU | TLS: CPU |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in SYSTEMS:
        for case in CASES:
            (clear_rate, clear_cpu), (tls_rate, tls_cpu) = (
                (statistics.median(values) for values in zip(*samples[name, case, mode])) for mode in ("disable", "require"))
            print(f"| {name} | {case} | {clear_rate:.0f} | {tls_rate:.0f} | {clear_cpu:.0f} us | {tls_cpu:.0f} us |")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--scale", type=int, default=1, help="of pgbench's tables")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"tls: {error}")
