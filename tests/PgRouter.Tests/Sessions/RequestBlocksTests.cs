using NUnit.Framework;
using PgRouter.Core.Sessions;
using PgRouter.Sql;

namespace PgRouter.Tests.Sessions;

/// <summary>Which requests may run on a standby because all of their blocks are READ ONLY.</summary>
[TestFixture]
internal sealed class RequestBlocksTests
{
    private static readonly TransactionModes ReadWrite = new(IsReadOnly: false, Isolation: null);
    private static readonly TransactionModes ReadOnly = new(IsReadOnly: true, Isolation: null);

    private StatementParser _parser = null!;

    [OneTimeSetUp]
    public void Start() => _parser = new StatementParser();

    [OneTimeTearDown]
    public void Stop() => _parser.Dispose();

    [TestCase("BEGIN READ ONLY", true)]
    [TestCase("START TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ", true)]
    [TestCase("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", false)]
    [TestCase("BEGIN", false)]
    [TestCase("BEGIN READ WRITE", false)]
    [TestCase("BEGIN; SET TRANSACTION READ ONLY", true)]
    [TestCase("BEGIN; SET TRANSACTION READ ONLY; SELECT 1; COMMIT", true)]
    [TestCase("BEGIN; SELECT 1; SET TRANSACTION READ ONLY", false)]
    [TestCase("BEGIN READ ONLY; SET TRANSACTION READ WRITE", false)]
    [TestCase("BEGIN READ ONLY; SET TRANSACTION READ WRITE; SET TRANSACTION READ ONLY", false)] // A standby fails at the second.
    [TestCase("BEGIN READ ONLY; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", false)]
    [TestCase("BEGIN READ ONLY; SET transaction_read_only = off", false)]
    [TestCase("BEGIN READ ONLY; SET LOCAL transaction_isolation = 'serializable'", false)]
    [TestCase("BEGIN READ ONLY; SELECT 1; COMMIT", true)]
    [TestCase("BEGIN READ ONLY; SELECT 1; COMMIT; SELECT 2", true)]
    [TestCase("BEGIN READ ONLY; SELECT 1; COMMIT; BEGIN; SELECT 2", false)]
    [TestCase("BEGIN READ ONLY; COMMIT AND CHAIN; SELECT 2", true)]
    [TestCase("BEGIN READ ONLY; COMMIT; INSERT INTO t VALUES (1)", false)]
    [TestCase("BEGIN READ ONLY; INSERT INTO t VALUES (1)", false)]
    [TestCase("BEGIN READ ONLY; SELECT txid_current()", false)]
    [TestCase("BEGIN READ ONLY; SET work_mem = '1MB'; SAVEPOINT a; SELECT 1", true)]
    [TestCase("BEGIN READ ONLY; BEGIN READ WRITE", false)]
    [TestCase("SELECT 1", false)] // Has no block.
    public void A_text_by_itself(string sql, bool fits) => Assert.That(Fits(new RequestBlocks(false, default, ReadWrite), sql), Is.EqualTo(fits));

    [TestCase("BEGIN; SELECT 1", true)]
    [TestCase("BEGIN READ WRITE; SELECT 1", false)]
    [TestCase("SET default_transaction_read_only = off; BEGIN; SELECT 1", false)]
    [TestCase("BEGIN; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; COMMIT; BEGIN; SELECT 1", false)]
    [TestCase("BEGIN; RESET ALL; COMMIT; BEGIN; SELECT 1", false)]
    public void A_text_of_a_session_that_is_read_only(string sql, bool fits) =>
        Assert.That(Fits(new RequestBlocks(false, default, ReadOnly), sql), Is.EqualTo(fits));

    [TestCase("SELECT 1", true)]
    [TestCase("COMMIT", true)]
    [TestCase("COMMIT; BEGIN", false)]
    [TestCase("SET TRANSACTION READ WRITE", false)]
    public void What_follows_in_a_block_that_is_read_only(string sql, bool fits) =>
        Assert.That(Fits(new RequestBlocks(true, ReadOnly, ReadWrite), sql), Is.EqualTo(fits));

