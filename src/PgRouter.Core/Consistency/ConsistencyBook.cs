using System.Collections.Concurrent;
using System.Diagnostics;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;

namespace PgRouter.Core.Consistency;

/// <summary>
/// What this router knows of writes and of how far the standbys are: sessions mark what they have written and ask which nodes have what a read must
/// see; <see cref="TickKeeper"/> asks the nodes. Moments are those of <see cref="Stopwatch"/>. Any thread; sessions meet no lock.
/// </summary>
internal sealed class ConsistencyBook
{
    private readonly ConcurrentDictionary<string, TableClock> _clocks = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Action, bool> _waiters = new();
    private volatile NodeClock?[] _nodes = [];
    private volatile bool _isWanted = true;
    private long _epoch = Now;

    /// <summary>Something wants to be asked; set from any thread, before <see cref="_isWanted"/> is taken.</summary>
    public Action Wake { get; set; } = static () => { };

    /// <summary>A standby, by its id, must be asked at a moment that is still to come.</summary>
    public Action<int> Ask { get; set; } = static _ => { };

    public static long Now => Stopwatch.GetTimestamp();

    public TickList Ticks { get; } = new();

    public LostCommits Lost { get; } = new();

    /// <summary>Every read must see at least what was committed before this moment: the start, another primary, DDL.</summary>
    public long Epoch => Volatile.Read(ref _epoch);

    public TableClock ClockOf(string database) => _clocks.GetOrAdd(database, static _ => new TableClock());

    /// <summary>These tables have been written by a transaction whose end is known. Returns the moment.</summary>
    public long Mark(TableClock clock, TableSet tables)
    {
        var stamp = Now;
        clock.Mark(tables, stamp);
        Want();
        return stamp;
    }

    /// <summary>What others find may have changed, in whatever database: roles and their rights belong to all.</summary>
    public long MarkAll()
    {
        var stamp = Now;
        RaiseEpoch(stamp);
        Want();
        return stamp;
    }

    /// <summary>A write was under way when its connection was lost.</summary>
    public void MarkLost(TableClock clock, TableSet tables, int serverPid)
    {
        Lost.Add(clock, tables, serverPid);
        Mark(clock, tables);
    }

    /// <summary>The primary must be asked at a moment that is still to come.</summary>
    public void Want()
    {
        if (_isWanted)
            return;
        _isWanted = true;
        Wake();
    }

    public bool IsWanted => _isWanted;

    /// <summary>For who asks now: what was wanted until here is covered by a moment that is taken after this call.</summary>
    public void TakeWish() => _isWanted = false;

    /// <summary>The clock of a node by its id, made when it is new.</summary>
    public NodeClock NodeOf(int nodeId)
    {
        var nodes = _nodes;
        if (nodeId < nodes.Length && nodes[nodeId] is { } known)
            return known;
        lock (_clocks)
        {
            nodes = _nodes;
            if (nodeId >= nodes.Length)
                Array.Resize(ref nodes, nodeId + 1);
            else if (nodes[nodeId] is { } made)
                return made;
            else
                nodes = [.. nodes];
            var node = nodes[nodeId] = new NodeClock(nodeId);
            _nodes = nodes;
            return node;
        }
    }

    /// <summary>
    /// The nodes, as a set of their indexes, that have everything a read must see. The primary always has; others when they have replayed it.
    /// </summary>
    /// <param name="cluster">The nodes.</param>
    /// <param name="needed">Everything committed before this moment must be there.</param>
    /// <param name="floor">What the session has seen may reach up to this moment.</param>
    /// <param name="floorNode">Where it has seen it: there it is in any case.</param>
    /// <param name="minLsn">A position that must have been replayed; null = none.</param>
    public ulong FreshNodes(ClusterView cluster, long needed, long floor, int floorNode, WalPosition? minLsn = null)
    {
        var fresh = 0UL;
        var nodes = _nodes;
        foreach (var node in cluster.Nodes)
        {
            var isFresh = node.Index == cluster.PrimaryIndex;
            if (!isFresh && node.Id < nodes.Length && nodes[node.Id] is { } clock)
            {
                var clean = clock.Clean;
                isFresh = needed < clean && (floor < clean || node.Id == floorNode) && (minLsn is not { } token || clock.Replayed.Covers(token));
            }
            if (isFresh)
                fresh |= 1UL << node.Index;
        }
        return fresh;
    }

    /// <summary>There is another primary: positions of before say nothing any more.</summary>
    public void BeginEpoch()
    {
        Ticks.Clear();
        Lost.Clear();
        foreach (var node in _nodes)
            node?.Forget();
        RaiseEpoch(Now);
        _isWanted = true;
        Wake();
    }

    /// <summary>Calls back, from any thread, whenever a standby has got further or the primary has answered, until it is taken away again.</summary>
    public void AddWaiter(Action waiter) => _waiters[waiter] = true;

    public void RemoveWaiter(Action waiter) => _waiters.TryRemove(waiter, out _);

    /// <summary>Somebody waits for standbys to get further.</summary>
    public bool HasWaiters => !_waiters.IsEmpty;

    public void NotifyWaiters()
    {
        foreach (var waiter in _waiters.Keys)
            waiter();
    }

    private void RaiseEpoch(long stamp)
    {
        var now = Volatile.Read(ref _epoch);
        while (now < stamp)
        {
            var before = Interlocked.CompareExchange(ref _epoch, stamp, now);
            if (before == now)
                return;
            now = before;
        }
    }
}
