namespace PgRouter.Core.Routing;

/// <summary>One rung of the ladder: says where, or nothing. Stateless and pure.</summary>
internal abstract class RouteRule
{
    public abstract RouteReason Reason { get; }

    /// <summary>To what it applies, for the table of docs/routing.md; Markdown, one line.</summary>
    public abstract string When { get; }

    /// <summary>Where that runs, for the same table.</summary>
    public abstract string Where { get; }

    /// <summary>The node index, or <see cref="Pass"/> to ask the next rule, or <see cref="Nowhere"/>.</summary>
    public abstract int Decide(in RouteInput input);

    public const int Pass = int.MinValue;

    /// <summary>This rule applies and there is no node.</summary>
    public const int Nowhere = -1;
}
