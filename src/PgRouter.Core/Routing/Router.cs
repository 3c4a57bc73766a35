using System.Collections.Immutable;

namespace PgRouter.Core.Routing;

/// <summary>The ladder: the first rule that applies decides, and its name is the reason. A pure function of its input.</summary>
internal static class Router
{
    /// <summary>The order is the product: see docs/routing.md.</summary>
    public static readonly ImmutableArray<RouteRule> Rules =
    [
        new LocalRule(),
        new HeldRule(),
        new HintRule(),
        new WriteRule(),
        new VolatileFunctionRule(),
        new CatalogRule(),
        new ListRule(),
        new ConsistencyRule(),
        new TransactionRule(),
        new BalancedRule(),
        new NoStandbyRule(),
        new NoPrimaryRule(),
    ];

    public static RouteDecision Decide(in RouteInput input)
    {
        foreach (var rule in Rules)
        {
            var node = rule.Decide(input);
            if (node != RouteRule.Pass)
                return new RouteDecision(node, rule.Reason);
        }
        return new RouteDecision(RouteRule.Nowhere, RouteReason.NoPrimary);
    }
}
