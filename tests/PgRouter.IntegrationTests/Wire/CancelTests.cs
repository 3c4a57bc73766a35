using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Cancel requests through a router with one server for all, so that a cancel that comes late would hit another client.</summary>
[TestFixture]
public sealed class CancelTests
{
    private const string LongRead = "SELECT count(*) FROM generate_series(1, 100000000000) AS wire_cancel";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _router = await WireBed.RouterAsync(WireBed.SmallPool.With(("default_pool_size", "1"), ("backend_weight0", "0"), ("backend_weight2", "0")));
    }

    [OneTimeTearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [TestCase(1, LongRead)]
    [TestCase(0, "BEGIN; SELECT pg_sleep(600) /* wire_cancel */")]
    public async Task A_running_statement_is_cancelled_on_the_node_that_runs_it(int node, string sql)
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Query(sql));
        await RunsOnAsync(node);

        await client.CancelAsync();

        Assert.That(CodeOf(await client.ReadUntilAsync()), Is.EqualTo("57014"));
        await client.QueryAsync("ROLLBACK");
        Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
    }

    [Test]
    public async Task A_statement_that_waits_for_a_server_is_cancelled()
    {
        await using var holder = await RawClient.LoginAsync(_router.Endpoint);
        await using var waiter = await RawClient.LoginAsync(_router.Endpoint);
        await holder.QueryAsync("BEGIN");
        await holder.QueryAsync("UPDATE wire_rows SET name = name WHERE id = 1");
        await waiter.SendAsync(Frontend.Query("UPDATE wire_rows SET name = name WHERE id = 2"));
        var answer = waiter.ReadUntilAsync();

        // Again and again, because the first may come before the statement does.
        await Eventually.TrueAsync(
            async () =>
            {
                await waiter.CancelAsync();
                return answer.IsCompleted;
            },
            "the end of the waiting statement");

        Assert.That(CodeOf(await answer), Is.EqualTo("57014"));
        await holder.QueryAsync("ROLLBACK");
        await waiter.QueryAsync("UPDATE wire_rows SET name = name WHERE id = 2");
        Assert.That(waiter.TransactionStatus, Is.EqualTo('I'));
    }

    [Test]
    public async Task A_cancel_with_a_wrong_key_does_nothing()
    {
        await using var client = await RawClient.LoginAsync(_router.Endpoint);
        await client.SendAsync(Frontend.Query(LongRead));
        await RunsOnAsync(1);
        foreach (var key in new byte[][] { [0, 0, 0, 0], [.. client.SecretKey, 0], [.. client.SecretKey.Select(one => (byte)~one)] })
        {
            await using var side = await RawClient.ConnectAsync(_router.Endpoint);
            await side.SendAsync(Frontend.Cancel(client.ProcessId, key));
            Assert.That(await side.ReadToEndAsync(), Is.Empty);
        }

        Assert.That(await RunningAsync(1), Is.EqualTo(1));
        await client.CancelAsync();
        Assert.That(CodeOf(await client.ReadUntilAsync()), Is.EqualTo("57014"));
    }

    [Test]
    public async Task A_late_cancel_never_hits_the_next_client()
    {
        await using var first = await RawClient.LoginAsync(_router.Endpoint);
        await using var second = await RawClient.LoginAsync(_router.Endpoint);
        for (var round = 0; round < 300; round++)
        {
            var rows = round % 2 == 0 ? 1 : 2000;
            await first.SendAsync(Frontend.Query($"SELECT count(*) FROM generate_series(1, {rows})"));
            var late = first.CancelAsync();
            await first.ReadUntilAsync();
            Assert.That(await second.ScalarAsync($"SELECT {round} FROM generate_series(1, 1)"), Is.EqualTo($"{round}"));
            await late;
        }
    }

    private static string? CodeOf(IReadOnlyList<RawMessage> answer) => answer.FirstOrDefault(message => message.Type == 'E')?.Field('C');

    private Task RunsOnAsync(int node) => Eventually.TrueAsync(async () => await RunningAsync(node) == 1, $"the statement to run on node {node}");

    private Task<long> RunningAsync(int node) => _cluster.ScalarAsync<long>(
        node, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%wire_cancel%' AND pid <> pg_backend_pid()");
}
