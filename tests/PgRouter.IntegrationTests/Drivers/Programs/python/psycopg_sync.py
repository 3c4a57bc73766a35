"""psycopg 3 as applications use it: transactions, server-side cursors, automatic prepares, pipelines, COPY, notifications, types."""
import datetime
import decimal
import os
import threading
import uuid

import psycopg
from psycopg.rows import dict_row
from psycopg.types.enum import EnumInfo, register_enum
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

SCHEMA = os.environ["DRIVER_SCHEMA"]


def heading(text):
    print(f"== {text}")


def show(cursor):
    for row in cursor.fetchall():
        print(row)


def failure(error):
    diag = error.diag
    print(type(error).__name__, diag.sqlstate, diag.severity, diag.message_primary, diag.message_detail, diag.message_hint, diag.statement_position)


def prepare_schema(conn):
    conn.execute("SET client_min_messages = warning")
    conn.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    conn.execute(f"CREATE SCHEMA {SCHEMA}")
    conn.execute(f"SET search_path = {SCHEMA}")
    conn.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    conn.execute("CREATE TABLE t (id serial PRIMARY KEY, name text, amount numeric, doc jsonb, feeling mood)")


def autocommit(conn):
    heading("autocommit")
    print(conn.execute("INSERT INTO t (name, amount) VALUES (%s, %s) RETURNING id, name, amount", ("a", decimal.Decimal("1.25"))).fetchone())
    print(conn.execute("SELECT currval('t_id_seq')").fetchone())
    for n in range(20):  # More than prepare_threshold: the later ones are prepared on the server.
        conn.execute("SELECT %s::int + 1", (n,)).fetchone()
    print(conn.execute("SELECT name, count(*) FROM t GROUP BY name ORDER BY name").fetchall())
    for n in range(8):
        print(conn.execute("SELECT %s::int * 2 AS double, %s::text AS word", (n, f"w{n}")).fetchone())
    try:
        conn.execute("SELECT 1 / %s", (0,))
    except psycopg.Error as error:
        failure(error)
    print(conn.execute("SELECT 'alive'").fetchone())


def changed_result(conn):
    heading("prepared statement whose result changes")
    conn.execute("CREATE TABLE wide (a int)")
    conn.execute("INSERT INTO wide VALUES (1)")
    for _ in range(7):
        conn.execute("SELECT * FROM wide").fetchall()
    conn.execute("ALTER TABLE wide ADD COLUMN b text DEFAULT 'new'")
    try:
        conn.execute("SELECT * FROM wide").fetchall()
    except psycopg.errors.FeatureNotSupported:
        pass  # PostgreSQL refuses the old plan; a server of the router where the statement is new has no old plan to refuse.
    print(conn.execute("SELECT * FROM wide WHERE true").fetchall())


def transactions(conn):
    heading("transactions")
    with conn.transaction():
        conn.execute("INSERT INTO t (name) VALUES ('kept')")
        try:
            with conn.transaction():
                conn.execute("INSERT INTO t (name) VALUES ('lost')")
                conn.execute("SELECT no_such_column")
        except psycopg.errors.UndefinedColumn as error:
            failure(error)
        print(conn.execute("SELECT name FROM t ORDER BY id").fetchall())
    try:
        with conn.transaction():
            conn.execute("INSERT INTO t (name) VALUES ('also lost')")
            raise psycopg.Rollback()
    except psycopg.Rollback:
        pass
    with conn.transaction(force_rollback=True):
        conn.execute("SET LOCAL statement_timeout = '77s'")
        print(conn.execute("SHOW statement_timeout").fetchone())
    print(conn.execute("SHOW statement_timeout").fetchone())
    print(conn.execute("SELECT name FROM t ORDER BY id").fetchall())
    for n in range(12):
        with conn.transaction():
            conn.execute("UPDATE t SET amount = %s WHERE name = %s", (n, "kept"))
    print(conn.execute("SELECT amount FROM t WHERE name = 'kept'").fetchone())


def not_autocommit(conn):
    heading("implicit transactions")
    conn.autocommit = False
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    conn.read_only = True
    print(conn.execute("SHOW transaction_isolation").fetchone(), conn.execute("SHOW transaction_read_only").fetchone())
    try:
        conn.execute("INSERT INTO t (name) VALUES ('read only')")
    except psycopg.Error as error:
        failure(error)
    conn.rollback()
    conn.read_only = None
    conn.isolation_level = None
    for n in range(10):
        conn.execute("INSERT INTO t (name, amount) VALUES (%s, %s)", ("loop", n))
        if n % 3 == 2:
            conn.rollback()
        else:
            conn.commit()
    print(conn.execute("SELECT amount FROM t WHERE name = 'loop' ORDER BY amount").fetchall())
    conn.commit()
    print(conn.info.transaction_status.name)


