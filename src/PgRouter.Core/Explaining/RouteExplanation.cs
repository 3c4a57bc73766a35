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
    /// <param name="names">What is known of the names in it; null = nothing that may be used.</param>
    /// <param name="session">What else counts, in lines of the caller's.</param>
    public static List<ExplanationRow> Of(in RouteInput input, ExplainedText text, BoundNames? names, IEnumerable<ExplanationRow> session)
    {
        var steps = RouteTrace.Of(input);
        var rows = new List<ExplanationRow>();
        rows.AddRange(Decision(input, text, steps.First(step => step.Decides)));
        rows.AddRange(text.Info.Statements.Select((statement, i) =>
            new ExplanationRow("statement", $"{i + 1}", $"{statement.Class}", $"{statement.Kind}: {statement.Cause}")));
        rows.AddRange(session);
        foreach (var step in steps)
            rows.Add(new ExplanationRow("rule", step.Rule.Reason.Word(), AnswerOf(step, input), Plain(step.Rule.When)));
        rows.AddRange(Functions(text, names));
        rows.AddRange(text.Info.Statements.SelectMany(statement => statement.Tables).Distinct().SelectMany(table => Tables(table, names)));
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
            new ExplanationRow("decision", "node", node is null ? null : $"{node.Id}", node is null ? Plain(step.Rule.Where) : Describe(node)),
            new ExplanationRow("decision", "reason", step.Rule.Reason.Word(), Plain(step.Rule.Where)),
        ];
    }

    /// <summary>Without the marks of a document.</summary>
    private static string Plain(string markdown) => markdown.Replace("`", "");

    private static string AnswerOf(RouteStep step, in RouteInput input) => step.Answer switch
    {
        null => "not asked",
        RouteRule.Pass => "does not apply",
        RouteRule.Nowhere => "no node",
        var index => string.Create(CultureInfo.InvariantCulture, $"node {input.Cluster.Nodes[index.Value].Id}"),
    };

    private static IEnumerable<ExplanationRow> Functions(ExplainedText text, BoundNames? names) =>
    [
        .. text.Info.Statements.SelectMany(statement => statement.Builtins).Distinct()
            .Select(name => new ExplanationRow("function", name, "built-in", BuiltinWords.Of(name))),
        .. text.Info.Statements.SelectMany(statement => statement.Functions).Distinct().SelectMany(function => Functions(function, names)),
    ];

    /// <summary>Every function that a call may mean.</summary>
    private static IEnumerable<ExplanationRow> Functions(FunctionUse call, BoundNames? names)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Qualified(call.Schema, call.Name)}/{call.ArgumentCount}");
        if (names is null)
            return [new ExplanationRow("function", name, "unknown", "the catalog is not known: it may do anything")];
        var meant = names.Find(call).ToList();
        return meant.Count == 0
            ? [new ExplanationRow("function", name, "unknown", "the catalog has none of that name and number of arguments: it may do anything")]
            : meant.Select(routine => new ExplanationRow(
                "function",
                $"{routine.Row.Schema}.{routine.Row.Name}({routine.Row.Arguments})",
                $"{routine.Row.VolatilityClass}".ToLowerInvariant(),
                Traits(names.Catalog.Graph.AllTraits(routine.Node))));
    }

    private static IEnumerable<ExplanationRow> Tables(TableUse table, BoundNames? names)
    {
        var use = table.IsWritten ? "written" : "read";
        if (names is null)
            return [new ExplanationRow("table", Qualified(table.Schema, table.Name), use, "the catalog is not known")];
        var meant = names.Find(table).ToList();
        return meant.Count == 0
            ? [new ExplanationRow("table", Qualified(table.Schema, table.Name), use, "the catalog does not have it")]
            : meant.Select(relation => new ExplanationRow(
                "table",
                $"{relation.Row.Schema}.{relation.Row.Name}",
                use,
                $"{KindOf(relation.Row)}; {Traits(names.Catalog.Graph.AllTraits(table.IsWritten ? relation.WriteNode : relation.ReadNode))}"));
    }

    private static string Qualified(string? schema, string name) => schema is null ? name : $"{schema}.{name}";

    private static string KindOf(RelationRow relation)
    {
        var kind = relation.Kind switch
        {
            'v' => "view",
            'm' => "materialized view",
            'S' => "sequence",
            'f' => "foreign table",
            'p' => "partitioned table",
            _ => "table",
        };
        return relation.Persistence == 'u' ? $"unlogged {kind}" : kind;
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

/// <summary>The names of a session in its database.</summary>
/// <param name="Catalog">One that is known.</param>
/// <param name="Path">Where names without a schema are looked for.</param>
internal sealed record BoundNames(DatabaseCatalog Catalog, SearchPath Path)
{
    public IEnumerable<RoutineNode> Find(FunctionUse call) => Catalog.Find(call).Where(routine =>
        routine.Row.Takes(call.ArgumentCount) && (call.Schema is not null || routine.Row.Schema == "pg_catalog" || Path.Contains(routine.Row.Schema)));

    public IEnumerable<RelationNode> Find(TableUse table) =>
        Catalog.Find(table).Where(relation => table.Schema is not null || Path.Contains(relation.Row.Schema));
}
