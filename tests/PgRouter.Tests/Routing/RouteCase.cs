using System.Collections.Immutable;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Tests.Routing;

/// <summary>Makes inputs for the ladder: by default a primary (node 0) and two streaming standbys (1 and 2), all with weight 1.</summary>
internal sealed class RouteCase
{
    private readonly List<(NodeConfig Config, NodeState State)> _nodes = [];

    public RouterConfig Config { get; set; } = new();

    /// <summary>What the session has said.</summary>
    public RouteHint? SessionHint { get; set; }

    public bool IsListed { get; set; }

    public bool IsUncertain { get; set; }

    /// <summary>Indexes of the nodes that have what the read must see; null = all.</summary>
    public int[]? Fresh { get; set; }

    public NodePreference? Preference { get; set; }

    public int? KeptNode { get; set; }

    public NodeLoad[] Loads { get; set; } = [];

    public static RouteCase PrimaryAndTwoStandbys() => new RouteCase().Primary().Standby().Standby();

    public RouteCase Primary(double weight = 1, NodeStatus status = NodeStatus.Up) =>
        Add(weight, new NodeState { Status = status, Role = NodeRole.Primary, Timeline = 1 });

    /// <summary>Streaming, with a lag of nothing unless said otherwise.</summary>
    public RouteCase Standby(
        double weight = 1, NodeStatus status = NodeStatus.Up, long? bytes = 0, double? seconds = 0, string replication = "streaming") =>
        Add(
            weight,
            new NodeState
            {
                Status = status,
                Role = NodeRole.Standby,
                Timeline = 1,
                ReplicationDelayBytes = bytes,
                ReplicationDelayTime = seconds is { } s ? TimeSpan.FromSeconds(s) : null,
                ReplicationState = replication,
            });

    public RouteCase Unknown() => Add(1, new NodeState { Status = NodeStatus.Waiting });

    public ClusterView View()
    {
        var nodes = _nodes.Select((node, index) => new NodeView(index, node.Config, node.State)).ToImmutableArray();
        return new ClusterView(nodes, PrimarySelection.FindPrimary(nodes), 1);
    }

    public RouteInput Input(
        StatementClass statementClass, RouteHint? hint = null, int held = -1, ulong excluded = 0, bool readOnly = false, double draw = 0)
        => new()
        {
            Class = statementClass,
            Hint = hint,
            SessionHint = SessionHint,
            Fresh = Fresh is null ? ulong.MaxValue : Fresh.Aggregate(0UL, (set, index) => set | (1UL << index)),
            Marks = (IsListed ? RequestMarks.Listed : RequestMarks.None) | (IsUncertain ? RequestMarks.Uncertain : RequestMarks.None),
            Preference = Preference,
            KeptNode = KeptNode,
            Loads = Loads,
            HeldNode = held,
            Excluded = excluded,
            BeginsReadOnly = readOnly,
            Cluster = View(),
            Config = Config,
            Draw = draw,
        };

    /// <summary>"node reason", as in "0 Write"; "- Local" when there is no node.</summary>
    public string Decide(
        StatementClass statementClass, RouteHint? hint = null, int held = -1, ulong excluded = 0, bool readOnly = false, double draw = 0)
    {
        var decision = Router.Decide(Input(statementClass, hint, held, excluded, readOnly, draw));
        return $"{(decision.NodeIndex < 0 ? "-" : decision.NodeIndex.ToString())} {decision.Reason}";
    }

    private RouteCase Add(double weight, NodeState state)
    {
        _nodes.Add((new NodeConfig { Id = _nodes.Count, Host = "h", Port = 5432 + _nodes.Count, Weight = weight }, state));
        return this;
    }
}
