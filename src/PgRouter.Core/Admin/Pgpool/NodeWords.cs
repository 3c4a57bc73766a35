using PgRouter.Core.Cluster;

namespace PgRouter.Core.Admin.Pgpool;

/// <summary>pgpool-II's words for a node, as scripts and exporters expect them.</summary>
internal static class NodeWords
{
    /// <summary>
    /// up, waiting, down or quarantine. A suspect is still used, so it is up; a node that drains or was detached takes no new work, so
    /// it is down.
    /// </summary>
    public static string Status(NodeStatus status) => status switch
    {
        NodeStatus.Waiting => "waiting",
        NodeStatus.Up or NodeStatus.Suspect => "up",
        NodeStatus.Quarantine => "quarantine",
        _ => "down",
    };

    /// <summary>What the last probe found: up or down; unknown before the first one.</summary>
    public static string PgStatus(NodeView node, HealthStatistics? health)
    {
        if (node.State.Reachable)
            return "up";
        return health is { Total: > 0 } ? "down" : "unknown";
    }

    /// <summary>The role the router uses the node in: exactly one is primary, or none.</summary>
    public static string Role(ClusterView cluster, NodeView node) => cluster.PrimaryIndex == node.Index ? "primary" : "standby";

    /// <summary>The role PostgreSQL itself reports.</summary>
    public static string PgRole(NodeRole role) => role switch
    {
        NodeRole.Primary => "primary",
        NodeRole.Standby => "standby",
        _ => "unknown",
    };

    /// <summary>Share of reads, by weights over all nodes whatever their status; 0 when no node has a weight.</summary>
    public static double NormalisedWeight(ClusterView cluster, NodeView node)
    {
        var sum = cluster.Nodes.Sum(n => n.Config.Weight);
        return sum > 0 ? node.Config.Weight / sum : 0;
    }

    /// <summary>pgpool-II sets it at its start, so a node whose status never changed has the router's start.</summary>
    public static DateTimeOffset LastStatusChange(IRouterSnapshots snapshots, NodeView node) =>
        node.State.LastStatusChange == default ? snapshots.StartTime : node.State.LastStatusChange;
}
