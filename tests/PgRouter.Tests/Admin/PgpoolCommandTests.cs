using NUnit.Framework;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;

namespace PgRouter.Tests.Admin;

internal sealed class PgpoolCommandTests
{
    private static readonly DateTimeOffset Start = FakeRouter.Start;

    [Test]
    public void Pool_nodes_shows_a_primary_and_a_standby_as_pgpool_does()
    {
        var router = new FakeRouter();
        router.SetPrimaryAndStandby();
        router.Nodes.Add(new NodeStatistics { NodeId = 0, Selects = 10 });
        router.Nodes.Add(new NodeStatistics { NodeId = 1, Selects = 90 });

        var result = router.Execute("show pool_nodes;", new AdminContext { User = "postgres", Pid = 1, LoadBalanceNodeId = 1 });

        Assert.That(result.Tag, Is.EqualTo("SELECT 2"));
        Assert.That(result.Line(0), Is.EqualTo("0|postgres-primary|5432|up|up|0.000000|primary|primary|10|false|0|||2026-11-21 09:00:00"));
        Assert.That(result.Line(1), Is.EqualTo("1|postgres-standby|5432|up|up|1.000000|standby|standby|90|true|48|||2026-11-21 09:00:00"));
    }

    [TestCase("admin", "SELECT ? FROM t")]
    [TestCase("app", "<insufficient privilege>")]
    public void Routes_are_shown_to_all_who_may_see_and_shapes_to_admins(string user, string shape)
    {
        var router = new FakeRouter();
        router.Config = router.Config with { AdminUsers = ["admin"], StatsUsers = ["app"] };
        router.Routes = new RouteStatistics(
            [new RouteCount(1, "balanced", 5, 1), new RouteCount(-1, "local", 2, 0), new RouteCount(1, "held", 9, 0), new RouteCount(0, "write", 3, 0)],
            [new ShapeStatistics("SELECT ? FROM t", 4, 1, "balanced")]);

        var result = router.Run("SHOW ROUTES", user);

        Assert.That(result.Tag, Is.EqualTo("SELECT 5"));
        Assert.That(Enumerable.Range(0, 5).Select(result.Line), Is.EqualTo(new[]
        {
            "node|~|local|2|0|~", "node|0|write|3|0|~", "node|1|held|9|0|~", "node|1|balanced|5|1|~", $"shape|1|balanced|4|~|{shape}",
        }));
    }

    [Test]
    public void Weights_are_shares_of_one_whatever_the_status_of_the_nodes()
    {
        var router = new FakeRouter();
        router.SetNodes(
            (new NodeConfig { Id = 0, Host = "a", Port = 1, Weight = 1 }, new NodeState { Status = NodeStatus.Up }),
            (new NodeConfig { Id = 1, Host = "b", Port = 1, Weight = 2 }, new NodeState { Status = NodeStatus.Up }),
            (new NodeConfig { Id = 2, Host = "c", Port = 1, Weight = 1 }, new NodeState { Status = NodeStatus.Down }));

        var result = router.Run("SHOW POOL_NODES");

        Assert.That(result.Rows.Select(r => r[5]), Is.EqualTo(new[] { "0.250000", "0.500000", "0.250000" }));
    }

    [Test]
    public void Weights_that_are_all_zero_stay_zero()
    {
        var router = new FakeRouter();
        router.SetNodes((new NodeConfig { Id = 0, Host = "a", Port = 1, Weight = 0 }, new NodeState()));

        Assert.That(router.Run("SHOW POOL_NODES").Value("lb_weight"), Is.EqualTo("0.000000"));
    }

    [TestCase(nameof(NodeStatus.Up), "up")]
    [TestCase(nameof(NodeStatus.Waiting), "waiting")]
    [TestCase(nameof(NodeStatus.Suspect), "up")]
    [TestCase(nameof(NodeStatus.Down), "down")]
    [TestCase(nameof(NodeStatus.Draining), "down")]
    [TestCase(nameof(NodeStatus.Detached), "down")]
    [TestCase(nameof(NodeStatus.Quarantine), "quarantine")]
    public void A_status_is_one_of_pgpools_words(string status, string word)
    {
        var router = new FakeRouter();
        router.SetNodes((new NodeConfig { Id = 0, Host = "a", Port = 1 }, new NodeState { Status = Enum.Parse<NodeStatus>(status) }));

        Assert.That(router.Run("SHOW POOL_NODES").Value("status"), Is.EqualTo(word));
    }

