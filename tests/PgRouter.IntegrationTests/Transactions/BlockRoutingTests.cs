using System.Globalization;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Transactions;

/// <summary>
/// On which node a transaction block runs. The primary has no weight, so that a block on it was sent there on purpose; there are two standbys, so that
/// one that changes its node shows.
/// </summary>
[TestFixture]
public sealed class BlockRoutingTests
{
    private const string Where = "SELECT inet_server_port()";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private string _primary = null!;

    private static IEnumerable<NamedScript> Scripts =>
        ScriptBook.Sessions.Where(script => script.Name.StartsWith("blocks ", StringComparison.Ordinal));

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await WireBed.ClusterAsync();
        _primary = _cluster.Nodes[0].Port.ToString(CultureInfo.InvariantCulture);
        _router = await WireBed.RouterAsync(WireBed.SmallPool.With(("backend_weight0", "0"), ("log_min_messages", "debug1")));
    }

    [SetUp]
    public Task WaitForStandbysAsync() => _router.WaitForCleanStandbysAsync(_cluster);

    [OneTimeTearDown]
    public async Task StopAsync() => await _router.DisposeAsync();

    [TestCase("BEGIN", true)]
    [TestCase("BEGIN READ WRITE", true)]
    [TestCase("BEGIN ISOLATION LEVEL REPEATABLE READ", true)]
    [TestCase("BEGIN READ ONLY", false)]
    [TestCase("START TRANSACTION READ ONLY", false)]
    [TestCase("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", false)]
    [TestCase("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", true)]
    [TestCase("/* pgrouter: primary */ BEGIN READ ONLY", true)]
    [TestCase("BEGIN|SET TRANSACTION READ ONLY", false)]
    [TestCase("BEGIN|SET TRANSACTION ISOLATION LEVEL REPEATABLE READ|SET TRANSACTION READ ONLY", false)]
    [TestCase("BEGIN READ ONLY|SET TRANSACTION READ WRITE", true)]
    [TestCase("BEGIN READ ONLY|SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", true)]
    [TestCase("BEGIN READ ONLY|SET TRANSACTION READ WRITE|SET TRANSACTION READ ONLY", true)]
    [TestCase("SET default_transaction_read_only = on|BEGIN", false)]
    [TestCase("SET default_transaction_read_only = on|BEGIN READ WRITE", true)]
    [TestCase("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY|BEGIN", false)]
    [TestCase("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY|BEGIN ISOLATION LEVEL SERIALIZABLE", true)]
    [TestCase("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE|BEGIN", true)]
    [TestCase("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ|BEGIN", false)]
    [TestCase("SELECT set_config('default_transaction_read_only', 'on', false)|BEGIN", false)]
    [TestCase("BEGIN READ ONLY|SET LOCAL work_mem = '2MB'|SAVEPOINT a", false)]
    [TestCase("BEGIN READ ONLY; SELECT 1", false)]
    [TestCase("BEGIN; SELECT 1", true)]
    public async Task A_block_runs_where_its_modes_say(string opening, bool onPrimary)
    {
        foreach (var isExtended in (bool[])[false, true])
        {
            await using var client = await RawClient.LoginAsync(_router.Endpoint);
            foreach (var sql in opening.Split('|'))
                await (isExtended && !sql.Contains(';', StringComparison.Ordinal) ? ExecuteAsync(client, sql) : client.QueryAsync(sql));
            await StaysAsync(client, onPrimary);
        }
    }

    [TestCase("-c default_transaction_read_only=on", false)]
    [TestCase("-c default_transaction_read_only=true -c default_transaction_isolation=serializable", true)]
    [TestCase("-c default_transaction_read_only=off", true)]
    public async Task A_block_runs_where_the_start_up_options_say(string options, bool onPrimary)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint, parameters: [("options", options)]);
        await client.QueryAsync("BEGIN");
        await StaysAsync(client, onPrimary);
    }

    /// <summary>pgJDBC sends BEGIN and the first statement in one batch.</summary>
    [TestCase("BEGIN READ ONLY", Where, false)]
    [TestCase("BEGIN", Where, true)]
    [TestCase("BEGIN READ ONLY", "SELECT inet_server_port(), txid_current()", true)]
    public async Task A_batch_with_BEGIN_runs_as_a_whole_where_its_modes_and_its_statements_allow(string begin, string first, bool onPrimary)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.SendAsync(
            [Frontend.Parse("", begin), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Parse("", first), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync()]);
        var answer = await client.ReadUntilAsync();
        Assert.That(answer.First(message => message.Type == 'D').TextColumns()[0] == _primary, Is.EqualTo(onPrimary));
        await StaysAsync(client, onPrimary);
    }

    /// <summary>Where the standbys take every block that they may.</summary>
    [TestCaseSource(nameof(Scripts))]
    public async Task A_block_on_a_standby_answers_as_one_on_the_primary(NamedScript script) =>
        await script.RequireEqualAsync(await WireBed.PrimaryAsync(), _router.Endpoint);

    [TestCase("SET TRANSACTION READ WRITE", "")]
    [TestCase("SELECT pg_advisory_xact_lock(4712)", "SELECT 1")]
    [TestCase("SELECT pg_advisory_xact_lock(4712)", "SELECT 1|SELECT count(*) FROM wire_rows")]
    public async Task A_block_begins_again_on_the_primary_when_a_standby_cannot_go_on_with_it(string statement, string before)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.QueryAsync("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY");
        await client.QueryAsync("SET LOCAL work_mem = '3MB'");
        foreach (var sql in before.Split('|', StringSplitOptions.RemoveEmptyEntries))
            Assert.That(await client.ScalarAsync(sql), Is.Not.Null);
        Assert.That((await client.QueryAsync(statement)).Any(message => message.Type == 'E'), Is.False);
        Assert.That(await client.ScalarAsync("SELECT inet_server_port()"), Is.EqualTo(_primary));
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.EqualTo("3MB"));
        await client.QueryAsync("COMMIT");
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.Not.EqualTo("3MB"));
        Assert.That(await client.ScalarAsync(Where), Is.Not.EqualTo(_primary));
    }

    [TestCase("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", "SELECT 1")]
    [TestCase("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY", "SAVEPOINT a")]
    [TestCase("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY", "DECLARE c CURSOR FOR SELECT 1")]
    public async Task A_block_that_is_tied_to_its_standby_refuses_what_needs_the_primary(string begin, string tie)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.QueryAsync(begin);
        await client.QueryAsync(Where);
        await client.QueryAsync(tie);
        var answer = await client.QueryAsync("SELECT pg_advisory_xact_lock(4713)");
        var error = answer.Single(message => message.Type == 'E');
        Assert.That((error.Field('C'), error.Field('H')), Is.EqualTo(("0A000", "Begin such a transaction with /* pgrouter: primary */ BEGIN READ ONLY.")));
        Assert.That(client.TransactionStatus, Is.EqualTo('E'));
        await client.QueryAsync("ROLLBACK");
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_block_costs_no_server_before_its_first_statement()
    {
        var clients = new List<RawClient>();
        try
        {
            // More than the pool has servers.
            for (var i = 0; i < 6; i++)
            {
                var client = await RawClient.LoginAsync(_router.Endpoint);
                clients.Add(client);
                await ExecuteAsync(client, "BEGIN");
                await ExecuteAsync(client, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
            }
            foreach (var client in clients)
            {
                Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
                await client.QueryAsync("COMMIT");
            }
        }
        finally
        {
            foreach (var client in clients)
                await client.DisposeAsync();
        }
    }

    /// <summary>A statement by the extended protocol.</summary>
    private static async Task ExecuteAsync(RawClient client, string sql)
    {
        await client.SendAsync([Frontend.Parse("", sql), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync()]);
        var answer = await client.ReadUntilAsync();
        Assert.That(answer.Where(message => message.Type == 'E'), Is.Empty);
    }

    /// <summary>All that follows runs on the node of the first statement, and when the block is over, reads are balanced again.</summary>
    private async Task StaysAsync(RawClient client, bool onPrimary)
    {
        var node = await client.ScalarAsync(Where);
        Assert.That(node == _primary, Is.EqualTo(onPrimary), $"began on port {node}");
        for (var i = 0; i < 5; i++)
            Assert.That(await client.ScalarAsync(Where), Is.EqualTo(node));
        await client.QueryAsync("COMMIT");
        Assert.That(client.TransactionStatus, Is.EqualTo('I'));
    }
}
