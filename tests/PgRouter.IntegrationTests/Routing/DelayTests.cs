using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>Reads while one standby of two, node 1, replays nothing. The primary has no weight unless a test says otherwise.</summary>
[TestFixture]
public sealed class DelayTests
{
    private PgCluster _cluster = null!;
    private RoutingBed _bed = null!;
    private RawClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await PgCluster.StartAsync();
        _bed = await RoutingBed.StartAsync(_cluster, "routing_delay", "CREATE TABLE filled (a text)", ("sr_check_period", "1"));
        await _cluster.PauseReplayAsync(1);
        await _cluster.ExecuteAsync(0, "INSERT INTO filled SELECT repeat(md5(i::text), 10) FROM generate_series(1, 2000) i", "routing_delay");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is null)
            return;
        await _cluster.ResumeReplayAsync(1);
        if (_bed is not null)
            await _bed.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [SetUp]
    public async Task LoginAsync()
    {
        await _bed.ReloadAsync(
            ("backend_weight0", "0"), ("delay_threshold", "0"), ("delay_threshold_by_time", "0"), ("prefer_lower_delay_standby", "off"),
            ("user_redirect_preference_list", ""));
        _client = await _bed.LoginAsync();
    }

    [TearDown]
    public async Task LeaveAsync() => await _client.DisposeAsync();

    [TestCase("delay_threshold", "102400")]
    [TestCase("delay_threshold_by_time", "1000")]
    public async Task A_standby_over_a_threshold_gets_no_reads_and_comes_back_without_it(string name, string value)
    {
        Assert.That(await _bed.NodesOfAsync(_client, 40), Is.EqualTo(new[] { 1, 2 }));
        await _bed.ReloadAsync((name, value));
        await LeavesNode1Async("SELECT inet_server_port()");
        for (var i = 0; i < 10; i++)
            Assert.That(await _bed.PreparedNodeOfAsync(_client, "SELECT inet_server_port()"), Is.EqualTo(2));
        await _bed.ReloadAsync((name, "0"));
        Assert.That(await _bed.NodesOfAsync(_client, 40), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task Max_lag_of_a_hint_or_of_the_session_counts_for_these_reads_alone()
    {
        await LeavesNode1Async("/* pgrouter: max_lag=1s */ SELECT inet_server_port()");
        Assert.That(await _bed.NodesOfAsync(_client, 20, "/* pgrouter: standby, max_lag=1s */ SELECT inet_server_port()"), Is.EqualTo(new[] { 2 }));
        Assert.That(await _bed.NodeOfAsync(_client, "/* pgrouter: node=1 */ SELECT inet_server_port()"), Is.EqualTo(1));
        var refused = await _client.QueryAsync("/* pgrouter: node=1, max_lag=1s */ SELECT inet_server_port()");
        Assert.That(refused.Single(m => m.Type == 'E').Field('C'), Is.EqualTo("57P03"));
        await _client.QueryAsync("SET pgrouter.max_lag = '1s'");
        Assert.That(await _bed.NodesOfAsync(_client, 40), Is.EqualTo(new[] { 2 }));
        await _client.QueryAsync("RESET pgrouter.max_lag");
        Assert.That(await _bed.NodesOfAsync(_client, 40), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task With_prefer_lower_delay_standby_its_reads_go_to_the_standby_that_is_least_behind()
    {
        await _bed.ReloadAsync(("backend_weight0", "1"), ("delay_threshold", "102400"), ("user_redirect_preference_list", "postgres:1"));
        await LeavesNode1Async("SELECT inet_server_port()");
        Assert.That(await _bed.NodesOfAsync(_client, 60), Is.EqualTo(new[] { 0, 2 }), "the primary has its share of them");
        await _bed.ReloadAsync(("prefer_lower_delay_standby", "on"));
        Assert.That(await _bed.NodesOfAsync(_client, 60), Is.EqualTo(new[] { 2 }));
    }

    /// <summary>The delay is known every sr_check_period.</summary>
    private Task LeavesNode1Async(string sql) =>
        Eventually.TrueAsync(async () => !(await _bed.NodesOfAsync(_client, 20, sql)).Contains(1), $"{sql} to leave node 1");
}
