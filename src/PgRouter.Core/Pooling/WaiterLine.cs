namespace PgRouter.Core.Pooling;

/// <summary>
/// Those who wait for a server of one pool, from all loops, in the order in which they came. Any thread; asking whether anybody waits takes
/// no lock.
/// </summary>
internal sealed class WaiterLine
{
    private readonly Lock _lock = new();
    private readonly LinkedList<PoolWaiter> _waiters = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Environment.TickCount64 of the moment since when the first one has waited; long.MaxValue when nobody waits.</summary>
    public long OldestSinceMs
    {
        get
        {
            if (Count == 0)
                return long.MaxValue;
            lock (_lock)
                return _waiters.First?.Value.EnqueuedAtMs ?? long.MaxValue;
        }
    }

    /// <summary>Takes the last place. From here on every release looks at the line.</summary>
    public void Enter(PoolWaiter waiter)
    {
        waiter.EnqueuedAtMs = Environment.TickCount64;
        lock (_lock)
        {
            _waiters.AddLast(waiter.Place);
            Interlocked.Increment(ref _count); // A full fence between this and the look at the idle servers that follows.
        }
    }

    /// <summary>Gives its place up; what is on its way to it will be noticed as too late.</summary>
    public void Leave(PoolWaiter waiter)
    {
        lock (_lock)
        {
            Unlink(waiter);
            waiter.Ticket++;
        }
    }

    /// <summary>The oldest one, and its ticket at that moment: it may leave before what is given to it arrives on its loop.</summary>
    public PoolWaiter? Take(out int ticket)
    {
        lock (_lock)
        {
            var waiter = _waiters.First?.Value;
            ticket = waiter?.Ticket ?? 0;
            if (waiter is not null)
                Unlink(waiter);
            return waiter;
        }
    }

    /// <summary>How many have waited since a moment or longer; counting ends at <paramref name="most"/>.</summary>
    public int CountSince(long sinceMs, int most)
    {
        var count = 0;
        lock (_lock)
        {
            for (var place = _waiters.First; place is not null && count < most && place.Value.EnqueuedAtMs <= sinceMs; place = place.Next)
                count++;
        }
        return count;
    }

    /// <summary>Wakes all, oldest first, so that they look around.</summary>
    public void WakeAll()
    {
        lock (_lock)
        {
            foreach (var waiter in _waiters)
                waiter.Loop.Post(static state => ((PoolWaiter)state!).Signal.Set(), waiter);
        }
    }

    private void Unlink(PoolWaiter waiter)
    {
        if (waiter.Place.List is null)
            return;
        _waiters.Remove(waiter.Place);
        Interlocked.Decrement(ref _count);
    }
}
