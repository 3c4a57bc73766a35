#!/usr/bin/env bash
# Installs what tests/PgRouter.Benchmarks/bench needs and the machine lacks: PostgreSQL with pgbench, and Debian's PgBouncer and pgpool-II.
# Does nothing when all is there; starts no service. Debian and Ubuntu, as root or with sudo.
set -euo pipefail

missing=()
need() { # need PACKAGE TEST...: adds PACKAGE when TEST fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_server_program() { compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null || command -v "$1"; }
has_library() { { /sbin/ldconfig -p || ldconfig -p; } 2>/dev/null | grep libpg_query >/dev/null; }

need postgresql has_server_program initdb
need postgresql has_server_program pgbench
need postgresql-client command -v psql
need libpg-query-dev has_library
need pgbouncer test -x /usr/sbin/pgbouncer
need pgpool2 test -x /usr/sbin/pgpool

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "install-bench-deps: this machine lacks what these Debian packages hold: ${missing[*]}" >&2
    echo "install-bench-deps: only Debian and Ubuntu are done by this script; install them by hand and run again." >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-bench-deps: needs root or sudo to install: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

# The packages would start a cluster, a PgBouncer and a pgpool as services; the bench brings up its own. 101 means "not allowed".
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi

echo "install-bench-deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${missing[@]}" </dev/null
