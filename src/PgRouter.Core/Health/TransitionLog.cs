using Microsoft.Extensions.Logging;
using PgRouter.Core.Cluster;
using PgRouter.Core.Telemetry;

namespace PgRouter.Core.Health;

/// <summary>Logs what changed between two views, whoever changed it. Each swap is seen once, so each transition is logged once.</summary>
internal sealed class TransitionLog(ILogger logger)
{
    public void Write(ClusterView before, ClusterView after)
    {
        foreach (var node in after.Nodes)
        {
            if (before.Find(node.Id) is not { } old)
                continue;
            if (old.State.Status != node.State.Status)
                WriteStatus(old.State.Status, node);
            if (old.State.Role != node.State.Role)
                HealthLog.RoleChanged(logger, node.Id, node.Config.Host, node.Config.Port, old.State.Role, node.State.Role);
        }
        WritePrimary(before.Primary, after.Primary);
    }

    private void WriteStatus(NodeStatus from, NodeView node)
    {
        var (id, host, port, reason) = (node.Id, node.Config.Host, node.Config.Port, node.State.Reason);
        switch (node.State.Status)
        {
            case NodeStatus.Up when from == NodeStatus.Suspect:
                HealthLog.NodeTrusted(logger, id, host, port, reason);
                break;
            case NodeStatus.Up or NodeStatus.Waiting:
                HealthLog.NodeUp(logger, id, host, port, reason);
                break;
            case NodeStatus.Suspect:
                HealthLog.NodeSuspect(logger, id, host, port, reason);
                break;
            case NodeStatus.Down:
                HealthLog.NodeDown(logger, id, host, port, reason);
                break;
            case NodeStatus.Quarantine:
                HealthLog.NodeQuarantined(logger, id, host, port, reason);
                break;
            case NodeStatus.Draining or NodeStatus.Detached:
                HealthLog.NodeTakenOut(logger, id, host, port, reason);
                break;
        }
    }

    private void WritePrimary(NodeView? before, NodeView? after)
    {
        if (before?.Id == after?.Id)
            return;
        if (after is not null)
            HealthLog.PrimaryChanged(logger, after.Id, after.Config.Host, after.Config.Port, after.State.Timeline);
        else
            HealthLog.PrimaryLost(logger, before!.Id, before.Config.Host, before.Config.Port);
    }
}
