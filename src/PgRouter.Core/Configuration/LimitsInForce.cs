using System.Collections.Concurrent;

namespace PgRouter.Core.Configuration;

/// <summary>The limits of one database and user as of the configuration in force; worked out again after a reload. Any thread.</summary>
internal sealed class LimitsInForce(Func<RouterConfig> config, string database, string user)
{
    private volatile Resolved? _resolved;

    /// <summary>Costs a comparison while the configuration is the same.</summary>
    public SessionLimits Current
    {
        get
        {
            var now = config();
            var resolved = _resolved;
            if (resolved is null || !ReferenceEquals(resolved.Config, now))
                _resolved = resolved = new Resolved(now, SessionLimits.For(now, database, user));
            return resolved.Limits;
        }
    }

    private sealed record Resolved(RouterConfig Config, SessionLimits Limits);
}

/// <summary>The limits of every database and user that was asked for; one object for all its sessions and pools. Any thread.</summary>
internal sealed class LimitBook(Func<RouterConfig> config)
{
    private readonly ConcurrentDictionary<(string Database, string User), LimitsInForce> _limits = new();

    public LimitsInForce For(string database, string user) =>
        _limits.GetOrAdd((database, user), static (key, config) => new LimitsInForce(config, key.Database, key.User), config);
}
