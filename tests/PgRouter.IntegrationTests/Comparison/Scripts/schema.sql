-- What the scripts of this folder and of the wire tests find in the database.

CREATE ROLE wire_role;
CREATE ROLE wire_login LOGIN;
ALTER ROLE wire_login SET geqo = off;
ALTER DATABASE postgres SET geqo_seed = 0.5;

CREATE TABLE wire_rows (id int PRIMARY KEY, name text);
INSERT INTO wire_rows SELECT g, 'name ' || g FROM generate_series(1, 100) g;
CREATE TABLE wire_secret (a int);
CREATE TABLE wire_serial (id serial, name text);
CREATE TYPE wire_mood AS ENUM ('happy', 'sad');

-- Whoever calls nextval, and how often: it is 1.
CREATE SEQUENCE wire_always_one INCREMENT 2 MAXVALUE 2 CYCLE;
CREATE SEQUENCE wire_theirs;

CREATE PROCEDURE wire_commits(n int) LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1..n LOOP PERFORM i; COMMIT; END LOOP; END $$;
CREATE FUNCTION wire_cursor(r refcursor) RETURNS refcursor LANGUAGE plpgsql AS
    $$ BEGIN OPEN r FOR SELECT g FROM generate_series(1, 3) g; RETURN r; END $$;
CREATE FUNCTION wire_makes_temp() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN CREATE TEMP TABLE wire_temp AS SELECT 1 AS a; RETURN 1; END $$;
CREATE PROCEDURE wire_makes_temp_in_procedure() LANGUAGE plpgsql AS
    $$ BEGIN CREATE TEMP TABLE wire_temp AS SELECT 1 AS a; END $$;
CREATE FUNCTION wire_currval() RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RETURN currval('wire_always_one'); END $$;
CREATE FUNCTION wire_locks(k bigint) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_lock(k); END $$;
CREATE FUNCTION wire_sets(n text, v text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RETURN set_config(n, v, false); END $$;
CREATE FUNCTION wire_own_setting() RETURNS text LANGUAGE plpgsql SET work_mem = '9MB' AS
    $$ BEGIN RETURN current_setting('work_mem'); END $$;
CREATE FUNCTION wire_sets_local() RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN SET LOCAL work_mem = '8MB'; RETURN current_setting('work_mem'); END $$;
CREATE FUNCTION wire_sets_and_fails() RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN SET work_mem = '8MB'; PERFORM 1 / 0; END $$;
CREATE FUNCTION wire_definer() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN RETURN current_user || ' ' || session_user; END $$;
CREATE FUNCTION wire_prepares() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE 'PREPARE made_in_function AS SELECT 1'; END $$;
CREATE FUNCTION wire_trigger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.a IS NULL THEN RAISE EXCEPTION 'null in trigger'; END IF; NEW.a := NEW.a * 10; RETURN NEW; END $$;
CREATE FUNCTION wire_notices(n int) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1..abs(n) LOOP RAISE NOTICE 'notice %', i; RAISE WARNING 'warning %', i; END LOOP; IF n < 0 THEN RAISE EXCEPTION 'end'; END IF; END $$;

-- Whether so many sessions sleep, asked until they do or for five seconds.
CREATE FUNCTION wire_wait_for_sleep(n int) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..1000 LOOP
        IF (SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep') >= n THEN
            RETURN true;
        END IF;
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_sleep(0.005);
    END LOOP;
    RETURN false;
END $$;