    [Test]
    public void A_node_out_of_reach_is_unknown_before_its_first_check_and_down_after()
    {
        var router = new FakeRouter();
        router.SetNodes((new NodeConfig { Id = 0, Host = "a", Port = 1 }, new NodeState()));

        Assert.That(router.Run("SHOW POOL_NODES").Value("pg_status"), Is.EqualTo("unknown"));
        router.Health.Add(new HealthStatistics { NodeId = 0, Total = 1, Fail = 1 });
        Assert.That(router.Run("SHOW POOL_NODES").Value("pg_status"), Is.EqualTo("down"));
    }

    [Test]
    public void A_detached_primary_keeps_its_pg_role_but_not_its_role()
    {
        var router = new FakeRouter();
        router.SetNodes(
            (new NodeConfig { Id = 0, Host = "a", Port = 1 },
                new NodeState { Status = NodeStatus.Detached, Role = NodeRole.Primary, Reachable = true }));

        var result = router.Run("SHOW POOL_NODES");

        Assert.That(result.Value("role"), Is.EqualTo("standby"));
        Assert.That(result.Value("pg_role"), Is.EqualTo("primary"));
        Assert.That(result.Value("pg_status"), Is.EqualTo("up"));
    }

    [Test]
    public void An_unknown_delay_of_a_standby_is_null()
    {
        var router = new FakeRouter();
        router.SetNodes(
            (new NodeConfig { Id = 0, Host = "a", Port = 1 }, new NodeState { Status = NodeStatus.Up, Role = NodeRole.Standby }));

        Assert.That(router.Run("SHOW POOL_NODES").Value("replication_delay"), Is.Null);
    }

    [Test]
    public void A_status_change_is_shown_in_local_time()
    {
        var router = new FakeRouter();
        var changed = new DateTimeOffset(2026, 11, 21, 23, 30, 5, TimeSpan.Zero);
        router.SetNodes((new NodeConfig { Id = 0, Host = "a", Port = 1 }, new NodeState { LastStatusChange = changed }));

        Assert.That(router.Run("SHOW POOL_NODES").Value("last_status_change"), Is.EqualTo("2026-11-22 01:30:05"));
    }

    [Test]
    public void A_session_stands_for_a_process()
    {
        var router = new FakeRouter();
        router.Clients.Add(
            new ClientSnapshot { Pid = 12, User = "app", Database = "shop", State = "idle_in_transaction", ConnectTime = Start });
        router.Clients.Add(
            new ClientSnapshot { Pid = 11, User = "app", Database = "shop", State = "idle", ConnectTime = Start });
        router.Clients.Add(
            new ClientSnapshot { Pid = 13, User = "app", Database = "shop", State = "waiting", ConnectTime = Start });
        router.Servers.Add(Server(1, clientPid: 12, useCount: 5));

        var result = router.Run("SHOW POOL_PROCESSES");

        Assert.That(result.Line(0), Is.EqualTo("11|2026-11-21 09:00:00|1|shop|app|~|~|Idle"));
        Assert.That(result.Line(1), Is.EqualTo("12|2026-11-21 09:00:00|1|shop|app|2026-11-21 09:10:00|5|Idle in transaction"));
        Assert.That(result.Value("status", 2), Is.EqualTo("Execute command"));
    }

    [Test]
    public void A_pool_row_is_a_server_with_the_client_that_holds_it()
    {
        var router = new FakeRouter();
        router.Clients.Add(new ClientSnapshot
        {
            Pid = 12,
            User = "app",
            Database = "shop",
            State = "idle_in_transaction",
            ConnectTime = Start,
            NodeId = 0,
            LoadBalanceNodeId = 0,
            Address = "10.0.0.9",
            Port = 40000,
            IdleSince = router.Clock.GetUtcNow().AddSeconds(-42),
        });
        router.Servers.Add(Server(2, clientPid: 0, useCount: 9, released: Start.AddMinutes(20)));
        router.Servers.Add(Server(1, clientPid: 12, useCount: 5));

        var result = router.Run("SHOW POOL_POOLS");

        Assert.That(result.Line(0), Is.EqualTo(
            "12|2026-11-21 09:00:00|1|1|0|shop|app|2026-11-21 09:10:00|2026-11-21 09:00:00|~|42|3|0|5|4711|1|Idle in transaction|1|"
                + "10.0.0.9|40000|~"));
        Assert.That(result.Line(1), Is.EqualTo(
            "~|~|~|2|0|shop|app|2026-11-21 09:10:00|~|2026-11-21 09:20:00|~|3|0|9|4711|0|Wait for connection|0|~|~|~"));
    }

