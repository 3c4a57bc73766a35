using Npgsql;
using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Pools;

/// <summary>
/// A router in front of the shared cluster whose statements all run on the primary, with databases that have limits of their own: what a
/// test does to one of them no other notices.
/// </summary>
internal sealed class PoolsBed(PgCluster cluster, RouterProcessFixture router) : IAsyncDisposable
{
    public PgCluster Cluster => cluster;

    public RouterProcessFixture Router => router;

    /// <summary>Makes the databases and starts the router.</summary>
    /// <param name="databases">Names of databases to make.</param>
    /// <param name="settings">Lines of pgpool.conf.</param>
    public static async Task<PoolsBed> StartAsync(IReadOnlyList<string> databases, params (string Name, string Value)[] settings)
    {
        var cluster = await WireBed.ClusterAsync();
        foreach (var database in databases)
            await cluster.ExecuteAsync(0, $"CREATE DATABASE {database}");
        await cluster.WaitForReplayAsync();
        var all = WireBed.SmallPool
            .With(("default_pool_size", "1"), ("backend_weight1", "0"), ("backend_weight2", "0"), ("admin_users", "postgres"))
            .With(settings);
        return new PoolsBed(cluster, await RouterProcessFixture.StartAsync(
            cluster, all, new Dictionary<string, string> { ["pool_passwd"] = "postgres:TEXTpostgres\n" }));
    }

    public Task<RawClient> LoginAsync(string database, string user = "postgres", string? options = null) => options is null
        ? RawClient.LoginAsync(router.Endpoint, user, database)
        : RawClient.LoginAsync(router.Endpoint, user, database, "postgres", ("options", options));

    /// <summary>Why a login is refused, null when it is not.</summary>
    public async Task<PostgresException?> RefusalAsync(string database, string user = "postgres", string? options = null)
    {
        await using var connection = new NpgsqlConnection(
            router.ConnectionString(database, user) + ";Include Error Detail=true" + (options is null ? "" : $";Options={options}"));
        try
        {
            await connection.OpenAsync();
            return null;
        }
        catch (PostgresException refusal)
        {
            return refusal;
        }
    }

    /// <summary>A client in a transaction: it keeps a server until it is told otherwise.</summary>
    public async Task<RawClient> HoldAsync(string database, string user = "postgres")
    {
        var client = await LoginAsync(database, user);
        await client.QueryAsync("BEGIN");
        await client.QueryAsync("SELECT 1");
        return client;
    }

    /// <summary>Connections of a database that PostgreSQL sees on a node, save the test's own.</summary>
    public Task<long> ServersAsync(string database, int node = 0) => cluster.ScalarAsync<long>(
        node, $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()");

    public ValueTask DisposeAsync() => router.DisposeAsync();
}
