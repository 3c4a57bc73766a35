using PgRouter.Core.Configuration;

namespace PgRouter.Core.Sessions;

/// <summary>A limit on how long a session may stay in a state.</summary>
internal enum TimeLimit
{
    None,

    /// <summary>query_timeout: one request, from the moment it was sent to a server.</summary>
    Query,

    /// <summary>idle_transaction_timeout: nothing asked while a transaction is open.</summary>
    IdleTransaction,

    /// <summary>transaction_timeout: one transaction, or one statement outside of one.</summary>
    Transaction,

    /// <summary>client_idle_limit: nothing asked at all.</summary>
    ClientIdle,
}

/// <summary>The limits in force for a session; zero = none.</summary>
internal readonly record struct TimeLimits(TimeSpan Query, TimeSpan IdleTransaction, TimeSpan Transaction, TimeSpan ClientIdle)
{
    public bool Any => Query > TimeSpan.Zero || IdleTransaction > TimeSpan.Zero || Transaction > TimeSpan.Zero || ClientIdle > TimeSpan.Zero;

    public static TimeLimits Of(SessionLimits limits) =>
        new(limits.QueryTimeout, limits.IdleTransactionTimeout, limits.TransactionTimeout, limits.ClientIdleTimeout);

    /// <summary>The limit that has been reached. One that ends the session goes before one that ends its statement.</summary>
    public TimeLimit Reached(in LimitClock clock)
    {
        if (IsOver(Transaction, clock.TransactionSinceMs, clock.NowMs))
            return TimeLimit.Transaction;
        if (IsOver(IdleTransaction, clock.IdleTransactionSinceMs, clock.NowMs))
            return TimeLimit.IdleTransaction;
        if (IsOver(ClientIdle, clock.IdleSinceMs, clock.NowMs))
            return TimeLimit.ClientIdle;
        return IsOver(Query, clock.QuerySinceMs, clock.NowMs) ? TimeLimit.Query : TimeLimit.None;
    }

    /// <summary>
    /// When to look again (loop clock): at the end of each state that is timed now, and early enough for one that may begin right away, so
    /// that nothing has to be armed when it begins.
    /// </summary>
    public long NextCheckMs(in LimitClock clock) => Math.Min(
        Math.Min(End(Query, clock.QuerySinceMs, clock.NowMs), End(IdleTransaction, clock.IdleTransactionSinceMs, clock.NowMs)),
        Math.Min(End(Transaction, clock.TransactionSinceMs, clock.NowMs), End(ClientIdle, clock.IdleSinceMs, clock.NowMs)));

    private static bool IsOver(TimeSpan limit, long sinceMs, long nowMs) =>
        limit > TimeSpan.Zero && sinceMs != LimitClock.Never && nowMs - sinceMs >= limit.TotalMilliseconds;

    private static long End(TimeSpan limit, long sinceMs, long nowMs) =>
        limit > TimeSpan.Zero ? (sinceMs == LimitClock.Never ? nowMs : sinceMs) + (long)Math.Ceiling(limit.TotalMilliseconds) : long.MaxValue;
}

/// <summary>Since when a session has been in each of the states that are limited, on its loop's clock; <see cref="Never"/> = it is not.</summary>
internal readonly record struct LimitClock(
    long NowMs, long QuerySinceMs, long IdleTransactionSinceMs, long TransactionSinceMs, long IdleSinceMs)
{
    public const long Never = long.MinValue;
}
