using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>
/// A cluster of its own for the tests of this folder, whose nodes log every statement, and a router in front of it. The primary has no weight: a
/// read that may run anywhere runs on a standby.
/// </summary>
[SetUpFixture]
public sealed class StatementsBed
{
    /// <summary>The database of these tests.</summary>
    public const string Database = "statements";

    internal static PgCluster Cluster { get; private set; } = null!;

    internal static RouterProcessFixture Router { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        Cluster = await PgCluster.StartAsync(new PgClusterOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["log_statement"] = "all",
                ["log_min_messages"] = "warning",
                ["log_min_error_statement"] = "error",
                ["autovacuum"] = "off",
                ["checkpoint_timeout"] = "1h",
            },
        });
        await Cluster.ExecuteAsync(0, $"CREATE DATABASE {Database}");
        Router = await RouterProcessFixture.StartAsync(
            Cluster, new Dictionary<string, string> { ["backend_weight0"] = "0", ["log_min_messages"] = "debug1" });
        // The first client makes the router read the catalog of the database.
        await using var client = await ClientAsync("first");
        await client.QueryAsync("SELECT 1");
        await Router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (Router is not null)
            await Router.DisposeAsync();
        if (Cluster is not null)
            await Cluster.DisposeAsync();
    }

    /// <summary>A session through the router, which the nodes' logs show under this name.</summary>
    internal static Task<RawClient> ClientAsync(string name, params (string Name, string Value)[] parameters) =>
        RawClient.LoginAsync(Router.Endpoint, database: Database, parameters: [("application_name", name), .. parameters]);

    /// <summary>A session on a node itself.</summary>
    internal static Task<RawClient> DirectAsync(int node, params (string Name, string Value)[] parameters) =>
        RawClient.LoginAsync(new Endpoint(Cluster.Nodes[node].Host, Cluster.Nodes[node].Port), database: Database, parameters: parameters);
}
