using PgRouter.Core.Servers;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>
/// The idle servers of one pool: each stays on the loop that used it last, on top of those used before. A loop's own servers are for that
/// loop; the counts may be read by any thread and are a moment old.
/// </summary>
internal sealed class IdleServers
{
    private readonly Shard[] _shards;

    public IdleServers(int loops)
    {
        _shards = new Shard[loops];
        for (var i = 0; i < loops; i++)
            _shards[i] = new Shard();
    }

    /// <summary>On all loops.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var shard in _shards)
                count += Volatile.Read(ref shard.Count);
            return count;
        }
    }

    public int Loops => _shards.Length;

    public int CountOn(int loopIndex) => Volatile.Read(ref _shards[loopIndex].Count);

    /// <summary>Oldest first. The loop's own thread.</summary>
    public IReadOnlyList<ServerConnection> On(EventLoop loop) => _shards[loop.Index].Servers;

    /// <summary>The one used last, which stays where it is; null when there is none.</summary>
    public ServerConnection? Peek(EventLoop loop)
    {
        var servers = _shards[loop.Index].Servers;
        return servers.Count == 0 ? null : servers[^1];
    }

    /// <summary>Puts a server on top of its loop.</summary>
    public void Push(ServerConnection server)
    {
        var shard = _shards[server.Socket.Loop.Index];
        shard.Servers.Add(server);
        Volatile.Write(ref shard.Count, shard.Servers.Count);
    }

    /// <summary>Takes off what <see cref="Peek"/> showed.</summary>
    public void Pop(EventLoop loop)
    {
        var shard = _shards[loop.Index];
        shard.Servers.RemoveAt(shard.Servers.Count - 1);
        Volatile.Write(ref shard.Count, shard.Servers.Count);
    }

    /// <summary>Takes a server out of the middle; false when it is not idle.</summary>
    public bool Remove(ServerConnection server)
    {
        var shard = _shards[server.Socket.Loop.Index];
        if (!shard.Servers.Remove(server))
            return false;
        Volatile.Write(ref shard.Count, shard.Servers.Count);
        return true;
    }

    private sealed class Shard
    {
        public readonly List<ServerConnection> Servers = [];
        public int Count;
    }
}
