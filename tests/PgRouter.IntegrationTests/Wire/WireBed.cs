using PgRouter.Testing.Clusters;
using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>What the wire tests share: tables that never change in the shared cluster, and routers in front of it.</summary>
internal static class WireBed
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static bool _isReady;

    /// <summary>Few servers for each user and database, so that clients must share them and a leak of state shows.</summary>
    public static IReadOnlyDictionary<string, string> SmallPool { get; } = new Dictionary<string, string>
    {
        ["default_pool_size"] = "2",
        ["enable_pool_hba"] = "off",
        ["query_wait_notify"] = "0", // A session of one's own never waits: the notice would be a difference.
    };

    /// <summary>The shared cluster with the tables of the wire tests, replayed on all nodes.</summary>
    public static async Task<PgCluster> ClusterAsync()
    {
        var cluster = await SharedCluster.GetAsync();
        await Gate.WaitAsync();
        try
        {
            if (_isReady)
                return cluster;
            await cluster.ExecuteAsync(0, ScriptBook.Schema);
            await cluster.WaitForReplayAsync();
            _isReady = true;
            return cluster;
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>The primary itself.</summary>
    public static async Task<Endpoint> PrimaryAsync() => EndpointOf((await ClusterAsync()).Nodes[0]);

    /// <summary>Where a node listens.</summary>
    public static Endpoint EndpointOf(PgNode node) => new(node.Host, node.Port);

    /// <summary>A router in front of the shared cluster.</summary>
    public static async Task<RouterProcessFixture> RouterAsync(
        IReadOnlyDictionary<string, string>? settings = null, IReadOnlyDictionary<string, string>? files = null) =>
        await RouterProcessFixture.StartAsync(await ClusterAsync(), settings ?? SmallPool, files);

    /// <summary>Fault proxies in front of the nodes of the shared cluster, in their order.</summary>
    public static async Task<IReadOnlyList<FaultProxy>> ProxiesAsync() =>
        [.. (await ClusterAsync()).Nodes.Select(node => FaultProxy.Start(EndpointOf(node)))];

    /// <summary>Settings with some of them changed.</summary>
    public static IReadOnlyDictionary<string, string> With(this IReadOnlyDictionary<string, string> settings, params (string Name, string Value)[] changes)
    {
        var all = new Dictionary<string, string>(settings);
        foreach (var (name, value) in changes)
            all[name] = value;
        return all;
    }
}
