using NUnit.Framework;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.Tests.Sessions;

/// <summary>What a client sees when a server goes away under its statement; docs/pooling.md and "The life of one statement", 9.</summary>
[TestFixture]
internal sealed class LostServerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private RouterBed _bed = null!;
    private RawClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _bed = await RouterBed.StartAsync();
        _client = await _bed.LoginAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        await _client.DisposeAsync();
        await _bed.DisposeAsync();
    }

    [Test]
    public async Task While_all_is_well_the_primary_answers() => Assert.That(await _client.ScalarAsync("SELECT 1"), Is.EqualTo("0"));

    [Test]
    public async Task A_read_whose_server_dies_before_the_first_byte_runs_once_elsewhere()
    {
        Lose(sql => sql == "SELECT lost");
        Assert.That(await _client.ScalarAsync("SELECT lost"), Is.EqualTo("1"));
        Assert.That(_client.TransactionStatus, Is.EqualTo('I'));
    }

    [Test]
    public async Task A_read_that_was_told_57P01_before_anything_else_runs_once_elsewhere()
    {
        Lose(sql => sql == "SELECT lost", Backend.ErrorResponse("57P01", "terminating connection due to administrator command", "FATAL"));
        Assert.That(await _client.ScalarAsync("SELECT lost"), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_read_that_had_begun_to_answer_is_not_run_again()
    {
        Lose(sql => sql == "SELECT lost", Backend.RowDescription("a"), Backend.DataRow("half"));
        var reply = await _client.QueryAsync("SELECT lost");
        Assert.That(string.Concat(reply.Select(m => m.Type)), Is.EqualTo("TDEZ"));
        Assert.That(_bed.Nodes[1].Server.Connections.SelectMany(c => c.Received).Any(m => m.Text() == "SELECT lost"), Is.False);
        Assert.That(await _client.ScalarAsync("SELECT next"), Is.Not.Null, "the session lives");
    }

    [Test]
    public async Task A_write_is_never_run_again()
    {
        Lose(sql => sql.StartsWith("INSERT", StringComparison.Ordinal));
        var reply = await _client.QueryAsync("INSERT INTO t VALUES (1)");
        Assert.That(string.Concat(reply.Select(m => m.Type)), Is.EqualTo("EZ"));
        Assert.That(reply[0].Field('C'), Is.EqualTo("57P01"));
        Assert.That(_bed.Nodes.SelectMany(n => n.Server.Connections).SelectMany(c => c.Received).Count(m => m.Type == 'Q'), Is.EqualTo(1));
    }

    [Test]
    public async Task A_read_inside_a_transaction_is_not_run_elsewhere_and_the_transaction_has_failed()
    {
        Lose(sql => sql == "SELECT lost");
        await _client.QueryAsync("BEGIN");
        await _client.QueryAsync("INSERT INTO t VALUES (1)");
        var reply = await _client.QueryAsync("SELECT lost");
        Assert.That(reply[0].Field('C'), Is.EqualTo("57P01"));
        Assert.That(_client.TransactionStatus, Is.EqualTo('E'));
    }

    [Test]
    public async Task Nothing_of_a_transaction_whose_server_died_runs_by_itself_on_another()
    {
        Lose(sql => sql == "SELECT lost");
        await _client.QueryAsync("BEGIN");
        await _client.QueryAsync("SELECT lost");
        await _client.QueryAsync("INSERT INTO t VALUES (1)");
        var queries = _bed.Nodes.SelectMany(n => n.Server.Connections).SelectMany(c => c.Received).Where(m => m.Type == 'Q').Select(m => m.Text());
        Assert.That(queries.TakeLast(2), Is.EqualTo(new[] { "BEGIN; EXECUTE pgrouter_0", "INSERT INTO t VALUES (1)" }), "it runs where it must fail");
    }

    [Test]
    public async Task A_transaction_whose_server_died_ends_without_another()
    {
        Lose(sql => sql == "SELECT lost");
        await _client.QueryAsync("BEGIN");
        await _client.QueryAsync("SELECT lost");
        Assert.That(_client.TransactionStatus, Is.EqualTo('E'));
        var end = await _client.QueryAsync("COMMIT");
        Assert.That(end[0].Text(), Is.EqualTo("ROLLBACK"));
        Assert.That(_client.TransactionStatus, Is.EqualTo('I'));
    }

    [Test]
    public async Task A_transaction_that_is_begun_and_ended_asks_no_server()
    {
        await _client.QueryAsync("BEGIN");
        Assert.That(_client.TransactionStatus, Is.EqualTo('T'));
        await _client.QueryAsync("COMMIT");
        Assert.That(_client.TransactionStatus, Is.EqualTo('I'));
        var servers = _bed.Nodes.SelectMany(n => n.Server.Connections)
            .Where(c => c.StartupParameters.GetValueOrDefault("application_name") is not ("pgrouter catalog" or "pgrouter consistency"));
        Assert.That(servers.Sum(c => c.Received.Count), Is.Zero);
    }

    [Test]
    public async Task A_server_that_dies_in_the_middle_of_a_row_ends_the_session_with_it()
    {
        var others = _bed.Nodes[0].OnQuery;
        var hasHead = new TaskCompletionSource();
        _bed.Nodes[0].OnQuery = async (connection, sql) =>
        {
            if (sql != "SELECT lost")
            {
                await others(connection, sql);
                return;
            }
            await connection.SendBytesAsync([(byte)'D', 0, 0, 0, 100, 0, 1, 0, 0, 0, 90, (byte)'x']);
            await hasHead.Task;
            connection.Drop();
        };
        await _client.SendAsync(Frontend.Query("SELECT lost"));
        await Eventually.TrueAsync(() => _client.HasReceived, "the head of the row to come");
        hasHead.SetResult();

        // Anything else that is sent now would be read as the rest of the row.
        Assert.That(async () => await _client.ReadAsync(), Throws.InstanceOf<EndOfStreamException>());
    }

    [Test]
    public async Task A_commit_whose_server_dies_is_said_to_be_unknown()
    {
        Lose(sql => sql == "COMMIT");
        await _client.QueryAsync("BEGIN");
        await _client.QueryAsync("INSERT INTO t VALUES (1)");
        var reply = await _client.QueryAsync("COMMIT");
        Assert.That(reply[0].Field('C'), Is.EqualTo("08007"));
        Assert.That(_client.TransactionStatus, Is.EqualTo('I'));
    }

    [Test]
    public async Task Queries_sent_together_are_answered_in_order()
    {
        await _client.SendAsync([.. Enumerable.Range(0, 50).Select(i => Frontend.Query($"SELECT {i}"))]);
        for (var i = 0; i < 50; i++)
        {
            var reply = await _client.ReadUntilAsync();
            Assert.That(reply.Where(m => m.Type == 'D').Select(m => m.TextColumns()[0]), Is.EqualTo(new[] { "0", $"SELECT {i}" }));
        }
    }

    [Test]
    public async Task Reads_sent_together_whose_server_dies_run_elsewhere_but_for_what_was_answered()
    {
        Lose(sql => sql == "SELECT lost");
        await _client.SendAsync([.. new[] { "SELECT a", "SELECT lost", "SELECT b" }.Select(Frontend.Query)]);
        var answers = new List<string>();
        for (var i = 0; i < 3; i++)
            answers.Add(string.Join(' ', (await _client.ReadUntilAsync()).Where(m => m.Type == 'D').Select(m => m.TextColumns()[0])));
        Assert.That(answers, Is.EqualTo(new[] { "0 SELECT a", "1 SELECT lost", "1 SELECT b" }));
    }

    [Test]
    public async Task Reads_sent_together_with_a_write_do_not_run_again()
    {
        Lose(sql => sql == "SELECT lost");
        await _client.SendAsync([.. new[] { "SELECT a", "SELECT lost", "INSERT INTO t VALUES (1)" }.Select(Frontend.Query)]);
        Assert.That((await _client.ReadUntilAsync()).Count(m => m.Type == 'D'), Is.EqualTo(2), "it is answered");
        for (var i = 0; i < 2; i++)
            Assert.That((await _client.ReadUntilAsync())[0].Field('C'), Is.EqualTo("57P01"));
    }

    [TestCase("BEGIN; SELECT 1")]
    [TestCase("/* pgrouter: primary */ SELECT 1")]
    [TestCase("/* pgrouter: node=0 */ SELECT 1")]
    [TestCase("INSERT INTO t VALUES (1)")]
    public async Task With_the_only_place_for_a_statement_gone_the_client_is_told_and_the_loop_goes_on(string sql)
    {
        await _bed.Nodes[0].DisposeAsync();
        var reply = await _client.QueryAsync(sql).WaitAsync(Deadline);
        Assert.That(reply.Single(m => m.Type == 'E').Field('C'), Does.StartWith("08").Or.StartWith("57"));
        Assert.That(await _client.ScalarAsync("SELECT 1").WaitAsync(Deadline), Is.EqualTo("1"), "reads go on elsewhere");
    }

    [Test]
    public async Task A_client_that_does_not_read_stops_its_own_server_only()
    {
        const int Rows = 2000;
        var row = Backend.DataRow(new string('x', 16 * 1024));
        var sent = 0;
        var others = _bed.Nodes[0].OnQuery;
        _bed.Nodes[0].OnQuery = async (connection, sql) =>
        {
            if (sql != "SELECT much")
            {
                await others(connection, sql);
                return;
            }
            await connection.SendAsync(Backend.RowDescription("a"));
            for (; sent < Rows; sent++)
                await connection.SendAsync(row);
            await connection.SendAsync(Backend.CommandComplete($"SELECT {Rows}"), Backend.ReadyForQuery());
        };
        await _client.SendAsync(Frontend.Query("SELECT much"));
        await PgRouter.Testing.Eventually.TrueAsync(() => sent > 20, "the server to send");
        await using var other = await _bed.LoginAsync();
        for (var i = 0; i < 200; i++)
            Assert.That(await other.ScalarAsync("SELECT 1"), Is.EqualTo("0"));
        Assert.That(sent, Is.LessThan(Rows), "32 MB do not fit into the buffers between");
        var reply = await _client.ReadUntilAsync();
        Assert.That(reply.Count(m => m.Type == 'D'), Is.EqualTo(Rows));
    }

    private void Lose(Func<string, bool> which, params RawMessage[] before) =>
        _bed.Nodes[0].OnQuery = FakeNode.Dropping(which, _bed.Nodes[0].OnQuery, before);
}
