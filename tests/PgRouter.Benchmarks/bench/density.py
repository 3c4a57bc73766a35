#!/usr/bin/env python3
"""A thousand clients on twenty servers: no error, and the waits that the router shows add up to what the clients saw.

pgbench's TPC-B-like script over the simple and the prepared protocol. Of each transaction a client sees the wait for a server and the time on
it; SHOW STATS has the sums of both. What is left is the way between the two, and the time pgbench needs for so many clients.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile

from cluster import HOST, Cluster, postgres_binary
from processes import BenchError, as_postgres, run
from systems import pgrouter

MODES = ("simple", "prepared")


def main():
    options = arguments()
    directory = tempfile.mkdtemp(prefix="pgrouter-density-")
    if as_postgres():
        shutil.chown(directory, "postgres", "postgres")
    cluster = Cluster(directory, options.scale)
    router = None
    try:
        cluster.start()
        router = pgrouter(cluster, directory, pool_size=options.servers)
        print(f"{options.clients} clients, {options.servers} servers, {options.seconds} s of tpcb-like per protocol")
        print(f"{'protocol':10} {'tx':>8} {'failed':>7} {'clients saw':>12} {'waited':>10} {'on servers':>11} {'accounted':>10}")
        for mode in MODES:
            measure(router, mode, options)
    finally:
        if router:
            router.daemon.stop()
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def measure(router, mode, options):
    before = totals(router)
    command = [postgres_binary("pgbench"), "-n", "-b", "tpcb-like", "-M", mode, "-c", str(options.clients), "-j", str(options.threads),
               "-T", str(options.seconds), "-h", HOST, "-p", str(router.port), "-U", "postgres", "postgres"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0 or "error" in done.stderr:
        raise BenchError(f"{' '.join(command)} failed ({done.returncode}):\n{done.stderr[-4000:]}")
    transactions = number(r"actually processed: (\d+)", done.stdout)
    failed = number(r"failed transactions: (\d+)", done.stdout)
    seen = number(r"latency average = ([\d.]+) ms", done.stdout) * transactions / 1000
    after = totals(router)
    waited, served = ((after[name] - before[name]) / 1e6 for name in ("total_wait_time", "total_xact_time"))
    print(f"{mode:10} {transactions:8.0f} {failed:7.0f} {seen:10.1f} s {waited:8.1f} s {served:9.1f} s {(waited + served) / seen:9.1%}")


def totals(router):
    """The row of SHOW STATS of the database; times in microseconds."""
    rows = run(["psql", "-XAq", "-P", "footer=off", "-h", HOST, "-p", str(router.port), "-U", "postgres", "-c", "SHOW STATS", "pgbouncer"]).splitlines()
    names = rows[0].split("|")
    for row in rows[1:]:
        values = dict(zip(names, row.split("|")))
        if values["database"] == "postgres":
            return {name: int(value) for name, value in values.items() if name.startswith("total_")}
    return {"total_wait_time": 0, "total_xact_time": 0}


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise BenchError(f"pgbench did not say {pattern}:\n{text}")
    return float(found[1])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--servers", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=4, help="of pgbench")
    parser.add_argument("--scale", type=int, default=20, help="of pgbench's tables")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"density: {error}")
