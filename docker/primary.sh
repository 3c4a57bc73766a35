#!/bin/sh
# Run once by the postgres image when it makes the primary's data: accounts for replication and for PgRouter's checks.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres <<'SQL'
CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'replicator';
CREATE ROLE checker LOGIN PASSWORD 'checker' IN ROLE pg_monitor;
SQL
echo 'host replication replicator all scram-sha-256' >> "$PGDATA/pg_hba.conf"
