using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>
/// What operators have decided about one database: may its clients get servers (PAUSE, KILL), may new ones log in (DISABLE), are sockets
/// read at all (SUSPEND), which servers are too old (RECONNECT). Pools and sessions ask by reading one field; only <see cref="DatabaseGates"/>
/// changes it. Any thread.
/// </summary>
internal sealed class DatabaseGate(string database)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Signal> _waiting = [];
    private volatile bool _isPaused;
    private volatile bool _isSuspended;
    private volatile bool _isDisabled;
    private long _outdatedId;

    /// <summary>The gate of the virtual database: never closed, so that an operator always gets in.</summary>
    public static DatabaseGate OfConsole { get; } = new("");

    public string Database { get; } = database;

    /// <summary>No client gets a server it does not hold yet, and a server given back is closed.</summary>
    public bool IsPaused => _isPaused;

    /// <summary>Sockets of clients and of the servers they hold are not read.</summary>
    public bool IsSuspended => _isSuspended;

    /// <summary>New clients are refused.</summary>
    public bool IsDisabled => _isDisabled;

    /// <summary>Clients that wait for the gate to open.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>RECONNECT was said after this server was opened: it is closed when it is next idle.</summary>
    public bool IsOutdated(long serverId) => serverId <= Volatile.Read(ref _outdatedId);

    /// <summary>
    /// Stands in line: the signal is set, in the order of arrival, when the gate opens. The caller looks at <see cref="IsPaused"/> after
    /// each time its signal was set and must call <see cref="Leave"/> in the end.
    /// </summary>
    public LinkedListNode<Signal> Enter(Signal signal)
    {
        lock (_lock)
            return _waiting.AddLast(signal);
    }

    /// <summary>Leaves the line, if the place is still in it.</summary>
    public void Leave(LinkedListNode<Signal> place)
    {
        lock (_lock)
        {
            if (place.List is not null)
                _waiting.Remove(place);
        }
    }

    internal void Set(bool isPaused, bool isSuspended, bool isDisabled)
    {
        _isDisabled = isDisabled;
        _isSuspended = isSuspended;
        _isPaused = isPaused;
        if (!isPaused)
            WakeAll();
    }

    /// <summary>Servers up to this id are outdated.</summary>
    internal void Outdate(long serverId) => Volatile.Write(ref _outdatedId, serverId);

    private void WakeAll()
    {
        lock (_lock)
        {
            foreach (var signal in _waiting)
                signal.Loop.Post(static state => ((Signal)state!).Set(), signal);
            _waiting.Clear();
        }
    }
}
