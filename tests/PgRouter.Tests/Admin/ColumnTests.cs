using NUnit.Framework;
using PgRouter.Core.Admin;
using PgRouter.Core.Configuration;
using SettingRow = PgRouter.Core.Admin.SettingRow;

namespace PgRouter.Tests.Admin;

/// <summary>Names, order and types of every command's columns: what scripts and exporters of the peers depend on.</summary>
internal sealed class ColumnTests
{
    private const string Socket =
        "type:text user:text database:text replication:text state:text addr:text port:int4 local_addr:text local_port:int4 "
            + "connect_time:text "
        + "request_time:text wait:int4 wait_us:int4 close_needed:int4 ptr:text link:text remote_pid:int4 tls:text application_name:text "
        + "prepared_statements:int4 id:int4";

    private const string Pool =
        "database:text user:text cl_active:int4 cl_waiting:int4 cl_active_cancel_req:int4 cl_waiting_cancel_req:int4 sv_active:int4 "
        + "sv_active_cancel:int4 sv_being_canceled:int4 sv_idle:int4 sv_used:int4 sv_tested:int4 sv_login:int4 maxwait:int4 "
        + "maxwait_us:int4 "
        + "pool_mode:text load_balance_hosts:text";

    private static readonly Dictionary<string, string> Expected = new()
    {
        ["SHOW POOL_NODES"] =
            "node_id:int4 hostname:text port:int4 status:text pg_status:text lb_weight:float8 role:text pg_role:text select_cnt:int8 "
            + "load_balance_node:text replication_delay:int8 replication_state:text replication_sync_state:text "
            + "last_status_change:timestamp",
        ["SHOW POOL_PROCESSES"] =
            "pool_pid:int4 start_time:timestamp client_connection_count:int8 database:text username:text backend_connection_time:timestamp "
            + "pool_counter:int8 status:text",
        ["SHOW POOL_POOLS"] =
            "pool_pid:int4 start_time:timestamp client_connection_count:int8 pool_id:int8 backend_id:int4 database:text username:text "
            + "backend_connection_time:timestamp client_connection_time:timestamp client_disconnection_time:timestamp "
            + "client_idle_duration:int8 "
            + "majorversion:int4 minorversion:int4 pool_counter:int8 pool_backendpid:int4 pool_connected:int4 status:text "
            + "load_balance_node:int4 "
            + "client_host:text client_port:int4 statement:text",
        ["SHOW POOL_BACKEND_STATS"] =
            "node_id:int4 hostname:text port:int4 status:text role:text select_cnt:int8 insert_cnt:int8 update_cnt:int8 delete_cnt:int8 "
            + "ddl_cnt:int8 other_cnt:int8 panic_cnt:int8 fatal_cnt:int8 error_cnt:int8",
        ["SHOW POOL_HEALTH_CHECK_STATS"] =
            "node_id:int4 hostname:text port:int4 status:text role:text last_status_change:timestamp total_count:int8 success_count:int8 "
            + "fail_count:int8 skip_count:int8 retry_count:int8 average_retry_count:float8 max_retry_count:int8 max_duration:int8 "
            + "min_duration:int8 average_duration:float8 last_health_check:timestamp last_successful_health_check:timestamp "
            + "last_skip_health_check:timestamp last_failed_health_check:timestamp",
        ["SHOW POOL_STATUS"] = "item:text value:text description:text",
        ["SHOW POOL_VERSION"] = "pool_version:text",
        ["SHOW ROUTES"] = "kind:text node_id:int4 reason:text statements:int8 refused:int8 shape:text",
        ["PGPOOL SHOW ALL"] = "item:text value:text description:text",
        ["PGPOOL SHOW backend"] = "item:text value:text description:text",
        ["PGPOOL SHOW health_check"] = "item:text value:text description:text",
        ["PGPOOL SHOW PORT"] = "port:text",
        ["SHOW POOLS"] = Pool + " node_id:int4 cl_pinned:int4 pool_size:int4 reserve_pool_size:int4",
        ["SHOW NODE_POOLS"] = Pool + " node_id:int4 cl_pinned:int4 pool_size:int4 reserve_pool_size:int4",
        ["SHOW NODES"] =
            "node_id:int4 host:text port:int4 status:text reason:text reachable:bool role:text lsn:text timeline:int8 "
                + "system_identifier:text "
            + "replication_delay_bytes:int8 replication_delay_us:int8 server_version_num:int4 last_status_change:text",
        ["SHOW CLIENTS"] = Socket + " node_id:int4 pinned:text pinned_since:text query_count:int8",
        ["SHOW SERVERS"] = Socket + " node_id:int4 use_count:int8 server_version:text",
        ["SHOW DATABASES"] =
            "name:text host:text port:int4 database:text force_user:text pool_size:int4 min_pool_size:int4 reserve_pool_size:int4 "
            + "server_lifetime:int4 pool_mode:text load_balance_hosts:text max_connections:int4 current_connections:int4 "
            + "max_client_connections:int4 current_client_connections:int4 paused:int4 disabled:int4",
        ["SHOW USERS"] =
            "name:text pool_size:text reserve_pool_size:text pool_mode:text max_user_connections:int4 current_connections:int4 "
            + "max_user_client_connections:int4 current_client_connections:int4",
        ["SHOW PINS"] = "database:text reason:text total_pins:int8 clients:int4 oldest_since:text",
        ["SHOW STATS"] = "database:text " + Numerics(
            "total_server_assignment_count total_xact_count total_query_count total_received total_sent total_xact_time total_query_time "
            + "total_wait_time total_client_parse_count total_server_parse_count total_bind_count total_client_login_count "
            + "avg_server_assignment_count avg_xact_count avg_query_count avg_recv avg_sent avg_xact_time avg_query_time avg_wait_time "
            + "avg_client_parse_count avg_server_parse_count avg_bind_count avg_client_login_count"),
        ["SHOW STATS_TOTALS"] = "database:text " + Numerics(
            "server_assignment_count xact_count query_count bytes_received bytes_sent xact_time query_time wait_time client_parse_count "
            + "server_parse_count bind_count client_login_count"),
        ["SHOW STATS_AVERAGES"] = "database:text " + Numerics(
            "server_assignment_count xact_count query_count bytes_received bytes_sent xact_time query_time wait_time "
                + "avg_client_parse_count "
            + "avg_server_parse_count avg_bind_count avg_client_login_count"),
        ["SHOW TOTALS"] = "name:text value:numeric",
        ["SHOW LISTS"] = "list:text items:int4",
        ["SHOW LISTENERS"] =
            "database:text channel:text subscribers:int4 state:text node_id:int4 remote_pid:int4 user:text delivered:int8 since:text",
        ["SHOW CONFIG"] = "key:text value:text default:text changeable:text",
        ["SHOW STATE"] = "key:text value:text",
        ["SHOW VERSION"] = "version:text",
        ["SHOW HELP"] = "command:text description:text",
        ["SHOW server_version"] = "server_version:text",
        ["SELECT 1"] = "?column?:int4",
    };

