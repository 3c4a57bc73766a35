using System.Collections.Immutable;
using NUnit.Framework;
using PgRouter.Core.Cluster;

namespace PgRouter.Tests.Cluster;

public class PrimarySelectionTests
{
    /// <summary>
    /// Nodes as "status role timeline lsn [flag]" separated by ';', P = primary, S = standby, ? = unknown, ! = ALWAYS_PRIMARY; id of the
    /// incumbent; expected index.
    /// </summary>
    [TestCase("", -1, -1)]
    [TestCase("Up S 1 5; Up S 1 9", -1, -1)]
    [TestCase("Up S 1 5; Up P 1 9", -1, 1)]
    [TestCase("Up P 1 9; Up P 2 5", 0, 1)]
    [TestCase("Up P 2 5; Up P 1 9", -1, 0)]
    [TestCase("Up P 1 5; Up P 1 9", -1, 1)]
    [TestCase("Up P 1 5; Up P 1 9", 0, 0)]
    [TestCase("Up P 1 9; Up P 1 5", 1, 1)]
    [TestCase("Up P 1 9; Up P 1 9", -1, 0)]
    [TestCase("Down P 2 9; Up S 1 5", 0, -1)]
    [TestCase("Detached P 1 9; Up S 1 5", -1, -1)]
    [TestCase("Draining P 1 9; Up S 1 5", -1, -1)]
    [TestCase("Quarantine P 1 9; Up P 1 5", -1, 1)]
    [TestCase("Suspect P 1 9; Up S 1 5", -1, 0)]
    [TestCase("Waiting P 1 9; Up S 1 5", -1, 0)]
    [TestCase("Up ? 0 0; Up ? 0 0 !", -1, 1)]
    [TestCase("Up P 1 1; Up ? 0 0 !", -1, 0)]
    [TestCase("Up S 1 1 !", -1, -1)]
    [TestCase("Down ? 0 0 !", -1, -1)]
    public void The_node_that_takes_writes(string nodes, int incumbentId, int expected) =>
        Assert.That(PrimarySelection.FindPrimary(Nodes.Parse(nodes), incumbentId), Is.EqualTo(expected));
}

/// <summary>Views of nodes from one line of text.</summary>
internal static class Nodes
{
    public static ImmutableArray<NodeView> Parse(string text) =>
        [.. text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select((node, id) => One(id, node.Split(' ')))];

    private static NodeView One(int id, string[] words) => new(
        id,
        new NodeConfig
        {
            Id = id,
            Host = "h",
            Port = 1 + id,
            Flags = words.Contains("!") ? NodeFlags.AlwaysPrimary : NodeFlags.AllowToFailover,
        },
        new NodeState
        {
            Status = Enum.Parse<NodeStatus>(words[0]),
            Role = words[1] switch { "P" => NodeRole.Primary, "S" => NodeRole.Standby, _ => NodeRole.Unknown },
            Timeline = uint.Parse(words[2]),
            Lsn = ulong.Parse(words[3]),
            SystemIdentifier = words.FirstOrDefault(w => w.StartsWith("id", StringComparison.Ordinal)) is { } own
                ? ulong.Parse(own[2..])
                : 0,
            ReplicationState = words.Contains("streaming") ? "streaming" : "",
        });
}
