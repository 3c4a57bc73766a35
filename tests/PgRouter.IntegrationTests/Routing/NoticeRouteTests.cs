using System.Text.RegularExpressions;
using PgRouter.IntegrationTests.Catalog;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>SET pgrouter.notice_route. Reads go to node 1 only; there is one server per node.</summary>
[TestFixture]
public sealed partial class NoticeRouteTests
{
    private const string Database = "noticing";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, "CREATE TABLE plain (a int); INSERT INTO plain VALUES (1);");
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(_cluster, new Dictionary<string, string>
        {
            ["backend_weight0"] = "0",
            ["backend_weight2"] = "0",
            ["default_pool_size"] = "1",
        });
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_router is not null)
            await _router.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync()
    {
        _client = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        await _client.QueryAsync("SET pgrouter.notice_route = on");
        await Eventually.TrueAsync(async () => await RouteAsync("SELECT a FROM plain") == "node 1, reason: balanced", "reads to be balanced");
    }

    [TearDown]
    public ValueTask LogoutAsync() => _client.DisposeAsync();

    [Test]
    public async Task Each_statement_is_followed_by_node_reason_wait_and_time()
    {
        Assert.That(await RouteAsync("SELECT a FROM plain"), Is.EqualTo("node 1, reason: balanced"));
        Assert.That(await RouteAsync("INSERT INTO plain VALUES (2)"), Is.EqualTo("node 0, reason: write"));
        Assert.That(await RouteAsync("/* pgrouter: node=2 */ SELECT 1"), Is.EqualTo("node 2, reason: hint"));
        await _client.QueryAsync("BEGIN");
        Assert.That(await RouteAsync("SELECT a FROM plain"), Does.StartWith("node 0, reason: "));
        Assert.That(await RouteAsync("SELECT a FROM plain"), Is.EqualTo("node 0, reason: held"));
        Assert.That(await RouteAsync("COMMIT"), Is.EqualTo("node 0, reason: held"));
    }

    [Test]
    public async Task Over_the_extended_protocol_and_in_pipelines_too()
    {
        await _client.SendAsync(
            Frontend.Parse("", "SELECT a FROM plain"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync(), Frontend.Query("INSERT INTO plain VALUES (3)"));
        Assert.That(RouteIn(await _client.ReadUntilAsync()), Is.EqualTo("node 1, reason: balanced"));
        Assert.That(RouteIn(await _client.ReadUntilAsync()), Is.EqualTo("node 0, reason: write"));
    }

    [Test]
    public async Task A_statement_that_waited_for_a_server_says_so()
    {
        await using var other = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        await other.QueryAsync("BEGIN");
        await other.QueryAsync("INSERT INTO plain VALUES (4)");
        await _client.SendAsync(Frontend.Query("INSERT INTO plain VALUES (5)"));
        await using var console = await RawClient.LoginAsync(_router.Endpoint, "postgres", "pgbouncer");
        await Eventually.TrueAsync(async () => await AreWaitingAsync(console), "the statement to wait");
        await other.QueryAsync("ROLLBACK");
        var notice = (await _client.ReadUntilAsync()).Single(m => m.Type == 'N').Field('M')!;
        Assert.That(notice, Does.Contain("node 0, reason: write, pool wait: ").And.Not.Contain("pool wait: 0.000 ms"));
        Assert.That(await RouteAsync("INSERT INTO plain VALUES (6)"), Is.EqualTo("node 0, reason: write"));
    }

    [Test]
    public async Task It_is_this_sessions_own_and_keeps_to_transactions()
    {
        await using var other = await RawClient.LoginAsync(_router.Endpoint, "postgres", Database);
        Assert.That(Notices(await other.QueryAsync("SELECT a FROM plain")), Is.Empty);
        await other.QueryAsync("BEGIN");
        await other.QueryAsync("SET pgrouter.notice_route = on");
        Assert.That(Notices(await other.QueryAsync("SELECT a FROM plain")), Has.Count.EqualTo(1));
        await other.QueryAsync("ROLLBACK");
        Assert.That(Notices(await other.QueryAsync("SELECT a FROM plain")), Is.Empty);
        Assert.That(await other.ScalarAsync("SHOW pgrouter.notice_route"), Is.EqualTo("off"));
        await _client.QueryAsync("RESET pgrouter.notice_route");
        Assert.That(Notices(await _client.QueryAsync("SELECT a FROM plain")), Is.Empty);
    }

    [Test]
    public async Task It_may_be_set_at_start_up_and_a_wrong_value_is_refused()
    {
        await using var other = await RawClient.LoginAsync(
            _router.Endpoint, "postgres", Database, "postgres", ("options", "-c pgrouter.notice_route=on"));
        Assert.That(Notices(await other.QueryAsync("SELECT a FROM plain")), Has.Count.EqualTo(1));
        var error = (await other.QueryAsync("SET pgrouter.notice_route = maybe")).Single(m => m.Type == 'E');
        Assert.That((error.Field('C'), error.Field('H')), Is.EqualTo(("22023", "Allowed: on, off.")));
    }

    private static async Task<bool> AreWaitingAsync(RawClient console)
    {
        var reply = await console.QueryAsync("SHOW POOLS");
        var column = reply.Single(m => m.Type == 'T').ColumnNames().ToList().IndexOf("cl_waiting");
        return reply.Any(m => m.Type == 'D' && m.TextColumns()[column] != "0");
    }

    private async Task<string> RouteAsync(string sql) => RouteIn(await _client.QueryAsync(sql));

    private static string RouteIn(IEnumerable<RawMessage> reply)
    {
        var match = Told().Match(reply.Single(message => message.Type == 'N').Field('M')!);
        Assert.That(match.Success, $"{reply.Single(message => message.Type == 'N').Field('M')}");
        return match.Groups[1].Value;
    }

    private static List<RawMessage> Notices(IEnumerable<RawMessage> reply) => [.. reply.Where(message => message.Type == 'N')];

    [GeneratedRegex(@"^routed to (node \d+, reason: [a-z ]+), pool wait: \d+\.\d{3} ms, server time: \d+\.\d{3} ms$")]
    private static partial Regex Told();
}
