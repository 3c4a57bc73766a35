"""asyncpg as applications use it: its pool and reset query, its statement cache, transactions, cursors, COPY, type introspection, notifications."""
import asyncio
import datetime
import decimal
import json
import os

import asyncpg

SCHEMA = os.environ["DRIVER_SCHEMA"]
WORKERS = 20
ROUNDS = 10


def heading(text):
    print(f"== {text}")


def failure(error):
    print(type(error).__name__, getattr(error, "sqlstate", None), error)


async def prepare_schema():
    conn = await asyncpg.connect()
    await conn.execute("SET client_min_messages = warning")
    await conn.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    await conn.execute(
        f"CREATE SCHEMA {SCHEMA}; SET search_path = {SCHEMA};"
        " CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN small AS int CHECK (VALUE < 10);"
        " CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE, feeling mood, both_of pair, doc jsonb, tiny small, at timestamptz)"
    )
    await conn.close()


async def statements(conn):
    heading("statements")
    statement = await conn.prepare("SELECT $1::int + $2::int AS sum, $3::text AS word")
    print(statement.get_statusmsg() or "not run", [a.name for a in statement.get_attributes()], [p.name for p in statement.get_parameters()])
    for n in range(5):
        print(tuple(await statement.fetchrow(n, n, f"w{n}")))
    for n in range(10):
        assert await conn.fetchval("SELECT $1::int * 2", n) == n * 2
    print(await conn.execute("INSERT INTO t (name, feeling) VALUES ($1, $2)", "first", "ok"))
    await conn.executemany("INSERT INTO t (name, tiny) VALUES ($1, $2)", [(f"many{n}", n) for n in range(10)])
    print(await conn.fetchval("SELECT count(*) FROM t"))
    for sql, arguments in (
        ("INSERT INTO t (name) VALUES ($1)", ("first",)),
        ("INSERT INTO t (tiny) VALUES ($1)", (11,)),
        ("SELECT nope", ()),
        ("SELECT 1 / $1::int", (0,)),
    ):
        try:
            await conn.execute(sql, *arguments)
        except asyncpg.PostgresError as error:
            failure(error)
    try:
        await conn.executemany("INSERT INTO t (name) VALUES ($1)", [("x",), ("y",), ("x",)])
    except asyncpg.PostgresError as error:
        failure(error)
    print(await conn.fetchval("SELECT count(*) FROM t WHERE name IN ('x', 'y')"))


async def transactions(conn):
    heading("transactions")
    async with conn.transaction():
        await conn.execute("INSERT INTO t (name) VALUES ('outer')")
        try:
            async with conn.transaction():
                await conn.execute("INSERT INTO t (name) VALUES ('inner')")
                await conn.execute("SELECT nope")
        except asyncpg.PostgresError as error:
            failure(error)
    print([row["name"] for row in await conn.fetch("SELECT name FROM t WHERE name IN ('outer', 'inner')")])
    async with conn.transaction(isolation="serializable", readonly=True, deferrable=True):
        print(await conn.fetchval("SHOW transaction_isolation"), await conn.fetchval("SHOW transaction_read_only"))
    transaction = conn.transaction()
    await transaction.start()
    await conn.execute("DELETE FROM t")
    await transaction.rollback()
    print(await conn.fetchval("SELECT count(*) > 0 FROM t"))


async def cursors(conn):
    heading("cursors")
    async with conn.transaction():
        print([row[0] async for row in conn.cursor("SELECT generate_series(1, $1::int)", 25, prefetch=4)])
        cursor = await conn.cursor("SELECT generate_series(1, 10)")
        print([row[0] for row in await cursor.fetch(3)])
        await cursor.forward(2)
        print(tuple(await cursor.fetchrow()))
    try:
        conn.cursor("SELECT 1").__aiter__()
        async for _ in conn.cursor("SELECT 1"):
            pass
    except asyncpg.PostgresError as error:
        failure(error)
    except asyncpg.InterfaceError as error:
        failure(error)


async def types(conn):
    heading("types")
    await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
    row = await conn.fetchrow(
        "INSERT INTO t (name, feeling, both_of, doc, tiny, at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING feeling, both_of, doc, tiny, at",
        "typed", "sad", (1, "b"), {"a": [1, None]}, 3, at,
    )
    print(dict(row), tuple(row["both_of"]))
    print(await conn.fetchval("SELECT array_agg(feeling ORDER BY id) FROM t WHERE feeling IS NOT NULL"))
    print(await conn.fetchval("SELECT ARRAY[ROW(1, 'x')::pair, ROW(2, NULL)::pair]"))
    for sql, value in (
        ("SELECT $1::int4range", asyncpg.Range(1, 9)),
        ("SELECT $1::numeric", decimal.Decimal("1.230")),
        ("SELECT $1::int[]", [[1, 2], [3, 4]]),
        ("SELECT $1::interval", datetime.timedelta(days=2)),
        ("SELECT $1::bytea", b"\x00\x01"),
        ("SELECT $1::inet", "10.0.0.1"),
        ("SELECT $1::xml", "<a/>"),
        ("SELECT $1::hstore_is_absent", 1),
    ):
        try:
            print(repr(await conn.fetchval(sql, value)))
        except asyncpg.PostgresError as error:
            failure(error)
    big = "x" * 3_000_000
    print(await conn.fetchval("SELECT length($1::text)", big), len(await conn.fetchval("SELECT $1::text || $1::text", big)))
    print((await conn.fetchrow("SELECT 1 AS a, 2 AS a, NULL AS b")).keys().__class__.__name__)


