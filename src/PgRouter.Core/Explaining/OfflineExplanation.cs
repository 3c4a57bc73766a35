using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Core.Explaining;

/// <summary>
/// What the grammar and the configuration alone tell of a statement, without a server: all nodes are taken to be up, one of them the primary and
/// the others its standbys, and nothing is known of the database.
/// </summary>
internal static class OfflineExplanation
{
    /// <summary>The ladder as the table of docs/routing.md.</summary>
    public static IEnumerable<string> Rules() => RouteTable.Lines();

    /// <summary>Rows of section, item, answer and detail.</summary>
    public static IReadOnlyList<string?[]> Of(string sql, RouterConfig config)
    {
        var text = Encoding.UTF8.GetBytes(sql);
        using var parser = new StatementParser();
        var info = parser.Analyze(text, standardConformingStrings: true);
        var (statementClass, isListed) = AskLists(info, text, config.Lists);
        var cluster = Assume(config);
        var input = new RouteInput
        {
            Class = statementClass,
            BeginsReadOnly = BeginsReadOnly(info),
            Hint = info.Hint,
            Marks = isListed ? RequestMarks.Listed : RequestMarks.None,
            HeldNode = -1,
            Cluster = cluster,
            Config = config,
        };
        return [.. RouteExplanation.Of(input, new ExplainedText(info, "listed as functions that do not write"), names: null, Assumptions(info, cluster)).Select(row => row.ToRow())];
    }

    private static (StatementClass Class, bool IsListed) AskLists(StatementInfo info, byte[] text, RoutingLists lists)
    {
        if (info.Class is not (StatementClass.Read or StatementClass.State or StatementClass.NeedsCatalog))
            return (info.Class, false);
        var (judged, isForPrimary) = lists.ListsFunctions ? FunctionLists.Judge(info, lists) : (info, false);
        return (judged.Class, isForPrimary || lists.PrimaryStatements.MatchesStatement(text));
    }

    private static IEnumerable<ExplanationRow> Assumptions(StatementInfo info, ClusterView cluster)
    {
        yield return new ExplanationRow(
            "session", "assumed", "a new session, all nodes up",
            cluster.Primary is { } primary ? string.Create(CultureInfo.InvariantCulture, $"node {primary.Id} is the primary") : "no node is configured");
        if (info.Hint is { } hint)
            yield return new ExplanationRow("session", "hint", $"{hint}");
    }

    /// <summary>The first node that is said to be always the primary, else the first of all.</summary>
    private static ClusterView Assume(RouterConfig config)
    {
        var primary = config.Nodes.FirstOrDefault(node => node.Flags.HasFlag(NodeFlags.AlwaysPrimary)) ?? config.Nodes.FirstOrDefault();
        var nodes = config.Nodes.Select((node, i) => new NodeView(i, node, new NodeState
        {
            Status = NodeStatus.Up,
            Role = ReferenceEquals(node, primary) ? NodeRole.Primary : NodeRole.Standby,
            Timeline = 1,
            ReplicationState = "streaming",
            ReplicationDelayBytes = 0,
            ReplicationDelayTime = TimeSpan.Zero,
        })).ToImmutableArray();
        return new ClusterView(nodes, PrimarySelection.FindPrimary(nodes), version: 1);
    }

    private static bool BeginsReadOnly(StatementInfo info) =>
        info.Verb == TransactionVerb.Begin && info.Statements[0] is { ReadOnly: true, Isolation: not "serializable" };
}
