using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Drivers;

/// <summary>
/// The cluster of the driver tests. A commit returns when both standbys have applied it, so that a read may go to any node and must still
/// give the primary's answer: what differs is the router's doing.
/// </summary>
[SetUpFixture]
public sealed class DriverBed
{
    private static PgCluster? _cluster;

    /// <summary>A primary and two standbys that are never behind.</summary>
    internal static PgCluster Cluster => _cluster ?? throw new InvalidOperationException("the cluster of the driver tests did not start");

    [OneTimeSetUp]
    public static async Task StartAsync()
    {
        _cluster = await PgCluster.StartAsync();
        await _cluster.ExecuteAsync(0, "ALTER SYSTEM SET synchronous_standby_names = '2 (*)'");
        await _cluster.ExecuteAsync(0, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
        await _cluster.ExecuteAsync(0, "SELECT pg_reload_conf()");
    }

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    /// <summary>A router in transaction pooling with so few servers that clients must share them.</summary>
    internal static Task<RouterProcessFixture> StartRouterAsync(int poolSize = 4) => RouterProcessFixture.StartAsync(
        Cluster,
        new Dictionary<string, string>
        {
            ["default_pool_size"] = poolSize.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["log_min_messages"] = "debug1",
        });
}
