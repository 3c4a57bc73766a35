using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Protocol;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>Nodes that an operator takes out gracefully.</summary>
[TestFixture(1)]
[TestFixture(2)]
internal sealed class NodeExitTests(int loops)
{
    private readonly List<int> _drained = [];
    private PoolBed _bed = null!;
    private ClusterUpdater _cluster = null!;
    private NodeOperations _operations = null!;

    [SetUp]
    public void Build()
    {
        _drained.Clear();
        _bed = new PoolBed(loops);
        _cluster = new ClusterUpdater();
        _operations = new NodeOperations(_cluster, _ => { });
        _cluster.Changed += _bed.Directory.OnClusterChanged;
        _bed.Directory.Drained = node =>
        {
            _drained.Add(node);
            _operations.CompleteDrain(node);
        };
        _cluster.Configure([PoolBed.Node]);
        _cluster.Update(PoolBed.Node.Id, state => state with { Status = NodeStatus.Up, Role = NodeRole.Primary, Reachable = true });
    }

    [TearDown]
    public void TearDown() => _bed.Dispose();

    [Test]
    public async Task A_drain_ends_with_the_last_lease()
    {
        var (first, second) = (await _bed.NewClient().TakeAsync(), await _bed.NewClient(loops - 1).TakeAsync());
        _operations.Detach(PoolBed.Node.Id, graceful: true);
        Assert.That(Status, Is.EqualTo(NodeStatus.Draining));
        await _bed.Host.On(first.Release);
        Assert.That((Status, _bed.Pool.Count), Is.EqualTo((NodeStatus.Draining, 1)));
        await _bed.Hosts[loops - 1].On(second.Release);
        Assert.That((Status, _bed.Pool.Count), Is.EqualTo((NodeStatus.Detached, 0)));
        Assert.That(_drained, Is.EqualTo(new[] { PoolBed.Node.Id }));
    }

    [Test]
    public async Task Idle_servers_are_closed_and_hold_nobody_up()
    {
        var client = _bed.NewClient(loops - 1);
        await client.ReleaseAsync(await client.TakeAsync());
        _operations.Detach(PoolBed.Node.Id, graceful: true);
        await Eventually.TrueAsync(() => Status == NodeStatus.Detached, "the drain to end");
        Assert.That(_bed.Pool.Count, Is.Zero);
    }

    [Test]
    public void A_node_nobody_uses_is_drained_at_once()
    {
        _operations.Detach(PoolBed.Node.Id, graceful: true);
        Assert.That(Status, Is.EqualTo(NodeStatus.Detached));
    }

    [Test]
    public async Task Those_who_wait_are_told_to_go_elsewhere_and_so_is_who_comes_later()
    {
        await _bed.NewClient().TakeAsync();
        await _bed.NewClient().TakeAsync();
        var waiting = await _bed.NewClient().BeginAsync();
        _operations.Detach(PoolBed.Node.Id, graceful: true);
        var late = await _bed.NewClient(loops - 1).BeginAsync();
        foreach (var answer in await Task.WhenAll(waiting, late).WaitAsync(LoopHost.Deadline))
            Assert.That((answer.Error!.IsUnreachable, answer.Error.Message.Code), Is.EqualTo((true, SqlStates.CannotConnectNow)));
    }

    [Test]
    public async Task A_login_that_fails_meanwhile_holds_nobody_up()
    {
        _bed.CloseGate();
        _bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);
        await _bed.NewClient().BeginAsync();
        _operations.Detach(PoolBed.Node.Id, graceful: true);
        Assert.That(Status, Is.EqualTo(NodeStatus.Draining));
        _bed.OpenGate();
        await Eventually.TrueAsync(() => Status == NodeStatus.Detached, "the drain to end");
    }

    [Test]
    public async Task A_node_that_is_attached_again_is_used_again()
    {
        _operations.Detach(PoolBed.Node.Id, graceful: true);
        _operations.Attach(PoolBed.Node.Id);
        var client = _bed.NewClient();
        await client.ReleaseAsync(await client.TakeAsync());
        Assert.That(_bed.Pool.IdleCount, Is.EqualTo(1));
    }

    private NodeStatus Status => _cluster.View.Find(PoolBed.Node.Id)!.State.Status;
}
