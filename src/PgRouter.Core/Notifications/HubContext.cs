using Microsoft.Extensions.Logging;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;

namespace PgRouter.Core.Notifications;

/// <summary>What the listening connections need from the rest of the house. Any thread.</summary>
internal sealed class HubContext(
    Func<RouterConfig> config, ClusterUpdater cluster, IServerConnector connector, Func<int, int, int> senderOf, ILogger logger)
{
    public Func<RouterConfig> Config { get; } = config;

    public IServerConnector Connector { get; } = connector;

    public ILogger Logger { get; } = logger;

    /// <summary>The pid to show for a server process (node id, pid): its client's, if it is one of the router's servers.</summary>
    public Func<int, int, int> SenderOf { get; } = senderOf;

    /// <summary>Where notifications come from.</summary>
    public NodeConfig? Primary => cluster.View.Primary?.Config;

    /// <summary>A node that is not the place to listen any more: down, gone, or another one is the primary.</summary>
    public bool MustLeave(NodeConfig node)
    {
        var view = cluster.View;
        return view.Find(node.Id) is not { } now || now.State.Status == NodeStatus.Down || now.Config.Host != node.Host || now.Config.Port != node.Port
            || (view.Primary is { } primary && primary.Id != node.Id);
    }
}
