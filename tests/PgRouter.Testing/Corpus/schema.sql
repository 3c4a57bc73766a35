-- What the statements of the corpus find. All of it stays as it is; statements that write make objects of their own.
CREATE TABLE account (
    id int PRIMARY KEY, owner text NOT NULL, balance numeric(12, 2) NOT NULL DEFAULT 0, opened date, tags text[], info jsonb);
INSERT INTO account
    SELECT i, 'owner ' || i % 7, i * 10.5, date '2020-01-01' + i, ARRAY['t' || i % 3, 'all'], jsonb_build_object('rank', i, 'vip', i % 5 = 0)
    FROM generate_series(1, 40) i;
CREATE INDEX account_owner ON account (lower(owner));
CREATE TABLE movement (
    id bigserial PRIMARY KEY, account int REFERENCES account, amount numeric(12, 2) NOT NULL, at timestamptz NOT NULL, note text);
INSERT INTO movement (account, amount, at, note)
    SELECT 1 + i % 40, i - 50, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', 'note ' || i FROM generate_series(1, 120) i;
CREATE TABLE region (name text, n int) PARTITION BY LIST (name);
CREATE TABLE region_north PARTITION OF region FOR VALUES IN ('north', 'far north');
CREATE TABLE region_rest PARTITION OF region DEFAULT;
INSERT INTO region VALUES ('north', 1), ('far north', 2), ('south', 3);
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 3);
CREATE UNLOGGED TABLE scratch (a int);
INSERT INTO scratch VALUES (1);
CREATE TABLE document (id int PRIMARY KEY, body text, words tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED, x xml);
INSERT INTO document (id, body, x) VALUES (1, 'a quick brown fox', '<a><b>1</b><b>2</b></a>'), (2, 'lazy dogs sleep', '<a/>');
CREATE TABLE shape (id int PRIMARY KEY, at point, area box, span int4range, days daterange, ip inet);
INSERT INTO shape VALUES (1, '(1,2)', '(3,3),(1,1)', '[1,5)', '[2024-01-01,2024-02-01)', '10.0.0.1'), (2, '(0,0)', '(2,2),(0,0)', '[4,9)', NULL, '::1');

CREATE SEQUENCE counter;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);

CREATE SCHEMA tenant_a;
CREATE TABLE tenant_a.item (a int);
INSERT INTO tenant_a.item VALUES (1);
CREATE SCHEMA tenant_b;
CREATE UNLOGGED TABLE tenant_b.lost (a int);
CREATE FUNCTION tenant_a.tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.2';
CREATE FUNCTION tenant_b.levy(numeric) RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT $1 * 0.3';

CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."select" ("from" int, "a ""quoted"" name" text, "Größe" int);
INSERT INTO "Odd Schema"."select" VALUES (1, 'x', 2);

CREATE FUNCTION double_it(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
CREATE FUNCTION balance_of(int) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT balance FROM account WHERE id = $1';
CREATE FUNCTION port() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()';
CREATE FUNCTION greet(name text DEFAULT 'you', loud bool DEFAULT false) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT CASE WHEN loud THEN upper(name) ELSE name END $$;
CREATE FUNCTION total(VARIADIC int[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT sum(n) FROM unnest($1) n';
CREATE FUNCTION owners(text) RETURNS SETOF account LANGUAGE sql STABLE AS 'SELECT * FROM account WHERE owner = $1';
CREATE FUNCTION pairs(int) RETURNS TABLE (a int, b text) LANGUAGE plpgsql STABLE
    AS $$ BEGIN RETURN QUERY SELECT i, 'b' || i FROM generate_series(1, $1) i; END $$;
CREATE FUNCTION initial(account) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left($1.owner, 1)';
CREATE FUNCTION stamp(account) RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('counter') $$;
CREATE FUNCTION either(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'int' $$;
CREATE FUNCTION either(text, text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'text' $$;
CREATE FUNCTION draw() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('counter') $$;
CREATE FUNCTION idle() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION lying() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT nextval('counter') $$;
CREATE FUNCTION peeking() RETURNS bool LANGUAGE sql STABLE AS 'SELECT pg_is_in_recovery()';
CREATE FUNCTION noting(text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO movement (account, amount, at, note) VALUES (1, 0, now(), $1); END $$;
CREATE FUNCTION dynamic(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ DECLARE r text; BEGIN EXECUTE $1 INTO r; RETURN r; END $$;
CREATE AGGREGATE product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');
CREATE AGGREGATE drawn(int) (sfunc = int4pl, stype = int, finalfunc = double_it, initcond = '0');
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE bump(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; END $$;

CREATE VIEW rich AS SELECT id, owner, balance FROM account WHERE balance > 200;
CREATE VIEW richest AS SELECT * FROM rich ORDER BY balance DESC LIMIT 3;
CREATE VIEW taxed AS SELECT id, tenant_a.tax(balance) AS tax FROM account;
CREATE VIEW drawing AS SELECT nextval('counter') AS n;
CREATE VIEW drawn_twice AS SELECT * FROM drawing;
CREATE VIEW through_function AS SELECT draw() AS n;
CREATE VIEW locking AS SELECT * FROM account FOR UPDATE;
CREATE VIEW fleeting AS SELECT * FROM scratch;
CREATE VIEW recovering AS SELECT pg_is_in_recovery() AS yes;
CREATE VIEW sessions AS SELECT * FROM pg_stat_activity;
CREATE MATERIALIZED VIEW totals AS SELECT account, sum(amount) AS amount FROM movement GROUP BY 1;

CREATE TABLE guarded (id int, owner name, secret text);
INSERT INTO guarded VALUES (1, 'postgres', 'one'), (2, 'nobody', 'two');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (owner = current_user OR secret = current_setting('app.secret', true));
