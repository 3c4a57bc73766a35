using System.Runtime.CompilerServices;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// How often the busiest shapes of one loop were sent, and where to last. There is room for a thousand: one that finds none takes a count off the rarest
/// of four, until that has none left. So what is frequent stays, and its count may be a little low. Loop thread only; allocates nothing.
/// </summary>
internal sealed class ShapeCounters
{
    private const int Sets = 256;
    private const int Ways = 4;

    private readonly ShapeCount[] _counts = new ShapeCount[Sets * Ways];

    /// <summary>Those that have been counted, in no order.</summary>
    public IEnumerable<ShapeCount> All => _counts.Where(count => count.Count > 0);

    public void Count(StatementInfo info, RouteReason reason, int nodeId)
    {
        var first = (RuntimeHelpers.GetHashCode(info) & (Sets - 1)) * Ways;
        var rarest = first;
        for (var i = first; i < first + Ways; i++)
        {
            ref var count = ref _counts[i];
            if (ReferenceEquals(count.Info, info))
            {
                count = new ShapeCount(info, count.Count + 1, reason, nodeId);
                return;
            }
            if (count.Count < _counts[rarest].Count)
                rarest = i;
        }
        ref var least = ref _counts[rarest];
        least = least.Count > 1 ? least with { Count = least.Count - 1 } : new ShapeCount(info, 1, reason, nodeId);
    }
}

/// <summary>One shape: how often, and by which rule and where to the last time.</summary>
internal readonly record struct ShapeCount(StatementInfo Info, long Count, RouteReason Reason, int NodeId);
