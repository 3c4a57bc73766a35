using System.Globalization;
using PgRouter.Testing.Clusters;

namespace PgRouter.IntegrationTests.Scenario13;

/// <summary>The pgpool.conf of scenario 13: hosts, ports and the socket directory are the test's, every other line stands as it is there.</summary>
internal static class ScenarioConfiguration
{
    /// <summary>The file's text for a primary and a standby.</summary>
    public static string For(PgNode primary, PgNode standby, int port, string directory) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        # ----------------------------
        # pgPool-II Configuration
        # ----------------------------

        # Connection Settings
        listen_addresses = '*'
        port = {port}
        socket_dir = '{directory}'

        # Pool Settings
        num_init_children = 32
        max_pool = 4
        child_life_time = 300
        child_max_connections = 0
        connection_life_time = 0
        client_idle_limit = 0

        # Backend Settings (PostgreSQL servers)
        backend_hostname0 = '{primary.Host}'
        backend_port0 = {primary.Port}
        backend_weight0 = 0
        backend_data_directory0 = '/var/lib/postgresql/data'
        backend_flag0 = 'ALWAYS_PRIMARY'

        backend_hostname1 = '{standby.Host}'
        backend_port1 = {standby.Port}
        backend_weight1 = 1
        backend_data_directory1 = '/var/lib/postgresql/data'
        backend_flag1 = 'DISALLOW_TO_FAILOVER'

        # Load Balancing
        load_balance_mode = on
        ignore_leading_white_space = on

        # Streaming Replication
        sr_check_period = 10
        sr_check_user = 'postgres'
        sr_check_password = 'postgres'
        sr_check_database = 'postgres'

        # Health Check
        health_check_period = 10
        health_check_timeout = 20
        health_check_user = 'postgres'
        health_check_password = 'postgres'
        health_check_database = 'postgres'
        health_check_max_retries = 3
        health_check_retry_delay = 1

        # Authentication
        enable_pool_hba = off
        allow_clear_text_frontend_auth = on

        # Connection Pool
        connection_cache = on
        reset_query_list = 'ABORT; DISCARD ALL'

        # Logging
        log_destination = 'stderr'
        log_line_prefix = '%t: pid %p: '
        log_connections = on
        log_hostname = on
        log_statement = on
        log_per_node_statement = off
        log_client_messages = on

        # Load Balancing Log
        log_min_messages = info

        """);
}