    [Test]
    public void An_idle_server_belongs_to_no_client_that_still_logs_in()
    {
        var router = new FakeRouter();
        router.Clients.Add(new ClientSnapshot { Pid = 0, User = "", Database = "", State = "login" });
        router.Clients.Add(new ClientSnapshot { Pid = 0, User = "", Database = "", State = "login" });
        router.Servers.Add(Server(1, clientPid: 0, useCount: 0));

        Assert.That(router.Run("SHOW POOL_POOLS").Value("pool_connected"), Is.EqualTo("0"));
    }

    [Test]
    public void Backend_statistics_count_statements_and_errors_by_node()
    {
        var router = new FakeRouter();
        router.SetPrimaryAndStandby();
        router.Nodes.Add(new NodeStatistics
        {
            NodeId = 0,
            Selects = 1,
            Inserts = 2,
            Updates = 3,
            Deletes = 4,
            Ddls = 5,
            Others = 6,
            Panics = 7,
            Fatals = 8,
            Errors = 9,
        });

        var result = router.Run("SHOW POOL_BACKEND_STATS");

        Assert.That(result.Line(0), Is.EqualTo("0|postgres-primary|5432|up|primary|1|2|3|4|5|6|7|8|9"));
        Assert.That(result.Line(1), Is.EqualTo("1|postgres-standby|5432|up|standby|0|0|0|0|0|0|0|0|0"));
    }

    [Test]
    public void Health_statistics_are_in_milliseconds_and_null_where_nothing_happened()
    {
        var router = new FakeRouter();
        router.SetPrimaryAndStandby();
        router.Health.Add(new HealthStatistics
        {
            NodeId = 0,
            Total = 4,
            Success = 3,
            Fail = 1,
            Skip = 0,
            Retry = 2,
            AverageRetry = 0.5,
            MaxRetry = 2,
            MaxDuration = TimeSpan.FromMilliseconds(12),
            MinDuration = TimeSpan.FromMilliseconds(3),
            AverageDuration = TimeSpan.FromMicroseconds(4250),
            LastCheck = Start,
            LastSuccess = Start,
        });

        Assert.That(router.Run("SHOW POOL_HEALTH_CHECK_STATS").Line(), Is.EqualTo(
            "0|postgres-primary|5432|up|primary|2026-11-21 09:00:00|4|3|1|0|2|0.500000|2|12|3|4.250000|2026-11-21 09:00:00|"
                + "2026-11-21 09:00:00|~|~"));
    }

    [Test]
    public void Pool_status_lists_settings_then_nodes_and_repeats_none()
    {
        var router = new FakeRouter();
        router.SetPrimaryAndStandby();
        router.Settings.Add(new SettingRow("port", "9999", "9999", "port to listen on", false));
        router.Settings.Add(new SettingRow("backend_port0", "5432", "5432", "port of node 0", true));

        var result = router.Run("SHOW POOL_STATUS");

        Assert.That(result.Line(0), Is.EqualTo("port|9999|port to listen on"));
        Assert.That(result.Rows.Count(r => r[0] == "backend_port0"), Is.EqualTo(1));
        Assert.That(result.Rows.Single(r => r[0] == "backend_status1")[1], Is.EqualTo("up"));
        Assert.That(result.Rows.Single(r => r[0] == "standby_delay1")[1], Is.EqualTo("48"));
    }

    [TestCase("SHOW POOL_STATUS")]
    [TestCase("PGPOOL SHOW ALL")]
    [TestCase("PGPOOL SHOW health_check")]
    public void Secrets_never_show(string command)
    {
        var router = RouterWithSecrets();

        var result = router.Run(command);

        Assert.That(result.Rows.SelectMany(r => r), Has.None.Contains("s3cret"));
        Assert.That(result.Rows.Where(r => r[0] == "health_check_password0").Select(r => r[1]), Is.EqualTo(new[] { "*****" }));
    }

