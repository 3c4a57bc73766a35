using NUnit.Framework;
using PgRouter.Core.Cluster;

namespace PgRouter.Tests.Cluster;

public class QuarantineRulesTests
{
    /// <summary>Nodes as in <see cref="Nodes"/>; id of the incumbent; ids of the nodes in quarantine afterwards.</summary>
    [TestCase("Up P 1 9 id7; Up S 1 9 id7; Up S 1 9 id8", 0, "2")]
    [TestCase("Up P 1 9 id8; Up S 1 9 id7; Up S 1 9 id7", -1, "0")]
    [TestCase("Up P 1 9 id7; Up P 1 9 id8", -1, "1")]
    [TestCase("Up P 1 9 id7; Up S 1 9", 0, "")]
    [TestCase("Up P 1 9; Up P 2 5", 0, "0")]
    [TestCase("Up P 1 5; Up P 1 9", 0, "1")]
    [TestCase("Up P 1 5; Up P 1 9", -1, "0")]
    [TestCase("Up P 1 9; Down P 2 5", -1, "0")]
    [TestCase("Up P 1 9; Detached P 2 5", -1, "")]
    [TestCase("Up P 1 9; Up S 2 5", 0, "0")]
    [TestCase("Up P 2 9; Up S 1 9", 0, "1")]
    [TestCase("Up P 2 9; Up S 1 9 streaming", 0, "")]
    [TestCase("Up P 2 9; Up S 1 9 streaming", -1, "1")]
    [TestCase("Up P 2 9; Up S 0 9", 0, "")]
    [TestCase("Up P 2 9; Up P 1 9 !", 0, "")]
    [TestCase("Up P 2 9; Down P 1 9", 0, "")]
    public void Misfits_are_quarantined(string nodes, int incumbentId, string expected)
    {
        var after = QuarantineRules.Apply(Nodes.Parse(nodes), incumbentId);
        Assert.That(string.Join(' ', after.Where(n => n.State.Status == NodeStatus.Quarantine).Select(n => n.Id)), Is.EqualTo(expected));
    }
}
