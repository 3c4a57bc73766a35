// Sequelize as applications use it: migrations, models with associations, scopes and hooks, bulk loads, transactions with retry and savepoints,
// raw queries with replacements and bind parameters, a pool of connections.
'use strict';
const { Sequelize, DataTypes, Op, Transaction } = require('sequelize');

const schema = process.env.DRIVER_SCHEMA;
const heading = (text) => console.log(`== ${text}`);
const failure = (error) => console.log(error.name, error.parent && error.parent.code, error.message);
const plain = (rows) => rows.map((row) => row.get({ plain: true }));

const sequelize = new Sequelize(process.env.PGDATABASE, process.env.PGUSER, '', {
  host: process.env.PGHOST, port: Number(process.env.PGPORT), dialect: 'postgres', schema, logging: false, pool: { max: 6, min: 0 },
  timezone: '+02:00', define: { schema, underscored: true, timestamps: false }, dialectOptions: { application_name: 'driver' },
});

async function migrate() {
  heading('migrations');
  await sequelize.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await sequelize.createSchema(schema);
  const queries = sequelize.getQueryInterface();
  const table = (name) => ({ tableName: name, schema });
  await sequelize.transaction(async (transaction) => {
    await queries.createTable(table('authors'), {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      name: { type: DataTypes.STRING(40), allowNull: false, unique: true },
      born: DataTypes.DATEONLY,
    }, { transaction });
    await queries.addColumn(table('authors'), 'facts', { type: DataTypes.JSONB, defaultValue: {} }, { transaction });
    await queries.addIndex(table('authors'), ['born'], { name: 'authors_born', transaction });
  });
  try {
    await sequelize.transaction(async (transaction) => {
      await queries.addColumn(table('authors'), 'lost', { type: DataTypes.INTEGER }, { transaction });
      await queries.addColumn(table('authors'), 'name', { type: DataTypes.INTEGER }, { transaction });
    });
  } catch (error) {
    failure(error);
  }
  console.log(Object.keys(await queries.describeTable(table('authors'))));
  console.log((await queries.showIndex(table('authors'))).map((index) => index.name).sort());
}

const Author = sequelize.define('author', {
  name: DataTypes.STRING(40), born: DataTypes.DATEONLY, facts: DataTypes.JSONB,
}, { tableName: 'authors', scopes: { late: { where: { born: { [Op.gte]: '1900-01-01' } } } } });
const Book = sequelize.define('book', {
  title: { type: DataTypes.TEXT, allowNull: false }, pages: DataTypes.INTEGER, tags: DataTypes.ARRAY(DataTypes.TEXT), printed: DataTypes.DATE,
  state: DataTypes.ENUM('draft', 'out'),
}, { tableName: 'books' });
Author.hasMany(Book);
Book.belongsTo(Author);

async function crud() {
  heading('create, read, update, delete');
  await Book.sync();
  const [lem] = await Author.findOrCreate({ where: { name: 'Lem' }, defaults: { born: '1921-09-12', facts: { country: 'PL' } } });
  const [again, created] = await Author.findOrCreate({ where: { name: 'Lem' } });
  console.log(lem.id === again.id, created);
  await lem.createBook({ title: 'Solaris', pages: 204, tags: ['sea', 'love'], printed: new Date(Date.UTC(1961, 0, 1)), state: 'out' });
  await Author.create({ name: 'Verne', born: '1828-02-08', books: [{ title: 'Nemo', pages: 400, state: 'draft' }] }, { include: [Book] });
  console.log(plain(await Author.findAll({ include: [Book], order: [['name', 'ASC']] })).map((author) => JSON.stringify(author)));
  console.log(await Author.scope('late').count(), await Book.sum('pages'), await Book.max('title'));
  await Book.update({ pages: sequelize.literal('pages + 1') }, { where: { title: { [Op.like]: 'S%' } } });
  console.log(plain(await Book.findAll({ where: { tags: { [Op.contains]: ['sea'] } } })).map((book) => [book.title, book.pages, book.printed]));
  console.log(await Author.count({ where: { 'facts.country': 'PL' } }));
  await Author.upsert({ id: lem.id, name: 'Lem', born: '1921-09-13' });
  await lem.reload();
  console.log(lem.born, (await lem.increment('id', { by: 0 })) !== undefined);
  for (const broken of [() => Author.create({ name: 'Lem' }), () => Book.create({}), () => Book.create({ title: 'x', authorId: 999 }),
    () => Author.findAll({ where: { nope: 1 } }), () => sequelize.query('SELEC')]) {
    await broken().then(() => console.log('no error'), failure);
  }
}

