namespace PgRouter.Core.Routing;

/// <summary>One rung of the ladder: says where, or nothing. Stateless and pure.</summary>
internal abstract class RouteRule
{
    public abstract RouteReason Reason { get; }

    /// <summary>The node index, or <see cref="Pass"/> to ask the next rule, or <see cref="Nowhere"/>.</summary>
    public abstract int Decide(in RouteInput input);

    public const int Pass = int.MinValue;

    /// <summary>This rule applies and there is no node.</summary>
    public const int Nowhere = -1;
}
