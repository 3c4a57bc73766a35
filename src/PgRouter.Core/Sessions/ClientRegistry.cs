using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace PgRouter.Core.Sessions;

/// <summary>All clients by the pid they were given, for cancel requests, limits and SHOW. Any thread.</summary>
internal sealed class ClientRegistry
{
    /// <summary>The least pid of a client.</summary>
    public const int FirstPid = (4 * 1024 * 1024) + 1;

    private readonly ConcurrentDictionary<int, IClient> _clients = new();
    private int _connections;

    /// <summary>Clients that are logged in.</summary>
    public IEnumerable<IClient> Clients => _clients.Values;

    /// <summary>The same, met one by one without a copy.</summary>
    public IEnumerable<IClient> Each => _clients.Select(pair => pair.Value);

    /// <summary>Connections, those that are still logging in included.</summary>
    public int ConnectionCount => Volatile.Read(ref _connections);

    public void Connected() => Interlocked.Increment(ref _connections);

    public void Disconnected() => Interlocked.Decrement(ref _connections);

    /// <summary>
    /// Registers a session under a new pid, unique in the process, not to be guessed from another, and never that of a server: those are at most
    /// 4194304 on Linux (proc(5), kernel/pid_max).
    /// </summary>
    public int Add(IClient session)
    {
        while (true)
        {
            var pid = RandomNumberGenerator.GetInt32(FirstPid, int.MaxValue);
            if (_clients.TryAdd(pid, session))
                return pid;
        }
    }

    public void Remove(int pid) => _clients.TryRemove(pid, out _);

    /// <summary>The session with this pid, or null.</summary>
    public IClient? Find(int pid) => _clients.GetValueOrDefault(pid);

    /// <summary>Lets every session look around.</summary>
    public void Wake()
    {
        foreach (var client in _clients.Values)
            client.Wake();
    }

    /// <summary>The session with this pid and cancel key, or null; the time does not depend on where the keys differ.</summary>
    public IClient? Find(int pid, ReadOnlySpan<byte> secret) =>
        _clients.TryGetValue(pid, out var session) && CryptographicOperations.FixedTimeEquals(session.CancelSecret, secret) ? session : null;
}
