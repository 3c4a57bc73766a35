using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Health;

/// <summary>
/// Watches all configured nodes, each on a loop of its own, and writes what it learns through <see cref="ClusterUpdater"/>. Any thread may
/// call any member; none blocks but on <see cref="DisposeAsync"/>.
/// </summary>
internal sealed class HealthMonitor : IAsyncDisposable
{
    private readonly ClusterUpdater _updater;
    private readonly Func<RouterConfig> _config;
    private readonly Func<NodeConfig, INodeProbe> _newProbe;
    private readonly WatchContext _context;
    private readonly TransitionLog _transitions;
    private readonly Lock _lock = new();
    private readonly List<Task> _leaving = [];
    private volatile ImmutableDictionary<int, (NodeConfig Config, NodeWatch Watch)> _watches =
        ImmutableDictionary<int, (NodeConfig, NodeWatch)>.Empty;

    private bool _started;
    private bool _disposed;

    public HealthMonitor(
        ClusterUpdater updater, Func<RouterConfig> config, TimeProvider time, ILoggerFactory loggers, ServerTlsStore encryption, AccountPassword passwordOf)
        : this(updater, config, time, loggers, node => new NodeProbe(node, encryption, passwordOf))
    {
    }

    /// <summary>With another way to probe: for tests.</summary>
    public HealthMonitor(
        ClusterUpdater updater, Func<RouterConfig> config, TimeProvider time, ILoggerFactory loggers, Func<NodeConfig, INodeProbe> newProbe)
    {
        _updater = updater;
        _config = config;
        _newProbe = newProbe;
        var logger = loggers.CreateLogger<HealthMonitor>();
        _context = new WatchContext(updater, config, new ReplicationPositions(), time, time.GetTimestamp(), logger);
        _transitions = new TransitionLog(logger);
    }

    /// <summary>Takes over the nodes of the configuration and begins to probe them. Once.</summary>
    public void Start()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_started)
                throw new InvalidOperationException("The health monitor runs already.");
            _started = true;
        }
        _updater.Changed += OnChanged;
        Reconfigure();
    }

    /// <summary>
    /// Takes over the configuration as it is now: new nodes get a loop, removed ones lose it, a node with another host or port is a new
    /// node. Periods, timeouts and accounts are read at each check and need no call.
    /// </summary>
    public void Reconfigure()
    {
        var nodes = _config().Nodes;
        lock (_lock)
        {
            if (!_started || _disposed)
                return;
            _updater.Configure(nodes);
            foreach (var (id, (config, watch)) in _watches)
            {
                if (!nodes.Any(n => n.Id == id && n.Host == config.Host && n.Port == config.Port))
                    Leave(id, watch);
            }
            foreach (var node in nodes)
            {
                if (!_watches.ContainsKey(node.Id))
                    Enter(node);
            }
        }
    }

    /// <summary>
    /// Waits until each node was probed once, at most <paramref name="limit"/>; a node that has not answered by then stays waiting and
    /// stops nobody from starting.
    /// </summary>
    public Task WaitForFirstRoundAsync(TimeSpan limit) =>
        FirstRoundAsync(Task.WhenAll(_watches.Values.Select(w => w.Watch.FirstAttempt)), limit);

    /// <summary>
    /// The data plane saw a fault of this node: it becomes suspect and is probed now. Cheap, and may be called for each lost connection.
    /// </summary>
    public void ReportFault(int nodeId, NodeFault fault)
    {
        if (!_watches.TryGetValue(nodeId, out var entry))
            return;
        if (_updater.View.Find(nodeId)?.State.Status is NodeStatus.Up or NodeStatus.Waiting)
            _updater.Update(nodeId, state => HealthPolicy.Suspect(state, fault));
        entry.Watch.Wake();
    }

    /// <summary>Probes a node now; an id that is not configured is ignored.</summary>
    public void ProbeNow(int nodeId)
    {
        if (_watches.TryGetValue(nodeId, out var entry))
            entry.Watch.Wake();
    }

    /// <summary>Totals since start, one per configured node, by node id.</summary>
    public IReadOnlyList<HealthStatistics> Statistics() => [.. _watches.OrderBy(w => w.Key).Select(w => w.Value.Watch.Statistics())];

    /// <summary>Stops all loops and closes their connections.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] leaving;
        lock (_lock)
        {
            _disposed = true;
            foreach (var (id, (_, watch)) in _watches)
                Leave(id, watch);
            leaving = [.. _leaving];
        }
        _updater.Changed -= OnChanged;
        await Task.WhenAll(leaving);
    }

    private async Task FirstRoundAsync(Task round, TimeSpan limit) =>
        await round.WaitAsync(limit, _context.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private void Enter(NodeConfig node)
    {
        var watch = new NodeWatch(node.Id, _newProbe(node), _context);
        _watches = _watches.Add(node.Id, (node, watch));
        watch.Start();
    }

    private void Leave(int nodeId, NodeWatch watch)
    {
        _watches = _watches.Remove(nodeId);
        _context.Positions.Forget(nodeId);
        _leaving.RemoveAll(t => t.IsCompletedSuccessfully);
        _leaving.Add(watch.DisposeAsync().AsTask());
    }

    // After a change of primary every other node's figures are out of date, and a node that waits for one should be seen at once.
    private void OnChanged(ClusterView before, ClusterView after)
    {
        _transitions.Write(before, after);
        if (before.Primary?.Id == after.Primary?.Id)
            return;
        foreach (var (id, entry) in _watches)
        {
            if (id != after.Primary?.Id)
                entry.Watch.Wake();
        }
    }
}
