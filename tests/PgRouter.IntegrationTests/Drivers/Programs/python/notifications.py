"""LISTEN and NOTIFY with psycopg 3 and asyncpg: own and others' notifications, in transactions, with prepared statements, after UNLISTEN."""
import asyncio
import itertools
import os

import asyncpg
import psycopg

SCHEMA = os.environ["DRIVER_SCHEMA"]


def shown(conn, notes):
    return [(note.channel == SCHEMA, note.payload, note.pid == conn.info.backend_pid) for note in notes]


def with_psycopg():
    print("== psycopg")
    with psycopg.connect(autocommit=True) as listener, psycopg.connect(autocommit=True) as sender:
        listener.prepare_threshold = 0
        listener.execute(f"LISTEN {SCHEMA}")
        for n in range(3):
            sender.execute("SELECT pg_notify(%s, %s)", (SCHEMA, f"from another {n}"))
        print(shown(listener, itertools.islice(listener.notifies(), 3)))
        heard = []
        listener.add_notify_handler(heard.append)
        listener.execute("SELECT pg_notify(%s, %s)", (SCHEMA, "own"))
        print(shown(listener, heard))
        with listener.transaction():
            listener.execute(f"NOTIFY {SCHEMA}, 'in a transaction'")
            sender.execute(f"NOTIFY {SCHEMA}, 'meanwhile'")
            print(listener.execute("SELECT 1").fetchone(), len(heard))
        print(shown(listener, heard))
        try:
            with listener.transaction():
                listener.execute(f"LISTEN {SCHEMA}_2")
                listener.execute("SELECT 1/0")
        except psycopg.errors.DivisionByZero as error:
            print(error)
        print(listener.execute("SELECT pg_listening_channels() = %s", (SCHEMA,)).fetchall())
        sender.execute(f"NOTIFY {SCHEMA}, 'read with the next answer'")
        print(listener.execute("SELECT 1").fetchone(), shown(listener, heard))
        listener.execute(f"UNLISTEN {SCHEMA}")
        sender.execute(f"NOTIFY {SCHEMA}, 'unheard'")
        print(listener.execute("SELECT 'nothing more'").fetchone(), len(heard))


async def with_asyncpg():
    print("== asyncpg")
    async with asyncpg.create_pool(min_size=2, max_size=3) as pool:
        heard = asyncio.Queue()

        def hear(conn, pid, channel, payload):
            heard.put_nowait((channel == SCHEMA, payload, pid == conn.get_server_pid()))

        async def next_ones(count):
            return [await asyncio.wait_for(heard.get(), 10) for _ in range(count)]

        async with pool.acquire() as listener:
            await listener.add_listener(SCHEMA, hear)
            for n in range(3):
                await pool.execute("SELECT pg_notify($1, $2)", SCHEMA, f"from another {n}")
            print(await next_ones(3))
            await listener.execute("SELECT pg_notify($1, $2)", SCHEMA, "own")
            print(await next_ones(1))
            async with listener.transaction():
                await listener.execute(f"NOTIFY {SCHEMA}, 'in a transaction'")
                print(heard.qsize(), await listener.fetchval("SELECT 1"))
            print(await next_ones(1))
            await listener.remove_listener(SCHEMA, hear)
            await pool.execute("SELECT pg_notify($1, $2)", SCHEMA, "unheard")
            print(await listener.fetchval("SELECT 'nothing more'"), heard.qsize())
            await listener.execute(f"LISTEN {SCHEMA}")
        # asyncpg runs UNLISTEN * when a connection goes back to its pool.
        await pool.execute("SELECT pg_notify($1, $2)", SCHEMA, "unheard")
        print(heard.qsize())


with_psycopg()
asyncio.run(with_asyncpg())
