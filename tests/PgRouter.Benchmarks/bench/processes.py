"""Child processes of the bench: start, stop, free ports, and the CPU time of a process tree."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_DEADLINE = 30.0
STOP_DEADLINE = 15.0


class BenchError(Exception):
    """Something that makes the run useless; the text says what to do."""


def as_postgres():
    """Arguments for subprocess that run a child as postgres: the servers refuse root. As another user, nothing changes."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def run(command, **options):
    """Runs a short command; its output is in the error when it fails."""
    done = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, command))} failed ({done.returncode}):\n{done.stdout[-4000:]}")
    return done.stdout


def free_port():
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """One long-running child in a process group of its own, with its output in a file."""

    def __init__(self, name, command, directory, **options):
        self.name = name
        self._log = Path(directory) / f"{name}.log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command], cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **options)

    @property
    def pid(self):
        return self._process.pid

    def wait_for(self, condition, what):
        """Returns when the condition holds; fails when the process ends or the deadline passes."""
        deadline = time.monotonic() + START_DEADLINE
        while not condition():
            if self._process.poll() is not None:
                raise BenchError(f"{self.name} ended at start ({self._process.returncode}):\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name}: no {what} within {START_DEADLINE:.0f} s:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self):
        return self._log.read_text(errors="replace")[-4000:]

    def stop(self, stop_signal=signal.SIGTERM):
        """Asks it to end, then kills what is left of its group."""
        if self._process.poll() is None:
            self._process.send_signal(stop_signal)
            try:
                self._process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                print(f"bench: {self.name} did not end within {STOP_DEADLINE:.0f} s, it is killed")
        kill_group(self.pid)
        self._process.wait()


def kill_group(group):
    """Kills every process of a group; none left is fine."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def cpu_seconds(root):
    """User and system time of a process, its living descendants, and those of them that have ended and were waited for."""
    times, children = _read_processes()
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        total += times.get(pid, 0)
        pending.extend(children.get(pid, ()))
    return total / TICKS_PER_SECOND


def _read_processes():
    times, children = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="latin-1") as file:
                text = file.read()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended since the directory was listed.
        # The name, in parentheses, may hold spaces. After it: state, ppid, ..., utime, stime, cutime, cstime (proc(5), 14 to 17).
        fields = text[text.rindex(")") + 2:].split()
        times[int(entry)] = sum(int(field) for field in fields[11:15])
        children.setdefault(int(fields[1]), []).append(int(entry))
    return times, children
