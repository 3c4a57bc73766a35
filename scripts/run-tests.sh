#!/usr/bin/env bash
# Runs the unit and integration tests and prints, as the last line, how many tests really ran: "N passed, N failed".
# Fails when a test failed, when a run broke off, or when no test ran at all.
set -euo pipefail
cd "$(dirname "$0")/.."

results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"

# One test run: name, project, filter. The log and the counts go to files of its name.
run() {
    local name=$1 project=$2
    shift 2
    dotnet test "tests/$project" --no-build --nologo -v q \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
        --results-directory "$results" "$@" </dev/null >"$results/$name.log" 2>&1
}

# Tests of these folders of the integration tests, as a filter; a filter of all others.
only() { printf 'FullyQualifiedName~.IntegrationTests.%s.|' "$@" | sed 's/|$//'; }
without() { printf 'FullyQualifiedName!~.IntegrationTests.%s.&' "$@" | sed 's/&$//'; }

# The integration tests wait more than they compute: three parts at once, each with servers of its own.
comparison=(Wire Drivers Login)
losses=(Notifications Timeouts Demo Nodes Scenario13)

status=0
for project in PgRouter.Tests PgRouter.IntegrationTests; do
    dotnet build "tests/$project" --nologo -v q || exit 1
done
run PgRouter.Tests PgRouter.Tests || status=1
cat "$results/PgRouter.Tests.log"
run comparison PgRouter.IntegrationTests --filter "$(only "${comparison[@]}")" &
first=$!
run losses PgRouter.IntegrationTests --filter "$(only "${losses[@]}")" &
second=$!
run others PgRouter.IntegrationTests --filter "$(without "${comparison[@]}" "${losses[@]}")" || status=1
wait "$first" || status=1
wait "$second" || status=1
cat "$results/comparison.log" "$results/losses.log" "$results/others.log"

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
