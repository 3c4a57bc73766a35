using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// Opens the servers of one pool: as many as clients wait for, up to the pool's size, then the reserve for those who have waited long, a
/// few at a time, within the limits shared with other pools, and with pauses after failures. Counts all servers of the pool. Any thread
/// unless a loop is given, then that loop.
/// </summary>
internal sealed class ServerOpener(ServerPool pool, PoolContext context)
{
    /// <summary>Logins of one pool under way at once. The first after a failure, or at all, goes alone: it may be refused.</summary>
    private const int MostLogins = 8;

    private readonly Lock _lock = new();
    private readonly LoginBackoff _backoff = new();
    private int _count;
    private int _opening;
    private bool _hasLoggedIn;
    private long _armedForMs;

    private enum Need
    {
        None,
        One,

        /// <summary>One, but the last login was refused a moment ago.</summary>
        Later,

        /// <summary>None now; the reserve when the oldest waiter has waited long enough.</summary>
        Reserve,
    }

    /// <summary>Servers open or opening.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Servers that are not logged in yet.</summary>
    public int Opening => Volatile.Read(ref _opening);

    /// <summary>Why the last server could not be opened; null when it could.</summary>
    public PoolError? LastError
    {
        get
        {
            lock (_lock)
                return _backoff.Reason;
        }
    }

    /// <summary>
    /// A server was opened by someone else: it is one of the pool's if there is a place for it, and logins work in any case.
    /// </summary>
    public bool TryAdopt()
    {
        var hasPlace = context.Budgets.TryTakeOpened(pool);
        lock (_lock)
        {
            if (hasPlace)
                _count++;
            _hasLoggedIn = true;
            _backoff.Succeeded();
        }
        return hasPlace;
    }

    /// <summary>
    /// A server of the pool was closed: its place is for the pool that has waited longest for one, and this one may open another.
    /// </summary>
    public void NoteClosed(EventLoop loop)
    {
        lock (_lock)
            _count--;
        context.Budgets.Release(pool);
        ServeStarving(loop);
        OpenAsNeeded(loop);
    }

    /// <summary>What was wrong with logins may have been mended: the next one is tried at once.</summary>
    public void EndPause()
    {
        lock (_lock)
            _backoff.EndPause();
    }

    /// <summary>Opens as many servers as there are waiters without one on its way, as far as the limits go.</summary>
    public void OpenAsNeeded(EventLoop loop)
    {
        while (true)
        {
            Need need;
            lock (_lock)
            {
                need = WhatIsNeeded();
                if (need == Need.One)
                    Begin();
            }
            if (need == Need.None)
                return;
            if (need != Need.One)
            {
                WaitFor(need, loop);
                return;
            }
            if (!context.Budgets.TryTake(pool, mayStandInLine: true, out var spent))
            {
                TakeBack();
                if (spent is not null)
                    context.MakeRoom(pool, spent);
                return;
            }
            _ = OpenAsync(loop, spare: 0);
        }
    }

    /// <summary>Opens servers nobody waits for, a few at once, until the pool has as many; never at the cost of another pool.</summary>
    public void OpenSpare(EventLoop loop, int wanted)
    {
        for (var most = LoginsAtOnce; most > 0; most--)
        {
            lock (_lock)
            {
                if (_count >= wanted || _opening >= LoginsAtOnce || _backoff.IsPausing || pool.IsClosed)
                    return;
                Begin();
            }
            if (!context.Budgets.TryTake(pool, mayStandInLine: false, out _))
            {
                TakeBack();
                OpenAsNeeded(loop); // One who came meanwhile took it for a server under way.
                return;
            }
            _ = OpenAsync(loop, wanted);
        }
    }

    private int LoginsAtOnce => _hasLoggedIn ? MostLogins : 1;

