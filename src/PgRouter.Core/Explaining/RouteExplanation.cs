using System.Globalization;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Core.Explaining;

/// <summary>
/// Where a statement would run and why, line by line: for EXPLAIN ROUTE and <c>pgrouter explain</c>. Asks the same rules with the same input as the
/// statement itself would, and runs nothing.
/// </summary>
internal static class RouteExplanation
{
    /// <param name="input">What the ladder is given.</param>
    /// <param name="text">The statement.</param>
    /// <param name="catalog">What is known of the database; null = nothing that may be used.</param>
    /// <param name="session">What else counts, in lines of the caller's.</param>
    public static List<ExplanationRow> Of(in RouteInput input, ExplainedText text, DatabaseCatalog? catalog, IEnumerable<ExplanationRow> session)
    {
        var steps = RouteTrace.Of(input);
        var rows = new List<ExplanationRow>();
        rows.AddRange(Decision(input, text, steps.First(step => step.Decides)));
        rows.AddRange(text.Info.Statements.Select((statement, i) =>
            new ExplanationRow("statement", $"{i + 1}", $"{statement.Class}", $"{statement.Kind}: {statement.Cause}")));
        rows.AddRange(session);
        foreach (var step in steps)
            rows.Add(new ExplanationRow("rule", step.Rule.Reason.Word(), AnswerOf(step, input), step.Rule.When));
        rows.AddRange(Functions(text, catalog));
        rows.AddRange(text.Info.Statements.SelectMany(statement => statement.Tables).Distinct().Select(table => Table(table, catalog)));
        foreach (var node in input.Cluster.Nodes)
            rows.Add(Node(node, input));
        return rows;
    }

    private static IEnumerable<ExplanationRow> Decision(in RouteInput input, ExplainedText text, RouteStep step)
    {
        var node = step.Answer >= 0 ? input.Cluster.Nodes[step.Answer.Value] : null;
        var why = input.Class == text.Info.Class ? text.Info.Cause : $"{text.Info.Class} by the grammar ({text.Info.Cause}); {text.WhyOtherClass}";
        return
        [
            new ExplanationRow("decision", "class", $"{input.Class}", why),
            new ExplanationRow("decision", "node", node is null ? null : $"{node.Id}", node is null ? step.Rule.Where : Describe(node)),
            new ExplanationRow("decision", "reason", step.Rule.Reason.Word(), step.Rule.Where),
        ];
    }

    private static string AnswerOf(RouteStep step, in RouteInput input) => step.Answer switch
    {
        null => "not asked",
        RouteRule.Pass => "does not apply",
        RouteRule.Nowhere => "no node",
        var index => string.Create(CultureInfo.InvariantCulture, $"node {input.Cluster.Nodes[index.Value].Id}"),
    };

    private static IEnumerable<ExplanationRow> Functions(ExplainedText text, DatabaseCatalog? catalog) =>
    [
        .. text.Info.Statements.SelectMany(statement => statement.Builtins).Distinct()
            .Select(name => new ExplanationRow("function", name, "built-in", BuiltinWords.Of(name))),
        .. text.Info.Statements.SelectMany(statement => statement.Functions).Distinct().Select(function => Function(function, catalog)),
    ];

    private static ExplanationRow Function(FunctionUse function, DatabaseCatalog? catalog)
    {
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{(function.Schema is null ? "" : function.Schema + ".")}{function.Name}/{function.ArgumentCount}");
        if (catalog is null)
            return new ExplanationRow("function", name, "unknown", "the catalog is not known: it may do anything");
        return catalog.VolatilityOf(function) is { } volatility
            ? new ExplanationRow("function", name, $"{volatility}".ToLowerInvariant(), Traits(catalog.TraitsOf(function)))
            : new ExplanationRow("function", name, "unknown", "the catalog has none of that name and number of arguments: it may do anything");
    }

    private static ExplanationRow Table(TableUse table, DatabaseCatalog? catalog)
    {
        var name = table.Schema is null ? table.Name : $"{table.Schema}.{table.Name}";
        return new ExplanationRow(
            "table", name, table.IsWritten ? "written" : "read", catalog is null ? "the catalog is not known" : Traits(catalog.TraitsOf(table)));
    }

    /// <summary>What naming it may bring about.</summary>
    private static string Traits(SessionTraits traits) => traits == SessionTraits.None ? "nothing that matters" : $"may bring about: {traits}";

    private static ExplanationRow Node(NodeView node, in RouteInput input)
    {
        var fitness = NodeFitnesses.Of(node, input.Config, input.MaxLag);
        var whyNot = fitness != NodeFitness.Fit ? Words(fitness, node)
            : node.Config.Weight <= 0 ? "its weight is 0"
            : input.IsExcluded(node.Index) ? "it has failed this request"
            : null;
        var delay = node.State.Role == NodeRole.Standby ? $", {Delay(node.State)}" : "";
        var detail = string.Create(CultureInfo.InvariantCulture, $"{Describe(node)}, weight {node.Config.Weight}{delay}");
        return new ExplanationRow("node", $"{node.Id}", whyNot is null ? "may serve reads" : "serves no reads", whyNot is null ? detail : $"{whyNot}: {detail}");
    }

    private static string Describe(NodeView node) => $"{node.Config.Host}:{node.Config.Port}, {$"{node.State.Role}".ToLowerInvariant()}";

    private static string Delay(NodeState state) => (state.ReplicationDelayBytes, state.ReplicationDelayTime) switch
    {
        (null, null) => "delay unknown",
        ({ } bytes, null) => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes behind"),
        (null, { } time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###} ms behind"),
        ({ } bytes, { } time) => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes and {time.TotalMilliseconds:0.###} ms behind"),
    };

    private static string Words(NodeFitness fitness, NodeView node) => fitness switch
    {
        NodeFitness.NotUsable => $"it is {$"{node.State.Status}".ToLowerInvariant()} ({node.State.Reason})",
        NodeFitness.Suspect => $"a fault was seen ({node.State.Reason})",
        NodeFitness.RoleUnknown => "nobody knows whether it is a primary or a standby",
        NodeFitness.NotStreaming => $"the primary calls it {node.State.ReplicationState}",
        NodeFitness.DelayUnknown => "its delay is not known, and a limit is set",
        _ => "it is too far behind",
    };
}

/// <summary>A statement to be explained.</summary>
/// <param name="Info">What the grammar says of it.</param>
/// <param name="WhyOtherClass">Why it counts for another class than that, if it does.</param>
internal sealed record ExplainedText(StatementInfo Info, string WhyOtherClass);
