CONFIGURATION ?= Release
OUTPUT := artifacts/pgrouter

.PHONY: build test test-io-uring demo format clean bench bench-quick density soak generate compare-pgpool consistency fuzz bench-tls bench-neighbours

# The executable, framework-dependent, with a native launcher named pgrouter.
build:
	dotnet publish src/PgRouter.Server -c $(CONFIGURATION) --self-contained false -p:UseAppHost=true -o $(OUTPUT) -v q --nologo

# Everything a fresh machine needs, then all tests against real PostgreSQL; the last line counts the tests that ran.
test:
	scripts/install-deps.sh
	$(MAKE) build
	scripts/run-tests.sh

# The same on io_uring; the tests of one driver run on both in any case.
test-io-uring:
	PGROUTER_TEST_IO=io_uring $(MAKE) test

# pgbench for 30 s in each protocol, and a thousand clients that come and go for a minute.
soak: build
	scripts/soak.sh

# Thousands of random sessions, direct against routed; SESSIONS=20000 SEED=1 and the like.
generate: build
	PGROUTER_GENERATED_SESSIONS=$(or $(SESSIONS),3000) PGROUTER_GENERATED_SEED=$(SEED) \
		dotnet test tests/PgRouter.IntegrationTests --nologo --filter FullyQualifiedName~GeneratedSessionTests

# The tests of W1 to W32 through PgRouter and through Debian's pgpool-II, side by side; see docs/pgpool.md.
compare-pgpool: build
	scripts/compare-pgpool.sh

# A million reads against what was acknowledged before them, while standbys stop and the primary is switched; READS=100000 and the like.
consistency: build
	PGROUTER_CONSISTENCY_READS=$(or $(READS),1000000) dotnet test tests/PgRouter.IntegrationTests --nologo \
		--logger "console;verbosity=normal" --filter FullyQualifiedName~StaleReadTests

# A throw-away primary, two standbys and the router in front of them on port 9999; Ctrl-C removes everything.
demo:
	scripts/install-deps.sh
	$(MAKE) build
	$(OUTPUT)/pgrouter demo

format:
	dotnet format

clean:
	rm -rf artifacts
	find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +

# PgRouter beside a direct connection, PgBouncer and pgpool-II; see tests/PgRouter.Benchmarks/bench/README.md. BENCH="--publish" and the like.
bench: build
	tests/PgRouter.Benchmarks/bench/run.py $(BENCH)

# The same in under 5 minutes.
bench-quick: build
	tests/PgRouter.Benchmarks/bench/run.py --quick $(BENCH)

# A thousand clients on twenty servers, and whether the waits that SHOW STATS adds up are those the clients saw.
density: build
	tests/PgRouter.Benchmarks/bench/density.py $(BENCH)

# Ten million messages that are wrong in every way, from clients and from servers; MESSAGES=100000 SEED=1 and the like.
fuzz: build
	PGROUTER_FUZZ_MESSAGES=$(or $(MESSAGES),10000000) PGROUTER_FUZZ_SEED=$(SEED) \
		dotnet test tests/PgRouter.IntegrationTests --nologo --logger "console;verbosity=detailed" --filter FullyQualifiedName~.Fuzzing.

# Handshakes and CPU time with TLS towards clients, beside PgBouncer; BENCH="--rounds 5" and the like.
bench-tls: build
	tests/PgRouter.Benchmarks/bench/tls.py $(BENCH)

# The p99 of some clients while a neighbour floods, bombs and storms.
bench-neighbours: build
	tests/PgRouter.Benchmarks/bench/neighbours.py $(BENCH)
