using PgRouter.Core.Cluster;

namespace PgRouter.Core.Configuration;

/// <summary>
/// All settings after reading, checking and defaulting. Immutable; a reload swaps it whole. Sessions read it once per request.
/// Each property names the setting it comes from; the table of settings (<c>SettingTable</c>) is where names, units, defaults and
/// documentation stand.
/// </summary>
internal sealed record RouterConfig
{
    /// <summary>PgBouncer's word in server_check_query for a query without text.</summary>
    public const string EmptyQuery = "<empty>";

    /// <summary>auth_query where none is given: name, secret and the end of its validity.</summary>
    public const string DefaultAuthQuery =
        "SELECT rolname, rolpassword, rolvaliduntil FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin";

    /// <summary>listen_addresses: "*" = all, empty = no TCP.</summary>
    public IReadOnlyList<string> ListenAddresses { get; init; } = ["localhost"];

    /// <summary>port.</summary>
    public int Port { get; init; } = 9999;

    /// <summary>unix_socket_directories (socket_dir); empty = no Unix socket.</summary>
    public IReadOnlyList<string> UnixSocketDirectories { get; init; } = ["/tmp"];

    /// <summary>unix_socket_permissions, as a mode.</summary>
    public int UnixSocketPermissions { get; init; } = 511;

    /// <summary>backend_*N.</summary>
    public IReadOnlyList<NodeConfig> Nodes { get; init; } = [];

    /// <summary>load_balance_mode.</summary>
    public bool LoadBalanceMode { get; init; } = true;

    /// <summary>pgrouter.balance_policy.</summary>
    public BalancePolicy BalancePolicy { get; init; }

    /// <summary>statement_level_load_balance: off = a session keeps the node it was given first, as long as that may serve reads.</summary>
    public bool StatementLevelLoadBalance { get; init; } = true;

    /// <summary>prefer_lower_delay_standby: another standby takes the reads of one that is too far behind, and the primary none of them.</summary>
    public bool PreferLowerDelayStandby { get; init; }

    /// <summary>The lists of functions, statements and redirects.</summary>
    public RoutingLists Lists { get; init; } = RoutingLists.Empty;

    /// <summary>pgrouter.read_consistency.</summary>
    public ReadConsistency ReadConsistency { get; init; } = ReadConsistency.Global;

    /// <summary>What disable_load_balance_on_write asks for at least, whatever the level is.</summary>
    public ReadConsistency LeastConsistency { get; init; }

    /// <summary>pgrouter.consistency_wait.</summary>
    public TimeSpan ConsistencyWait { get; init; }

    /// <summary>pool_mode.</summary>
    public PoolMode PoolMode { get; init; } = PoolMode.Transaction;

    /// <summary>default_pool_size, or num_init_children when only that is given: servers per (node, database, user).</summary>
    public int DefaultPoolSize { get; init; } = 20;

    /// <summary>min_pool_size: servers kept open per pool.</summary>
    public int MinPoolSize { get; init; }

    /// <summary>reserve_pool_size: servers per pool for clients that have waited for <see cref="ReservePoolTimeout"/>.</summary>
    public int ReservePoolSize { get; init; }

    /// <summary>reserve_pool_timeout; zero = the reserve is not used.</summary>
    public TimeSpan ReservePoolTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>max_db_connections: servers of one database; 0 = no limit.</summary>
    public int MaxDbConnections { get; init; }

    /// <summary>max_user_connections: servers of one user; 0 = no limit.</summary>
    public int MaxUserConnections { get; init; }

    /// <summary>max_db_client_connections: clients of one database; 0 = no limit.</summary>
    public int MaxDbClientConnections { get; init; }

    /// <summary>max_user_client_connections: clients of one user; 0 = no limit.</summary>
    public int MaxUserClientConnections { get; init; }

    /// <summary>The lines of databases and users; <see cref="SessionLimits.For"/> joins them with the settings for all.</summary>
    public LimitOverrideTable Overrides { get; init; } = LimitOverrideTable.Empty;

    /// <summary>num_init_children x max_pool when either is given: servers per node over all pools; 0 = no limit.</summary>
    public int MaxNodeConnections { get; init; }

    /// <summary>
    /// max_client_conn: clients at once; 0 = no limit. With reserved_connections alone it is num_init_children, as in pgpool.
    /// </summary>
    public int MaxClientConn { get; init; }

    /// <summary>reserved_connections: of the clients at once, those that are kept for the users in admin_users.</summary>
    public int ReservedConnections { get; init; }

    /// <summary>pgrouter.max_address_connections: connections from one address; 0 = no limit.</summary>
    public int MaxAddressConnections { get; init; }

    /// <summary>pgrouter.max_login_failures: failed logins of an address after which it has to wait; 0 = never.</summary>
    public int MaxLoginFailures { get; init; } = 20;

