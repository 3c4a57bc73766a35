-- What people type and script in psql; run with -v schema=... so that copies of it can run side by side.
\set VERBOSITY verbose
\timing off
\pset pager off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS :schema CASCADE;
CREATE SCHEMA :schema;
SET search_path = :schema;
SHOW search_path;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL, price numeric(10, 2) DEFAULT 1.50, feeling mood);
CREATE INDEX items_name ON items (name);
CREATE VIEW cheap AS SELECT * FROM items WHERE price < 2;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
\dt
\d items
\d+ cheap
\df
\di
\dT
\dv
\ds
\dn :schema
\sf twice
\l postgres
-- COPY in both directions.
\copy items (name, price, feeling) FROM STDIN WITH (FORMAT csv)
apple,1.00,happy
"pear, green",2.25,ok
plum,0.75,sad
\.
COPY items (name) FROM STDIN;
bad	row
\.
COPY items (name) FROM STDIN;
kiwi
lime
\.
\copy items TO STDOUT WITH (FORMAT csv, HEADER)
COPY (SELECT name FROM items ORDER BY id) TO STDOUT;
\copy (SELECT count(*) FROM items) TO STDOUT
-- What a result looks like before it is run, and what it makes run.
SELECT id, name, feeling FROM items \gdesc
SELECT format('SELECT %L AS made, twice(%s)', name, id) FROM items ORDER BY id \gexec
SELECT 7 AS seven, 'x' AS letter \gset pre_
\echo :pre_seven :pre_letter
SELECT :pre_seven + 1 AS eight \gx
SELECT id, feeling, price FROM items WHERE feeling IS NOT NULL \crosstabview
-- Transactions.
BEGIN;
INSERT INTO items (name) VALUES ('fig') RETURNING id, name;
SAVEPOINT before_error;
SELECT 1 / 0;
SELECT 'not seen';
ROLLBACK TO before_error;
SELECT count(*) FROM items;
ROLLBACK;
SELECT count(*) FROM items;
BEGIN; SET LOCAL search_path = pg_catalog; SHOW search_path; COMMIT;
SHOW search_path;
BEGIN; SET search_path = pg_catalog; SHOW search_path; ROLLBACK;
SHOW search_path;
BEGIN; SET statement_timeout = '45s'; COMMIT;
SHOW statement_timeout;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO items (name) VALUES ('grape');
INSERT INTO items (name) VALUES (NULL);
SELECT nope;
SELECT name FROM items ORDER BY id DESC LIMIT 1;
COMMIT;
\set ON_ERROR_ROLLBACK off
\set AUTOCOMMIT off
INSERT INTO items (name) VALUES ('melon');
SELECT count(*) FROM items;
ROLLBACK;
SELECT count(*) FROM items;
ROLLBACK;
\set AUTOCOMMIT on
-- A pooled session gives its server back after this: what follows may run anywhere.
DISCARD ALL;
SET search_path = :schema;
-- Cursors behind the scenes.
\set FETCH_COUNT 7
SELECT n, twice(n) FROM generate_series(1, 20) AS n;
SELECT n / (n - 10) FROM generate_series(1, 20) AS n;
\unset FETCH_COUNT
BEGIN;
DECLARE numbers CURSOR FOR SELECT n FROM generate_series(1, 10) AS n;
FETCH 3 FROM numbers;
MOVE 2 FROM numbers;
FETCH BACKWARD 1 FROM numbers;
CLOSE numbers;
COMMIT;
DECLARE kept CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 5) AS n;
FETCH 2 FROM kept;
FETCH 2 FROM kept;
CLOSE kept;
FETCH 1 FROM kept;
-- State of the session.
PREPARE pick (int) AS SELECT name FROM items WHERE id = $1;
EXECUTE pick (1);
EXECUTE pick (2);
SELECT name, statement FROM pg_prepared_statements;
DEALLOCATE pick;
EXECUTE pick (1);
CREATE TEMP TABLE scratch (n int);
INSERT INTO scratch VALUES (1), (2);
SELECT sum(n) FROM scratch;
DROP TABLE scratch;
SELECT sum(n) FROM scratch;
SELECT pg_advisory_lock(hashtext(:'schema'));
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT pg_advisory_unlock(hashtext(:'schema'));
SELECT pg_advisory_unlock(hashtext(:'schema'));
SELECT set_config('application_name', 'inner', false);
SHOW application_name;
SET ROLE pg_monitor;
SELECT current_user, session_user;
RESET ROLE;
SELECT current_user, session_user;
SET DateStyle = 'German';
SELECT date '2026-01-31';
RESET DateStyle;
SELECT date '2026-01-31';
SET TIME ZONE 'Asia/Tokyo';
SELECT timestamptz '2026-01-01 00:00:00+00';
SET client_encoding = 'LATIN1';
\encoding
SELECT convert_from('\xc3a9'::bytea, 'UTF8') = E'\u00e9' AS same;
RESET client_encoding;
\encoding
DISCARD ALL;
SHOW DateStyle;
SHOW TimeZone;
SET search_path = :schema;
-- Several statements in one message; an error in the middle.
SELECT 1 AS one \; SELECT 2 AS two \; INSERT INTO items (name) VALUES ('date') RETURNING name;
INSERT INTO items (name) VALUES ('lost') \; SELECT 1 / 0 \; SELECT 3;
SELECT count(*) FROM items WHERE name = 'lost';
BEGIN \; SELECT 5 AS five \; COMMIT;
-- Notices, errors with all their fields, asynchronous notifications.
DO $$ BEGIN RAISE WARNING 'from a block'; END $$;
DO $$ BEGIN RAISE EXCEPTION 'failed %', 1 USING DETAIL = 'why', HINT = 'try', ERRCODE = 'P0042'; END $$;
SELECT no_such_column FROM items;
SELEC 1;
LISTEN :schema;
NOTIFY :schema, 'hello';
UNLISTEN *;
EXPLAIN (COSTS off) SELECT * FROM items WHERE name = 'x';
SELECT * FROM no_such_schema.t;
VACUUM items;
CREATE INDEX CONCURRENTLY items_price ON items (price);
\d items
ANALYZE items;
DISCARD ALL;
SHOW search_path;
SHOW statement_timeout;
SELECT current_setting('application_name');
\errverbose
SET client_min_messages = warning;
DROP SCHEMA :schema CASCADE;
