using System.Globalization;
using Microsoft.Extensions.Hosting;
using PgRouter.Core.Admin;
using PgRouter.Core.Admin.Pgpool;
using PgRouter.Core.Cluster;

namespace PgRouter.Server.Demo;

/// <summary>Prints the guide once the router listens, and all nodes whenever the state of one has changed.</summary>
internal sealed class NodeWatcher(IRouterSnapshots snapshots, string guide, TextWriter output, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        output.WriteLine(guide);
        using var timer = new PeriodicTimer(Interval, time);
        var shown = "";
        try
        {
            do
            {
                var now = Describe(snapshots.Cluster);
                if (now != shown)
                    output.WriteLine($"{time.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)}\n{now}");
                shown = now;
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            output.WriteLine("Stopping.");
        }
    }

    private static string Describe(ClusterView cluster) => string.Join('\n', cluster.Nodes.Select(node => Describe(cluster, node)));

    private static string Describe(ClusterView cluster, NodeView node) => string.Create(
        CultureInfo.InvariantCulture,
        $"  node {node.Id}  port {node.Config.Port}  {Role(cluster, node),-8} {Status(node.State)}");

    private static string Role(ClusterView cluster, NodeView node) =>
        node.State.Role == NodeRole.Unknown ? "unknown" : NodeWords.Role(cluster, node);

    /// <summary>"waiting" becomes "up" with the first client, which is no news here.</summary>
    private static string Status(NodeState state) => state.Status switch
    {
        NodeStatus.Waiting or NodeStatus.Up => "up",
        var status => $"{status.ToString().ToLowerInvariant()}: {state.Reason}",
    };
}
