using PgRouter.Core.Servers;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>
/// What the console does to the pools of one database, or of all (null), once the gate has been changed. Every step is posted to all loops,
/// so that it comes after whatever a session there has begun before it saw the gate. Any thread.
/// </summary>
internal sealed class PoolOperations(PoolDirectory pools)
{
    /// <summary>Idle servers are closed and those who wait look at the gate.</summary>
    public void Stop(string? database) => OnLoops(loop =>
    {
        foreach (var pool in Of(database))
        {
            pool.CloseExpired(loop);
            pool.Line.WakeAll();
        }
    });

    /// <summary>Who still stands in a pool's queue gets a server opened.</summary>
    public void Start(string? database) => OnLoops(loop =>
    {
        foreach (var pool in Of(database))
            pool.Opener.OpenAsNeeded(loop);
    });

    /// <summary>Closes idle servers that are outdated; those in use follow when they are given back.</summary>
    public void CloseOutdated(string? database) => OnLoops(loop =>
    {
        foreach (var pool in Of(database))
            pool.CloseExpired(loop);
    });

    /// <summary>Ends the connections of servers that are left: whoever has them reads the end and closes them.</summary>
    public void Cut(string? database) => OnLoops(loop =>
    {
        foreach (var server in ServersOf(database).Where(s => s.Socket.Loop == loop && !s.Socket.IsClosed))
            server.Socket.ShutdownBoth();
    });

    /// <summary>Is a server open, or being opened?</summary>
    public bool HasServers(string? database) => ServersOf(database).Any() || Of(database).Any(pool => pool.Opening > 0);

    /// <summary>Is a server open that is to be closed when it is next idle?</summary>
    public bool HasOutdated(string? database) => ServersOf(database).Any(s => s.Lease is { Pool: var pool } && pool.IsOutdated(s));

    private IEnumerable<ServerPool> Of(string? database) => pools.Pools.Where(p => database is null || p.Key.Database == database);

    private IEnumerable<ServerConnection> ServersOf(string? database) =>
        pools.Context.Servers.Where(s => database is null || s.Database == database);

    private void OnLoops(Action<EventLoop> run)
    {
        foreach (var loop in pools.Context.Loops)
            loop.Post(_ => run(loop), null);
    }
}