    /// <summary>What is better refused by a standby than moved, and what is not.</summary>
    [TestCase("SELECT 1", false)]
    [TestCase("INSERT INTO t VALUES (1)", false)]
    [TestCase("CREATE TABLE t (a int)", false)]
    [TestCase("SELECT nextval('s')", false)]
    [TestCase("SELECT * FROM pg_class", false)]
    [TestCase("SHOW work_mem", false)]
    [TestCase("DECLARE c CURSOR FOR SELECT 1", false)]
    [TestCase("DECLARE c CURSOR WITH HOLD FOR SELECT 1", true)]
    [TestCase("COMMIT", false)]
    [TestCase("SELEKT", false)]
    [TestCase("SELECT pg_advisory_xact_lock(1)", true)]
    [TestCase("SELECT pg_is_in_recovery(), pg_try_advisory_xact_lock(1)", true)]
    [TestCase("SELECT txid_current()", true)]
    [TestCase("SELECT currval('s')", true)]
    [TestCase("SELECT f(1)", true)]
    [TestCase("NOTIFY a", true)]
    [TestCase("LISTEN a", true)]
    [TestCase("LOCK TABLE t", true)]
    [TestCase("VACUUM t", true)]
    [TestCase("DO $$ BEGIN NULL; END $$", true)]
    [TestCase("CALL p()", true)]
    [TestCase("PREPARE TRANSACTION 'x'", true)]
    [TestCase("SET TRANSACTION READ WRITE", false)] // Refused by any server behind a query; in front of one the session looks at the modes.
    [TestCase("COMMIT; INSERT INTO t VALUES (1)", true)]
    [TestCase("ROLLBACK; BEGIN; SELECT 1", true)]
    public void What_a_standby_would_answer_otherwise_than_the_primary_in_a_block_that_is_read_only(string sql, bool needs)
    {
        var blocks = new RequestBlocks(true, ReadOnly, ReadWrite);
        Add(ref blocks, sql);
        Assert.That(blocks.NeedsPrimary, Is.EqualTo(needs));
    }

    [TestCase("SELECT a FROM t", true, false)]
    [TestCase("SET work_mem = '1MB'", false, false)]
    [TestCase("SHOW work_mem", false, false)]
    [TestCase("SELECT set_config('a.b', 'c', true)", true, true)]
    [TestCase("SELECT f()", true, true)]
    [TestCase("SAVEPOINT a", true, true)]
    [TestCase("DECLARE c CURSOR FOR SELECT 1", true, true)]
    [TestCase("COMMIT", false, false)]
    public void What_ties_a_block_to_its_server(string sql, bool queries, bool leavesState)
    {
        var blocks = new RequestBlocks(true, ReadOnly, ReadWrite);
        Add(ref blocks, sql);
        Assert.That((blocks.Queries, blocks.LeavesState), Is.EqualTo((queries, leavesState)));
    }

    [TestCase("COMMIT; INSERT INTO t VALUES (1)", true)]
    [TestCase("ROLLBACK; BEGIN", true)]
    [TestCase("COMMIT AND CHAIN; INSERT INTO t VALUES (1)", false)]
    [TestCase("SELECT 1; COMMIT; INSERT INTO t VALUES (1)", false)]
    public void What_ends_its_block_before_anything_else(string sql, bool ends)
    {
        var blocks = new RequestBlocks(true, ReadOnly, ReadWrite);
        Add(ref blocks, sql);
        Assert.That(blocks.EndsFirst, Is.EqualTo(ends));
    }

    [Test]
    public void Texts_of_one_batch_follow_each_other()
    {
        var blocks = new RequestBlocks(false, default, ReadWrite);
        foreach (var sql in (string[])["BEGIN READ ONLY", "SELECT 1"])
            Add(ref blocks, sql);
        Assert.That((blocks.FitStandby, blocks.IsInBlock), Is.EqualTo((true, true)));
        Add(ref blocks, "COMMIT");
        Assert.That((blocks.FitStandby, blocks.IsInBlock), Is.EqualTo((true, false)));
        Add(ref blocks, "DELETE FROM t");
        Assert.That(blocks.FitStandby, Is.False);
    }

    private bool Fits(RequestBlocks blocks, string sql)
    {
        Add(ref blocks, sql);
        return blocks.FitStandby;
    }

    private void Add(ref RequestBlocks blocks, string sql)
    {
        var info = _parser.Analyze(sql);
        blocks.Add(info, info.Class);
    }
}