    private static readonly AdminContext Console = new() { User = "app", Pid = 1, IsConsole = true };

    [TestCaseSource(nameof(Commands))]
    public void A_command_has_its_columns_in_order_and_typed(string command)
    {
        var result = Router().Execute(command, Console);

        Assert.That(result.Error, Is.Null);
        Assert.That(result.Columns.Shape(), Is.EqualTo(Expected[command]));
    }

    [TestCaseSource(nameof(Commands))]
    public void Describe_gives_the_columns_that_the_answer_has(string command)
    {
        var router = Router();

        Assert.That(router.Commands.Describe(command, Console)?.Shape(), Is.EqualTo(router.Execute(command, Console).Columns.Shape()));
    }

    [TestCaseSource(nameof(Commands))]
    public void Every_value_has_a_binary_form_of_its_type(string command)
    {
        var result = Router().Execute(command, Console);

        Assert.That(result.Rows, Is.Not.Empty);
        foreach (var row in result.Rows)
        {
            Assert.That(row, Has.Length.EqualTo(result.Columns.Count));
            for (var i = 0; i < row.Length; i++)
            {
                if (row[i] is not { } value)
                    continue;
                var length = result.Columns[i].Type.Length();
                Assert.That(AdminBinary.Encode(result.Columns[i].Type, value), length < 0 ? Is.Not.Null : Has.Length.EqualTo(length));
            }
        }
    }

    [Test]
    public void Every_command_that_shows_something_has_its_columns_tested()
    {
        var shown = new FakeRouter().Commands.All.Where(c => !c.IsHidden && c.Access == AdminAccess.Show).Select(c => c.Name);

        Assert.That(shown.Where(name => !Expected.Keys.Any(k => k.StartsWith(name, StringComparison.Ordinal))), Is.Empty);
    }

    private static IEnumerable<string> Commands() => Expected.Keys;

    private static string Numerics(string names) => string.Join(' ', names.Split(' ').Select(n => n + ":numeric"));

    private static FakeRouter Router()
    {
        var router = new FakeRouter();
        router.SetPrimaryAndStandby();
        router.Settings.Add(new SettingRow("port", "9999", "9999", "port to listen on", false));
        router.Settings.Add(new SettingRow("health_check_period", "5s", "5s", "time between checks", true));
        router.Clients.Add(
            new ClientSnapshot { Pid = 7, User = "app", Database = "shop", State = "active", NodeId = 0, ConnectTime = FakeRouter.Start });
        router.Servers.Add(new ServerSnapshot
        {
            Id = 3,
            NodeId = 0,
            Host = "postgres-primary",
            Port = 5432,
            User = "app",
            Database = "shop",
            State = "active",
            ClientPid = 7,
            Pid = 4711,
            ConnectTime = FakeRouter.Start,
        });
        router.Pools.Add(
            new PoolSnapshot { NodeId = 0, Database = "shop", User = "app", Mode = PoolMode.Transaction, ServersActive = 1 });
        router.Listeners.Add(
            new ListenerSnapshot
            {
                Database = "shop",
                Channel = "orders",
                Subscribers = 2,
                State = "listening",
                NodeId = 0,
                ServerPid = 4712,
                User = "app",
                Delivered = 12,
                Since = FakeRouter.Start,
            });
        router.Databases.Add(new DatabaseStatistics
        {
            Database = "shop",
            Queries = 10,
            QueryTime = TimeSpan.FromMilliseconds(5),
            Pins = new Dictionary<string, long> { ["Listen"] = 2 },
        });
        router.Routes = new RouteStatistics(
            [new RouteCount(1, "balanced", 5, 1)], [new ShapeStatistics("SELECT ?", 5, 1, "balanced")]);
        return router;
    }
}
