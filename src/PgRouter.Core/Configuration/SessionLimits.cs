namespace PgRouter.Core.Configuration;

/// <summary>
/// What is in force for the clients and the servers of one database and one user: each value is the user's own line, else the database's,
/// else the line of all users (<c>user.*</c>), else that of all databases (<c>database.*</c>), else the setting of the same meaning.
/// Immutable.
/// </summary>
internal sealed record SessionLimits
{
    /// <summary>pool_mode.</summary>
    public required PoolMode PoolMode { get; init; }

    /// <summary>pool_size (default_pool_size): servers per node.</summary>
    public required int PoolSize { get; init; }

    /// <summary>min_pool_size: servers kept open per node; never more than <see cref="PoolSize"/>.</summary>
    public required int MinPoolSize { get; init; }

    /// <summary>reserve_pool_size: servers per node beyond <see cref="PoolSize"/>, for clients that have waited long.</summary>
    public required int ReservePoolSize { get; init; }

    /// <summary>reserve_pool_timeout: the wait after which the reserve is used; zero = never.</summary>
    public required TimeSpan ReservePoolTimeout { get; init; }

    /// <summary>max_db_connections: servers of the database, all users and nodes together; 0 = no limit.</summary>
    public required int MaxDbConnections { get; init; }

    /// <summary>max_user_connections: servers of the user, all databases and nodes together; 0 = no limit.</summary>
    public required int MaxUserConnections { get; init; }

    /// <summary>max_db_client_connections: clients of the database; 0 = no limit.</summary>
    public required int MaxDbClientConnections { get; init; }

    /// <summary>max_user_client_connections: clients of the user; 0 = no limit.</summary>
    public required int MaxUserClientConnections { get; init; }

    /// <summary>server_lifetime (connection_life_time): age at which a server is closed; zero = never.</summary>
    public required TimeSpan ServerLifetime { get; init; }

    /// <summary>server_idle_timeout: time without use after which a server is closed; zero = never.</summary>
    public required TimeSpan ServerIdleTimeout { get; init; }

    /// <summary>query_wait_timeout: longest wait for a server; zero = for ever.</summary>
    public required TimeSpan QueryWaitTimeout { get; init; }

    /// <summary>query_wait_notify: the wait after which a client is told that it waits; zero = never.</summary>
    public required TimeSpan QueryWaitNotify { get; init; }

    /// <summary>query_timeout: longest statement; zero = no limit.</summary>
    public required TimeSpan QueryTimeout { get; init; }

    /// <summary>transaction_timeout: longest transaction; zero = no limit.</summary>
    public required TimeSpan TransactionTimeout { get; init; }

    /// <summary>idle_transaction_timeout: longest time between the statements of a transaction; zero = no limit.</summary>
    public required TimeSpan IdleTransactionTimeout { get; init; }

    /// <summary>client_idle_timeout (client_idle_limit): longest time without a request; zero = no limit.</summary>
    public required TimeSpan ClientIdleTimeout { get; init; }

    /// <summary>pgrouter.read_consistency: what a read must see, when the session says nothing.</summary>
    public required ReadConsistency ReadConsistency { get; init; }

    /// <summary>pgrouter.consistency_wait: how long a read may wait for a standby before it runs on the primary.</summary>
    public required TimeSpan ConsistencyWait { get; init; }

    /// <summary>The values for a database and a user. Any thread; takes a few look-ups and makes one object.</summary>
    public static SessionLimits For(RouterConfig config, string database, string user) => Join(config, config.Overrides.Of(database, user));

    /// <summary>What a database gives to users that have no lines of their own.</summary>
    public static SessionLimits OfDatabase(RouterConfig config, string database) =>
        Join(config, [config.Overrides.OwnOf(ScopeKind.Database, database), config.Overrides.OfAll(ScopeKind.Database)]);

    private static SessionLimits Join(RouterConfig config, LimitOverrides[] lines)
    {
        var poolSize = Pick(o => o.PoolSize) ?? config.DefaultPoolSize;
        return new SessionLimits
        {
            PoolMode = Pick(o => o.PoolMode) ?? config.PoolMode,
            PoolSize = poolSize,
            MinPoolSize = Math.Min(poolSize, Pick(o => o.MinPoolSize) ?? config.MinPoolSize),
            ReservePoolSize = Pick(o => o.ReservePoolSize) ?? config.ReservePoolSize,
            ReservePoolTimeout = Pick(o => o.ReservePoolTimeout) ?? config.ReservePoolTimeout,
            MaxDbConnections = Pick(o => o.MaxDbConnections) ?? config.MaxDbConnections,
            MaxUserConnections = Pick(o => o.MaxUserConnections) ?? config.MaxUserConnections,
            MaxDbClientConnections = Pick(o => o.MaxDbClientConnections) ?? config.MaxDbClientConnections,
            MaxUserClientConnections = Pick(o => o.MaxUserClientConnections) ?? config.MaxUserClientConnections,
            ServerLifetime = Pick(o => o.ServerLifetime) ?? config.ServerLifetime,
            ServerIdleTimeout = Pick(o => o.ServerIdleTimeout) ?? config.ServerIdleTimeout,
            QueryWaitTimeout = Pick(o => o.QueryWaitTimeout) ?? config.QueryWaitTimeout,
            QueryWaitNotify = Pick(o => o.QueryWaitNotify) ?? config.QueryWaitNotify,
            QueryTimeout = Pick(o => o.QueryTimeout) ?? config.QueryTimeout,
            TransactionTimeout = Pick(o => o.TransactionTimeout) ?? config.TransactionTimeout,
            IdleTransactionTimeout = Pick(o => o.IdleTransactionTimeout) ?? config.IdleTransactionTimeout,
            ClientIdleTimeout = Pick(o => o.ClientIdleTimeout) ?? config.ClientIdleLimit,
            ReadConsistency = AtLeast(Pick(o => o.ReadConsistency) ?? config.ReadConsistency, config.LeastConsistency),
            ConsistencyWait = Pick(o => o.ConsistencyWait) ?? config.ConsistencyWait,
        };

        static ReadConsistency AtLeast(ReadConsistency level, ReadConsistency least) => level > least ? level : least;

        T? Pick<T>(Func<LimitOverrides, T?> value)
            where T : struct
        {
            foreach (var line in lines)
            {
                if (value(line) is { } own)
                    return own;
            }
            return null;
        }
    }
}
