using PgRouter.Core.Cluster;

namespace PgRouter.Core.Configuration;

/// <summary>
/// The configuration while it is put together from single values. What depends on several settings is kept apart until
/// <see cref="Finish"/>. Used by one thread.
/// </summary>
internal sealed class ConfigDraft
{
    /// <summary>The port of a backend whose port is not given: PostgreSQL's.</summary>
    public const int DefaultBackendPort = 5432;

    /// <summary>pgpool's num_init_children and max_pool, where one is not given.</summary>
    private const int DefaultNumInitChildren = 32;
    private const int DefaultMaxPool = 4;

    private readonly SortedDictionary<int, NodeConfig> _nodes = [];
    private readonly Dictionary<int, List<Func<HealthCheckConfig, HealthCheckConfig>>> _healthPerNode = [];
    private readonly Dictionary<int, List<Func<ServerTlsConfig, ServerTlsConfig>>> _tlsPerNode = [];
    private readonly Dictionary<ScopeOf, LimitOverrides> _limits = [];

    public RouterConfig Config { get; set; } = new();

    /// <summary>backend_clustering_mode = raw: nothing is balanced.</summary>
    public bool IsRaw { get; set; }

    public int? DefaultPoolSize { get; set; }

    public int? NumInitChildren { get; set; }

    public int? MaxPool { get; set; }

    public TimeSpan? ConnectTimeout { get; set; }

    public TimeSpan? ServerIdleTimeout { get; set; }

    public TimeSpan? ChildLifeTime { get; set; }

    public TimeSpan? ServerConnectTimeout { get; set; }

    public bool? Ssl { get; set; }

    /// <summary>PgBouncer's client_tls_sslmode, which counts before ssl.</summary>
    public TlsMode? ClientTlsMode { get; set; }

    /// <summary>Changes one node; a number that was not seen before begins a new one.</summary>
    public void ChangeNode(int id, Func<NodeConfig, NodeConfig> change)
    {
        var node = _nodes.TryGetValue(id, out var known) ? known : new NodeConfig { Id = id, Host = "", Port = DefaultBackendPort };
        _nodes[id] = change(node);
    }

    /// <summary>Changes the lines of one database or user, or of all.</summary>
    public void ChangeLimits(ScopeOf scope, Func<LimitOverrides, LimitOverrides> change) =>
        _limits[scope] = change(_limits.GetValueOrDefault(scope, LimitOverrides.None));

    /// <summary>Changes the health check of every node, or of one.</summary>
    public void ChangeHealth(int? nodeId, Func<HealthCheckConfig, HealthCheckConfig> change)
    {
        if (nodeId is not { } id)
        {
            Config = Config with { HealthCheck = change(Config.HealthCheck) };
            return;
        }
        if (!_healthPerNode.TryGetValue(id, out var changes))
            _healthPerNode[id] = changes = [];
        changes.Add(change);
    }

    /// <summary>Changes the encryption towards every node, or towards one.</summary>
    public void ChangeServerTls(int? nodeId, Func<ServerTlsConfig, ServerTlsConfig> change)
    {
        if (nodeId is not { } id)
        {
            Config = Config with { ServerTls = change(Config.ServerTls) };
            return;
        }
        if (!_tlsPerNode.TryGetValue(id, out var changes))
            _tlsPerNode[id] = changes = [];
        changes.Add(change);
    }

    /// <summary>Settles what depends on several settings, whatever the order they stood in.</summary>
    public RouterConfig Finish()
    {
        var connectTimeout = ServerConnectTimeout ?? ConnectTimeout ?? Config.ServerConnectTimeout;
        var health = WithCheckUser(Config.HealthCheck);
        var tls = Config.ServerTls with
        {
            AuthorityFile = Config.ServerTls.AuthorityFile.Length > 0 ? Config.ServerTls.AuthorityFile : Config.ClientTls.AuthorityFile,
        };
        return Config with
        {
            Nodes = [.. _nodes.Values.Where(node => node.Host.Length > 0).Select(node => node with { Tls = TlsOf(node.Id, tls) })],
            ServerTls = tls,
            ClientTls = Config.ClientTls with { Mode = ClientTlsMode ?? (Ssl is true ? TlsMode.Allow : TlsMode.Disable) },
            LoadBalanceMode = Config.LoadBalanceMode && !IsRaw,
            DefaultPoolSize = PoolSize(),
            MaxNodeConnections = NodeLimit(),
            MaxClientConn = ClientLimit(),
            ServerCheckDelay = Config.ServerCheckQuery.Length == 0 ? TimeSpan.MaxValue : Config.ServerCheckDelay,
            ServerIdleTimeout = ServerIdleTimeout ?? ChildLifeTime ?? Config.ServerIdleTimeout,
            Overrides = new LimitOverrideTable(_limits),
            ServerConnectTimeout = connectTimeout,
            HealthCheck = health,
            HealthCheckPerNode = _healthPerNode.ToDictionary(
                own => own.Key,
                own => own.Value.Aggregate(health, (config, change) => change(config))),
        };
    }

    private ServerTlsConfig TlsOf(int nodeId, ServerTlsConfig common) =>
        _tlsPerNode.TryGetValue(nodeId, out var changes) ? changes.Aggregate(common, (tls, change) => change(tls)) : common;

    /// <summary>
    /// PgBouncer's default_pool_size if it is given; else what pgpool could use at once for one database and user, num_init_children; else
    /// the default.
    /// </summary>
    private int PoolSize()
    {
        if (DefaultPoolSize is { } size)
            return size;
        return NumInitChildren ?? (MaxPool is null ? Config.DefaultPoolSize : DefaultNumInitChildren);
    }

    /// <summary>num_init_children x max_pool, pgpool's limit per node, when either is given; 0 = no limit.</summary>
    private int NodeLimit() => NumInitChildren is null && MaxPool is null
        ? 0
        : (int)Math.Min(int.MaxValue, (long)(NumInitChildren ?? DefaultNumInitChildren) * (MaxPool ?? DefaultMaxPool));

    /// <summary>pgpool's reserved_connections counts down from num_init_children, its limit on clients.</summary>
    private int ClientLimit() => Config.MaxClientConn == 0 && Config.ReservedConnections > 0
        ? NumInitChildren ?? DefaultNumInitChildren
        : Config.MaxClientConn;

    /// <summary>Without an account of its own the health check uses the streaming replication check's.</summary>
    private HealthCheckConfig WithCheckUser(HealthCheckConfig health) =>
        health.User.Length > 0 ? health : health with { User = Config.SrCheckUser, Password = Config.SrCheckPassword };
}
