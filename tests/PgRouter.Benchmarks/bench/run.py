#!/usr/bin/env python3
"""Compares PgRouter with a direct connection, PgBouncer and pgpool-II, side by side in one run. See README.md."""

import argparse
import contextlib
import json
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import report
from cluster import Cluster
from measure import Case, RunFailed, measure
from processes import BenchError
from systems import POOL_SIZE, ROOT, STARTERS

SCALE = 10
PUBLISHED = ROOT / "docs" / "bench"
PERFORMANCE = ROOT / "docs" / "performance.md"
TABLE_BEGIN, TABLE_END = "<!-- bench: begin -->", "<!-- bench: end -->"
CASES = {
    "simple": ("select", "simple"),
    "extended": ("select", "extended"),
    "prepared": ("select", "prepared"),
    "tpcb": ("tpcb-like", "simple"),
}


def main():
    options = parse_arguments()
    # SIGINT too: a shell that starts this in the background has it ignored, and Python keeps to that.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        if not options.no_install:
            subprocess.run([ROOT / "scripts" / "install-bench-deps.sh"], check=True, stdin=subprocess.DEVNULL)
        with contextlib.ExitStack() as stack:
            cluster, systems = start_all(options, stack)
            if options.hold:
                hold(systems)
            else:
                finish(options, compare(options, stack, cluster, systems))
    except KeyboardInterrupt:
        print("bench: interrupted, everything is stopped and removed", file=sys.stderr)
        return 130
    except (BenchError, subprocess.CalledProcessError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, as many rounds as fit into under 5 minutes")
    parser.add_argument("--rounds", type=int, help="rounds (7; with --quick at most 3)")
    parser.add_argument("--seconds", type=int, help="seconds per case and system in a round (5; with --quick 2)")
    parser.add_argument("--budget", type=float, help="begin no round that would not end within so many seconds")
    parser.add_argument("--clients", default="16,64", help="numbers of clients (%(default)s)")
    parser.add_argument("--cases", default=",".join(CASES), help="cases (%(default)s)")
    parser.add_argument("--systems", default=",".join(STARTERS), help="systems (%(default)s)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="seed of the order within the rounds")
    parser.add_argument("--output", type=Path, default=ROOT / "artifacts" / "bench", help="directory of the results (%(default)s)")
    parser.add_argument("--publish", action="store_true", help="also writes docs/bench and the table of docs/performance.md")
    parser.add_argument("--hold", action="store_true", help="only starts everything, prints the ports and waits for Ctrl-C")
    parser.add_argument("--no-install", action="store_true", help="does not look for missing packages")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 7)
    options.seconds = options.seconds or (2 if options.quick else 5)
    options.budget = options.budget or (250.0 if options.quick else float("inf"))
    options.clients = [int(text) for text in options.clients.split(",")]
    options.cases = chosen(parser, "case", options.cases, CASES)
    options.systems = chosen(parser, "system", options.systems, STARTERS)
    if options.seconds < 2:
        parser.error("--seconds must be at least 2: the first and the last moments of a run are not counted")
    return options


def chosen(parser, what, text, known):
    names = text.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"unknown {what}: {', '.join(unknown)}; known: {', '.join(known)}")
    return names


def interrupt(number, frame):
    raise KeyboardInterrupt


def start_all(options, stack):
    """Starts the cluster and the systems; the stack stops them and removes their directory, whatever happens."""
    directory = tempfile.mkdtemp(prefix="pgrouter-bench-", dir="/tmp")
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres", "postgres")
    print("bench: starting a primary and two standbys", file=sys.stderr)
    cluster = Cluster(directory, SCALE)
    stack.callback(cluster.stop)
    cluster.start()
    systems = []
    for name in options.systems:
        print(f"bench: starting {name}", file=sys.stderr)
        system = STARTERS[name](cluster, directory)
        if system.daemon is not None:
            stack.callback(system.daemon.stop)
        systems.append(system)
    return cluster, systems


