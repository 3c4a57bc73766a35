namespace PgRouter.Core.Configuration;

/// <summary>
/// What the lines of one database or of one user say (<c>database.NAME.*</c>, <c>user.NAME.*</c>); null = no line of its own. The meaning
/// of each value stands at <see cref="SessionLimits"/>. Immutable.
/// </summary>
internal sealed record LimitOverrides
{
    public static readonly LimitOverrides None = new();

    public PoolMode? PoolMode { get; init; }

    public int? PoolSize { get; init; }

    public int? MinPoolSize { get; init; }

    public int? ReservePoolSize { get; init; }

    public TimeSpan? ReservePoolTimeout { get; init; }

    public int? MaxDbConnections { get; init; }

    public int? MaxUserConnections { get; init; }

    public int? MaxDbClientConnections { get; init; }

    public int? MaxUserClientConnections { get; init; }

    public TimeSpan? ServerLifetime { get; init; }

    public TimeSpan? ServerIdleTimeout { get; init; }

    public TimeSpan? QueryWaitTimeout { get; init; }

    public TimeSpan? QueryWaitNotify { get; init; }

    public TimeSpan? QueryTimeout { get; init; }

    public TimeSpan? TransactionTimeout { get; init; }

    public TimeSpan? IdleTransactionTimeout { get; init; }

    public TimeSpan? ClientIdleTimeout { get; init; }

    public ReadConsistency? ReadConsistency { get; init; }

    public TimeSpan? ConsistencyWait { get; init; }
}

/// <summary>The lines of all databases and users. Immutable; a part of <see cref="RouterConfig"/>.</summary>
internal sealed class LimitOverrideTable(IReadOnlyDictionary<ScopeOf, LimitOverrides> scopes)
{
    public static readonly LimitOverrideTable Empty = new(new Dictionary<ScopeOf, LimitOverrides>());

    /// <summary>Names of the databases that have lines of their own.</summary>
    public IEnumerable<string> Databases => NamesOf(ScopeKind.Database);

    /// <summary>Names of the users that have lines of their own.</summary>
    public IEnumerable<string> Users => NamesOf(ScopeKind.User);

    /// <summary>The lines of one database or user alone, without those of all.</summary>
    public LimitOverrides OwnOf(ScopeKind kind, string name) => Find(new ScopeOf(kind, name));

    /// <summary>The lines of all databases or of all users.</summary>
    public LimitOverrides OfAll(ScopeKind kind) => Find(new ScopeOf(kind, null));

    /// <summary>The lines that concern a database and a user, the strongest first.</summary>
    public LimitOverrides[] Of(string database, string user) => scopes.Count == 0
        ? []
        : [OwnOf(ScopeKind.User, user), OwnOf(ScopeKind.Database, database), OfAll(ScopeKind.User), OfAll(ScopeKind.Database)];

    private IEnumerable<string> NamesOf(ScopeKind kind) =>
        scopes.Keys.Where(scope => scope.Kind == kind).Select(scope => scope.Name).OfType<string>().Order(StringComparer.Ordinal);

    private LimitOverrides Find(ScopeOf scope) => scopes.GetValueOrDefault(scope, LimitOverrides.None);
}

/// <summary>What a line can be about besides everything.</summary>
[Flags]
internal enum ScopeKind : byte
{
    Database = 1,
    User = 2,
}

/// <summary>One database or user, or all of them.</summary>
/// <param name="Name">Compared byte by byte, as PostgreSQL does at login; null = all.</param>
internal readonly record struct ScopeOf(ScopeKind Kind, string? Name);
