"""The systems under test: each has a name, a port, maybe a process, and says which protocol modes it can serve."""

import os
import shutil
import subprocess
from pathlib import Path

from cluster import HOST
from processes import BenchError, Daemon, as_postgres, free_port, run

POOL_SIZE = 16
ROOT = Path(__file__).resolve().parents[3]
PGROUTER = ROOT / "artifacts" / "pgrouter" / "pgrouter"
ALL_MODES = ("simple", "extended", "prepared")


class System:
    """One way to the database. A proxy is a child process; direct is none."""

    def __init__(self, name, label, port, nodes, modes=ALL_MODES, daemon=None, version=""):
        self.name, self.label, self.port, self.nodes = name, label, port, nodes
        self.modes, self.daemon, self.version = modes, daemon, version


def direct(cluster, directory):
    return System("direct", "direct", cluster.primary_port, 1, version=f"PostgreSQL {cluster.version()}")


def pgbouncer(cluster, directory, tls=None):
    port = free_port()
    encryption = f"client_tls_sslmode = allow\nclient_tls_cert_file = {tls[0]}\nclient_tls_key_file = {tls[1]}" if tls else ""
    config = _write(directory, "pgbouncer.ini", f"""
[databases]
postgres = user=postgres dbname=postgres host={HOST} port={cluster.primary_port}
[pgbouncer]
listen_addr = {HOST}
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file =
pool_mode = transaction
default_pool_size = {POOL_SIZE}
max_client_conn = 20000
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
{encryption}
""")
    program = _program("/usr/sbin/pgbouncer")
    daemon = Daemon("pgbouncer", [program, config], directory, **as_postgres())
    version = run([program, "--version"], **as_postgres()).splitlines()[0]
    # 1.18 has no prepared statements in transaction mode: the next transaction may meet a server that was never told to prepare.
    return _ready(System("pgbouncer", "PgBouncer", port, 1, ("simple", "extended"), daemon, version))


def pgpool(cluster, directory):
    port = free_port()
    backends = "".join(
        f"backend_hostname{node} = '{HOST}'\nbackend_port{node} = {backend}\nbackend_weight{node} = 1\n"
        f"backend_flag{node} = 'DISALLOW_TO_FAILOVER'\n" for node, backend in enumerate(cluster.ports))
    config = _write(directory, "pgpool.conf", f"""
backend_clustering_mode = 'streaming_replication'
listen_addresses = '{HOST}'
port = {port}
socket_dir = '{directory}'
pcp_listen_addresses = '{HOST}'
pcp_port = {free_port()}
pcp_socket_dir = '{directory}'
wd_ipc_socket_dir = '{directory}'
pid_file_name = '{directory}/pgpool.pid'
logdir = '{directory}'
enable_pool_hba = off
pool_passwd = ''
num_init_children = 80
max_pool = 1
child_life_time = 0
connection_cache = on
load_balance_mode = on
sr_check_user = 'postgres'
sr_check_period = 10
health_check_period = 0
{backends}""")
    pcp = _write(directory, "pcp.conf", "")
    program = _program("/usr/sbin/pgpool")
    daemon = Daemon("pgpool", [program, "-n", "-D", "-f", config, "-F", pcp], directory, **as_postgres())
    return _ready(System("pgpool", "pgpool-II", port, len(cluster.ports), ALL_MODES, daemon, _first_line([program, "--version"])))


def pgrouter(cluster, directory, pool_size=POOL_SIZE, tls=None):
    return _pgrouter(cluster, directory, "pgrouter", "PgRouter, three nodes", "epoll", balance=True, pool_size=pool_size, tls=tls)


def pgrouter_epoll(cluster, directory):
    return _pgrouter(cluster, directory, "pgrouter-epoll", "PgRouter, epoll", "epoll", balance=False)


def pgrouter_uring(cluster, directory):
    return _pgrouter(cluster, directory, "pgrouter-uring", "PgRouter, io_uring", "io_uring", balance=False)


# Order of the rows in the tables; each is a function of (cluster, directory) that starts the system.
STARTERS = {
    "direct": direct,
    "pgbouncer": pgbouncer,
    "pgpool": pgpool,
    "pgrouter": pgrouter,
    "pgrouter-epoll": pgrouter_epoll,
    "pgrouter-uring": pgrouter_uring,
}


def _pgrouter(cluster, directory, name, label, io, balance, pool_size=POOL_SIZE, tls=None):
    if not PGROUTER.exists():
        raise BenchError(f"{PGROUTER} does not exist: run 'make build' first")
    port = free_port()
    backends = "".join(
        f"backend_hostname{node} = '{HOST}'\nbackend_port{node} = {backend}\nbackend_weight{node} = 1\n"
        for node, backend in enumerate(cluster.ports))
    encryption = f"ssl = on\nssl_cert = '{tls[0]}'\nssl_key = '{tls[1]}'" if tls else ""
    config = _write(directory, f"{name}.conf", f"""
listen_addresses = '{HOST}'
port = {port}
unix_socket_directories = '{directory}'
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 20000
load_balance_mode = {'on' if balance else 'off'}
pgrouter.io = {io}
sr_check_user = 'postgres'
sr_check_database = 'postgres'
health_check_user = 'postgres'
{encryption}
{backends}""")
    daemon = Daemon(name, [PGROUTER, "-f", config], directory, env={**os.environ, "DOTNET_gcServer": "0"})
    nodes = len(cluster.ports) if balance else 1
    return _ready(System(name, label, port, nodes, ALL_MODES, daemon, _first_line([PGROUTER, "--version"])))


def _ready(system):
    """Waits until a statement comes back through it."""
    def answers():
        probe = ["psql", "-XAtq", "-h", HOST, "-p", str(system.port), "-U", "postgres", "-c", "SELECT 1", "postgres"]
        return subprocess.run(probe, check=False, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    try:
        system.daemon.wait_for(answers, "answer to SELECT 1")
    except BaseException:
        system.daemon.stop()
        raise
    return system


def _program(path):
    found = path if os.path.exists(path) else shutil.which(os.path.basename(path))
    if found is None:
        raise BenchError(f"{path} does not exist: run scripts/install-bench-deps.sh")
    return found


def _first_line(command):
    done = subprocess.run([str(part) for part in command], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def _write(directory, name, text):
    path = Path(directory) / name
    path.write_text(text.lstrip("\n"), encoding="ascii")
    return path
