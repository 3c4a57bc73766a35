using System.Collections.Concurrent;
using PgRouter.Core.Cluster;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Notifications;

/// <summary>
/// The listening connections of all databases (docs/notifications.md). A database without listeners costs an entry here at most. Any thread.
/// </summary>
internal sealed class NotificationHub
{
    private static readonly TimeSpan TidyTimeout = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, ListeningConnection> _connections = new(StringComparer.Ordinal);
    private readonly HubContext _context;
    private readonly IReadOnlyList<EventLoop> _loops;

    public NotificationHub(HubContext context, IReadOnlyList<EventLoop> loops)
    {
        _context = context;
        _loops = loops;
        TidyUp = TidyUpAsync;
    }

    /// <summary>
    /// For a server that ran LISTEN or NOTIFY, before another client gets it: what it notified has been delivered with the name of the client
    /// that had it, and it does not listen any more. Runs on the server's loop.
    /// </summary>
    public Func<ServerConnection, Task<string?>> TidyUp { get; }

    /// <summary>A client that begins to listen.</summary>
    /// <param name="database">Its database.</param>
    /// <param name="user">Its user.</param>
    /// <param name="loop">Its loop.</param>
    /// <param name="wake">Runs on that loop when something waits for the client.</param>
    public Subscriber Join(string database, string user, EventLoop loop, Action wake) =>
        new(_connections.GetOrAdd(database, Add), loop, user, wake);

    /// <summary>Does any client listen in this database? A moment old.</summary>
    public bool IsListened(string database) => _connections.TryGetValue(database, out var connection) && connection.IsInUse;

    public void OnClusterChanged(ClusterView before, ClusterView after)
    {
        foreach (var connection in _connections.Values)
            connection.Reconsider();
    }

    /// <summary>For SHOW LISTENERS: the part of one loop, on that loop.</summary>
    public IEnumerable<ListenerState> States(EventLoop loop) => _connections.Values.Where(c => c.Loop == loop).SelectMany(c => c.States());

    private ListeningConnection Add(string database) =>
        new(_context, _loops[(int)((uint)database.GetHashCode(StringComparison.Ordinal) % (uint)_loops.Count)], database);

    private async Task<string?> TidyUpAsync(ServerConnection server)
    {
        var signal = new Signal(server.Socket.Loop);
        server.Socket.Owner = signal;
        if (_connections.TryGetValue(server.Database, out var connection) && connection.IsInUse)
        {
            var isDone = false;
            connection.Synchronize(
                signal.Loop,
                () =>
                {
                    isDone = true;
                    signal.Set();
                });
            while (!isDone)
                await signal;
        }
        if (!server.Listens)
            return null;
        server.Listens = false;
        server.ListensAs = null;
        return await server.ExecuteAsync("UNLISTEN *", signal, TidyTimeout) is { } error ? $"UNLISTEN failed: {error.Message}" : null;
    }
}
