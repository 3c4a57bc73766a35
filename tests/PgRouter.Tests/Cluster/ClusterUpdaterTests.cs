using NUnit.Framework;
using PgRouter.Core.Cluster;

namespace PgRouter.Tests.Cluster;

public class ClusterUpdaterTests
{
    private ClusterUpdater _updater = new();

    [SetUp]
    public void Configure_two_nodes()
    {
        _updater = new ClusterUpdater();
        _updater.Configure([Node(0), Node(1)]);
    }

    [Test]
    public void No_update_is_lost_among_threads_and_each_swap_is_told_once()
    {
        var first = _updater.View.Version;
        var told = 0;
        _updater.Changed += (before, after) =>
        {
            if (after.Version == before.Version + 1)
                Interlocked.Increment(ref told);
        };
        Parallel.For(0, 4000, i => _updater.Update(i % 2, state => state with { Lsn = state.Lsn + 1 }));
        Assert.That(_updater.View.Nodes.Select(n => n.State.Lsn), Is.EqualTo(new[] { 2000UL, 2000UL }));
        Assert.That(_updater.View.Version - first, Is.EqualTo(4000));
        Assert.That(told, Is.EqualTo(4000));
    }

    [Test]
    public void No_view_ever_shows_two_nodes_that_take_writes()
    {
        var twice = 0;
        _updater.Changed += (_, after) =>
        {
            if (after.Nodes.Count(n => n.IsUsable && n.State.Role == NodeRole.Primary) > 1)
                Interlocked.Increment(ref twice);
        };
        Parallel.For(
            0,
            2000,
            i => _updater.Update(i % 2, state => state with { Status = NodeStatus.Up, Role = NodeRole.Primary, Lsn = (ulong)i }));
        Assert.That(twice, Is.Zero);
    }

    [Test]
    public void An_equal_state_and_an_unknown_node_swap_nothing()
    {
        var view = _updater.View;
        _updater.Update(0, state => state with { });
        _updater.Update(9, state => state with { Lsn = 1 });
        Assert.That(_updater.View, Is.SameAs(view));
    }

    [Test]
    public void A_reload_keeps_the_state_of_nodes_whose_address_stays()
    {
        _updater.Update(0, state => state with { Lsn = 5 });
        _updater.Update(1, state => state with { Lsn = 6 });
        _updater.Configure([Node(0) with { Weight = 3 }, Node(1) with { Port = 9 }]);
        Assert.That(_updater.View.Nodes.Select(n => n.State.Lsn), Is.EqualTo(new[] { 5UL, 0UL }));
        Assert.That(_updater.View.Nodes[0].Config.Weight, Is.EqualTo(3));
    }

    [Test]
    public void Detaching_holds_until_attached_and_a_dead_node_is_attached_as_down()
    {
        var probed = new List<int>();
        var operations = new NodeOperations(_updater, probed.Add);
        Assert.That(operations.Detach(0, graceful: true), Is.EqualTo(NodeOperationResult.Done));
        Assert.That(Status(0), Is.EqualTo(NodeStatus.Draining));
        Assert.That(operations.Detach(0, graceful: true), Is.EqualTo(NodeOperationResult.Unchanged));
        Assert.That(operations.CompleteDrain(0), Is.EqualTo(NodeOperationResult.Done));
        Assert.That(Status(0), Is.EqualTo(NodeStatus.Detached));
        Assert.That(operations.Attach(0), Is.EqualTo(NodeOperationResult.Done));
        Assert.That(Status(0), Is.EqualTo(NodeStatus.Down));
        Assert.That(operations.Attach(5), Is.EqualTo(NodeOperationResult.UnknownNode));
        Assert.That(probed, Is.EqualTo(new[] { 0 }));
    }

    private static NodeConfig Node(int id) => new() { Id = id, Host = "h", Port = 1 + id };

    private NodeStatus Status(int id) => _updater.View.Find(id)!.State.Status;
}
