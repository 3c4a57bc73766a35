using System.Diagnostics;
using System.Globalization;
using PgRouter.Core.Configuration;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The limits on how long a session may run, idle and hold a transaction. One slow timer per session, and none when no limit is set, looks
/// at moments that are noted anyway; nothing is armed per statement. Messages and SQLSTATEs are PostgreSQL's (ProcessInterrupts() in
/// postgres.c), with the setting in the detail.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>How long a server may take to answer a cancel request before its connection is given up.</summary>
    private const int CancelGraceMs = 5000;

    /// <summary>The shortest time between two looks.</summary>
    private const int LeastPauseMs = 100;

    private readonly LimitsInForce _limits;
    private LoopTimer? _limitTimer;
    private long _readyAtMs;

    /// <summary>When a block was begun that no server knew of at first; 0 = the transaction begins with its first request to a server.</summary>
    private long _beganAtMs;
    private long _timedOutRequest;
    private long _timedOutAtMs;
    private LocalReply? _timeoutReply;
    private Deadline? _loginDeadline;

    private bool IsBusy => _lease is { } lease && lease.Server.Owed.Count > 0;

    /// <summary>What is in force for this database and user. A console may idle, and wait, as long as it likes.</summary>
    private TimeLimits Limits => Identity.IsConsole ? default : TimeLimits.Of(_limits.Current);

    /// <summary>Puts changed limits into force. Any thread.</summary>
    public void ReadLimits() => Loop.Post(
        static state =>
        {
            ((ClientSession)state!).ReadBounds();
            ((ClientSession)state!).ArmLimits();
        },
        this);

    private void StartLimits()
    {
        _readyAtMs = Loop.NowMs;
        ReadBounds();
        ArmLimits();
    }

    private void StopLimits()
    {
        if (_limitTimer is not null)
            Loop.Timers.Disarm(_limitTimer);
    }

    private void ArmLimits()
    {
        var limits = Limits;
        var stall = StallLimit;
        if (_ended || (!limits.Any && stall <= TimeSpan.Zero))
        {
            StopLimits();
            return;
        }
        _limitTimer ??= new LoopTimer(static state => ((ClientSession)state!).CheckLimits(), this);
        var next = limits.NextCheckMs(ReadClock());
        if (stall > TimeSpan.Zero)
            next = Math.Min(next, Loop.NowMs + (long)(stall.TotalMilliseconds / 2));
        Loop.Timers.Arm(_limitTimer, Math.Max(next, Loop.NowMs + LeastPauseMs));
    }

    private void CheckLimits()
    {
        if (!_gate.IsSuspended)
            Enforce(Limits);
        CheckStall();
        ArmLimits();
    }

    private void Enforce(in TimeLimits limits)
    {
        switch (limits.Reached(ReadClock()))
        {
            case TimeLimit.Query:
                CancelQuery(limits.Query);
                break;
            case TimeLimit.IdleTransaction:
                EndFor(SqlStates.IdleInTransactionSessionTimeout, "terminating connection due to idle-in-transaction timeout",
                    "idle_transaction_timeout", limits.IdleTransaction);
                break;
            case TimeLimit.Transaction:
                EndFor(SqlStates.TransactionTimeout, "terminating connection due to transaction timeout", "transaction_timeout", limits.Transaction);
                break;
            case TimeLimit.ClientIdle:
                EndFor(SqlStates.IdleSessionTimeout, "terminating connection due to idle-session timeout", "client_idle_limit", limits.ClientIdle);
                break;
        }
    }

    private LimitClock ReadClock()
    {
        var now = Loop.NowMs;
        var inTransaction = Status != TransactionStatus.Idle;
        var transactionSince = _beganAtMs != 0 ? _beganAtMs : LoopTimeOf(_transactionStarted);
        if (_lease is not { } lease)
        {
            var idleSince = IdleSince();
            return new LimitClock(
                now, LimitClock.Never, inTransaction ? idleSince : LimitClock.Never, inTransaction ? transactionSince : LimitClock.Never, idleSince);
        }
        var server = lease.Server;
        var isBusy = server.Owed.Count > 0;
        var requestMs = LoopTimeOf(server.RequestStarted);
        // While the client sends COPY data, or a long message, it is not the server that takes its time.
        var querySince = _copyingIn || _streaming > 0 ? Math.Max(requestMs, _lastActivityMs) : requestMs;
        return new LimitClock(
            now,
            isBusy ? querySince : LimitClock.Never,
            inTransaction && !isBusy && !_unsynced ? Math.Max(requestMs, _lastActivityMs) : LimitClock.Never,
            inTransaction || (isBusy && _beganAtMs != 0) ? transactionSince : isBusy ? requestMs : LimitClock.Never,
            isBusy ? LimitClock.Never : IdleSince());
    }

    /// <summary>COMMIT AND CHAIN: the transaction that follows is another one.</summary>
    private void RestartTransactionClock()
    {
        _beganAtMs = 0;
        _transactionStarted = Stopwatch.GetTimestamp();
    }

    private long IdleSince() => _waitSince != 0 || _isCommandRunning ? LimitClock.Never : Math.Max(_lastActivityMs, _readyAtMs);

    private long LoopTimeOf(long stopwatchTicks) => Loop.NowMs - (long)Stopwatch.GetElapsedTime(stopwatchTicks).TotalMilliseconds;

    /// <summary>query_timeout: the server is asked to cancel; if it does not answer that either, the client is let go.</summary>
    private void CancelQuery(TimeSpan limit)
    {
        var server = _lease!.Server;
        if (_timedOutRequest != server.RequestStarted)
        {
            _timedOutRequest = server.RequestStarted;
            _timedOutAtMs = Loop.NowMs;
            _timeoutReply = LocalReply.Error(
                SqlStates.QueryCanceled, "canceling statement due to query timeout", SettingDetail("query_timeout", limit));
            _ = ServerCancel.SendAsync(server, _services.Config().ServerConnectTimeout);
        }
        else if (Loop.NowMs - _timedOutAtMs >= CancelGraceMs)
        {
            EndFor(SqlStates.QueryCanceled, "terminating connection due to query timeout: the server did not answer the cancel request",
                "query_timeout", limit);
        }
    }

    /// <summary>In place of the server's "canceling statement due to user request", when it was query_timeout that canceled.</summary>
    private LocalReply? TimeoutReply(ServerConnection server, ReadOnlySpan<byte> code) =>
        _timedOutRequest != 0 && _timedOutRequest == server.RequestStarted && code.SequenceEqual("57014"u8) ? _timeoutReply : null;

    /// <summary>Ends the session; what its server still runs is canceled, because nobody will read the answer.</summary>
    private void EndFor(string sqlState, string message, string setting, TimeSpan limit)
    {
        if (IsBusy)
            _breakReason = setting;
        SendNow(ErrorMessage.Fatal(sqlState, message, SettingDetail(setting, limit)));
        Finish(setting);
        _signal.Set();
    }

    private static string SettingDetail(string setting, TimeSpan limit) =>
        string.Create(CultureInfo.InvariantCulture, $"{setting} of the router is {limit.TotalSeconds} s.");
}