def server_cursors(conn):
    heading("server-side cursors")
    with conn.cursor("numbers") as cursor:
        cursor.itersize = 7
        cursor.execute("SELECT n, n * n FROM generate_series(1, %s) AS n", (30,))
        print(sum(row[1] for row in cursor))
    with conn.cursor("scrolling", scrollable=True) as cursor:
        cursor.execute("SELECT n FROM generate_series(1, 10) AS n")
        cursor.scroll(4)
        print(cursor.fetchone())
        cursor.scroll(-2)
        print(cursor.fetchmany(2))
    conn.commit()
    conn.autocommit = True
    with conn.cursor("held", withhold=True) as cursor:
        cursor.execute("SELECT n FROM generate_series(1, 5) AS n")
        print(cursor.fetchmany(2), cursor.fetchmany(2))
    print(conn.execute("SELECT count(*) FROM pg_cursors").fetchone())


def many(conn):
    heading("executemany, returning")
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO t (name, amount) VALUES (%s, %s) RETURNING name", [(f"m{n}", n) for n in range(15)], returning=True)
        names = []
        while True:
            names.append(cursor.fetchone()[0])
            if not cursor.nextset():
                break
        print(names)
        cursor.executemany("UPDATE t SET amount = amount + 1 WHERE name = %s", [(f"m{n}",) for n in range(15)])
        print(cursor.rowcount)
        try:
            cursor.executemany("INSERT INTO t (id, name) VALUES (%s, 'dup')", [(1000 + n % 5,) for n in range(10)])
        except psycopg.Error as error:
            failure(error)
        print(conn.execute("SELECT count(*) FROM t WHERE name = 'dup'").fetchone())


def pipelines(conn):
    heading("pipeline mode")
    with conn.pipeline():
        cursors = [conn.execute("SELECT %s::int + 1", (n,)) for n in range(40)]
        insert = conn.execute("INSERT INTO t (name) VALUES ('piped') RETURNING name")
        print([cursor.fetchone()[0] for cursor in cursors], insert.fetchone())
    try:
        with conn.pipeline() as pipeline:
            good = conn.execute("SELECT 'before'")
            conn.execute("SELECT 1 / 0")
            conn.execute("INSERT INTO t (name) VALUES ('aborted')")
            pipeline.sync()
            print(good.fetchone())
    except psycopg.Error as error:
        failure(error)
    print(conn.execute("SELECT count(*) FROM t WHERE name = 'aborted'").fetchone())
    with conn.pipeline():
        with conn.transaction():
            for n in range(10):
                conn.execute("INSERT INTO t (name, amount) VALUES (%s, %s)", ("in pipeline", n))
            print(conn.execute("SELECT count(*) FROM t WHERE name = 'in pipeline'").fetchone())
        try:
            with conn.transaction():
                conn.execute("INSERT INTO t (name) VALUES ('in failed pipeline')")
                conn.execute("SELECT nope").fetchone()
        except psycopg.Error as error:
            failure(error)
    print(conn.execute("SELECT count(*) FROM t WHERE name = 'in failed pipeline'").fetchone())


