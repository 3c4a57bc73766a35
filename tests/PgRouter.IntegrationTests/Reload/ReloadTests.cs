using System.Globalization;
using PgRouter.IntegrationTests.Nodes;
using PgRouter.IntegrationTests.Scenario13;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Processes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Reload;

/// <summary>SIGHUP while pgbench and readers run: what changes takes effect, and no client notices.</summary>
[TestFixture]
public sealed class ReloadTests
{
    private const string Database = "reloaded";
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private ClientPrograms _programs = null!;

    [OneTimeSetUp]
    public async Task MakeDatabaseAsync()
    {
        _cluster = await SharedCluster.GetAsync();
        await _cluster.ExecuteAsync(0, $"CREATE DATABASE {Database}");
        await Command.RequireAsync(
            _cluster.Binaries.PathOf("pgbench"),
            ["-i", "-q", "-h", _cluster.Nodes[0].Host, "-p", _cluster.Nodes[0].Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", Database]);
        await _cluster.WaitForReplayAsync();
    }

    [OneTimeTearDown]
    public Task DropDatabaseAsync() => _cluster.ExecuteAsync(0, $"DROP DATABASE IF EXISTS {Database} WITH (FORCE)");

    [SetUp]
    public async Task StartRouterAsync()
    {
        _router = await RouterProcessFixture.StartAsync(_cluster);
        _programs = new ClientPrograms(_cluster, _router.Endpoint);
    }

    [TearDown]
    public async Task StopRouterAsync() => await _router.DisposeAsync();

    [Test]
    public async Task New_weights_take_effect_under_load_and_no_client_notices()
    {
        await using var readers = await Readers.StartAsync(_router);
        var bench = StartPgbench();

        await _router.ReloadAsync(Weights(0, 1, 0));
        await WaitForWeightsAsync(0, 1, 0);
        await AssertOnlyReadsAsync(readers, 1);
        await _router.ReloadAsync(Weights(0, 0, 1));
        await WaitForWeightsAsync(0, 0, 1);
        await AssertOnlyReadsAsync(readers, 2);

        await AssertUnharmedAsync(bench);
        await readers.AssertNoErrorAsync(_router.LogTail());
    }

    [Test]
    public async Task A_broken_file_is_refused_with_file_and_line_and_the_old_settings_stay()
    {
        await using var readers = await Readers.StartAsync(_router);
        var good = await File.ReadAllTextAsync(_router.ConfigFile);
        var line = good.Split('\n').Length;

        await File.WriteAllTextAsync(_router.ConfigFile, good + "backend_weight1 = heavy\nbackend_weight2 = 0\n");
        _router.Send(Signal.Hangup);
        await _router.WaitForLogAsync($"{_router.ConfigFile}:{line.ToString(CultureInfo.InvariantCulture)}");

        Assert.That((await NodeTable.ReadAsync(_programs)).Select(node => node.Weight), Is.All.EqualTo(1.0 / 3).Within(0.001));
        await readers.ReadOnAsync(20);
        await readers.AssertNoErrorAsync(_router.LogTail());
    }

    [Test]
    public async Task A_node_is_taken_out_and_put_back_under_load_without_dropping_a_client()
    {
        await using var readers = await Readers.StartAsync(_router);
        var bench = StartPgbench();
        var with = await File.ReadAllTextAsync(_router.ConfigFile);
        var without = string.Join('\n', with.Split('\n').Where(text => !text.StartsWith("backend_", StringComparison.Ordinal) || !text.Contains("2 =")));

        await File.WriteAllTextAsync(_router.ConfigFile, without);
        _router.Send(Signal.Hangup);
        await WaitForNodesAsync(0, 1);
        await readers.ReadOnAsync(20);
        await Eventually.ValueAsync(ServersOnNode2Async, count => count == 0, "the servers of the removed node to be closed");
        await File.WriteAllTextAsync(_router.ConfigFile, with);
        _router.Send(Signal.Hangup);
        await WaitForNodesAsync(0, 1, 2);
        await NodeTable.WaitForStatusAsync(_programs, 2, "up");
        await Eventually.ValueAsync(
            async () => (await NodeTable.ReadAsync(_programs))[2].Selects, count => count > 0, "reads on the node that came back");

        await AssertUnharmedAsync(bench);
        await readers.AssertNoErrorAsync(_router.LogTail());
    }

    private Task<CommandResult> StartPgbench() =>
        _programs.TryPgbenchAsync(TimeSpan.FromSeconds(60), "-d", Database, "-n", "-b", "tpcb-like", "-M", "prepared", "-c", "8", "-T", "4");

    private async Task AssertUnharmedAsync(Task<CommandResult> bench)
    {
        var result = await bench;
        Assert.That(result.ExitCode, Is.Zero, $"{result.Error}\n{_router.LogTail()}");
        Assert.That(result.Output, Does.Contain("number of failed transactions: 0 "));
    }

    private static Dictionary<string, string> Weights(params int[] weights) => weights
        .Select((weight, node) => (node, weight))
        .ToDictionary(pair => $"backend_weight{pair.node}", pair => pair.weight.ToString(CultureInfo.InvariantCulture));

    private Task WaitForWeightsAsync(params double[] weights) => Eventually.ValueAsync(
        async () => (await NodeTable.ReadAsync(_programs)).Select(node => node.Weight).ToArray(), shown => shown.SequenceEqual(weights), "the new weights");

    private Task WaitForNodesAsync(params int[] ids) => Eventually.ValueAsync(
        async () => (await NodeTable.ReadAsync(_programs)).Select(node => node.Id).ToArray(), shown => shown.SequenceEqual(ids), "the new nodes");

    /// <summary>Two reads of each client, at most, were routed before the reload; all later ones are on the node.</summary>
    private async Task AssertOnlyReadsAsync(Readers readers, int expected)
    {
        await readers.ReadOnAsync(2);
        var before = await NodeTable.ReadAsync(_programs);
        await readers.ReadOnAsync(50);
        var after = await NodeTable.ReadAsync(_programs);
        foreach (var node in new[] { 1, 2 })
            Assert.That(after[node].Selects - before[node].Selects, node == expected ? Is.GreaterThanOrEqualTo(200) : Is.Zero, $"reads on node {node}");
    }

    private Task<long> ServersOnNode2Async() => _cluster.ScalarAsync<long>(
        2,
        $"SELECT count(*) FROM pg_stat_activity WHERE datname IN ('{Database}', 'postgres') AND backend_type = 'client backend' "
        + "AND pid <> pg_backend_pid() AND application_name <> 'pgrouter health'");
}
