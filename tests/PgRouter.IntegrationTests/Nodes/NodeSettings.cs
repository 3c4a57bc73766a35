namespace PgRouter.IntegrationTests.Nodes;

/// <summary>Small periods, so that a dead node is down and a living one up within a few seconds.</summary>
internal static class NodeSettings
{
    /// <summary>The lines of pgpool.conf.</summary>
    public static Dictionary<string, string> Quick => new()
    {
        ["health_check_period"] = "1",
        ["health_check_timeout"] = "2",
        ["health_check_max_retries"] = "1",
        ["health_check_retry_delay"] = "1",
        ["sr_check_period"] = "1",
        ["connect_timeout"] = "2000",
        ["pgrouter.failover_hold"] = "1",
    };

    /// <summary>Period + timeout + retries x delay of <see cref="Quick"/>, which docs/health.md promises, and as much again for a busy machine.</summary>
    public static TimeSpan DownWithin { get; } = TimeSpan.FromSeconds(2 * (1 + 2 + 1));

    /// <summary>Two good probes and the start of a connection, with room for a busy machine.</summary>
    public static TimeSpan UpWithin { get; } = TimeSpan.FromSeconds(30);
}
