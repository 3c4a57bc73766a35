// node-postgres as applications use it: queries, parameters, named statements, transactions, a pool, cursors, notifications.
'use strict';
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');

const schema = process.env.DRIVER_SCHEMA;
const options = `-c search_path=${schema}`;

const heading = (text) => console.log(`== ${text}`);
const failure = (error) => console.log(error.code, error.severity, error.message, error.position, error.constraint);

async function prepareSchema(client) {
  await client.query('SET client_min_messages = warning');
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  await client.query(`SET search_path = ${schema}`);
  await client.query("CREATE TYPE mood AS ENUM ('sad', 'ok')");
  await client.query('CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE, n int, doc jsonb, at timestamptz, feeling mood)');
}

async function queries(client) {
  heading('queries');
  const several = await client.query("SELECT 1 AS a; SELECT 2 AS b; SELECT 'x' AS c");
  console.log(several.map((result) => [result.command, result.rows]));
  const row = await client.query(
    'INSERT INTO t (name, n, doc, at, feeling) VALUES ($1, $2, $3, $4, $5) RETURNING *',
    ['first', 1, { a: [1, null] }, new Date(Date.UTC(2026, 0, 2)), 'ok']);
  console.log(JSON.stringify(row.rows), row.fields.map((field) => field.name));
  for (const [text, values] of [
    ['SELECT nope', []], ['INSERT INTO t (name) VALUES ($1)', ['first']], ['SELECT 1 / $1::int', [0]], ['SELEC', []],
    ["SELECT $1::int", ['not a number']], ['INSERT INTO t (feeling) VALUES ($1)', ['furious']]]) {
    try {
      await client.query(text, values);
    } catch (error) {
      failure(error);
    }
  }
  console.log((await client.query({ text: 'SELECT $1::text, $2::int[]', values: ['a', [1, 2]], rowMode: 'array' })).rows);
  const big = 'x'.repeat(3000000);
  console.log((await client.query('SELECT length($1::text) AS length', [big])).rows);
  console.log((await client.query('SELECT $1::text AS back', [big])).rows[0].back === big);
}

async function namedStatements(client) {
  heading('named prepared statements');
  for (let turn = 0; turn < 10; turn++) {
    const result = await client.query({ name: 'double it', text: 'SELECT $1::int * 2 AS double', values: [turn] });
    console.log(result.rows[0].double);
  }
  await client.query({ name: 'feel', text: 'INSERT INTO t (name, feeling) VALUES ($1, $2)', values: ['felt', 'sad'] });
  try {
    await client.query({ name: 'double it', text: 'SELECT 1', values: [] });
  } catch (error) {
    console.log(error.message);
  }
  try {
    await client.query({ name: 'broken', text: 'SELECT nope', values: [] });
  } catch (error) {
    failure(error);
  }
  const twice = await Promise.all([1, 2, 3].map((n) => client.query({ name: `add ${n}`, text: `SELECT ${n} + $1::int AS sum`, values: [n] })));
  console.log(twice.map((result) => result.rows[0].sum));
}

async function transactions(client) {
  heading('transactions');
  await client.query('BEGIN');
  await client.query("INSERT INTO t (name) VALUES ('kept')");
  await client.query('SAVEPOINT s');
  try {
    await client.query("INSERT INTO t (name) VALUES ('kept')");
  } catch (error) {
    failure(error);
  }
  try {
    await client.query('SELECT 1');
  } catch (error) {
    failure(error);
  }
  await client.query('ROLLBACK TO s');
  await client.query('COMMIT');
  await client.query('BEGIN');
  await client.query('DELETE FROM t');
  await client.query('ROLLBACK');
  console.log((await client.query('SELECT name FROM t ORDER BY id')).rows.map((row) => row.name));
}

async function cursors(client) {
  heading('pg-cursor');
  await client.query('BEGIN');
  const cursor = client.query(new Cursor('SELECT n FROM generate_series(1, $1::int) AS n', [25]));
  const sizes = [];
  for (let rows = await cursor.read(10); rows.length > 0; rows = await cursor.read(10)) sizes.push(rows.length);
  await cursor.close();
  await client.query('COMMIT');
  const outside = client.query(new Cursor('SELECT n FROM generate_series(1, 100) AS n'));
  console.log(sizes, (await outside.read(3)).map((row) => row.n));
  await outside.close();
  console.log((await client.query("SELECT 'after' AS word")).rows);
}

async function pooled() {
  heading('a pool of 10 with 200 queries at once');
  const pool = new Pool({ max: 10, options });
  const named = await Promise.all(Array.from({ length: 200 }, (_, n) =>
    pool.query(n % 2 ? { name: `mod ${n % 7}`, text: `SELECT $1::int + ${n % 7} AS r`, values: [n] } : { text: 'SELECT $1::int AS r', values: [n] })));
  console.log(named.map((result) => result.rows[0].r).join(' '));
  await pool.query('CREATE TABLE counters (worker int PRIMARY KEY, n int)');
  await pool.query('INSERT INTO counters SELECT w, 0 FROM generate_series(0, 29) AS w');
  const work = async (worker) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query("SELECT set_config('my.worker', $1, true)", [String(worker)]);
      await client.query('UPDATE counters SET n = n + 1 WHERE worker = $1', [worker]);
      const { rows } = await client.query("SELECT current_setting('my.worker') AS me, n FROM counters WHERE worker = $1", [worker]);
      await client.query('COMMIT');
      if (rows[0].me !== String(worker)) throw new Error(`${worker} saw ${rows[0].me}`);
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: 150 }, (_, n) => work(n % 30)));
  console.log((await pool.query('SELECT worker, n FROM counters ORDER BY worker')).rows.map((row) => row.n).join(' '));
  await pool.end();
}

async function notifications() {
  heading('LISTEN');
  const listener = new Client({ options });
  await listener.connect();
  await listener.query(`LISTEN ${schema}`);
  const seen = new Promise((resolve) => {
    const payloads = [];
    listener.on('notification', (note) => {
      payloads.push(note.payload);
      if (payloads.length === 5) resolve(payloads);
    });
  });
  const sender = new Client({ options });
  await sender.connect();
  for (let n = 0; n < 5; n++) await sender.query('SELECT pg_notify($1, $2)', [schema, `note ${n}`]);
  console.log(await seen, (await listener.query("SELECT 'usable' AS word")).rows);
  await listener.end();
  await sender.end();
}

async function main() {
  const client = new Client({ application_name: 'driver' });
  await client.connect();
  client.on('notice', (notice) => console.log('notice', notice.message));
  await prepareSchema(client);
  await queries(client);
  await namedStatements(client);
  await transactions(client);
  await cursors(client);
  await client.query("DO $$ BEGIN RAISE WARNING 'a word'; END $$");
  await pooled();
  await notifications();
  await client.query(`DROP SCHEMA ${schema} CASCADE`);
  await client.end();
}

main().catch((error) => {
  console.log('failed', error);
  process.exit(1);
});
