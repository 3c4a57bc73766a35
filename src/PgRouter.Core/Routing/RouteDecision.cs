namespace PgRouter.Core.Routing;

/// <summary>Where a request runs, and the name of the rule that said so.</summary>
/// <param name="NodeIndex">Index in the view's nodes; -1 = nowhere now (<see cref="RouteReason.NoPrimary"/>), or answered by the router (<see cref="RouteReason.Local"/>).</param>
/// <param name="Reason">The rule.</param>
internal readonly record struct RouteDecision(int NodeIndex, RouteReason Reason)
{
    /// <summary>May it be sent elsewhere if the node turns out to be gone before it answered?</summary>
    public bool MayMove => Reason is RouteReason.Balanced or RouteReason.NoStandby;
}
