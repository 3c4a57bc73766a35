using BenchmarkDotNet.Attributes;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Benchmarks;

/// <summary>The ladder of rules over a primary and two standbys.</summary>
[MemoryDiagnoser]
public class RouterBenchmarks
{
    private readonly RouterConfig _config = new();
    private readonly ClusterView _cluster = new([Node(0, NodeRole.Primary), Node(1, NodeRole.Standby), Node(2, NodeRole.Standby)], 0, 1);

    [Benchmark]
    public int Read() => Decide(StatementClass.Read, heldNode: -1);

    [Benchmark]
    public int Write() => Decide(StatementClass.Write, heldNode: -1);

    [Benchmark]
    public int Held() => Decide(StatementClass.Read, heldNode: 0);

    private int Decide(StatementClass statementClass, int heldNode) =>
        Router.Decide(new RouteInput { Class = statementClass, HeldNode = heldNode, Cluster = _cluster, Config = _config, Draw = 0.5 }).NodeIndex;

    private static NodeView Node(int id, NodeRole role) => new(
        id,
        new NodeConfig { Id = id, Host = "127.0.0.1", Port = 5432 + id },
        new NodeState { Status = NodeStatus.Up, Role = role, Reachable = true });
}
