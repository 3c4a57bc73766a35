namespace PgRouter.Core.Routing;

/// <summary>What one rule of the ladder answers to an input.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Answer">An index of a node, <see cref="RouteRule.Pass"/>, or <see cref="RouteRule.Nowhere"/>; null = a rule before it has decided.</param>
internal readonly record struct RouteStep(RouteRule Rule, int? Answer)
{
    public bool Decides => Answer is not (null or RouteRule.Pass);
}

/// <summary>The way of one decision down the ladder, for people.</summary>
internal static class RouteTrace
{
    /// <summary>A step for each rule, in the order of the ladder.</summary>
    public static IReadOnlyList<RouteStep> Of(in RouteInput input)
    {
        var steps = new List<RouteStep>(Router.Rules.Length);
        var isDecided = false;
        foreach (var rule in Router.Rules)
        {
            var step = new RouteStep(rule, isDecided ? null : rule.Decide(input));
            isDecided |= step.Decides;
            steps.Add(step);
        }
        return steps;
    }
}