async def changed_table(conn):
    heading("a table that changes under a cached statement")
    await conn.execute("CREATE TABLE wide (a int)")
    await conn.execute("INSERT INTO wide VALUES (1)")
    for _ in range(3):
        await conn.fetch("SELECT * FROM wide")
    await conn.execute("ALTER TABLE wide ADD COLUMN b text DEFAULT 'new'")
    print([tuple(row) for row in await conn.fetch("SELECT * FROM wide")])
    await conn.execute("ALTER TABLE wide ALTER COLUMN a TYPE text")
    print([tuple(row) for row in await conn.fetch("SELECT * FROM wide")])


async def copying(conn):
    heading("COPY")
    await conn.execute("CREATE TABLE c (id int, word text, at date)")
    records = [(n, f"word {n}" if n % 3 else None, datetime.date(2026, 1, 1 + n % 28)) for n in range(6000)]
    print(await conn.copy_records_to_table("c", records=records, schema_name=SCHEMA))
    received = bytearray()

    async def take(data):
        received.extend(data)

    print(await conn.copy_from_query("SELECT * FROM c ORDER BY id LIMIT $1", 1000, output=take, format="csv"), len(received))
    try:
        await conn.copy_records_to_table("c", records=[("text", 1, 2)], schema_name=SCHEMA)
    except Exception as error:  # noqa: BLE001 - which error asyncpg makes of it is what is compared
        failure(error)
    try:
        await conn.copy_records_to_table("absent", records=[(1,)], schema_name=SCHEMA)
    except asyncpg.PostgresError as error:
        failure(error)
    print(await conn.fetchval("SELECT count(*) FROM c"))


async def notifications(pool):
    heading("notifications")
    queue = asyncio.Queue()
    listener = await asyncpg.connect()
    await listener.add_listener(SCHEMA, lambda conn, pid, channel, payload: queue.put_nowait((channel, payload)))
    for n in range(5):
        await pool.execute("SELECT pg_notify($1, $2)", SCHEMA, f"note {n}")
    print([await asyncio.wait_for(queue.get(), 10) for _ in range(5)])
    print(await listener.fetchval("SELECT 'still usable'"))
    await listener.close()


async def cancelling(pool):
    heading("timeouts")
    async with pool.acquire() as conn:
        for _ in range(3):
            try:
                await conn.fetchval("SELECT pg_sleep(30)", timeout=0.2)
            except asyncio.TimeoutError as error:
                print("TimeoutError", error)
            print(await conn.fetchval("SELECT 'after timeout'"))


async def worker(pool, number):
    for turn in range(ROUNDS):
        async with pool.acquire() as conn:
            left = await conn.fetchval("SELECT current_setting('my.worker', true)")
            assert not left, (number, left)
            await conn.execute(f"SET my.worker = '{number}'")
            await conn.execute("SELECT pg_advisory_lock($1, $2)", hash(SCHEMA) % 1000, number)
            async with conn.transaction():
                await conn.execute("UPDATE counters SET n = n + 1 WHERE worker = $1", number)
                assert await conn.fetchval("SELECT n FROM counters WHERE worker = $1", number) == turn + 1
            assert await conn.fetchval("SELECT current_setting('my.worker')") == str(number)
    return number


async def many_workers():
    heading("pool")
    async with asyncpg.create_pool(min_size=2, max_size=10, server_settings={"search_path": SCHEMA, "application_name": SCHEMA}) as pool:
        await pool.execute("CREATE TABLE counters (worker int PRIMARY KEY, n int)")
        await pool.execute("INSERT INTO counters SELECT w, 0 FROM generate_series(0, $1::int - 1) AS w", WORKERS)
        print(await asyncio.gather(*(worker(pool, number) for number in range(WORKERS))))
        print([tuple(row) for row in await pool.fetch("SELECT worker, n FROM counters ORDER BY worker")])
        print(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"))


async def main():
    await prepare_schema()
    async with asyncpg.create_pool(min_size=1, max_size=3, server_settings={"search_path": SCHEMA}) as pool:
        for part in (statements, transactions, cursors, types, changed_table, copying):
            async with pool.acquire() as conn:
                await part(conn)
        await notifications(pool)
        await cancelling(pool)
    await many_workers()
    conn = await asyncpg.connect()
    await conn.execute(f"SET client_min_messages = warning; DROP SCHEMA {SCHEMA} CASCADE")
    await conn.close()


asyncio.run(main())
