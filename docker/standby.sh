#!/bin/sh
# Makes a streaming standby of the service "primary" at the first start, then runs it. As user postgres, in the postgres image.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    chmod 0700 "$PGDATA"
    pg_basebackup -D "$PGDATA" -R -X stream -c fast -d "host=primary user=replicator application_name=$STANDBY_NAME"
fi
exec postgres -c "cluster_name=$STANDBY_NAME"