async function bulk() {
  heading('bulk load');
  const rows = Array.from({ length: 3000 }, (_, n) => ({ title: `bulk ${n}`, pages: n, tags: [`t${n % 7}`], state: n % 2 ? 'out' : 'draft' }));
  await Book.bulkCreate(rows);
  console.log(await Book.count({ where: { title: { [Op.startsWith]: 'bulk' } } }));
  console.log((await Book.findAll({ attributes: ['state', [sequelize.fn('count', '*'), 'n']], group: ['state'], order: ['state'], raw: true })));
  console.log(await Book.destroy({ where: { pages: { [Op.gt]: 2000 } } }));
  const page = await Book.findAndCountAll({ where: { state: 'out' }, order: [['pages', 'DESC'], ['id', 'ASC']], limit: 3, offset: 2 });
  console.log(page.count, page.rows.map((book) => book.title));
}

async function transactions() {
  heading('transactions');
  await sequelize.query(`CREATE TABLE ${schema}.accounts (id int PRIMARY KEY, money int CHECK (money >= 0))`);
  await sequelize.query(`INSERT INTO ${schema}.accounts SELECT n, 100 FROM generate_series(1, 5) AS n`);
  const move = (from, to) => sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE }, async (transaction) => {
    const [[{ money }]] = await sequelize.query(`SELECT money FROM ${schema}.accounts WHERE id = :from`, { replacements: { from }, transaction });
    await sequelize.query(`UPDATE ${schema}.accounts SET money = $1 WHERE id = $2`, { bind: [money - 1, from], transaction });
    await sequelize.query(`UPDATE ${schema}.accounts SET money = money + 1 WHERE id = $1`, { bind: [to], transaction });
  });
  const moveWithRetry = async (from, to) => {
    for (;;) {
      try {
        return await move(from, to);
      } catch (error) {
        if (!['40001', '40P01'].includes(error.parent && error.parent.code)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: 60 }, (_, n) => moveWithRetry(1 + (n % 5), 1 + ((n + 1) % 5))));
  console.log((await sequelize.query(`SELECT id, money FROM ${schema}.accounts ORDER BY id`))[0]);
  await sequelize.transaction(async (transaction) => {
    await Author.create({ name: 'Outer' }, { transaction });
    await sequelize.transaction({ transaction }, (inner) => Author.create({ name: 'Outer' }, { transaction: inner })).catch(failure);
    console.log((await Author.findOne({ where: { name: 'Outer' }, lock: transaction.LOCK.UPDATE, transaction })).name);
  });
  await sequelize.transaction({ readOnly: true }, (transaction) => Author.create({ name: 'Refused' }, { transaction })).catch(failure);
  const unmanaged = await sequelize.transaction();
  await Author.create({ name: 'Gone' }, { transaction: unmanaged });
  await unmanaged.rollback();
  console.log(await Author.count({ where: { name: ['Outer', 'Gone'] } }));
}

async function session() {
  heading('the session Sequelize makes');
  console.log((await sequelize.query("SELECT current_setting('TimeZone') AS zone, current_setting('client_min_messages') AS level"))[0]);
  console.log((await sequelize.query("SELECT timestamptz '2020-07-01 00:00:00+00' AS at"))[0]);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => sequelize.query('SELECT $1::int AS n, current_setting(\'TimeZone\') AS zone', { bind: [n], plain: true })));
  console.log(answers.every((answer, n) => answer.n === n && answer.zone === answers[0].zone));
}

async function main() {
  await migrate();
  await crud();
  await bulk();
  await transactions();
  await session();
  await sequelize.query(`DROP SCHEMA ${schema} CASCADE`);
  await sequelize.close();
}

main().catch((error) => {
  console.log('failed', error);
  process.exit(1);
});
