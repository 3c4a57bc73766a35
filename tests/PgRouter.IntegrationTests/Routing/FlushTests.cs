using PgRouter.IntegrationTests.Catalog;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>
/// What drivers do that prepare with Flush and execute in another batch (asyncpg). Reads go to the standbys only; there is one server per node.
/// </summary>
[TestFixture]
public sealed class FlushTests
{
    private const string Database = "flushing";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, "CREATE TABLE plain (a int); INSERT INTO plain VALUES (1);");
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(
            _cluster, new Dictionary<string, string> { ["backend_weight0"] = "0", ["default_pool_size"] = "1" });
        await _router.WaitForCleanStandbysAsync(_cluster, Database);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync() => _client = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);

    [TearDown]
    public ValueTask LogoutAsync() => _client.DisposeAsync();

    [TestCase("")]
    [TestCase("__asyncpg_stmt_1__")]
    public async Task A_read_that_is_prepared_with_Flush_is_balanced(string name)
    {
        await PrepareAsync(name, "SELECT inet_server_port() FROM plain");
        await _client.SendAsync(Frontend.Bind("", name), Frontend.Execute(""), Frontend.Sync());
        var reply = await _client.ReadUntilAsync();
        Assert.That(Types(reply), Is.EqualTo("2DCZ"));
        Assert.That(reply[1].TextColumns()[0], Is.Not.EqualTo($"{_cluster.Nodes[0].Port}"));
    }

    [Test]
    public async Task A_write_that_is_prepared_with_Flush_runs_on_the_primary_and_holds_nobody_up_meanwhile()
    {
        await PrepareAsync("w", "INSERT INTO plain VALUES (2) RETURNING inet_server_port()");
        await using (var other = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database))
            Assert.That(Types(await other.QueryAsync("INSERT INTO plain VALUES (3)")), Is.EqualTo("CZ"));
        await _client.SendAsync(Frontend.Bind("", "w"), Frontend.Execute(""), Frontend.Sync());
        Assert.That(Types(await _client.ReadUntilAsync()), Is.EqualTo("2DCZ"));
    }

    [Test]
    public async Task A_write_behind_a_read_that_was_prepared_with_Flush_runs_on_the_primary()
    {
        await PrepareAsync("r", "SELECT a FROM plain");
        await _client.SendAsync(
            Frontend.Parse("", "INSERT INTO plain VALUES (4)"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        Assert.That(Types(await _client.ReadUntilAsync()), Is.EqualTo("12CZ"));
    }

    [Test]
    public async Task What_stands_behind_an_error_is_skipped_up_to_Sync()
    {
        await PrepareAsync("w", "INSERT INTO plain VALUES (99)");
        await _client.SendAsync(
            Frontend.Parse("bad", "SELECT nothing FROM nowhere"), Frontend.Describe('S', "bad"), Frontend.Flush(),
            Frontend.Bind("", "w"), Frontend.Execute(""), Frontend.Sync(), Frontend.Query("SELECT count(*) FROM plain WHERE a = 99"));
        var failed = await _client.ReadUntilAsync();
        Assert.That(Types(failed), Is.EqualTo("EZ"));
        Assert.That(failed[0].Field('C'), Is.EqualTo("42P01"));
        Assert.That((await _client.ReadUntilAsync()).Single(m => m.Type == 'D').TextColumns()[0], Is.EqualTo("0"));
        Assert.That(await _cluster.ScalarAsync<long>(0, "SELECT count(*) FROM plain WHERE a = 99", Database), Is.Zero);
    }

    [Test]
    public async Task Without_a_Sync_the_next_query_is_routed_by_itself()
    {
        await PrepareAsync("r", "SELECT a FROM plain");
        Assert.That(Types(await _client.QueryAsync("INSERT INTO plain VALUES (5)")), Is.EqualTo("CZ"));
        await PrepareAsync("s", "SELECT a FROM plain");
        await _client.SendAsync(Frontend.Sync());
        Assert.That(Types(await _client.ReadUntilAsync()), Is.EqualTo("Z"));
    }

    [Test]
    public async Task A_batch_that_goes_on_with_a_message_too_large_to_be_kept_is_another_matter()
    {
        await _client.SendAsync(
            Frontend.Parse("", "SELECT length($1::text)", 25), Frontend.Describe('S', ""), Frontend.Bind("", "", new string('x', 3_000_000)),
            Frontend.Execute(""), Frontend.Sync());
        Assert.That((await _client.ReadUntilAsync()).Single(m => m.Type == 'D').TextColumns()[0], Is.EqualTo("3000000"));
    }

    [Test]
    public async Task Inside_a_transaction_it_stays_on_its_server()
    {
        await _client.QueryAsync("BEGIN");
        await _client.QueryAsync("INSERT INTO plain VALUES (6)");
        await PrepareAsync("r", "SELECT a FROM plain WHERE a = 6");
        await _client.SendAsync(Frontend.Bind("", "r"), Frontend.Execute(""), Frontend.Sync());
        Assert.That(Types(await _client.ReadUntilAsync()), Is.EqualTo("2DCZ"));
        Assert.That(_client.TransactionStatus, Is.EqualTo('T'));
        await _client.QueryAsync("ROLLBACK");
    }

    /// <summary>Sends Parse, Describe and Flush and reads what comes of them.</summary>
    private async Task PrepareAsync(string name, string sql)
    {
        await _client.SendAsync(Frontend.Parse(name, sql), Frontend.Describe('S', name), Frontend.Flush());
        Assert.That((await _client.ReadAsync()).Type, Is.EqualTo('1'));
        Assert.That((await _client.ReadAsync()).Type, Is.EqualTo('t'));
        Assert.That((await _client.ReadAsync()).Type, Is.EqualTo('T').Or.EqualTo('n'));
    }

    private static string Types(IEnumerable<RawMessage> reply) => string.Concat(reply.Select(message => message.Type));
}