    private Need WhatIsNeeded()
    {
        // Idle servers are those of other loops, which have been asked.
        if (pool.Line.Count <= _opening + pool.Testing + pool.IdleCount || _opening >= LoginsAtOnce || pool.IsClosed)
            return Need.None;
        var limits = pool.Limits;
        if (_count >= limits.PoolSize)
        {
            if (limits.ReservePoolTimeout <= TimeSpan.Zero || _count >= limits.PoolSize + limits.ReservePoolSize)
                return Need.None;
            var since = Environment.TickCount64 - (long)limits.ReservePoolTimeout.TotalMilliseconds;
            if (pool.Line.CountSince(since, _opening + 1) <= _opening)
                return Need.Reserve;
        }
        return _backoff.IsPausing ? Need.Later : Need.One;
    }

    private void Begin()
    {
        _count++;
        _opening++;
    }

    private void TakeBack()
    {
        lock (_lock)
        {
            _count--;
            _opening--;
        }
    }

    private void WaitFor(Need need, EventLoop loop)
    {
        if (need == Need.Reserve)
            // At least a step ahead: the one that came first may have its login under way, the next one waits for less long.
            OpenAt(loop, Math.Max(ReserveAtMs(loop), loop.NowMs + TimerWheel.StepMs));
        else if (Count == 0)
            pool.FailWaiters(LastError);
        else
            OpenAfterPause(loop);
    }

    private long ReserveAtMs(EventLoop loop) =>
        Math.Min(pool.Line.OldestSinceMs, loop.NowMs) + (long)pool.Limits.ReservePoolTimeout.TotalMilliseconds;

    private void OpenAfterPause(EventLoop loop)
    {
        long atMs;
        lock (_lock)
            atMs = _backoff.RetryAtMs;
        OpenAt(loop, Math.Max(atMs, loop.NowMs));
    }

    /// <summary>Looks again at a moment, whatever happens until then; one timer for all who ask.</summary>
    private void OpenAt(EventLoop loop, long atMs)
    {
        lock (_lock)
        {
            if (_armedForMs != 0 && _armedForMs <= atMs)
                return;
            _armedForMs = atMs;
        }
        context.After(loop, atMs, () =>
        {
            lock (_lock)
            {
                if (_armedForMs == atMs)
                    _armedForMs = 0;
            }
            OpenAsNeeded(loop);
        });
    }

    /// <param name="loop">The server's first loop.</param>
    /// <param name="spare">When nobody waits for it: how many servers the pool should have, so that the next follows.</param>
    private async Task OpenAsync(EventLoop loop, int spare)
    {
        var result = await context.Connector.ConnectAsync(loop, pool.Node, pool.Key.Database, pool.Key.User);
        var loginRetry = context.Config().ServerLoginRetry;
        lock (_lock)
        {
            _opening--;
            _hasLoggedIn = result.Server is not null;
            if (result.Server is not null)
                _backoff.Succeeded();
            else
                _backoff.Failed(result.Error!, loginRetry);
            if (result.Server is null)
                _count--;
        }
        context.Budgets.EndOpening(pool, result.Server is not null);
        if (result.Server is { } server)
        {
            pool.OnOpened(server);
            OpenAsNeeded(loop);
            OpenSpare(loop, spare);
        }
        else
        {
            OnFailed(loop, result.Error!);
        }
        ServeStarving(loop);
        context.OpeningEnded?.Invoke();
    }

    private void OnFailed(EventLoop loop, PoolError error)
    {
        PoolLog.OpenFailed(context.Logger, pool.Node.Id, pool.Key.Database, pool.Key.User, error.Message.Message);
        if (pool.IsOut)
            context.OnClosedWhileOut(pool);
        if (error.IsUnreachable)
            context.ReportFault(pool.Node.Id, error.Fault);
        // As long as there are others they will come back: those who wait go on waiting, and learn the reason if none does.
        if (!error.IsUnreachable && Count > Opening)
            OpenAfterPause(loop);
        else
            pool.FailWaiters(error);
    }

    /// <summary>A place on the node, of the database or of the user may be free: the pool that waits for one opens its server.</summary>
    internal void ServeStarving(EventLoop loop)
    {
        while (context.Budgets.NextInLine(pool) is { } needy)
            needy.Opener.OpenAsNeeded(loop);
    }
}
