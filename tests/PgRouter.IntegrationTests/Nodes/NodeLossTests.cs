using System.Diagnostics;
using Npgsql;
using PgRouter.IntegrationTests.Scenario13;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Nodes;

/// <summary>Nodes that stop, die or hang, and come back, under clients that read all the time.</summary>
[TestFixture]
public sealed class NodeLossTests
{
    private static readonly TimeSpan WriteErrorWithin = TimeSpan.FromSeconds(5);

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private ClientPrograms _programs = null!;

    public enum Loss
    {
        Fast,
        Immediate,
        Killed,
        Frozen,
    }

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await PgCluster.StartAsync();
        await _cluster.ExecuteAsync(0, "CREATE TABLE written (n int)");
        await _cluster.WaitForReplayAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _cluster.DisposeAsync();

    [SetUp]
    public async Task StartRouterAsync()
    {
        _router = await RouterProcessFixture.StartAsync(_cluster, NodeSettings.Quick);
        _programs = new ClientPrograms(_cluster, _router.Endpoint);
        await WaitForAllUpAsync();
    }

    [TearDown]
    public async Task StopRouterAsync() => await _router.DisposeAsync();

    [TestCase(Loss.Fast)]
    [TestCase(Loss.Killed)]
    public async Task Without_the_primary_reads_go_on_and_writes_get_a_clear_error_until_it_is_back(Loss loss)
    {
        await using var readers = await Readers.StartAsync(_router);
        await using var writer = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await WriteAsync(writer), Is.Null);

        await LoseAsync(0, loss);
        await NodeTable.WaitForStatusAsync(_programs, 0, "down", NodeSettings.DownWithin);
        var clock = Stopwatch.StartNew();
        var error = await WriteAsync(writer);
        var errorAfter = clock.Elapsed;
        await readers.ReadOnAsync(50);
        await _cluster.StartNodeAsync(0);
        await WaitForAllUpAsync();

        Assert.That(error, Is.EqualTo("57P03").Or.EqualTo("08006"));
        Assert.That(errorAfter, Is.LessThan(WriteErrorWithin));
        Assert.That(await WriteAsync(writer), Is.Null, "the same session writes again");
        await readers.ReadOnAsync(50);
        await readers.AssertNoErrorAsync(_router.LogTail());
    }

    [TestCase(Loss.Fast)]
    [TestCase(Loss.Immediate)]
    [TestCase(Loss.Killed)]
    [TestCase(Loss.Frozen)]
    public async Task No_reader_notices_that_a_standby_is_lost_and_comes_back(Loss loss)
    {
        await using var readers = await Readers.StartAsync(_router);

        await LoseAsync(1, loss);
        await NodeTable.WaitForStatusAsync(_programs, 1, "down", NodeSettings.DownWithin);
        await readers.ReadOnAsync(50);
        await BringBackAsync(1, loss);
        await WaitForAllUpAsync();
        await readers.ReadOnAsync(50);

        await readers.AssertNoErrorAsync(_router.LogTail());
    }

    [Test]
    public async Task With_both_standbys_lost_the_primary_serves_the_reads()
    {
        await using var readers = await Readers.StartAsync(_router);

        await LoseAsync(1, Loss.Killed);
        await LoseAsync(2, Loss.Fast);
        await NodeTable.WaitForStatusAsync(_programs, 1, "down", NodeSettings.DownWithin);
        await NodeTable.WaitForStatusAsync(_programs, 2, "down", NodeSettings.DownWithin);
        await using var client = new NpgsqlConnection(_router.ConnectionString());
        await client.OpenAsync();
        await using var port = new NpgsqlCommand("SELECT inet_server_port()", client);
        Assert.That(await port.ExecuteScalarAsync(), Is.EqualTo(_cluster.Nodes[0].Port));
        await _cluster.StartNodeAsync(1);
        await _cluster.StartNodeAsync(2);
        await WaitForAllUpAsync();

        await readers.AssertNoErrorAsync(_router.LogTail());
    }

    [Test]
    public async Task A_read_only_transaction_on_a_lost_standby_gets_an_error_and_its_session_lives()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.QueryAsync("BEGIN READ ONLY");
        var port = await client.ScalarAsync("SELECT inet_server_port()");
        var node = _cluster.Nodes.Single(n => n.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) == port).Index;

        await LoseAsync(node, Loss.Killed);
        var answer = await client.QueryAsync("SELECT 1");
        await _cluster.StartNodeAsync(node);

        Assert.That(answer.Single(message => message.Type == 'E').Field('C'), Is.EqualTo("57P01"));
        Assert.That(client.TransactionStatus, Is.EqualTo('E'));
        await client.QueryAsync("ROLLBACK");
        Assert.That(await client.ScalarAsync("SELECT 2"), Is.EqualTo("2"));
    }

    private Task LoseAsync(int node, Loss loss)
    {
        switch (loss)
        {
            case Loss.Fast:
                return _cluster.StopNodeAsync(node);
            case Loss.Immediate:
                return _cluster.StopNodeAsync(node, StopMode.Immediate);
            case Loss.Killed:
                return _cluster.KillNodeAsync(node);
            default:
                _cluster.PauseProcess(node);
                return Task.CompletedTask;
        }
    }

    private Task BringBackAsync(int node, Loss loss)
    {
        if (loss != Loss.Frozen)
            return _cluster.StartNodeAsync(node);
        _cluster.ResumeProcess(node);
        return Task.CompletedTask;
    }

    private async Task WaitForAllUpAsync()
    {
        foreach (var node in _cluster.Nodes)
            await NodeTable.WaitForStatusAsync(_programs, node.Index, "up", NodeSettings.UpWithin);
        await Eventually.ValueAsync(
            async () => (await NodeTable.ReadAsync(_programs))[0].Role, role => role == "primary", "the primary", NodeSettings.UpWithin);
    }

    /// <summary>Writes one row; the SQLSTATE of the error, null when it was written.</summary>
    private static async Task<string?> WriteAsync(RawClient client) =>
        (await client.QueryAsync("INSERT INTO written VALUES (1)")).FirstOrDefault(message => message.Type == 'E')?.Field('C');
}
