using PgRouter.Core.Admin;
using PgRouter.Core.Routing;
using PgRouter.Core.Sessions;
using PgRouter.Core.Telemetry;
using PgRouter.Sql;

namespace PgRouter.Core.Hosting;

/// <summary>Adds up what the loops have counted of routes and shapes. Any thread; hops to each loop in turn.</summary>
internal sealed class RouteSnapshots(IReadOnlyList<LoopServices> hosts)
{
    /// <summary>Shapes shown.</summary>
    private const int MostShapes = 20;

    public async Task<RouteStatistics> TakeAsync()
    {
        var shapes = new List<ShapeCount>();
        foreach (var host in hosts)
            shapes.AddRange(await host.Loop.InvokeAsync(() => host.ShapeCounts.All.ToList()));
        var texts = await TextsAsync(shapes);
        return new RouteStatistics(Counts(), Busiest(shapes, texts));
    }

    private List<RouteCount> Counts()
    {
        var nodes = hosts.SelectMany(host => host.Statistics.Nodes.Append(host.Statistics.Nowhere)).GroupBy(node => node.NodeId);
        return
        [
            .. from node in nodes
               from reason in Enum.GetValues<RouteReason>()
               let count = new RouteCount(node.Key, reason.Word(), Sum(node, n => n.Routed, reason), Sum(node, n => n.Refused, reason))
               where count.Statements > 0
               select count,
        ];
    }

    private static long Sum(IEnumerable<NodeCounters> nodes, Func<NodeCounters, long[]> counts, RouteReason reason) =>
        nodes.Sum(node => counts(node)[(int)reason]);

    private async Task<Dictionary<StatementInfo, string>> TextsAsync(List<ShapeCount> shapes)
    {
        var wanted = new HashSet<StatementInfo>(shapes.Select(shape => shape.Info), ReferenceEqualityComparer.Instance);
        var texts = new Dictionary<StatementInfo, string>(ReferenceEqualityComparer.Instance);
        foreach (var host in hosts)
        {
            foreach (var (info, text) in await host.Loop.InvokeAsync(() => host.Shapes.TextsOf(wanted).ToList()))
                texts[info] = text;
        }
        return texts;
    }

    /// <summary>What is one shape on several loops, or in several texts that differ in constants, is one here.</summary>
    private static List<ShapeStatistics> Busiest(List<ShapeCount> shapes, Dictionary<StatementInfo, string> texts) =>
    [
        .. shapes
            .GroupBy(shape => texts.GetValueOrDefault(shape.Info))
            .Where(group => group.Key is not null)
            .Select(group => (Text: group.Key, Total: group.Sum(shape => shape.Count), Last: group.MaxBy(shape => shape.Count)))
            .OrderByDescending(shape => shape.Total)
            .Take(MostShapes)
            .Select(shape => new ShapeStatistics(shape.Text, shape.Total, shape.Last.NodeId, shape.Last.Reason.Word())),
    ];
}
