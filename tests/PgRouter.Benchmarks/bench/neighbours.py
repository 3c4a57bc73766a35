#!/usr/bin/env python3
"""Hostile neighbours: the latencies of well-behaved clients, quiet and while one does its worst in one of several ways.

The well-behaved ones are four clients of pgbench, select-only. All share the machine: what the neighbours' own programs and PostgreSQL burn for them
is in the figures too, so that each is shown beside a direct connection to PostgreSQL under the same attack.
"""

import argparse
import shutil
import socket
import struct
import sys
import tempfile
import threading

from cluster import HOST, Cluster
from measure import Case, RunFailed, measure
from processes import BenchError, as_postgres
from systems import direct, pgrouter

QUIET = "quiet"


def main():
    options = arguments()
    directory = tempfile.mkdtemp(prefix="pgrouter-neighbours-")
    if as_postgres():
        shutil.chown(directory, "postgres", "postgres")
    cluster = Cluster(directory, options.scale)
    router = None
    try:
        cluster.start()
        router = pgrouter(cluster, directory)
        systems = [direct(cluster, directory), router]
        print(f"select-only, 4 clients, {options.seconds} s each; p99 in microseconds, and its ratio to the quiet one")
        print("| neighbour | " + " | ".join(system.label for system in systems) + " |")
        print("| --- " * (len(systems) + 1) + "|")
        quiet = {system.name: p99(system, None, options, directory) for system in systems}
        print("| " + " | ".join([QUIET, *(f"{quiet[system.name]}" for system in systems)]) + " |", flush=True)
        for name, attack in ATTACKS.items():
            figures = {system.name: p99(system, attack, options, directory) for system in systems}
            cells = (f"{figures[system.name]} ({figures[system.name] / quiet[system.name]:.1f})" for system in systems)
            print("| " + " | ".join([name, *cells]) + " |", flush=True)
    finally:
        if router:
            router.daemon.stop()
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def p99(system, attack, options, directory):
    over = threading.Event()
    attackers = [threading.Thread(target=repeat, args=(attack, system.port, over), daemon=True) for _ in range(options.attackers if attack else 0)]
    for attacker in attackers:
        attacker.start()
    try:
        return measure(system, Case("select", "prepared", 4), options.seconds, directory).p99
    finally:
        over.set()
        for attacker in attackers:
            attacker.join(20)


def repeat(attack, port, over):
    while not over.is_set():
        try:
            attack(port, over)
        except OSError:
            continue  # Sent away: the next one.


def login(port):
    """A connection that is logged in, with its process id and secret."""
    client = socket.create_connection((HOST, port), 10)
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    client.sendall(struct.pack("!i", len(body) + 4) + body)
    stream, key = client.makefile("rb"), b""
    while True:
        head = stream.read(5)
        if len(head) < 5 or head[:1] == b"E":
            raise OSError("refused")
        data = stream.read(struct.unpack("!i", head[1:])[0] - 4)
        if head[:1] == b"K":
            key = data
        if head[:1] == b"Z":
            return client, stream, key


def query(sql):
    return b"Q" + struct.pack("!i", len(sql) + 5) + sql + b"\0"


def ask(client, stream, sql):
    client.sendall(query(sql))
    while True:
        head = stream.read(5)
        if len(head) < 5:
            raise OSError("closed")
        stream.read(struct.unpack("!i", head[1:])[0] - 4)
        if head[:1] == b"Z":
            return


def session(port, over, sql):
    client, stream, _ = login(port)
    with client:
        while not over.is_set():
            ask(client, stream, sql())


def flood(port, over):
    """Statements, hundreds in one send, answers taken as they come."""
    client, stream, _ = login(port)
    with client:
        while not over.is_set():
            client.sendall(query(b"SELECT 1") * 200)
            for _ in range(200):
                while True:
                    head = stream.read(5)
                    if len(head) < 5:
                        raise OSError("closed")
                    stream.read(struct.unpack("!i", head[1:])[0] - 4)
                    if head[:1] == b"Z":
                        break


def cancel_storm(port, over):
    client, _, key = login(port)
    with client:
        while not over.is_set():
            with socket.create_connection((HOST, port), 10) as cancel:
                cancel.sendall(struct.pack("!ii", 8 + len(key), 80877102) + key)


def connect_storm(port, over):
    login(port)[0].close()


BOMBS = (b"SELECT " + b"(" * 2000 + b"1" + b")" * 2000, b"SELECT 1" + b" + 1" * 3000, b"SELECT 1 WHERE 1 IN (" + b"1," * 20000 + b"1)")
counter = iter(range(1 << 60))
ATTACKS = {
    "flood": flood,
    "huge statements": lambda port, over: session(port, over, lambda: b"SELECT length('" + b"x" * 4_000_000 + b"')"),
    "parse bombs": lambda port, over: session(port, over, lambda: BOMBS[next(counter) % 3] + b" -- %d" % next(counter)),
    "cancel storm": cancel_storm,
    "connect storm": connect_storm,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--attackers", type=int, default=1, help="connections of the neighbour at once")
    parser.add_argument("--scale", type=int, default=1, help="of pgbench's tables")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (BenchError, RunFailed) as error:
        sys.exit(f"neighbours: {error}")
