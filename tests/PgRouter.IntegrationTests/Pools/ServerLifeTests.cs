using PgRouter.IntegrationTests.Consoles;
using PgRouter.Testing;
using PgRouter.Testing.Processes;

namespace PgRouter.IntegrationTests.Pools;

/// <summary>Servers that are opened before they are asked for, grow old, hang, or have served enough.</summary>
[TestFixture]
public sealed class ServerLifeTests
{
    [Test]
    public async Task A_pool_is_warm_before_the_first_client_and_stays_so()
    {
        await using var bed = await PoolsBed.StartAsync(
            ["pools_warm"], ("database.pools_warm.pool_size", "4"), ("database.pools_warm.min_pool_size", "3"), ("backend_weight1", "1"));

        Assert.That(await bed.ServersAsync("pools_warm"), Is.EqualTo(3), "the router listens, and no client has come yet");
        Assert.That(await bed.ServersAsync("pools_warm", node: 1), Is.EqualTo(3));
        Assert.That(await bed.ServersAsync("pools_warm", node: 2), Is.Zero, "nothing is read there");

        await bed.Cluster.ExecuteAsync(0, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'pools_warm'");
        await Eventually.TrueAsync(async () => await bed.ServersAsync("pools_warm") == 3, "the pool to be filled again");
    }

    [Test]
    public async Task A_database_that_is_not_there_does_not_keep_the_router_from_starting()
    {
        await using var bed = await PoolsBed.StartAsync([], ("database.nowhere.min_pool_size", "2"));
        await bed.Router.WaitForLogAsync("0 of min_pool_size = 1 servers are open on node 0 for nowhere/postgres");
        Assert.That(bed.Router.Log, Has.Some.Contains("database \"nowhere\" does not exist"));
    }

    [Test]
    public async Task A_server_that_hangs_is_found_out_before_a_client_gets_it()
    {
        await using var bed = await PoolsBed.StartAsync(["pools_hanging"], ("server_check_delay", "0"));
        await using var client = await bed.LoginAsync("pools_hanging");
        await client.QueryAsync("SELECT 1");
        var pid = await bed.Cluster.ScalarAsync<int>(
            0, "SELECT pid FROM pg_stat_activity WHERE datname = 'pools_hanging' AND pid <> pg_backend_pid()");
        Signals.Send(pid, Signal.Stop);
        try
        {
            Assert.That(await client.ScalarAsync("SELECT 7"), Is.EqualTo("7"));
        }
        finally
        {
            Signals.Send(pid, Signal.Continue);
        }
        await Eventually.TrueAsync(async () => await bed.ServersAsync("pools_hanging") == 1, "the one that hung to be closed");
    }

    [Test]
    public async Task A_server_is_replaced_after_so_many_transactions()
    {
        await using var bed = await PoolsBed.StartAsync(["pools_used"], ("child_max_connections", "3"));
        await using var console = await Operator.LoginAsync(bed.Router.Endpoint);
        await using var client = await bed.LoginAsync("pools_used");
        var ids = new HashSet<string>();
        for (var i = 0; i < 9; i++)
        {
            await client.QueryAsync("BEGIN; SELECT 1");
            ids.Add((await console.RowAsync("SHOW SERVERS", "database", "pools_used"))!["id"]!);
            await client.QueryAsync("COMMIT");
        }
        Assert.That(ids, Has.Count.InRange(3, 4), "the login has used the first one too");
    }
}
