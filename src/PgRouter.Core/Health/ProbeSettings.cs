using PgRouter.Core.Configuration;

namespace PgRouter.Core.Health;

/// <summary>How to log in to a node and how long to wait. A change of any of them makes the probe connect anew.</summary>
internal sealed record ProbeSettings
{
    // A probe without any limit could wait for ever on a host that swallows packets.
    private static readonly TimeSpan FallbackLimit = TimeSpan.FromSeconds(20);

    /// <summary>health_check_user, else sr_check_user; empty = do not log in, only see whether the node answers.</summary>
    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    public string Database { get; init; } = "";

    /// <summary>connect_timeout; zero = <see cref="Limit"/>.</summary>
    public TimeSpan ConnectTimeout { get; init; }

    /// <summary>Longest one attempt may take: health_check_timeout, else connect_timeout, else 20 s.</summary>
    public TimeSpan Limit { get; init; }

    public static ProbeSettings For(RouterConfig config, int nodeId)
    {
        var health = config.HealthFor(nodeId);
        var own = health.User.Length > 0;
        var database = own ? health.Database : config.SrCheckDatabase;
        var limit = LimitOf(health);
        return new ProbeSettings
        {
            User = own ? health.User : config.SrCheckUser,
            Password = own ? health.Password : config.SrCheckPassword,
            Database = database.Length > 0 ? database : "postgres",
            ConnectTimeout = health.ConnectTimeout > TimeSpan.Zero ? health.ConnectTimeout : limit,
            Limit = limit,
        };
    }

    /// <summary>The limit of one attempt under these settings.</summary>
    public static TimeSpan LimitOf(HealthCheckConfig health)
    {
        if (health.Timeout > TimeSpan.Zero)
            return health.Timeout;
        return health.ConnectTimeout > TimeSpan.Zero ? health.ConnectTimeout : FallbackLimit;
    }

    /// <summary>Without the password.</summary>
    public override string ToString() => $"user={User} database={Database}";
}