    /// <summary>max_packet_size: longest message of a client.</summary>
    public int MaxPacketSize { get; init; } = int.MaxValue;

    /// <summary>pgrouter.max_statement_size: longest text of a statement, in bytes; 0 = no limit.</summary>
    public long MaxStatementSize { get; init; }

    /// <summary>pgrouter.max_client_memory: bytes of prepared statements and settings kept for one client; 0 = no limit.</summary>
    public long MaxClientMemory { get; init; } = 64 * 1024 * 1024;

    /// <summary>pgrouter.max_client_statements: prepared statements of one client; 0 = no limit.</summary>
    public int MaxClientStatements { get; init; } = 10_000;

    /// <summary>pgrouter.client_stall_timeout: how long a client may hold a message or an answer up; zero = for ever.</summary>
    public TimeSpan ClientStallTimeout { get; init; }

    /// <summary>query_wait_timeout: longest wait for a server; zero = for ever.</summary>
    public TimeSpan QueryWaitTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>query_wait_notify: the wait after which a client is told that it waits; zero = never.</summary>
    public TimeSpan QueryWaitNotify { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>query_timeout: longest statement; zero = no limit.</summary>
    public TimeSpan QueryTimeout { get; init; }

    /// <summary>transaction_timeout: longest transaction; zero = no limit.</summary>
    public TimeSpan TransactionTimeout { get; init; }

    /// <summary>idle_transaction_timeout: longest time between the statements of a transaction; zero = no limit.</summary>
    public TimeSpan IdleTransactionTimeout { get; init; }

    /// <summary>server_connect_timeout (connect_timeout): TCP connection and login together.</summary>
    public TimeSpan ServerConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>server_login_retry: after a failed login no other is tried for this long.</summary>
    public TimeSpan ServerLoginRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>server_check_delay: idle time after which a server is checked before use; TimeSpan.MaxValue without a check query.</summary>
    public TimeSpan ServerCheckDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>server_check_query; <see cref="EmptyQuery"/> = a query without text.</summary>
    public string ServerCheckQuery { get; init; } = EmptyQuery;

    /// <summary>child_max_connections: times a server is given to clients before it is closed; 0 = no limit.</summary>
    public int ServerMaxUses { get; init; }

    /// <summary>server_idle_timeout; zero = for ever.</summary>
    public TimeSpan ServerIdleTimeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>server_lifetime (connection_life_time); zero = for ever.</summary>
    public TimeSpan ServerLifetime { get; init; } = TimeSpan.FromSeconds(3600);

    /// <summary>client_idle_limit (client_idle_timeout); zero = for ever.</summary>
    public TimeSpan ClientIdleLimit { get; init; }

    /// <summary>authentication_timeout (client_login_timeout).</summary>
    public TimeSpan AuthenticationTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>suspend_timeout: how long SUSPEND waits for bytes that are not taken.</summary>
    public TimeSpan SuspendTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>reset_query_list (server_reset_query): run before a server that a client kept for itself is given to another.</summary>
    public IReadOnlyList<string> ResetQueryList { get; init; } = ["ABORT", "DISCARD ALL"];

    /// <summary>relcache_expire: age at which the catalog of a database is read again; zero = never by age.</summary>
    public TimeSpan RelcacheExpire { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>max_prepared_statements: prepared statements kept per server; 0 = unlimited.</summary>
    public int MaxPreparedStatements { get; init; } = 200;

    /// <summary>pgrouter.loops: event loops; 0 = by core count.</summary>
    public int Loops { get; init; }

    /// <summary>ssl, ssl_*, client_tls_*.</summary>
    public ClientTlsConfig ClientTls { get; init; } = new();

    /// <summary>server_tls_*, for nodes that have no lines of their own; see <see cref="NodeConfig.Tls"/>.</summary>
    public ServerTlsConfig ServerTls { get; init; } = new();

    /// <summary>pgrouter.io: how the loops ask the kernel.</summary>
    public IoChoice Io { get; init; }

    /// <summary>enable_pool_hba.</summary>
    public bool EnablePoolHba { get; init; }

    /// <summary>Path of pool_hba.conf.</summary>
    public string PoolHbaFile { get; init; } = "";

    /// <summary>pool_passwd: path of the password file; empty = none.</summary>
    public string PoolPasswdFile { get; init; } = "";

    /// <summary>pgrouter.key_file (-k, PGPOOLKEYFILE): path of the key of encrypted passwords; empty = none.</summary>
    public string PoolKeyFile { get; init; } = "";

    /// <summary>scram_iterations: for passwords that are stored as text.</summary>
    public int ScramIterations { get; init; } = 4096;

    /// <summary>auth_ident_file: path of the maps of names for the method cert; empty = none.</summary>
    public string IdentFile { get; init; } = "";

    /// <summary>auth_user: who runs auth_query; empty = passwords are looked for in pool_passwd only.</summary>
    public string AuthUser { get; init; } = "";

    /// <summary>auth_query.</summary>
    public string AuthQuery { get; init; } = DefaultAuthQuery;

    /// <summary>auth_dbname; empty = sr_check_database.</summary>
    public string AuthDatabase { get; init; } = "";

    /// <summary>pgrouter.auth_cache_time: how long an answer of auth_query, and memberships of roles, are remembered.</summary>
    public TimeSpan AuthCacheTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>allow_clear_text_frontend_auth.</summary>
    public bool AllowClearTextFrontendAuth { get; init; }

    /// <summary>admin_users and stats_users: who may use the console; empty = any user that can log in.</summary>
    public IReadOnlyList<string> AdminUsers { get; init; } = [];

    public IReadOnlyList<string> StatsUsers { get; init; } = [];

    /// <summary>health_check_*, with the N-suffixed forms resolved per node id; see <see cref="HealthFor"/>.</summary>
    public HealthCheckConfig HealthCheck { get; init; } = new();

    public IReadOnlyDictionary<int, HealthCheckConfig> HealthCheckPerNode { get; init; } = new Dictionary<int, HealthCheckConfig>();

    /// <summary>sr_check_period; zero = off.</summary>
    public TimeSpan SrCheckPeriod { get; init; } = TimeSpan.FromSeconds(10);

    public string SrCheckUser { get; init; } = "";

    public string SrCheckPassword { get; init; } = "";

    public string SrCheckDatabase { get; init; } = "postgres";

    /// <summary>delay_threshold in bytes; 0 = ignore.</summary>
    public long DelayThreshold { get; init; }

    /// <summary>delay_threshold_by_time; zero = ignore.</summary>
    public TimeSpan DelayThresholdByTime { get; init; }

    /// <summary>log_connections, log_disconnections.</summary>
    public bool LogConnections { get; init; }

    public bool LogDisconnections { get; init; }

    /// <summary>log_statement.</summary>
    public bool LogStatement { get; init; }

    /// <summary>log_per_node_statement.</summary>
    public bool LogPerNodeStatement { get; init; }

    /// <summary>notice_per_node_statement.</summary>
    public bool NoticePerNodeStatement { get; init; }

    /// <summary>log_client_messages.</summary>
    public bool LogClientMessages { get; init; }

    /// <summary>log_hostname.</summary>
    public bool LogHostname { get; init; }

    /// <summary>log_min_messages: the least severe message that is logged.</summary>
    public LogSeverity LogMinMessages { get; init; } = LogSeverity.Warning;

    /// <summary>log_line_prefix: printf-like text in front of each log line.</summary>
    public string LogLinePrefix { get; init; } = "%m: %a pid %p: ";

    /// <summary>connection_cache: off = a server is closed when its client is done with it.</summary>
    public bool ConnectionCache { get; init; } = true;

    /// <summary>pid_file_name; empty = chosen when the process starts.</summary>
    public string PidFileName { get; init; } = "";

    /// <summary>pgrouter.failover_hold: how long a write waits for a primary before it gets an error.</summary>
    public TimeSpan FailoverHold { get; init; } = TimeSpan.Zero;

    /// <summary>Some setting asks for statements in the log.</summary>
    public bool LogsStatements => LogStatement || LogPerNodeStatement;

    /// <summary>The passwords of accounts of the router's own that are given here, by the name of their setting.</summary>
    public IEnumerable<(string Setting, string Password)> AccountPasswords =>
        HealthCheckPerNode.Select(own => ($"health_check_password{own.Key}", own.Value.Password))
            .Prepend(("health_check_password", HealthCheck.Password))
            .Prepend(("sr_check_password", SrCheckPassword));

    /// <summary>The health settings in force for a node.</summary>
    public HealthCheckConfig HealthFor(int nodeId) => HealthCheckPerNode.TryGetValue(nodeId, out var own) ? own : HealthCheck;
}

/// <summary>
/// Severities of log_min_messages, in PostgreSQL's order for a server log: LOG ranks above ERROR, so that connection and statement
/// lines are not lost when only errors are asked for.
/// </summary>
internal enum LogSeverity : byte
{
    Debug5,
    Debug4,
    Debug3,
    Debug2,
    Debug1,
    Info,
    Notice,
    Warning,
    Error,
    Log,
    Fatal,
    Panic,
}

/// <summary>pgrouter.io.</summary>
internal enum IoChoice : byte
{
    Auto,
    Epoll,
    IoUring,
}

/// <summary>When a server goes back to its pool.</summary>
internal enum PoolMode : byte
{
    Transaction,
    Session,
    Statement,
}

/// <summary>health_check_* of one node.</summary>
internal sealed record HealthCheckConfig
{
    /// <summary>health_check_period; zero = off. pgpool's default is off, ours is on.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    public string Database { get; init; } = "postgres";

    public int MaxRetries { get; init; } = 3;

    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>connect_timeout.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
