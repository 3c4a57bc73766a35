using Npgsql;
using PgRouter.IntegrationTests.Scenario13;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Nodes;

/// <summary>Somebody else promotes a standby: the router follows PostgreSQL's truth.</summary>
[TestFixture]
public sealed class PromotionTests
{
    /// <summary>One sr_check_period of <see cref="NodeSettings.Quick"/>, the end of recovery included, with room for a busy machine.</summary>
    private static readonly TimeSpan FollowWithin = TimeSpan.FromSeconds(5);

    [TestCase(false, "down")]
    [TestCase(true, "quarantine")]
    public async Task The_router_follows_a_promotion_by_hand(bool oldPrimaryRuns, string oldStatus)
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Standbys = 1 });
        await cluster.ExecuteAsync(0, "CREATE TABLE promoted (n int)");
        await cluster.WaitForReplayAsync();
        await using var router = await RouterProcessFixture.StartAsync(cluster, NodeSettings.Quick);
        var programs = new ClientPrograms(cluster, router.Endpoint);
        await using var client = new NpgsqlConnection(router.ConnectionString());
        await client.OpenAsync();
        Assert.That(await InsertAsync(client), Is.EqualTo(cluster.Nodes[0].Port));

        if (!oldPrimaryRuns)
            await cluster.StopNodeAsync(0);
        await cluster.ExecuteAsync(1, "SELECT pg_promote()");

        await Eventually.ValueAsync(
            async () => (await NodeTable.ReadAsync(programs))[1].Role, role => role == "primary", "node 1 to take writes", FollowWithin);
        await NodeTable.WaitForStatusAsync(programs, 0, oldStatus, NodeSettings.DownWithin);
        await Eventually.PassesAsync(
            async () => Assert.That(await InsertAsync(client), Is.EqualTo(cluster.Nodes[1].Port)), "the same session to write on node 1", FollowWithin);
        Assert.That(await cluster.ScalarAsync<long>(1, "SELECT count(*) FROM promoted"), Is.GreaterThanOrEqualTo(1));

        await cluster.RewindOrRebuildAsStandbyAsync(0, ofNode: 1);
        await NodeTable.WaitForStatusAsync(programs, 0, "up", NodeSettings.UpWithin);
        var nodes = await NodeTable.ReadAsync(programs);
        Assert.That(nodes.Select(node => node.Role), Is.EqualTo(new[] { "standby", "primary" }));
    }

    private static async Task<int> InsertAsync(NpgsqlConnection client)
    {
        await using var command = new NpgsqlCommand("INSERT INTO promoted VALUES (1) RETURNING inet_server_port()", client);
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
