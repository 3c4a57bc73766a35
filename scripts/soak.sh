#!/usr/bin/env bash
# The tests under load in their long form, against real PostgreSQL: pgbench with 64 clients for 30 s in each protocol, and a thousand
# clients that come and go for a minute. PGROUTER_PGBENCH_SECONDS and PGROUTER_CHURN_SECONDS change the times. Needs "make build".
set -euo pipefail
cd "$(dirname "$0")/.."

export PGROUTER_PGBENCH_SECONDS="${PGROUTER_PGBENCH_SECONDS:-30}"
export PGROUTER_CHURN_SECONDS="${PGROUTER_CHURN_SECONDS:-60}"
exec dotnet test tests/PgRouter.IntegrationTests --nologo -v q -m:1 --filter "TestCategory=Soak" \
    --logger "console;verbosity=normal" "$@" </dev/null
