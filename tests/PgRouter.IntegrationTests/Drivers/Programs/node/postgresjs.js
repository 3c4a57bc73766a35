// postgres.js as applications use it: tagged queries (prepared and pipelined by default), transactions, cursors, COPY, notifications.
'use strict';
const postgres = require('postgres');

const schema = process.env.DRIVER_SCHEMA;
const heading = (text) => console.log(`== ${text}`);
const failure = (error) => console.log(error.code, error.severity, error.message, error.position, error.constraint_name);
const connection = { search_path: schema, application_name: 'driver', client_min_messages: 'warning' };

async function main() {
  const sql = postgres({ max: 10, connection });
  await sql.unsafe(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  await sql`CREATE TYPE mood AS ENUM ('sad', 'ok')`;
  await sql`CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE, doc jsonb, feeling mood, list int[])`;

  heading('queries');
  console.log([...await sql`INSERT INTO t ${sql([{ name: 'a', doc: { x: 1 }, feeling: 'ok', list: [1, 2] }, { name: 'b', doc: null, feeling: 'sad', list: [] }])} RETURNING *`]);
  console.log([...await sql`SELECT name FROM t WHERE name IN ${sql(['a', 'b'])} ORDER BY name`]);
  for (const query of [() => sql`SELECT nope`, () => sql`INSERT INTO t (name) VALUES ('a')`, () => sql`SELECT 1 / ${0}::int`, () => sql`SELEC`,
    () => sql`INSERT INTO t (feeling) VALUES (${'furious'})`]) {
    try {
      await query();
    } catch (error) {
      failure(error);
    }
  }
  for (let turn = 0; turn < 10; turn++) await sql`UPDATE t SET doc = ${sql.json({ turn })} WHERE name = ${'a'}`;
  console.log([...await sql`SELECT doc FROM t WHERE name = 'a'`]);
  console.log((await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b')).map((rows) => [...rows]));
  console.log((await sql`SELECT length(${'x'.repeat(3000000)}::text) AS length`)[0]);

  heading('200 queries at once');
  const results = await Promise.all(Array.from({ length: 200 }, (_, n) => n % 2 ? sql`SELECT ${n}::int AS r` : sql`SELECT ${n}::int + 0 AS r`));
  console.log(results.map((rows) => rows[0].r).join(' '));
  const mixed = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => sql`SELECT 10 / ${n % 5}::int AS r`));
  console.log(mixed.map((one) => (one.status === 'fulfilled' ? one.value[0].r : one.reason.code)).join(' '));

  heading('transactions');
  await sql`CREATE TABLE counters (worker int PRIMARY KEY, n int)`;
  await sql`INSERT INTO counters SELECT w, 0 FROM generate_series(0, 29) AS w`;
  await Promise.all(Array.from({ length: 150 }, (_, n) => sql.begin(async (own) => {
    await own`SELECT set_config('my.worker', ${String(n)}, true)`;
    await own`UPDATE counters SET n = n + 1 WHERE worker = ${n % 30}`;
    const [row] = await own`SELECT current_setting('my.worker') AS me`;
    if (row.me !== String(n)) throw new Error(`${n} saw ${row.me}`);
  })));
  console.log((await sql`SELECT n FROM counters ORDER BY worker`).map((row) => row.n).join(' '));
  await sql.begin(async (own) => {
    await own`INSERT INTO t (name) VALUES ('outer')`;
    await own.savepoint((inner) => inner`INSERT INTO t (name) VALUES ('outer')`).catch(failure);
  });
  await sql.begin('ISOLATION LEVEL SERIALIZABLE READ ONLY', async (own) => {
    console.log((await own`SHOW transaction_isolation`)[0], (await own`SELECT count(*) FROM t`)[0]);
  });
  await sql.begin('READ ONLY', (own) => own`DELETE FROM t`).catch(failure);
  console.log(await sql.begin((own) => [own`SELECT 1 AS a`, own`SELECT 2 AS b`]).then((all) => all.map((rows) => rows[0])));

  heading('cursors');
  const sizes = [];
  for await (const rows of sql`SELECT * FROM generate_series(1, 25)`.cursor(10)) sizes.push(rows.length);
  await sql`SELECT generate_series(1, 100) AS n`.cursor(10, (rows) => { sizes.push(rows[0].n); return sql.CLOSE; });
  console.log(sizes);
  await sql`SELECT generate_series(1, 5) AS n`.forEach((row) => process.stdout.write(`${row.n} `));
  console.log((await sql`SELECT name, list FROM t WHERE name = ${'a'}`.describe()).columns.map((column) => column.name));

  heading('cancel');
  const sleeping = sql`SELECT pg_sleep(30)`.execute();
  setTimeout(() => sleeping.cancel(), 300);
  await sleeping.catch(failure);
  console.log((await sql`SELECT 'after cancel' AS word`)[0]);

  heading('LISTEN');
  const payloads = [];
  let done;
  const all = new Promise((resolve) => { done = resolve; });
  const { unlisten } = await sql.listen(schema, (payload) => { if (payloads.push(payload) === 5) done(); });
  for (let n = 0; n < 5; n++) await sql.notify(schema, `note ${n}`);
  await all;
  await unlisten();
  console.log(payloads);

  await sql`DROP SCHEMA ${sql(schema)} CASCADE`;
  await sql.end();
}

main().catch((error) => {
  console.log('failed', error);
  process.exit(1);
});
