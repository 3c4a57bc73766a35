using System.Diagnostics;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;
using PgRouter.Core.Notifications;
using PgRouter.Core.Sessions;
using PgRouter.Core.Telemetry;

namespace PgRouter.Core.Hosting;

/// <summary>Asks each loop for its part and adds up: the consoles' only sight of the data plane. Any thread.</summary>
internal sealed class RouterSnapshots(
    IReadOnlyList<LoopServices> hosts, SessionServices services, HealthMonitor health) : IRouterSnapshots
{
    public ClusterView Cluster => services.Cluster.View;

    public RouterConfig Config => services.Config();

    public DateTimeOffset StartTime { get; } = DateTimeOffset.UtcNow;

    public ValueTask<IReadOnlyList<ClientSnapshot>> ClientsAsync() =>
        GatherAsync(host => services.Clients.Clients.Where(c => c.Loop == host.Loop).Select(c => c.Snapshot()).ToList());

    public ValueTask<IReadOnlyList<ServerSnapshot>> ServersAsync() =>
        GatherAsync(host => services.Pools.Context.Servers
            .Where(s => s.Socket.Loop == host.Loop && !s.Socket.IsClosed).Select(s => s.Snapshot()).ToList());

    public async ValueTask<IReadOnlyList<PoolSnapshot>> PoolsAsync()
    {
        var servers = await ServersAsync();
        return services.Pools.Pools.Select(pool => new PoolSnapshot
        {
            NodeId = pool.Key.NodeId,
            Database = pool.Key.Database,
            User = pool.Key.User,
            Mode = pool.Limits.PoolMode,
            Size = pool.Limits.PoolSize,
            ReserveSize = pool.Limits.ReservePoolSize,
            ServersActive = Math.Max(0, pool.Count - pool.Opening - pool.IdleCount - pool.Testing),
            ServersTested = pool.Testing,
            ServersIdle = pool.IdleCount,
            ServersLogin = pool.Opening,
            ServersBeingCanceled = servers.Count(
                s => s.State == "being_canceled" && s.NodeId == pool.Key.NodeId && s.Database == pool.Key.Database && s.User == pool.Key.User),
            ClientsWaiting = pool.WaiterCount,
            MaxWait = pool.OldestWait(),
        }).ToList();
    }

    public ValueTask<IReadOnlyList<ListenerSnapshot>> ListenersAsync() =>
        GatherAsync(host => services.Notifications.States(host.Loop).Select(Snapshot).ToList());

    public async ValueTask<IReadOnlyList<DatabaseStatistics>> DatabasesAsync()
    {
        var parts = await GatherAsync(host => host.Statistics.Databases.Select(Copy).ToList());
        return parts.GroupBy(d => d.Database).Select(Sum).ToList();
    }

    public async ValueTask<IReadOnlyList<NodeStatistics>> NodesAsync()
    {
        var parts = await GatherAsync(host => host.Statistics.Nodes.Select(Copy).ToList());
        return parts.GroupBy(n => n.NodeId).Select(Sum).ToList();
    }

    public async ValueTask<RouteStatistics> RoutesAsync() => await new RouteSnapshots(hosts).TakeAsync();

    public IReadOnlyList<HealthStatistics> HealthChecks() => health.Statistics();

    public StopSnapshot Stops()
    {
        var gates = services.Pools.Context.Gates;
        return new StopSnapshot(
            gates.IsPaused, gates.IsSuspended, [.. gates.All.Select(g => new DatabaseStop(g.Database, g.IsPaused, g.IsDisabled))]);
    }

    /// <summary>Each loop's part, taken on its own thread. Called from a loop it must not wait, so it hops off first.</summary>
    private async ValueTask<IReadOnlyList<T>> GatherAsync<T>(Func<LoopServices, List<T>> part)
    {
        var parts = await Task.WhenAll(hosts.Select(host => host.Loop.InvokeAsync(() => part(host))));
        return parts.SelectMany(p => p).ToList();
    }

    private static ListenerSnapshot Snapshot(ListenerState listener) => new()
    {
        Database = listener.Database,
        Channel = listener.Channel,
        Subscribers = listener.Subscribers,
        State = listener.State,
        NodeId = listener.NodeId,
        ServerPid = listener.ServerPid,
        User = listener.User,
        Delivered = listener.Delivered,
        Since = listener.Since,
    };

    private static DatabaseStatistics Copy(DatabaseCounters c) => new()
    {
        Database = c.Name,
        ServerAssignments = c.ServerAssignments,
        Transactions = c.Transactions,
        Queries = c.Queries,
        BytesReceived = c.BytesReceived,
        BytesSent = c.BytesSent,
        TransactionTime = Stopwatch.GetElapsedTime(0, c.TransactionTicks),
        QueryTime = Stopwatch.GetElapsedTime(0, c.QueryTicks),
        WaitTime = Stopwatch.GetElapsedTime(0, c.WaitTicks),
        ClientParses = c.ClientParses,
        ServerParses = c.ServerParses,
        Binds = c.Binds,
        ClientLogins = c.ClientLogins,
        Pins = new Dictionary<string, long>(c.Pins.ByReason),
    };

    private static DatabaseStatistics Sum(IGrouping<string, DatabaseStatistics> parts) => new()
    {
        Database = parts.Key,
        ServerAssignments = parts.Sum(p => p.ServerAssignments),
        Transactions = parts.Sum(p => p.Transactions),
        Queries = parts.Sum(p => p.Queries),
        BytesReceived = parts.Sum(p => p.BytesReceived),
        BytesSent = parts.Sum(p => p.BytesSent),
        TransactionTime = TimeSpan.FromTicks(parts.Sum(p => p.TransactionTime.Ticks)),
        QueryTime = TimeSpan.FromTicks(parts.Sum(p => p.QueryTime.Ticks)),
        WaitTime = TimeSpan.FromTicks(parts.Sum(p => p.WaitTime.Ticks)),
        ClientParses = parts.Sum(p => p.ClientParses),
        ServerParses = parts.Sum(p => p.ServerParses),
        Binds = parts.Sum(p => p.Binds),
        ClientLogins = parts.Sum(p => p.ClientLogins),
        Pins = parts.SelectMany(p => p.Pins).GroupBy(p => p.Key).ToDictionary(p => p.Key, p => p.Sum(one => one.Value)),
    };

    private static NodeStatistics Copy(NodeCounters c) => new()
    {
        NodeId = c.NodeId,
        Selects = c.Selects,
        Inserts = c.Inserts,
        Updates = c.Updates,
        Deletes = c.Deletes,
        Ddls = c.Ddls,
        Others = c.Others,
        Panics = c.Panics,
        Fatals = c.Fatals,
        Errors = c.Errors,
    };

    private static NodeStatistics Sum(IGrouping<int, NodeStatistics> parts) => new()
    {
        NodeId = parts.Key,
        Selects = parts.Sum(p => p.Selects),
        Inserts = parts.Sum(p => p.Inserts),
        Updates = parts.Sum(p => p.Updates),
        Deletes = parts.Sum(p => p.Deletes),
        Ddls = parts.Sum(p => p.Ddls),
        Others = parts.Sum(p => p.Others),
        Panics = parts.Sum(p => p.Panics),
        Fatals = parts.Sum(p => p.Fatals),
        Errors = parts.Sum(p => p.Errors),
    };
}