def copying(conn):
    heading("COPY")
    conn.execute("CREATE TABLE c (id int, word text, at date)")
    with conn.cursor() as cursor:
        with cursor.copy("COPY c FROM STDIN") as copy:
            for n in range(5000):
                copy.write_row((n, f"word {n}", datetime.date(2026, 1, 1 + n % 28)))
        print(cursor.rowcount)
        with cursor.copy("COPY c FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "text", "date"])
            for n in range(5000, 5100):
                copy.write_row((n, None, datetime.date(2026, 2, 1)))
        with cursor.copy("COPY (SELECT * FROM c ORDER BY id) TO STDOUT") as copy:
            rows = list(copy.rows())
        print(len(rows), rows[0], rows[-1])
        try:
            with cursor.copy("COPY c FROM STDIN") as copy:
                copy.write("not a number\tx\t2026-01-01\n")
        except psycopg.Error as error:
            failure(error)
        try:
            with cursor.copy("COPY c FROM STDIN") as copy:
                copy.write_row((1, "x", None))
                raise KeyError("given up")
        except psycopg.Error as error:
            failure(error)
        try:
            with cursor.copy("COPY no_such_table FROM STDIN") as copy:
                copy.write_row((1,))
        except psycopg.Error as error:
            failure(error)
        with cursor.copy("COPY c TO STDOUT") as copy:  # Left early: psycopg cancels what still comes.
            copy.read()
    print(conn.execute("SELECT count(*), min(at) FROM c").fetchone())


def notifications(conn):
    heading("NOTIFY")
    conn.execute(f"LISTEN {SCHEMA}")
    with psycopg.connect(autocommit=True) as other:
        other.execute(f"NOTIFY {SCHEMA}, 'one'")
        other.execute("SELECT pg_notify(%s, 'two')", (SCHEMA,))
    for note in conn.notifies():
        print(note.channel, note.payload)
        if note.payload == "two":
            break
    conn.execute(f"NOTIFY {SCHEMA}, 'own'")
    for note in conn.notifies():
        print(note.channel, note.payload, note.pid == conn.info.backend_pid or "another pid")
        break
    conn.execute("UNLISTEN *")


def types(conn):
    heading("types")
    info = EnumInfo.fetch(conn, f"{SCHEMA}.mood")
    print(info.name, info.labels)
    register_enum(info, conn)
    values = (
        Jsonb({"a": [1, None, "\u00e9"]}),
        [1, 2, None],
        [["a", "b"], ["c", "d,\""]],
        Range(1, 5),
        uuid.UUID(int=7),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.timezone.utc),
        datetime.timedelta(days=1, seconds=2),
        b"\x00\xff",
        decimal.Decimal("12345678901234567890.123456789"),
        None,
    )
    for binary in (False, True):
        row = conn.cursor(row_factory=dict_row, binary=binary).execute(
            "SELECT %s::jsonb AS j, %s::int[] AS i, %s::text[] AS s, %s::int4range AS r, %s::uuid AS u, %s::timestamptz AS t,"
            " %s::interval AS d, %s::bytea AS b, %s::numeric AS n, %s::text AS z", values
        ).fetchone()
        row["t"] = row["t"].astimezone(datetime.timezone.utc)
        print(row)
    big = "x" * 3_000_000
    print(conn.execute("SELECT length(%s::text), md5(%s::text)", (big, big)).fetchone())
    print(len(conn.execute("SELECT repeat('y', 3000000)").fetchone()[0]))


def cancelling(conn):
    heading("cancel")
    for _ in range(3):
        timer = threading.Timer(0.2, conn.cancel)
        timer.start()
        try:
            conn.execute("SELECT pg_sleep(30)")
        except psycopg.Error as error:
            failure(error)
        timer.join()
        print(conn.execute("SELECT 'after cancel'").fetchone())
    conn.execute("SET statement_timeout = '150ms'")
    try:
        conn.execute("SELECT pg_sleep(30)")
    except psycopg.Error as error:
        failure(error)
    conn.execute("RESET statement_timeout")


def session_state(conn):
    heading("session state")
    conn.execute("SET application_name = 'mine'")
    conn.execute("SELECT set_config('my.setting', %s, false)", (SCHEMA,))
    conn.execute("CREATE TEMP TABLE scratch AS SELECT 1 AS a")
    print(conn.execute("SELECT current_setting('my.setting'), current_setting('application_name'), (SELECT a FROM scratch)").fetchone())
    print(conn.info.parameter_status("application_name"))
    conn.execute("SET TIME ZONE 'America/New_York'")
    print(conn.info.timezone, conn.execute("SELECT timestamptz '2026-06-01 12:00Z'").fetchone())
    conn.execute("DISCARD ALL")
    print(conn.execute("SELECT current_setting('my.setting', true), current_setting('search_path'), to_regclass('pg_temp.scratch')").fetchone())
    conn.execute(f"SET search_path = {SCHEMA}")


def reconnecting():
    heading("many connections")
    total = 0
    for n in range(30):
        with psycopg.connect(autocommit=True, options=f"-c search_path={SCHEMA} -c my.number={n}", application_name=f"app{n}") as conn:
            row = conn.execute("SELECT current_setting('my.number')::int, current_setting('application_name'), count(*) FROM c").fetchone()
            assert row[:2] == (n, f"app{n}"), row
            total += row[0]
    print(total)


def main():
    with psycopg.connect(autocommit=True) as conn:
        prepare_schema(conn)
        autocommit(conn)
        changed_result(conn)
        transactions(conn)
        not_autocommit(conn)
        server_cursors(conn)
        many(conn)
        pipelines(conn)
        copying(conn)
        notifications(conn)
        types(conn)
        cancelling(conn)
        session_state(conn)
        reconnecting()
        conn.execute("SET client_min_messages = warning")
        conn.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


main()
