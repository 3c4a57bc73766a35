namespace PgRouter.Core.Configuration;

/// <summary>pgrouter.balance_policy: which of the nodes that may serve a read gets it.</summary>
internal enum BalancePolicy : byte
{
    /// <summary>By chance, in proportion to the weights.</summary>
    WeightedRandom,

    /// <summary>The one with the fewest statements under way, measured by its weight.</summary>
    LeastInFlight,

    /// <summary>The one that answers soonest.</summary>
    LowestLatency,
}
