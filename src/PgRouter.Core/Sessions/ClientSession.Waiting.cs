using System.Diagnostics;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>The wait for a server: how long it took, and what the client is told meanwhile.</summary>
internal sealed partial class ClientSession
{
    private long _waitSince;
    private long _waitStarted;
    private bool _waitIsTold;
    private Deadline? _waitTimer;

    /// <summary>Where a server is waited for, or was looked for last.</summary>
    private ServerPool? _waitsIn;

    /// <summary>
    /// The usual wait: all servers of the pool that was decided on are taken, and nothing else is to be seen to. It costs no allocation,
    /// because the handler itself waits (<see cref="IsServed"/>); everything else is <see cref="AcquireAsync"/>'s.
    /// </summary>
    private bool StandsInLine()
    {
        if (_lease is not null || _unprepared is not null || _waitsIn is not { } pool || (_pendingLoss ?? _refusal) is not null
            || _cancelsPending || _cancelRequested || _terminateRequested || _gate.IsPaused)
            return false;
        BeginWait();
        pool.Wait(_waiter);
        return true;
    }

    /// <summary>Is the wait in <see cref="_waitsIn"/> over: with a server or an error, or because something else must be seen to?</summary>
    private bool IsServed()
    {
        if (_waiter.Lease is not null || _waiter.Error is not null)
            return true;
        var pool = _waitsIn!;
        if (IsAbandoned() || _terminateRequested || _cancelRequested || _gate.IsPaused)
        {
            pool.Cancel(_waiter);
            return true;
        }
        if (!HasWaitedTooLong(pool))
            return false;
        pool.Cancel(_waiter);
        _waiter.Error = PoolShortage.AfterWaiting(pool, TimeSpan.FromMilliseconds(Loop.NowMs - _waitSince));
        return true;
    }

    /// <summary>The wait has given a server that can be used as it is, and the request is not to be cancelled.</summary>
    private bool HoldsGranted()
    {
        if (_waiter.Lease is not { } lease)
            return false;
        _waiter.Reset();
        EndWait();
        if (NeedsPreparation(lease))
        {
            _unprepared = lease;
            return false;
        }
        Hold(lease);
        if (!CancelIfAsked())
            _leaseIsFresh = true;
        return true;
    }

    /// <summary>Gets a server for the pending request within query_wait_timeout, and counts the time it took.</summary>
    private async Task<(ServerLease? Lease, ErrorMessage? Error)> WaitForLeaseAsync()
    {
        BeginWait();
        var result = await FindLeaseAsync();
        EndWait();
        return result;
    }

    /// <summary>Begins to wait, or goes on with a wait that has begun.</summary>
    private void BeginWait()
    {
        if (_waitSince != 0)
            return;
        _waitStarted = Stopwatch.GetTimestamp();
        _waitSince = Loop.NowMs;
        _waitIsTold = Pid == 0; // libpq takes no notices while it logs in.
        _waiter.Reset();
        _waitTimer ??= new Deadline(_signal);
        StartWaitTimer(_limits.Current);
    }

    private void EndWait()
    {
        _waitTimer!.Stop();
        _waitSince = 0;
        _waiter.Reset();
        _poolWaitTicks = Stopwatch.GetTimestamp() - _waitStarted;
        _counters.WaitTicks += _poolWaitTicks;
    }

    /// <summary>For what comes first: query_wait_notify or query_wait_timeout.</summary>
    private void StartWaitTimer(SessionLimits limits)
    {
        var waited = TimeSpan.FromMilliseconds(Loop.NowMs - _waitSince);
        var next = limits.QueryWaitTimeout;
        if (!_waitIsTold && limits.QueryWaitNotify > TimeSpan.Zero && (next <= TimeSpan.Zero || limits.QueryWaitNotify < next))
            next = limits.QueryWaitNotify;
        _waitTimer!.Start(next - waited);
    }

    /// <summary>
    /// Asked each time the wait is interrupted: true from query_wait_timeout on. At query_wait_notify the client gets a notice, once.
    /// </summary>
    /// <param name="pool">Where it waits; null = the database is paused.</param>
    private bool HasWaitedTooLong(ServerPool? pool)
    {
        if (!_waitTimer!.HasPassed)
            return false;
        var limits = _limits.Current;
        var waited = TimeSpan.FromMilliseconds(Loop.NowMs - _waitSince);
        if (limits.QueryWaitTimeout > TimeSpan.Zero && waited >= limits.QueryWaitTimeout)
            return true;
        if (!_waitIsTold && limits.QueryWaitNotify > TimeSpan.Zero && waited >= limits.QueryWaitNotify)
            TellOfWait(pool, waited);
        StartWaitTimer(limits);
        return false;
    }

    private void TellOfWait(ServerPool? pool, TimeSpan waited)
    {
        _waitIsTold = true;
        var message = pool is null ? PausedNotice(Identity.Database, waited) : PoolShortage.Notice(pool, waited);
        var writer = new MessageWriter();
        message.WriteNoticeResponse(writer);
        SendToClient(writer.WrittenSpan);
    }

    private static ErrorMessage PausedNotice(string database, TimeSpan waited) => new()
    {
        Severity = ErrorMessage.SeverityNotice,
        Code = SqlStates.SuccessfulCompletion,
        Message = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"waiting for database \"{database}\" for {waited.TotalSeconds:0} s: it is paused"),
    };
}
