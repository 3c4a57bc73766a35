namespace PgRouter.Core.Configuration.Settings;

/// <summary>
/// The settings that a database or a user can have for itself. Each takes type, unit and range from the setting for all; the names are
/// those of PgBouncer's [databases] and [users] sections.
/// </summary>
internal static class ScopedSettings
{
    private const ScopeKind Both = ScopeKind.Database | ScopeKind.User;

    public static IReadOnlyList<Setting> Rows { get; } =
    [
        Row("pool_mode", "pool_mode", Both, (o, v) => o with { PoolMode = Enum.Parse<PoolMode>(v.Text, ignoreCase: true) }),
        Row("pool_size", "default_pool_size", Both, (o, v) => o with { PoolSize = (int)v.Integer }),
        Row("min_pool_size", "min_pool_size", Both, (o, v) => o with { MinPoolSize = (int)v.Integer }),
        Row("reserve_pool_size", "reserve_pool_size", Both, (o, v) => o with { ReservePoolSize = (int)v.Integer }, "reserve_pool"),
        Row("reserve_pool_timeout", "reserve_pool_timeout", Both, (o, v) => o with { ReservePoolTimeout = v.Duration }),
        Row("max_db_connections", "max_db_connections", ScopeKind.Database, (o, v) => o with { MaxDbConnections = (int)v.Integer }),
        Row("max_db_client_connections", "max_db_client_connections", ScopeKind.Database,
            (o, v) => o with { MaxDbClientConnections = (int)v.Integer }),
        Row("max_user_connections", "max_user_connections", ScopeKind.User, (o, v) => o with { MaxUserConnections = (int)v.Integer }),
        Row("max_user_client_connections", "max_user_client_connections", ScopeKind.User,
            (o, v) => o with { MaxUserClientConnections = (int)v.Integer }),
        Row("server_lifetime", "connection_life_time", Both, (o, v) => o with { ServerLifetime = v.Duration }, "connection_life_time"),
        Row("server_idle_timeout", "server_idle_timeout", Both, (o, v) => o with { ServerIdleTimeout = v.Duration }),
        Row("query_wait_timeout", "query_wait_timeout", Both, (o, v) => o with { QueryWaitTimeout = v.Duration }),
        Row("query_wait_notify", "query_wait_notify", Both, (o, v) => o with { QueryWaitNotify = v.Duration }),
        Row("query_timeout", "query_timeout", Both, (o, v) => o with { QueryTimeout = v.Duration }),
        Row("transaction_timeout", "transaction_timeout", Both, (o, v) => o with { TransactionTimeout = v.Duration }),
        Row("idle_transaction_timeout", "idle_transaction_timeout", Both, (o, v) => o with { IdleTransactionTimeout = v.Duration }),
        Row("read_consistency", "pgrouter.read_consistency", Both, (o, v) => o with { ReadConsistency = ConsistencySettings.Level(v) }, "pgrouter.read_consistency"),
        Row("consistency_wait", "pgrouter.consistency_wait", Both, (o, v) => o with { ConsistencyWait = v.Duration }, "pgrouter.consistency_wait"),
        Row("client_idle_timeout", "client_idle_limit", Both, (o, v) => o with { ClientIdleTimeout = v.Duration }, "client_idle_limit"),
    ];

    /// <summary>The row of a scoped name, or null and what is wrong with the name.</summary>
    public static (Setting? Setting, string Problem) Find(ScopedName name)
    {
        var row = Rows.FirstOrDefault(row => row.AllNames.Contains(name.Setting));
        if (row is not null && (row.Scopes & name.Scope.Kind) != 0)
            return (row, "");
        var what = name.Scope.Kind == ScopeKind.Database ? "database" : "user";
        if (row is not null)
            return (null, $"a {what} has no {row.Name} of its own, a {(what == "user" ? "database" : "user")} has");
        return (null, Nearest(name) is { } near ? $"no such setting of a {what}; did you mean {near}?" : NotScoped(name, what));
    }

    private static string? Nearest(ScopedName name)
    {
        var (best, distance) = Rows.Where(row => (row.Scopes & name.Scope.Kind) != 0).SelectMany(row => row.AllNames)
            .Select(known => (Known: known, Distance: EditDistance.Between(name.Setting, known)))
            .MinBy(candidate => candidate.Distance);
        return distance <= 1 + name.Setting.Length / 5 ? (name with { Setting = best }).ToString() : null;
    }

    private static string NotScoped(ScopedName name, string what)
    {
        var names = string.Join(", ", Rows.Where(row => (row.Scopes & name.Scope.Kind) != 0).Select(row => row.Name));
        return SettingTable.TryFind(name.Setting, out _, out _)
            ? $"{name.Setting} is for all, a {what} cannot have its own; write {name.Setting} = ..., or one of {names} here"
            : $"no such setting of a {what}; there are {names}";
    }

    private static Setting Row(
        string name, string common, ScopeKind scopes, Func<LimitOverrides, SettingValue, LimitOverrides> apply, params string[] otherNames)
    {
        var row = PoolingSettings.Rows.Concat(ConsistencySettings.Rows).First(row => row.Name == common);
        return row with
        {
            Name = name,
            PgBouncerName = null,
            OldNames = otherNames,
            Apply = null,
            InForce = null,
            Scopes = scopes,
            ApplyToLimits = apply,
        };
    }
}
