"""A throw-away primary with two streaming standbys, loaded with pgbench's tables."""

import shutil
import subprocess
import time
from pathlib import Path

from processes import BenchError, as_postgres, free_port, run

HOST = "127.0.0.1"
STANDBYS = 2
MAX_CONNECTIONS = 400
REPLAY_DEADLINE = 60.0


def postgres_binary(name):
    """The newest PostgreSQL's program of this name: Debian keeps the servers' programs out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    path = found[-1] if found else shutil.which(name)
    if path is None:
        raise BenchError(f"{name} is not installed: run scripts/install-bench-deps.sh")
    return str(path)


class Cluster:
    """Node 0 is the primary. Everything trusts, nothing is flushed to disk."""

    def __init__(self, directory, scale):
        self._directory = Path(directory)
        self._scale = scale
        self.ports = [free_port() for _ in range(STANDBYS + 1)]

    @property
    def primary_port(self):
        return self.ports[0]

    def start(self):
        self._make_primary()
        for node in range(1, len(self.ports)):
            self._make_standby(node)
        run([postgres_binary("pgbench"), "-i", "-q", "-s", self._scale, *self._address(0)])
        self.execute("VACUUM ANALYZE")
        self.execute("CHECKPOINT")
        self.wait_for_replay()

    def stop(self):
        for node in reversed(range(len(self.ports))):
            if (self._data(node) / "postmaster.pid").exists():
                subprocess.run(
                    [postgres_binary("pg_ctl"), "stop", "-D", self._data(node), "-m", "immediate", "-w"],
                    check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **as_postgres())

    def execute(self, sql, node=0):
        """Runs one statement and returns its output, unaligned and without headers."""
        return run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *self._address(node), "-c", sql]).strip()

    def tidy(self):
        """What pgbench does before a run of its own script, so that one run does not slow the next."""
        self.execute("VACUUM pgbench_branches, pgbench_tellers")
        self.execute("TRUNCATE pgbench_history")

    def wait_for_replay(self):
        """Returns when the standbys show what the primary has written."""
        # Its commit flushes everything before it, and replay surely reaches it.
        position = self.execute("SELECT pg_logical_emit_message(true, 'bench', '')")
        deadline = time.monotonic() + REPLAY_DEADLINE
        for node in range(1, len(self.ports)):
            while self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{position}'", node) != "t":
                if time.monotonic() > deadline:
                    raise BenchError(f"standby {node} did not replay {position} within {REPLAY_DEADLINE:.0f} s")
                time.sleep(0.05)

    def version(self):
        return self.execute("SHOW server_version")

    def _make_primary(self):
        run([postgres_binary("initdb"), "-D", self._data(0), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            **as_postgres())
        self._write_settings(0)
        self._launch(0)

    def _make_standby(self, node):
        source = f"host={HOST} port={self.primary_port} user=postgres application_name=node{node}"
        run([postgres_binary("pg_basebackup"), "-D", self._data(node), "-R", "-X", "stream", "-c", "fast", "-N", "-d", source],
            **as_postgres())
        self._write_settings(node)
        self._launch(node)

    def _write_settings(self, node):
        settings = {
            "listen_addresses": HOST,
            "port": self.ports[node],
            "unix_socket_directories": self._directory,
            "cluster_name": f"node{node}",
            "max_connections": MAX_CONNECTIONS,
            "shared_buffers": "256MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "1h",
            "wal_keep_size": "1GB",
            "log_checkpoints": "off",
        }
        with open(self._data(node) / "postgresql.auto.conf", "a", encoding="ascii") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _launch(self, node):
        run([postgres_binary("pg_ctl"), "start", "-D", self._data(node), "-l", self._directory / f"node{node}.log", "-w"],
            **as_postgres())

    def _data(self, node):
        return self._directory / f"node{node}"

    def _address(self, node):
        return ["-h", HOST, "-p", str(self.ports[node]), "-U", "postgres", "postgres"]
