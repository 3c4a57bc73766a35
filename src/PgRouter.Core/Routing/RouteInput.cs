using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Sql;

namespace PgRouter.Core.Routing;

/// <summary>Everything a decision may depend on. Values only: no I/O, no clock, no pool.</summary>
internal readonly ref struct RouteInput
{
    public RouteInput()
    {
    }

    /// <summary>The strictest class of the statements of the request.</summary>
    public required StatementClass Class { get; init; }

    /// <summary>True when the request opens a transaction that is said to be READ ONLY.</summary>
    public bool BeginsReadOnly { get; init; }

    /// <summary>What a comment in front of the statement says.</summary>
    public RouteHint? Hint { get; init; }

    /// <summary>What the session has said by pgrouter.* settings; a comment counts before it.</summary>
    public RouteHint? SessionHint { get; init; }

    /// <summary>What keeps a request that only reads on the primary.</summary>
    public RequestMarks Marks { get; init; }

    /// <summary>A list names the statement, or a function in it, for the primary.</summary>
    public bool IsListed => (Marks & RequestMarks.Listed) != 0;

    /// <summary>The catalog cannot say what it reads.</summary>
    public bool IsUncertain => (Marks & RequestMarks.Uncertain) != 0;

    /// <summary>What a redirect list prefers for this client.</summary>
    public NodePreference? Preference { get; init; }

    /// <summary>Index of the node that serves the session's reads as long as it can; null = each read is chosen for anew.</summary>
    public int? KeptNode { get; init; }

    /// <summary>By index of the node; empty when the policy asks for none.</summary>
    public ReadOnlySpan<NodeLoad> Loads { get; init; }

    /// <summary>Bit set of the indexes of nodes that have what the read must see.</summary>
    public ulong Fresh { get; init; } = ulong.MaxValue;

    /// <summary>Index of the node held by the session, -1 when it holds none.</summary>
    public int HeldNode { get; init; }

    /// <summary>Bit set of node indexes that failed this request already.</summary>
    public ulong Excluded { get; init; }

    public required ClusterView Cluster { get; init; }

    public required RouterConfig Config { get; init; }

    /// <summary>A number in [0, 1) for the weighted choice.</summary>
    public double Draw { get; init; }

    /// <summary>The hint that names a place, null when none does.</summary>
    public RouteHint? Place => Hint is { NamesPlace: true } ? Hint : SessionHint is { NamesPlace: true } ? SessionHint : null;

    /// <summary>Standbys further behind than this are no candidates; null = as configured.</summary>
    public TimeSpan? MaxLag => Hint?.MaxLag ?? SessionHint?.MaxLag;

    /// <summary>A read, a change of the session alone, or a transaction that writes nothing: any node can run it.</summary>
    public bool RunsAnywhere => Class is StatementClass.Read or StatementClass.State || BeginsReadOnly;

    /// <summary>A primary is known and has not failed this request.</summary>
    public bool CanUsePrimary => Cluster.PrimaryIndex >= 0 && !IsExcluded(Cluster.PrimaryIndex);

    public bool IsFresh(int nodeIndex) => (Fresh & (1UL << nodeIndex)) != 0;

    public bool IsExcluded(int nodeIndex) => (Excluded & (1UL << nodeIndex)) != 0;
}
