"""psycopg 3 with asyncio: many connections at once, each checking that what it sees is its own."""
import asyncio
import os

import psycopg

SCHEMA = os.environ["DRIVER_SCHEMA"]
WORKERS = 12
ROUNDS = 15


async def worker(number):
    conn = await psycopg.AsyncConnection.connect(autocommit=True, options=f"-c search_path={SCHEMA}")
    async with conn:
        await conn.execute("SELECT set_config('my.worker', %s, false)", (str(number),))
        for turn in range(ROUNDS):
            async with conn.transaction():
                await conn.execute("UPDATE counters SET n = n + 1 WHERE worker = %s", (number,))
                await conn.execute("SELECT set_config('my.turn', %s, true)", (str(turn),))
                row = await (await conn.execute("SELECT n, current_setting('my.turn') FROM counters WHERE worker = %s", (number,))).fetchone()
                assert row == (turn + 1, str(turn)), (number, turn, row)
            row = await (await conn.execute("SELECT current_setting('my.worker'), %s::int", (turn,))).fetchone()
            assert row == (str(number), turn), (number, row)
            if turn % 5 == 0:
                try:
                    await conn.execute("INSERT INTO counters VALUES (%s, 0)", (number,))
                except psycopg.errors.UniqueViolation as error:
                    assert error.diag.constraint_name == "counters_pkey"
    return number


async def cancelled():
    async with await psycopg.AsyncConnection.connect(autocommit=True) as conn:
        sleeping = asyncio.create_task(conn.execute("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.3)
        conn.cancel()
        try:
            await sleeping
        except psycopg.errors.QueryCanceled as error:
            print(error)
        print(await (await conn.execute("SELECT 'after cancel'")).fetchone())


async def main():
    async with await psycopg.AsyncConnection.connect(autocommit=True) as conn:
        await conn.execute("SET client_min_messages = warning")
        await conn.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        await conn.execute(f"CREATE SCHEMA {SCHEMA}")
        await conn.execute(f"CREATE TABLE {SCHEMA}.counters (worker int PRIMARY KEY, n int)")
        await conn.execute(f"INSERT INTO {SCHEMA}.counters SELECT w, 0 FROM generate_series(0, {WORKERS - 1}) AS w")
        print(await asyncio.gather(*(worker(number) for number in range(WORKERS))))
        print(await (await conn.execute(f"SELECT worker, n FROM {SCHEMA}.counters ORDER BY worker")).fetchall())
        await cancelled()
        await conn.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


asyncio.run(main())
