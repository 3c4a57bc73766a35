#!/usr/bin/env bash
# Runs the tests of W1 to W32 (docs/pgpool.md) through PgRouter and through Debian's pgpool-II, and prints both results side by side.
# Installs pgpool-II when it is not there. Needs "make build". About six minutes, because pgpool hangs where PgRouter does not.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-bench-deps.sh
results=artifacts/compare-pgpool
rm -rf "$results"
mkdir -p "$results"
dotnet build tests/PgRouter.IntegrationTests --nologo -v q

for target in pgrouter pgpool; do
    echo "running the tests through $target" >&2
    PGROUTER_GAPS_TARGET=$target dotnet test tests/PgRouter.IntegrationTests --no-build --nologo -v q \
        --filter "FullyQualifiedName~PgRouter.IntegrationTests.Gaps" --logger "trx;LogFileName=$target.trx" --results-directory "$results" \
        </dev/null >"$results/$target.log" 2>&1 || true
    [ -s "$results/$target.trx" ] || { cat "$results/$target.log" >&2; exit 1; }
done

exec /usr/bin/python3 scripts/compare_pgpool.py "$results/pgrouter.trx" "$results/pgpool.trx"
