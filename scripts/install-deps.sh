#!/usr/bin/env bash
# Installs what the tests need and the machine lacks; does nothing when all is there. Debian and Ubuntu, as root or with sudo.
set -euo pipefail

missing=()
need() { # need PACKAGE TEST...: adds PACKAGE when TEST fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_server() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || [ -x "$(pg_config --bindir)/initdb" ]; }
has_rewind() { compgen -G '/usr/lib/postgresql/*/bin/pg_rewind' >/dev/null || [ -x "$(pg_config --bindir)/pg_rewind" ]; }
has_library() { { /sbin/ldconfig -p || ldconfig -p; } 2>/dev/null | grep libpg_query >/dev/null; }
has_python() { /usr/bin/python3 -c "import $1"; }

need postgresql has_server
need postgresql-contrib has_rewind
need postgresql-client command -v psql
# libpg-query-dev brings the library under its plain name, libpg_query.so, whatever its version.
need libpg-query-dev has_library
need python3-psycopg has_python psycopg
need python3-asyncpg has_python asyncpg
need nodejs command -v node
need npm command -v npm
need default-jdk-headless command -v javac
need libpostgresql-jdbc-java test -e /usr/share/java/postgresql.jar
need openssl command -v openssl
need procps command -v ps
need psmisc command -v killall
need slapd test -x /usr/sbin/slapd
need util-linux command -v setpriv

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "install-deps: this machine lacks what these Debian packages hold: ${missing[*]}" >&2
    echo "install-deps: only Debian and Ubuntu are done by this script; install them by hand and run again." >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-deps: needs root or sudo to install: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "install-deps: installing ${missing[*]}"
# The package would make and start a system cluster on port 5432; the tests bring up their own.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${missing[@]}" </dev/null
