using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Pools and limits: pgpool's processes and PgBouncer's pool settings.</summary>
internal static class PoolingSettings
{
    private const string NoProcesses = "there are no child processes; connections are pooled in one process";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Pooling,
        (Word("pool_mode", "transaction", ["transaction", "session", "statement"],
            "When a server goes back to its pool: at the end of the transaction, of the session, or of each statement.") with
        {
            Apply = (draft, value) => draft.Config = draft.Config with { PoolMode = Enum.Parse<PoolMode>(value.Text, ignoreCase: true) },
        }).PgBouncer("pool_mode"),
        (Integer("default_pool_size", "20", 1, 100_000,
            "Servers per node, database and user; when it is not given, num_init_children, when that is not given either, 20.") with
        {
            Apply = (draft, value) => draft.DefaultPoolSize = (int)value.Integer,
            InForce = config => config.DefaultPoolSize.ToString(System.Globalization.CultureInfo.InvariantCulture),
        }).PgBouncer("default_pool_size"),
        Integer("num_init_children", "32", 1, 1_000_000, "pgpool's processes: the pool size when default_pool_size is not given; with max_pool the limit on servers per node.") with
        {
            Apply = (draft, value) => draft.NumInitChildren = (int)value.Integer,
        },
        Integer("max_pool", "4", 1, 10_000, "pgpool's connections per process: num_init_children x max_pool is the limit on servers per node.") with
        {
            Apply = (draft, value) => draft.MaxPool = (int)value.Integer,
        },
        (Integer("max_client_conn", "0", 0, int.MaxValue, "Clients at once; one more is refused. 0 = no limit.") with
        {
            Apply = (draft, value) => draft.Config = draft.Config with { MaxClientConn = (int)value.Integer },
            InForce = config => config.MaxClientConn.ToString(System.Globalization.CultureInfo.InvariantCulture),
        }).PgBouncer("max_client_conn"),
        Integer("pgrouter.max_address_connections", "0", 0, int.MaxValue, "Connections from one address; one more is refused. 0 = no limit.")
            .To((c, v) => c with { MaxAddressConnections = (int)v.Integer }),
        Integer("pgrouter.max_login_failures", "20", 0, 1_000_000,
            "Failed logins from one address after which it has to wait, 1 s at first, twice as long after each further one, up to a minute; 0 = never.")
            .To((c, v) => c with { MaxLoginFailures = (int)v.Integer }),
        Bytes("pgrouter.max_statement_size", "0", "Longest text of a statement; a longer one ends the session. 0 = no limit.")
            .To((c, v) => c with { MaxStatementSize = v.Integer }),
        Integer("pgrouter.max_client_statements", "10000", 0, 100_000_000, "Prepared statements of one client; one more is an error. 0 = no limit.")
            .To((c, v) => c with { MaxClientStatements = (int)v.Integer }),
        Bytes("pgrouter.max_client_memory", "67108864",
            "Texts of prepared statements and settings that one client may make the router keep; beyond it they are errors. 0 = no limit.")
            .To((c, v) => c with { MaxClientMemory = v.Integer }),
        Seconds("pgrouter.client_stall_timeout", "0",
            "A client that leaves a message unfinished, or does not take its answer, for so long is disconnected; 0 = never.")
            .To((c, v) => c with { ClientStallTimeout = v.Duration }),
        Seconds("query_wait_timeout", "120", "Longest wait for a server; then the client gets an error. 0 = for ever.")
            .PgBouncer("query_wait_timeout")
            .To((c, v) => c with { QueryWaitTimeout = v.Duration }),
        (Seconds("server_connect_timeout", "10",
            "Longest time to connect and log in to a node; when it is not given, connect_timeout.") with
        {
            Min = 0.001,
            Apply = (draft, value) => draft.ServerConnectTimeout = value.Duration,
            InForce = config => config.ServerConnectTimeout.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
        }).PgBouncer("server_connect_timeout"),
        (Seconds("server_idle_timeout", "600", "A server unused for so long is closed; 0 = never. When it is not given, child_life_time.") with
        {
            Apply = (draft, value) => draft.ServerIdleTimeout = value.Duration,
            InForce = config => config.ServerIdleTimeout.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
        }).PgBouncer("server_idle_timeout"),
        Seconds("connection_life_time", "3600", "A server this old is closed when it is next idle, some up to a fifth earlier, so that not all close at once; 0 = never.")
            .PgBouncer("server_lifetime")
            .To((c, v) => c with { ServerLifetime = v.Duration }),
        Seconds("client_idle_limit", "0", "A client idle for so long is disconnected; 0 = never.").PgBouncer("client_idle_timeout")
            .To((c, v) => c with { ClientIdleLimit = v.Duration }),
        List("reset_query_list", "ABORT; DISCARD ALL",
            "Statements run before a server that a client kept for itself is given to another.", ';')
            .PgBouncer("server_reset_query").To((c, v) => c with { ResetQueryList = v.Items }),
        Integer("max_prepared_statements", "200", 0, 1_000_000, "Prepared statements kept per server; 0 = unlimited.")
            .PgBouncer("max_prepared_statements").To((c, v) => c with { MaxPreparedStatements = (int)v.Integer }),
        Bool("connection_cache", true, "Servers are kept for the next client; off = closed when the client is done.")
            .To((c, v) => c with { ConnectionCache = v.Bool }),
        Word("process_management_mode", "static", ["static", "dynamic"], "How the number of processes follows the load.")
            .Accepted(NoProcesses),
        Word("process_management_strategy", "gentle", ["lazy", "gentle", "aggressive"], "How fast spare processes end.")
            .Accepted(NoProcesses),
        Integer("min_spare_children", "5", 1, int.MaxValue, "Least spare processes.").Accepted(NoProcesses),
        Integer("max_spare_children", "10", 1, int.MaxValue, "Most spare processes.").Accepted(NoProcesses),
        Seconds("child_life_time", "300", "pgpool's processes end after this time without a client: server_idle_timeout when that is not given.") with
        {
            Apply = (draft, value) => draft.ChildLifeTime = value.Duration,
        },
        Integer("child_max_connections", "0", 0, int.MaxValue,
            "A server is closed after it was given to clients so many times: to so many transactions, or sessions with pool_mode = session; 0 = never.")
            .To((c, v) => c with { ServerMaxUses = (int)v.Integer }),
        Integer("min_pool_size", "0", 0, 100_000,
            "Servers kept open in a pool while a client is logged in; opened before the first one for databases and users that are known by name.")
            .PgBouncer("min_pool_size").To((c, v) => c with { MinPoolSize = (int)v.Integer }),
        Integer("reserve_pool_size", "0", 0, 100_000, "Servers beyond the pool size for clients that have waited for reserve_pool_timeout.")
            .PgBouncer("reserve_pool_size").To((c, v) => c with { ReservePoolSize = (int)v.Integer }),
        Seconds("reserve_pool_timeout", "5", "Wait after which the reserve is used; 0 = it is not used.").PgBouncer("reserve_pool_timeout")
            .To((c, v) => c with { ReservePoolTimeout = v.Duration }),
        Integer("max_db_connections", "0", 0, int.MaxValue, "Servers of one database, all users and nodes together; 0 = no limit.")
            .PgBouncer("max_db_connections").To((c, v) => c with { MaxDbConnections = (int)v.Integer }),
        Integer("max_user_connections", "0", 0, int.MaxValue, "Servers of one user, all databases and nodes together; 0 = no limit.")
            .PgBouncer("max_user_connections").To((c, v) => c with { MaxUserConnections = (int)v.Integer }),
        Integer("max_db_client_connections", "0", 0, int.MaxValue, "Clients of one database; one more is refused. 0 = no limit.")
            .PgBouncer("max_db_client_connections").To((c, v) => c with { MaxDbClientConnections = (int)v.Integer }),
        Integer("max_user_client_connections", "0", 0, int.MaxValue, "Clients of one user; one more is refused. 0 = no limit.")
            .PgBouncer("max_user_client_connections").To((c, v) => c with { MaxUserClientConnections = (int)v.Integer }),
        Seconds("query_wait_notify", "5", "A client that has waited for a server for so long gets a notice that says so; 0 = never.")
            .PgBouncer("query_wait_notify").To((c, v) => c with { QueryWaitNotify = v.Duration }),
        Seconds("cancel_wait_timeout", "10", "Longest wait of a cancel request.").PgBouncer("cancel_wait_timeout")
            .Accepted("a cancel request does not wait for a pool"),
        Seconds("query_timeout", "0", "A request that runs on a server for so long is canceled; 0 = never.").PgBouncer("query_timeout")
            .To((c, v) => c with { QueryTimeout = v.Duration }),
        Seconds("transaction_timeout", "0", "A client whose transaction, or statement outside of one, lasts so long is disconnected; 0 = never.")
            .PgBouncer("transaction_timeout").To((c, v) => c with { TransactionTimeout = v.Duration }),
        Seconds("idle_transaction_timeout", "0", "A client idle in a transaction for so long is disconnected; 0 = never.")
            .PgBouncer("idle_transaction_timeout").To((c, v) => c with { IdleTransactionTimeout = v.Duration }),
        Seconds("server_login_retry", "1",
            "After a failed login no other is tried for so long, after each further one twice as long, up to 15 s; those who ask meanwhile get its reason.")
            .PgBouncer("server_login_retry").To((c, v) => c with { ServerLoginRetry = v.Duration }),
        Seconds("server_check_delay", "30", "A server unused for so long is asked whether it lives before a client gets it; 0 = always.")
            .PgBouncer("server_check_delay").To((c, v) => c with { ServerCheckDelay = v.Duration }),
        Text("server_check_query", RouterConfig.EmptyQuery, "What it is asked; <empty> = a query without text, '' = nothing, it is not checked.")
            .PgBouncer("server_check_query").To((c, v) => c with { ServerCheckQuery = v.Text }),
        Bool("server_reset_query_always", false, "The reset query runs after each transaction too.").PgBouncer("server_reset_query_always")
            .Accepted("a client's settings follow it from server to server, so nothing has to be reset"),
        Bool("server_fast_close", false, "Reload closes servers in use at the end of their transaction.").PgBouncer("server_fast_close")
            .Accepted("servers in use end with their lease"),
        Bool("server_round_robin", false, "Servers are used in turn instead of the last one first.").PgBouncer("server_round_robin")
            .Accepted("the server used last is used first, so that spare ones can end"),
        Seconds("autodb_idle_timeout", "3600", "Unused automatic database pools end.").PgBouncer("autodb_idle_timeout")
            .Accepted("server_idle_timeout empties unused pools"),
        Seconds("pool_idle_timeout", "0", "Unused pools end.").PgBouncer("pool_idle_timeout")
            .Accepted("server_idle_timeout empties unused pools"),
        Text("track_extra_parameters", "IntervalStyle", "More settings that follow a client.").PgBouncer("track_extra_parameters")
            .Accepted("every setting follows its client"),
        Text("ignore_startup_parameters", "", "Startup parameters that are dropped.").PgBouncer("ignore_startup_parameters")
            .Accepted("every startup parameter that PostgreSQL knows is understood"),
        Bool("disable_pqexec", false, "The simple query protocol is refused.").PgBouncer("disable_pqexec")
            .Refused("simple queries cannot be switched off"));
}