def hold(systems):
    """For profiling by hand."""
    for system in systems:
        print(f"{system.name}: port {system.port}, pid {system.daemon.pid if system.daemon else '-'}", flush=True)
    while True:
        signal.pause()


def compare(options, stack, cluster, systems):
    """The rounds: each goes through all cases, and within a case through all systems in a new random order."""
    logs = tempfile.mkdtemp(prefix="pgrouter-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    stack.callback(shutil.rmtree, logs, ignore_errors=True)
    cases = [Case(*CASES[name], clients) for name in options.cases for clients in options.clients]
    order = random.Random(options.seed)
    result = {"started": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "machine": machine()}
    samples, rounds, longest, began = [], 0, 0.0, time.monotonic()
    warm_up(options, systems, cases, logs)
    while rounds < options.rounds and time.monotonic() - began + longest <= options.budget:
        round_began = time.monotonic()
        rounds += 1
        for case in cases:
            run_case(options, cluster, systems, case, rounds, order, logs, samples)
        longest = max(longest, time.monotonic() - round_began)
        print(f"bench: round {rounds} of at most {options.rounds} took {time.monotonic() - round_began:.0f} s", file=sys.stderr)
    result["machine"]["load_after"] = load()
    samples.sort(key=lambda s: (options.cases.index(s["case_name"]), s["clients"], options.systems.index(s["system"]), s["round"]))
    result.update(
        rounds=rounds, seconds=options.seconds, seed=options.seed, pool_size=POOL_SIZE, scale=SCALE,
        versions={system.label: system.version for system in systems}, rows=report.summarize(samples), samples=samples)
    return result


def warm_up(options, systems, cases, logs):
    """One run of each kind that is not counted: pools fill, caches too, and .NET compiles its hot code again with what it has learnt."""
    print("bench: warming up", file=sys.stderr)
    for case in dict.fromkeys(Case(case.script, case.mode, POOL_SIZE) for case in cases):
        for system in systems:
            if case.mode in system.modes:
                with contextlib.suppress(RunFailed):  # The rounds will tell.
                    measure(system, case, options.seconds, logs)


def run_case(options, cluster, systems, case, number, order, logs, samples):
    able = [system for system in systems if case.mode in system.modes]
    order.shuffle(able)
    for system in able:
        if case.script == "tpcb-like":
            cluster.tidy()
        cluster.wait_for_replay()
        sample = {
            "round": number, "case_name": name_of(case), "case": case.label, "clients": case.clients, "system": system.name,
            "label": system.label, "nodes": 1 if case.script == "tpcb-like" else system.nodes}
        try:
            sample.update(asdict(measure(system, case, options.seconds, logs)))
        except RunFailed as failure:
            print(f"bench: {system.name}, {case.label}, {case.clients} clients: {failure}", file=sys.stderr)
            sample["failure"] = str(failure)
        samples.append(sample)


def name_of(case):
    return next(name for name, pair in CASES.items() if pair == (case.script, case.mode))


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = re.findall(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return {
        "cpu": models[0].strip() if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "load_before": load(),
    }


def load():
    return round(os.getloadavg()[0], 2)


def finish(options, result):
    """Writes and prints the results."""
    page = report.markdown(result)
    name = "quick" if options.quick else "full"
    save(options.output, name, result, page)
    if options.publish:
        save(PUBLISHED, name, result, page)
        replace_table(page)
    print(page)


def save(directory, name, result, page):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (directory / f"{name}.md").write_text(page, encoding="utf-8")


def replace_table(page):
    text = PERFORMANCE.read_text(encoding="utf-8")
    before, found, rest = text.partition(TABLE_BEGIN)
    _, closed, after = rest.partition(TABLE_END)
    if not found or not closed:
        raise BenchError(f"{PERFORMANCE} has lost its marks {TABLE_BEGIN} and {TABLE_END}")
    PERFORMANCE.write_text(f"{before}{TABLE_BEGIN}\n{page}{TABLE_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