    [Test]
    public void A_single_secret_is_masked_and_an_empty_one_stays_empty()
    {
        var router = RouterWithSecrets();

        Assert.That(router.Run("PGPOOL SHOW sr_check_password").Line(), Is.EqualTo("*****"));
        Assert.That(router.Run("PGPOOL SHOW recovery_password").Line(), Is.EqualTo(""));
    }

    [Test]
    public void One_setting_is_a_column_of_its_own_name()
    {
        var router = RouterWithSecrets();

        var result = router.Run("pgpool show PORT");

        Assert.That(result.Columns.Single().Name, Is.EqualTo("port"));
        Assert.That(result.Line(), Is.EqualTo("9999"));
        Assert.That(result.Tag, Is.EqualTo("SELECT 1"));
    }

    [Test]
    public void A_group_holds_only_the_settings_of_its_name()
    {
        var router = RouterWithSecrets();

        Assert.That(router.Run("PGPOOL SHOW health_check").Rows.Select(r => r[0]), Is.EqualTo(new[] { "health_check_password0" }));
    }

    [Test]
    public void A_setting_that_is_not_there_is_refused_with_the_nearest_name()
    {
        var error = RouterWithSecrets().Run("PGPOOL SHOW prot").Error;

        Assert.That(error, Is.EqualTo(
            new AdminError("42704", "unrecognized configuration parameter \"prot\"", "PGPOOL SHOW ALL lists the settings.")));
        Assert.That(RouterWithSecrets().Run("PGPOOL SHOW sr_check_passwrod").Error?.Hint, Is.EqualTo("Did you mean sr_check_password?"));
    }

    [TestCase("PGPOOL SHOW", "42601")]
    [TestCase("PGPOOL SHOW port nonsense", "42601")]
    [TestCase("PGPOOL SHOW watchdog", "0A000")]
    [TestCase("PGPOOL SET", "42601")]
    [TestCase("PGPOOL SET port TO 9", "0A000")]
    [TestCase("PGPOOL SET nonsense = 9", "42704")]
    [TestCase("PGPOOL SET CACHE DELETE 'SELECT 1'", "0A000")]
    [TestCase("PGPOOL RESET ALL", "0A000")]
    [TestCase("PGPOOL RESET nonsense", "42704")]
    [TestCase("SHOW POOL_CACHE", "0A000")]
    [TestCase("SHOW POOL_NODES please", "42601")]
    public void A_refusal_has_its_sqlstate_and_no_columns(string command, string sqlState)
    {
        var router = RouterWithSecrets();

        Assert.That(router.Run(command).Error?.SqlState, Is.EqualTo(sqlState));
        Assert.That(router.Commands.Describe(command, new AdminContext { User = "app", Pid = 1 }), Is.Null);
    }

    [Test]
    public void The_version_begins_with_a_number_as_pgpools_does() =>
        Assert.That(new FakeRouter().Run("SHOW POOL_VERSION").Line(), Does.Match(@"^\d+\.\d+\.\d+ \(PgRouter\)$"));

    private static FakeRouter RouterWithSecrets()
    {
        var router = new FakeRouter();
        router.Settings.Add(new SettingRow("port", "9999", "9999", "port to listen on", false));
        router.Settings.Add(new SettingRow("sr_check_password", "s3cret", "", "password", true));
        router.Settings.Add(new SettingRow("health_check_password0", "s3cret", "s3cret", "password of node 0", true));
        router.Settings.Add(new SettingRow("recovery_password", "", "", "password", true));
        return router;
    }

    private static ServerSnapshot Server(long id, int clientPid, long useCount, DateTimeOffset? released = null) => new()
    {
        Id = id,
        NodeId = 0,
        Host = "a",
        Port = 5432,
        User = "app",
        Database = "shop",
        State = clientPid == 0 ? "idle" : "active",
        ClientPid = clientPid,
        Pid = 4711,
        UseCount = useCount,
        ConnectTime = Start.AddMinutes(10),
        ReleaseTime = released,
    };
}
