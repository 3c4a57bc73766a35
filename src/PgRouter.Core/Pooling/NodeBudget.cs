namespace PgRouter.Core.Pooling;

/// <summary>
/// The servers all pools of one node may have together (num_init_children x max_pool). A pool that finds it spent stands in line; a pool
/// that could let a server go idle, or whose own waiters came later, closes one for it. Any thread.
/// </summary>
internal sealed class NodeBudget(Func<int> limit)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<(ServerPool Pool, long SinceMs)> _starving = [];
    private int _taken;
    private volatile int _starvingCount;

    /// <summary>Servers open or opening on the node.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Takes one, or puts the pool in line and says no.</summary>
    public bool TryTake(ServerPool pool)
    {
        lock (_lock)
        {
            var most = limit();
            if (most > 0 && _taken >= most)
            {
                if (!_starving.Any(s => ReferenceEquals(s.Pool, pool)))
                    _starving.AddLast((pool, Environment.TickCount64));
                _starvingCount = _starving.Count;
                return false;
            }
            _taken++;
            return true;
        }
    }

    /// <summary>Takes one whatever the limit: it is open already.</summary>
    public void TakeOpened()
    {
        lock (_lock)
            _taken++;
    }

    /// <summary>Gives one back.</summary>
    public void Release()
    {
        lock (_lock)
            _taken--;
    }

    /// <summary>Takes the pool that has waited longest out of the line, as long as there is a place for it; else null.</summary>
    public ServerPool? NextInLine()
    {
        if (_starvingCount == 0)
            return null;
        lock (_lock)
        {
            var most = limit();
            if (most > 0 && _taken >= most)
                return null;
            var first = _starving.First?.Value.Pool;
            if (first is not null)
                _starving.RemoveFirst();
            _starvingCount = _starving.Count;
            return first;
        }
    }

    /// <summary>Does another pool wait for a server of this node since before a moment?</summary>
    public bool IsOwedSince(ServerPool own, long sinceMs)
    {
        if (_starvingCount == 0)
            return false;
        lock (_lock)
            return _starving.First is { } first && !ReferenceEquals(first.Value.Pool, own) && first.Value.SinceMs < sinceMs;
    }
}
