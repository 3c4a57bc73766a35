\set n random(1, 1000)
\startpipeline
SELECT :n + 1;
SELECT set_config('my.number', (:n)::text, true);
UPDATE driver_bench SET hits = hits + 1 WHERE id = 1 + :n % 10;
SELECT id FROM driver_bench WHERE id = 1 + :n % 10;
\endpipeline
BEGIN;
\startpipeline
UPDATE driver_bench SET hits = hits + 1 WHERE id = 1 + :n % 10;
SELECT hits > 0 FROM driver_bench WHERE id = 1 + :n % 10;
\endpipeline
END;
