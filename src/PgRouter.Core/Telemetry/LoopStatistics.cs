using PgRouter.Sql;

namespace PgRouter.Core.Telemetry;

/// <summary>
/// The counters of one loop: written by its thread without locks or interlocked operations, read by others a moment late and added up.
/// </summary>
internal sealed class LoopStatistics
{
    private readonly Dictionary<string, DatabaseCounters> _databases = [];
    private readonly Dictionary<int, NodeCounters> _nodes = [];
    private volatile NodeCounters[] _allNodes = [];

    /// <summary>The counters of a database; loop thread.</summary>
    public DatabaseCounters Database(string name)
    {
        if (!_databases.TryGetValue(name, out var counters))
            _databases[name] = counters = new DatabaseCounters(name);
        return counters;
    }

    /// <summary>The counters of a node; loop thread.</summary>
    public NodeCounters Node(int nodeId)
    {
        if (!_nodes.TryGetValue(nodeId, out var counters))
        {
            _nodes[nodeId] = counters = new NodeCounters(nodeId);
            _allNodes = [.. _allNodes, counters];
        }
        return counters;
    }

    /// <summary>All databases so far; loop thread.</summary>
    public IReadOnlyCollection<DatabaseCounters> Databases => _databases.Values;

    /// <summary>All nodes so far. Any thread, a moment late.</summary>
    public IReadOnlyList<NodeCounters> Nodes => _allNodes;

    /// <summary>What needed no node, or found none.</summary>
    public NodeCounters Nowhere { get; } = new(-1);
}

/// <summary>Totals of one database on one loop; times in Stopwatch ticks.</summary>
internal sealed class DatabaseCounters(string name)
{
    public string Name { get; } = name;

    /// <summary>Pins of its clients.</summary>
    public PinCounters Pins { get; } = new();

    public long ServerAssignments;
    public long Transactions;
    public long Queries;
    public long BytesReceived;
    public long BytesSent;
    public long TransactionTicks;
    public long QueryTicks;
    public long WaitTicks;
    public long ClientParses;
    public long ServerParses;
    public long Binds;
    public long ClientLogins;
}

/// <summary>Totals of one node on one loop.</summary>
internal sealed class NodeCounters(int nodeId)
{
    public int NodeId { get; } = nodeId;

    /// <summary>For the balancing policies.</summary>
    public NodeGauge Gauge { get; } = new();

    public long Selects;
    public long Inserts;
    public long Updates;
    public long Deletes;
    public long Ddls;
    public long Others;
    public long Panics;
    public long Fatals;
    public long Errors;

    /// <summary>Requests by the number of the reason for which they came here.</summary>
    public long[] Routed { get; } = new long[MostReasons];

    /// <summary>Those of them that the node refused because it is a standby.</summary>
    public long[] Refused { get; } = new long[MostReasons];

    private const int MostReasons = 16;

    public void Count(StatementInfo info)
    {
        if (info.Statements.Count == 0)
            Others++;
        for (var i = 0; i < info.Statements.Count; i++)
            Count(info.Statements[i].Kind);
    }

    private void Count(StatementKind kind)
    {
        switch (kind)
        {
            case StatementKind.Select:
                Selects++;
                break;
            case StatementKind.Insert:
                Inserts++;
                break;
            case StatementKind.Update:
                Updates++;
                break;
            case StatementKind.Delete:
                Deletes++;
                break;
            case StatementKind.Ddl:
                Ddls++;
                break;
            default:
                Others++;
                break;
        }
    }
}
