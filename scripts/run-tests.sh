#!/usr/bin/env bash
# Runs the unit and integration tests and prints, as the last line, how many tests really ran: "N passed, N failed".
# Fails when a test failed, when a run broke off, or when no test ran at all.
set -euo pipefail
cd "$(dirname "$0")/.."

results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"

status=0
for project in PgRouter.Tests PgRouter.IntegrationTests; do
    dotnet test "tests/$project" --nologo -v q -m:1 \
        --logger "trx;LogFileName=$project.trx" --logger "console;verbosity=minimal" \
        --results-directory "$results" "$@" </dev/null 2>&1 | tee "$results/$project.log" || status=1
done

# Sums one counter over all result files. A project without tests leaves no file.
sum() {
    local total=0 value
    for value in $(cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*'); do
        total=$((total + value))
    done
    echo "$total"
}

passed=$(sum passed)
failed=$(($(sum failed) + $(sum error) + $(sum timeout) + $(sum aborted)))

# A fixture's tear-down checks things too, and belongs to no test: each that failed counts as one.
teardowns=$(cat "$results"/*.log | grep -c '^TearDown failed' || true)
failed=$((failed + teardowns))

if [ $((passed + failed)) -eq 0 ]; then
    echo "no test ran" >&2
    status=1
fi
if [ "$failed" -gt 0 ]; then
    status=1
fi
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    echo "a test run broke off or did not build, see above" >&2
fi
echo "$passed passed, $failed failed"
exit "$status"
