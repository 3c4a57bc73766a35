namespace PgRouter.Core.Pooling;

/// <summary>
/// After a server could not be opened: why, and until when no other is tried. The pause begins with server_login_retry and doubles with
/// each failure; a success ends it. Guarded by the opener's lock.
/// </summary>
internal sealed class LoginBackoff
{
    /// <summary>The longest pause, unless server_login_retry itself is longer: PgBouncer's server_login_retry.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>What a standby may only not have replayed yet is asked for again soon.</summary>
    private static readonly TimeSpan ReplayPause = TimeSpan.FromSeconds(1);

    private int _failures;

    /// <summary>Why the last server could not be opened; null when it could.</summary>
    public PoolError? Reason { get; private set; }

    /// <summary>Environment.TickCount64 of the next try.</summary>
    public long RetryAtMs { get; private set; }

    public bool IsPausing => Reason is not null && Environment.TickCount64 < RetryAtMs;

    public void Succeeded()
    {
        Reason = null;
        _failures = 0;
    }

    public void Failed(PoolError error, TimeSpan loginRetry)
    {
        Reason = error;
        RetryAtMs = Environment.TickCount64 + (long)Pause(error, loginRetry, _failures++).TotalMilliseconds;
    }

    /// <summary>What was wrong may have been mended: the next one tries at once.</summary>
    public void EndPause() => RetryAtMs = 0;

    /// <summary>The pause after a failure. A node that is not there has none: health decides when it is used again.</summary>
    /// <param name="error">The failure.</param>
    /// <param name="loginRetry">server_login_retry.</param>
    /// <param name="before">Failures just before this one.</param>
    public static TimeSpan Pause(PoolError error, TimeSpan loginRetry, int before)
    {
        if (error.IsUnreachable)
            return TimeSpan.Zero;
        var first = error.MayBeBehind && loginRetry > ReplayPause ? ReplayPause : loginRetry;
        var most = loginRetry > LongestPause ? loginRetry : LongestPause;
        var grown = first * Math.Pow(2, Math.Min(before, 20));
        return grown < most ? grown : most;
    }
}
