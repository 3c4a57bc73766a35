using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Sql;

namespace PgRouter.Core.Routing;

/// <summary>Everything a decision may depend on. Values only: no I/O, no clock, no pool.</summary>
internal readonly ref struct RouteInput
{
    /// <summary>The strictest class of the statements of the request.</summary>
    public required StatementClass Class { get; init; }

    /// <summary>True when the request opens a transaction that is said to be READ ONLY.</summary>
    public bool BeginsReadOnly { get; init; }

    public RouteHint? Hint { get; init; }

    /// <summary>Index of the node held by the session, -1 when it holds none.</summary>
    public int HeldNode { get; init; }

    /// <summary>Bit set of node indexes that failed this request already.</summary>
    public ulong Excluded { get; init; }

    public required ClusterView Cluster { get; init; }

    public required RouterConfig Config { get; init; }

    /// <summary>A number in [0, 1) for the weighted choice.</summary>
    public double Draw { get; init; }

    /// <summary>A primary is known and has not failed this request.</summary>
    public bool CanUsePrimary => Cluster.PrimaryIndex >= 0 && !IsExcluded(Cluster.PrimaryIndex);

    public bool IsExcluded(int nodeIndex) => (Excluded & (1UL << nodeIndex)) != 0;
}
