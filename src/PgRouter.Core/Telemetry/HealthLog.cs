using Microsoft.Extensions.Logging;
using PgRouter.Core.Cluster;

namespace PgRouter.Core.Telemetry;

/// <summary>Messages of Health and Cluster: event ids 2000 to 2099. Once per transition, never per probe.</summary>
internal static partial class HealthLog
{
    [LoggerMessage(2000, LogLevel.Information, "Node {NodeId} ({Host}:{Port}) is up: {Reason}")]
    public static partial void NodeUp(ILogger logger, int nodeId, string host, int port, string reason);

    [LoggerMessage(2001, LogLevel.Error, "Node {NodeId} ({Host}:{Port}) is down: {Reason}")]
    public static partial void NodeDown(ILogger logger, int nodeId, string host, int port, string reason);

    [LoggerMessage(2002, LogLevel.Warning, "Node {NodeId} ({Host}:{Port}) is suspect: {Reason}")]
    public static partial void NodeSuspect(ILogger logger, int nodeId, string host, int port, string reason);

    [LoggerMessage(2003, LogLevel.Information, "Node {NodeId} ({Host}:{Port}) is no longer suspect: {Reason}")]
    public static partial void NodeTrusted(ILogger logger, int nodeId, string host, int port, string reason);

    [LoggerMessage(2004, LogLevel.Error, "Node {NodeId} ({Host}:{Port}) is in quarantine and gets no work: {Reason}")]
    public static partial void NodeQuarantined(ILogger logger, int nodeId, string host, int port, string reason);

    [LoggerMessage(2005, LogLevel.Information, "Node {NodeId} ({Host}:{Port}) is taken out: {Reason}")]
    public static partial void NodeTakenOut(ILogger logger, int nodeId, string host, int port, string reason);

    [LoggerMessage(2010, LogLevel.Information, "Node {NodeId} ({Host}:{Port}) changed its role from {From} to {To}")]
    public static partial void RoleChanged(ILogger logger, int nodeId, string host, int port, NodeRole from, NodeRole to);

    [LoggerMessage(2011, LogLevel.Warning, "Node {NodeId} ({Host}:{Port}) takes writes now, on timeline {Timeline}")]
    public static partial void PrimaryChanged(ILogger logger, int nodeId, string host, int port, uint timeline);

    [LoggerMessage(2012, LogLevel.Error, "No node takes writes: node {NodeId} ({Host}:{Port}) did, and is lost")]
    public static partial void PrimaryLost(ILogger logger, int nodeId, string host, int port);

    [LoggerMessage(2020, LogLevel.Error, "The check of node {NodeId} failed inside the router; it goes on")]
    public static partial void CheckFailed(ILogger logger, int nodeId, Exception exception);
}
