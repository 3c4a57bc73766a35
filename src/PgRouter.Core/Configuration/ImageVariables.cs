namespace PgRouter.Core.Configuration;

/// <summary>
/// The environment variables of the widespread pgpool image, without their prefix PGPOOL_, and the settings they stand for.
/// </summary>
internal static class ImageVariables
{
    public const string UnusedAdvice = "users and passwords are read from pool_passwd, and the console needs no users of its own";

    public static IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string>
    {
        ["PORT_NUMBER"] = "port",
        ["SR_CHECK_USER"] = "sr_check_user",
        ["SR_CHECK_PASSWORD"] = "sr_check_password",
        ["SR_CHECK_PERIOD"] = "sr_check_period",
        ["SR_CHECK_DATABASE"] = "sr_check_database",
        ["HEALTH_CHECK_USER"] = "health_check_user",
        ["HEALTH_CHECK_PASSWORD"] = "health_check_password",
        ["HEALTH_CHECK_PERIOD"] = "health_check_period",
        ["HEALTH_CHECK_TIMEOUT"] = "health_check_timeout",
        ["HEALTH_CHECK_MAX_RETRIES"] = "health_check_max_retries",
        ["HEALTH_CHECK_RETRY_DELAY"] = "health_check_retry_delay",
        ["CONNECT_TIMEOUT"] = "connect_timeout",
        ["ENABLE_POOL_HBA"] = "enable_pool_hba",
        ["PASSWD_FILE"] = "pool_passwd",
        ["ENABLE_LOAD_BALANCING"] = "load_balance_mode",
        ["ENABLE_STATEMENT_LOAD_BALANCING"] = "statement_level_load_balance",
        ["DISABLE_LOAD_BALANCE_ON_WRITE"] = "disable_load_balance_on_write",
        ["NUM_INIT_CHILDREN"] = "num_init_children",
        ["RESERVED_CONNECTIONS"] = "reserved_connections",
        ["MAX_POOL"] = "max_pool",
        ["CHILD_MAX_CONNECTIONS"] = "child_max_connections",
        ["CHILD_LIFE_TIME"] = "child_life_time",
        ["CONNECTION_LIFE_TIME"] = "connection_life_time",
        ["CLIENT_IDLE_LIMIT"] = "client_idle_limit",
        ["ENABLE_CONNECTION_CACHE"] = "connection_cache",
        ["AUTO_FAILBACK"] = "auto_failback",
        ["FAILOVER_ON_BACKEND_ERROR"] = "failover_on_backend_error",
        ["FAILOVER_ON_BACKEND_SHUTDOWN"] = "failover_on_backend_shutdown",
        ["ENABLE_TLS"] = "ssl",
        ["TLS_CERT_FILE"] = "ssl_cert",
        ["TLS_KEY_FILE"] = "ssl_key",
        ["TLS_CA_FILE"] = "ssl_ca_cert",
        ["TLS_PREFER_SERVER_CIPHERS"] = "ssl_prefer_server_ciphers",
        ["ENABLE_LOG_CONNECTIONS"] = "log_connections",
        ["ENABLE_LOG_HOSTNAME"] = "log_hostname",
        ["ENABLE_LOG_PCP_PROCESSES"] = "log_pcp_processes",
        ["ENABLE_LOG_PER_NODE_STATEMENT"] = "log_per_node_statement",
        ["LOG_LINE_PREFIX"] = "log_line_prefix",
        ["CLIENT_MIN_MESSAGES"] = "client_min_messages",
    };

    /// <summary>Known, and without a counterpart here.</summary>
    public static IReadOnlyList<string> Unused { get; } =
    [
        "POSTGRES_USERNAME", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "ADMIN_USERNAME", "ADMIN_PASSWORD", "ADMIN_PASSWORD_FILE",
        "POSTGRES_CUSTOM_USERS", "POSTGRES_CUSTOM_PASSWORDS", "AUTHENTICATION_METHOD", "AES_KEY", "USER_CONF_FILE", "USER_HBA_FILE",
    ];
}
