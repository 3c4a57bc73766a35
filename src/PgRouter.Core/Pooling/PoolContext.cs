using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PgRouter.Core.Configuration;
using PgRouter.Core.Health;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>What all pools share. Any thread unless said otherwise.</summary>
internal sealed class PoolContext(
    Func<RouterConfig> config, IServerConnector connector, IReadOnlyList<EventLoop> loops, Action<int, NodeFault> reportFault, ILogger logger)
{
    private readonly ConcurrentDictionary<long, ServerConnection> _servers = new();
    private readonly ConcurrentDictionary<(int NodeId, int Pid), ServerConnection> _byPid = new();

    public Func<RouterConfig> Config { get; } = config;

    public IServerConnector Connector { get; } = connector;

    /// <summary>What operators have decided about each database.</summary>
    public DatabaseGates Gates { get; } = new();

    public IReadOnlyList<EventLoop> Loops { get; } = loops;

    public ILogger Logger { get; } = logger;

    /// <summary>Tells health that a node behaved as if it were down: (node id, what was seen).</summary>
    public Action<int, NodeFault> ReportFault { get; } = reportFault;

    /// <summary>Limits, modes and time-outs by database and user.</summary>
    public LimitBook Limits { get; } = new(config);

    /// <summary>The limits that several pools share.</summary>
    public ServerBudgets Budgets { get; } = new();

    /// <summary>Who is logged in.</summary>
    public ClientCounts Clients { get; } = new();

    /// <summary>
    /// Set by the directory: a pool has waiters and a budget is spent; another pool of that budget closes an idle server.
    /// </summary>
    public Action<ServerPool, Budget> MakeRoom { get; set; } = (_, _) => { };

    /// <summary>Set by the directory: a server of a node that is not to be used was closed.</summary>
    public Action<ServerPool> OnClosedWhileOut { get; set; } = _ => { };

    /// <summary>Called when a login has ended, well or not; null when nobody wants to know.</summary>
    public Action? OpeningEnded { get; set; }

    /// <summary>Every open server, for SHOW SERVERS.</summary>
    public IEnumerable<ServerConnection> Servers => _servers.Values;

    public void Remember(ServerConnection server)
    {
        _servers[server.Id] = server;
        _byPid[(server.Node.Id, server.Pid)] = server;
    }

    public void Forget(ServerConnection server)
    {
        _servers.TryRemove(server.Id, out _);
        _byPid.TryRemove(KeyValuePair.Create((server.Node.Id, server.Pid), server));
    }

    /// <summary>
    /// The pid of the client that wrote last on a server process, or the process's own when it is not one of ours. Any thread.
    /// </summary>
    public int SenderOf(int nodeId, int pid) => _byPid.TryGetValue((nodeId, pid), out var server) && server.SenderPid != 0 ? server.SenderPid : pid;

    /// <summary>Runs something on a loop at a moment of its clock. That loop.</summary>
    public void After(EventLoop loop, long atMs, Action run) =>
        loop.Timers.Arm(new LoopTimer(static state => ((Action)state!)(), run), atMs);
}

/// <summary>Opens and logs in servers; the one seam between pools and the network, so that pools are tested without it.</summary>
internal interface IServerConnector
{
    /// <summary>Connects and logs in on a loop. Never throws.</summary>
    Task<ServerOpened> ConnectAsync(EventLoop loop, Cluster.NodeConfig node, string database, string user);
}

/// <summary>A server, or why there is none.</summary>
internal readonly record struct ServerOpened(ServerConnection? Server, PoolError? Error);
