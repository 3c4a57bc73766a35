"""One pgbench run through one system: throughput, latency and the proxy's CPU time, all over the same stretch of time."""

import glob
import os
import subprocess
import time
from dataclasses import dataclass

from cluster import HOST, postgres_binary
from processes import cpu_seconds, kill_group

# Clients log in during the head, and end one by one during the tail: neither belongs to the figures.
HEAD_SECONDS = 0.4
TAIL_SECONDS = 0.1
GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class Case:
    """A load: pgbench's script, its protocol mode, and the number of clients."""

    script: str
    mode: str
    clients: int

    @property
    def label(self):
        return f"{self.script}, {self.mode}"


@dataclass(frozen=True)
class Sample:
    """The figures of one run. Times in microseconds; cpu is None for a system without a process of its own."""

    transactions: int
    tps: float
    cpu: float | None
    p50: float
    p99: float


class RunFailed(Exception):
    """pgbench ended with an error, or nothing was answered; the text is pgbench's."""


def measure(system, case, seconds, log_directory):
    """Runs pgbench and reads the proxy's CPU time at both ends of the middle of the run."""
    prefix = os.path.join(log_directory, "pgbench")
    process = _launch(system, case, seconds, prefix)
    try:
        begin, cpu_begin = _wait_and_read(system, HEAD_SECONDS)
        end, cpu_end = _wait_and_read(system, seconds - HEAD_SECONDS - TAIL_SECONDS)
        _, errors = process.communicate(timeout=GRACE_SECONDS)
        if process.returncode != 0:
            raise RunFailed(_last_lines(errors))
        latencies = sorted(_latencies(prefix, begin, end))
    except subprocess.TimeoutExpired:
        raise RunFailed(f"pgbench did not end within {GRACE_SECONDS:.0f} s after its time") from None
    finally:
        kill_group(process.pid)
        process.communicate()
        for path in glob.glob(prefix + ".*"):
            os.unlink(path)
    if not latencies:
        raise RunFailed("no transaction ended within the measured time")
    return _sample(latencies, end - begin, None if system.daemon is None else cpu_end - cpu_begin)


def _launch(system, case, seconds, prefix):
    script = {"select": "select-only", "tpcb-like": "tpcb-like"}[case.script]
    command = [
        postgres_binary("pgbench"), "-n", "-b", script, "-M", case.mode, "-c", str(case.clients), "-j", str(min(2, case.clients)),
        "-T", str(seconds), "-l", f"--log-prefix={prefix}", "-h", HOST, "-p", str(system.port), "-U", "postgres", "postgres"]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _wait_and_read(system, seconds):
    """Sleeps, then reads clock and CPU time together. The clock is the one of pgbench's log."""
    time.sleep(seconds)
    cpu = 0.0 if system.daemon is None else cpu_seconds(system.daemon.pid)
    return time.time(), cpu


def _latencies(prefix, begin, end):
    """Latencies of the transactions that ended within the time, from pgbench's per-transaction log."""
    for path in glob.glob(prefix + ".*"):
        with open(path, encoding="ascii") as file:
            for line in file:
                # client, number, latency, script, seconds, microseconds; the latency of a failed transaction is a word.
                fields = line.split()
                ended = int(fields[4]) + int(fields[5]) / 1e6
                if begin <= ended <= end and fields[2].isdigit():
                    yield int(fields[2])


def _sample(latencies, seconds, cpu):
    count = len(latencies)
    return Sample(
        transactions=count,
        tps=count / seconds,
        cpu=None if cpu is None else cpu * 1e6 / count,
        p50=latencies[count // 2],
        p99=latencies[min(count - 1, count * 99 // 100)])


def _last_lines(text):
    return " | ".join(text.strip().splitlines()[-3:]) or "no message"
