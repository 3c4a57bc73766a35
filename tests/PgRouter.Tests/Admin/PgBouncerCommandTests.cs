using NUnit.Framework;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using SettingRow = PgRouter.Core.Admin.SettingRow;

namespace PgRouter.Tests.Admin;

internal sealed class PgBouncerCommandTests
{
    [Test]
    public void Pools_of_one_user_are_added_up_over_the_nodes()
    {
        var router = RouterWithPools();

        var result = router.RunInConsole("SHOW POOLS");

        Assert.That(result.Tag, Is.EqualTo("SHOW"));
        Assert.That(result.Rows, Has.Count.EqualTo(1));
        Assert.That(result.Line(), Is.EqualTo("shop|app|3|3|1|2|3|4|5|7|0|6|1|2|500000|transaction|~|~|1|0|0"));
    }

    [Test]
    public void Node_pools_take_the_same_figures_apart()
    {
        var result = RouterWithPools().RunInConsole("SHOW NODE_POOLS");

        Assert.That(result.Line(0), Is.EqualTo("shop|app|1|1|0|0|1|0|0|2|0|0|0|0|250000|transaction|~|0|0|0|0"));
        Assert.That(result.Line(1), Is.EqualTo("shop|app|1|2|1|2|2|4|5|5|0|6|1|2|500000|transaction|~|1|1|0|0"));
    }

    [Test]
    public void A_client_without_a_pool_still_has_a_row()
    {
        var router = new FakeRouter();
        router.Clients.Add(new ClientSnapshot { Pid = 1, User = "app", Database = "shop", State = "idle" });

        Assert.That(router.RunInConsole("SHOW POOLS").Line(), Is.EqualTo("shop|app|1|0|0|0|0|0|0|0|0|0|0|0|0|~|~|~|0|0|0"));
    }

    [Test]
    public void A_pool_on_one_node_names_it()
    {
        var router = new FakeRouter();
        router.Pools.Add(new PoolSnapshot { NodeId = 4, Database = "shop", User = "app", Mode = PoolMode.Session });

        Assert.That(router.RunInConsole("SHOW POOLS").Value("node_id"), Is.EqualTo("4"));
        Assert.That(router.RunInConsole("SHOW POOLS").Value("pool_mode"), Is.EqualTo("session"));
    }

    [Test]
    public void A_client_and_its_server_name_each_other()
    {
        var router = RouterWithClientAndServer();

        Assert.That(router.RunInConsole("SHOW CLIENTS").Line(), Is.EqualTo(
            "C|app|shop|none|active|10.0.0.9|40000|10.0.0.1|9999|2026-11-21 07:00:00 UTC|2026-11-21 07:05:00 UTC|3|250000|0|C12|S5|"
                + "0|TLSv1.3|psql|2|12|"
            + "1|temporary table|2026-11-21 07:04:00 UTC|77"));
        Assert.That(router.RunInConsole("SHOW SERVERS").Line(), Is.EqualTo(
            "S|app|shop|none|active|postgres-standby|5432|10.0.0.1|50000|2026-11-21 07:00:00 UTC|2026-11-21 07:05:00 UTC|0|0|1|S5|"
                + "C12|4711||psql|3|5|"
            + "1|8|17.2"));
    }

    [TestCase("SHOW CLIENTS", "idle_in_transaction", "active")]
    [TestCase("SHOW CLIENTS", "idle", "idle")]
    [TestCase("SHOW CLIENTS", "waiting", "waiting")]
    [TestCase("SHOW SERVERS", "login", "new")]
    [TestCase("SHOW SERVERS", "being_canceled", "being_canceled")]
    public void A_state_is_one_of_pgbouncers_words(string command, string state, string word)
    {
        var router = new FakeRouter();
        router.Clients.Add(new ClientSnapshot { Pid = 1, User = "app", Database = "shop", State = state });
        router.Servers.Add(new ServerSnapshot { Id = 1, NodeId = 0, Host = "a", Port = 1, User = "app", Database = "shop", State = state });

        Assert.That(router.RunInConsole(command).Value("state"), Is.EqualTo(word));
    }

    [Test]
    public void A_client_that_never_asked_anything_has_no_request_time()
    {
        var router = new FakeRouter();
        router.Clients.Add(new ClientSnapshot { Pid = 1, User = "app", Database = "shop", State = "idle" });

        Assert.That(router.RunInConsole("SHOW CLIENTS").Value("request_time"), Is.Null);
    }

    [Test]
    public void Databases_in_use_show_their_limits_and_connections()
    {
        var router = RouterWithClientAndServer();
        router.SetPrimaryAndStandby();
        router.Config = new RouterConfig { DefaultPoolSize = 15, ServerLifetime = TimeSpan.FromMinutes(30), MaxDbConnections = 40 };

        Assert.That(router.RunInConsole("SHOW DATABASES").Line(), Is.EqualTo(
            "shop|postgres-primary,postgres-standby|5432|shop|~|15|0|0|1800|transaction|~|40|1|0|1|0|0"));
    }

    [Test]
    public void Databases_and_users_with_lines_of_their_own_show_what_those_say()
    {
        var router = RouterWithClientAndServer();
        router.Config = new RouterConfig
        {
            Overrides = new LimitOverrideTable(new Dictionary<ScopeOf, LimitOverrides>
            {
                [new ScopeOf(ScopeKind.Database, "shop")] = new() { PoolSize = 3, PoolMode = PoolMode.Session, ReservePoolSize = 2 },
                [new ScopeOf(ScopeKind.Database, "unused")] = new() { MaxDbClientConnections = 9 },
                [new ScopeOf(ScopeKind.User, "app")] = new() { PoolSize = 1, MaxUserConnections = 8 },
                [new ScopeOf(ScopeKind.User, null)] = new() { MaxUserClientConnections = 7 },
            }),
        };

        var databases = router.RunInConsole("SHOW DATABASES");
        Assert.That(databases.Line(0), Does.StartWith("shop|").And.EndsWith("|shop|~|3|0|2|3600|session|~|0|1|0|1|0|0"));
        Assert.That(databases.Line(1), Does.StartWith("unused|").And.EndsWith("|unused|~|20|0|0|3600|transaction|~|0|0|9|0|0|0"));
        Assert.That(router.RunInConsole("SHOW USERS").Line(), Is.EqualTo("app|1|~|~|8|1|7|1"));
    }

    [Test]
    public void Databases_on_nodes_with_different_ports_have_no_port()
    {
        var router = RouterWithClientAndServer();
        router.SetNodes(
            (new NodeConfig { Id = 0, Host = "a", Port = 5432 }, new NodeState()),
            (new NodeConfig { Id = 1, Host = "a", Port = 5433 }, new NodeState()));

        Assert.That(router.RunInConsole("SHOW DATABASES").Value("port"), Is.Null);
    }

    [Test]
    public void Users_show_their_connections() =>
        Assert.That(RouterWithClientAndServer().RunInConsole("SHOW USERS").Line(), Is.EqualTo("app|~|~|~|0|1|0|1"));

    [Test]
    public void Lists_count_what_there_is_in_pgbouncers_order()
    {
        var router = RouterWithClientAndServer();
        router.Clients.Add(new ClientSnapshot { Pid = 2, User = "", Database = "", State = "login" });

        var result = router.RunInConsole("SHOW LISTS");

        Assert.That(result.Rows.Select(r => $"{r[0]}={r[1]}"), Is.EqualTo(new[]
        {
            "databases=1", "users=1", "peers=0", "pools=0", "peer_pools=0", "free_clients=0", "used_clients=2",
            "login_clients=1", "free_servers=0",
            "used_servers=1", "dns_names=0", "dns_zones=0", "dns_queries=0", "dns_pending=0",
        }));
    }

    [Test]
    public void Listeners_are_one_row_for_each_channel_in_order()
    {
        var router = new FakeRouter();
        router.Listeners.Add(new ListenerSnapshot
        {
            Database = "shop",
            Channel = "orders",
            Subscribers = 3,
            State = "listening",
            NodeId = 0,
            ServerPid = 4711,
            User = "app",
            Delivered = 12,
            Since = FakeRouter.Start,
        });
        router.Listeners.Add(new ListenerSnapshot { Database = "shop", Channel = "Items", Subscribers = 1, State = "lost", Since = FakeRouter.Start });

        var result = router.RunInConsole("SHOW LISTENERS");

        Assert.That(result.Line(0), Is.EqualTo("shop|Items|1|lost|~|~||0|2026-11-21 07:00:00 UTC"));
        Assert.That(result.Line(1), Is.EqualTo("shop|orders|3|listening|0|4711|app|12|2026-11-21 07:00:00 UTC"));
    }

    [Test]
    public void Statistics_are_totals_in_microseconds_then_averages()
    {
        var router = new FakeRouter();
        router.Databases.Add(Statistics("shop", 120));
        router.Clock.Advance(TimeSpan.FromSeconds(60));

        var result = router.RunInConsole("SHOW STATS");

        // 120 of everything in 60 s, each query 2 ms, each transaction 3 ms, each wait 1 ms.
        Assert.That(result.Line(), Is.EqualTo(
            "shop|120|120|120|12000|24000|360000|240000|120000|120|120|120|120|2|2|2|200|400|3000|2000|1000|2|2|2|2"));
    }

    [Test]
    public void Totals_and_averages_are_also_shown_alone()
    {
        var router = new FakeRouter();
        router.Databases.Add(Statistics("shop", 120));
        router.Clock.Advance(TimeSpan.FromSeconds(60));

        Assert.That(router.RunInConsole("SHOW STATS_TOTALS").Line(),
            Is.EqualTo("shop|120|120|120|12000|24000|360000|240000|120000|120|120|120|120"));
        Assert.That(router.RunInConsole("SHOW STATS_AVERAGES").Line(), Is.EqualTo("shop|2|2|2|200|400|3000|2000|1000|2|2|2|2"));
    }

    [Test]
    public void Totals_add_up_all_databases()
    {
        var router = new FakeRouter();
        router.Databases.Add(Statistics("shop", 60));
        router.Databases.Add(Statistics("stock", 120));
        router.Clock.Advance(TimeSpan.FromSeconds(60));

        var values = router.RunInConsole("SHOW TOTALS").Rows.ToDictionary(r => r[0]!, r => r[1]);

        Assert.That(values["total_query_count"], Is.EqualTo("180"));
        Assert.That(values["total_client_bytes"], Is.EqualTo("18000"));
        Assert.That(values["avg_query_count"], Is.EqualTo("3"));
        Assert.That(values["avg_query_time"], Is.EqualTo("2000"));
        Assert.That(values, Has.Count.EqualTo(24));
    }

    [Test]
    public void Nodes_are_shown_in_the_routers_own_words()
    {
        var router = new FakeRouter();
        router.SetNodes((new NodeConfig { Id = 2, Host = "a", Port = 5432 }, new NodeState
        {
            Status = NodeStatus.Suspect,
            Reason = "no answer",
            Role = NodeRole.Standby,
            Lsn = 0x1_0300_0060,
            Timeline = 3,
            SystemIdentifier = ulong.MaxValue,
            ReplicationDelayBytes = 10,
            ReplicationDelayTime = TimeSpan.FromMilliseconds(1.5),
            ServerVersion = 170002,
            LastStatusChange = FakeRouter.Start,
        }));

        Assert.That(router.RunInConsole("SHOW NODES").Line(), Is.EqualTo(
            "2|a|5432|suspect|no answer|f|standby|1/3000060|3|18446744073709551615|10|1500|170002|2026-11-21 07:00:00 UTC"));
    }

    [Test]
    public void Config_masks_secrets_and_says_what_a_reload_changes()
    {
        var router = new FakeRouter();
        router.Settings.Add(new SettingRow("port", "9999", "9999", "", false));
        router.Settings.Add(new SettingRow("sr_check_password", "s3cret", "", "", true));

        var result = router.RunInConsole("SHOW CONFIG");

        Assert.That(result.Line(0), Is.EqualTo("port|9999|9999|no"));
        Assert.That(result.Line(1), Is.EqualTo("sr_check_password|*****||yes"));
    }

    [Test]
    public void Help_lists_every_command_a_person_may_use()
    {
        var commands = new FakeRouter().RunInConsole("SHOW HELP").Rows.Select(r => r[0]).ToList();

        Assert.That(commands, Does.Contain("SHOW POOLS").And.Contain("SHOW POOL_NODES").And.Contain("RELOAD"));
        Assert.That(commands, Does.Not.Contain("SHOW TIMEZONE"));
    }

    [Test]
    public void Select_is_another_word_for_show() =>
        Assert.That(new FakeRouter().RunInConsole("select State").Line(0), Is.EqualTo("active|yes"));

    [TestCase("SELECT 1", "1", "SELECT 1")]
    [TestCase("select 1;", "1", "SELECT 1")]
    [TestCase("SHOW server_version", "17.2", "SHOW")]
    [TestCase("SHOW transaction_read_only", "off", "SHOW")]
    [TestCase("SHOW TIME ZONE", "UTC", "SHOW")]
    [TestCase("SHOW TRANSACTION ISOLATION LEVEL", "read committed", "SHOW")]
    public void Questions_of_drivers_have_an_answer(string command, string value, string tag)
    {
        var router = new FakeRouter();
        router.SetPrimaryAndStandby();

        var result = router.RunInConsole(command);

        Assert.That(result.Line(), Is.EqualTo(value));
        Assert.That(result.Tag, Is.EqualTo(tag));
    }

    [Test]
    public void Login_parameters_name_the_primarys_version_once_it_is_known()
    {
        var router = new FakeRouter();
        var before = router.Commands.LoginParameters().Single(p => p.Key == "server_version").Value;
        router.SetPrimaryAndStandby();

        Assert.That(before, Does.EndWith("/pgrouter"));
        Assert.That(router.Commands.LoginParameters().Single(p => p.Key == "server_version").Value, Is.EqualTo("17.2"));
    }

    [TestCase("SET application_name = 'psql'")]
    [TestCase("SET SESSION extra_float_digits TO 3")]
    [TestCase("SET client_encoding = 'UTF-8'")]
    [TestCase("SET DateStyle = ISO, MDY")]
    public void Settings_drivers_send_at_connect_are_accepted(string command)
    {
        var result = new FakeRouter().RunInConsole(command);

        Assert.That(result.Error, Is.Null);
        Assert.That(result.Tag, Is.EqualTo("SET"));
    }

    [TestCase("SET client_encoding = 'LATIN1'", "22023")]
    [TestCase("SET DateStyle = German", "22023")]
    [TestCase("SET port = 5", "0A000")]
    [TestCase("SET nonsense = 5", "42704")]
    [TestCase("SET port", "42601")]
    public void Settings_the_console_cannot_take_are_refused(string command, string sqlState)
    {
        var router = new FakeRouter();
        router.Settings.Add(new SettingRow("port", "9999", "9999", "", false));

        Assert.That(router.RunInConsole(command).Error?.SqlState, Is.EqualTo(sqlState));
    }

    [Test]
    public void Pins_are_shown_by_reason_with_those_who_hold_one_now()
    {
        var router = new FakeRouter();
        router.Databases.Add(new DatabaseStatistics { Database = "shop", Pins = new Dictionary<string, long> { ["Listen"] = 3, ["AdvisoryLocks"] = 2 } });
        router.Clients.Add(Pinned(1, "AdvisoryLocks, Settings", FakeRouter.Start.AddMinutes(9)));
        router.Clients.Add(Pinned(2, "AdvisoryLocks", FakeRouter.Start.AddMinutes(5)));
        router.Clients.Add(Pinned(3, "", null));

        var result = router.RunInConsole("SHOW PINS");

        Assert.That(Enumerable.Range(0, result.Rows.Count).Select(result.Line), Is.EqualTo(new[]
        {
            "shop|AdvisoryLocks|2|2|2026-11-21 07:05:00 UTC", "shop|Listen|3|0|~", "shop|Settings|0|1|2026-11-21 07:09:00 UTC",
        }));

        static ClientSnapshot Pinned(int pid, string reasons, DateTimeOffset? since) =>
            new() { Pid = pid, User = "app", Database = "shop", State = "idle", Pinned = reasons, PinnedSince = since };
    }

    [Test]
    public void Discard_all_is_accepted() => Assert.That(new FakeRouter().RunInConsole("DISCARD ALL").Tag, Is.EqualTo("DISCARD ALL"));

    [TestCase("SHOW SOCKETS")]
    [TestCase("SHOW MEM")]
    public void A_word_of_pgbouncer_that_does_not_exist_here_is_refused_by_name(string command)
    {
        var router = new FakeRouter { Config = new RouterConfig { AdminUsers = ["root"] } };

        var error = router.RunInConsole(command, "root").Error;

        Assert.That(error?.SqlState, Is.EqualTo("0A000"));
        Assert.That(error?.Message, Does.Contain("is not supported: "));
    }

    private static FakeRouter RouterWithPools()
    {
        var router = new FakeRouter();
        router.Pools.Add(new PoolSnapshot
        {
            NodeId = 1,
            Database = "shop",
            User = "app",
            Mode = PoolMode.Transaction,
            ServersActive = 2,
            ServersIdle = 5,
            ServersLogin = 1,
            ClientsWaiting = 2,
            MaxWait = TimeSpan.FromSeconds(2.5),
            ServersActiveCancel = 4,
            ServersBeingCanceled = 5,
            ServersTested = 6,
            CancelRequestsActive = 1,
            CancelRequestsWaiting = 2,
        });
        router.Pools.Add(new PoolSnapshot
        {
            NodeId = 0,
            Database = "shop",
            User = "app",
            Mode = PoolMode.Transaction,
            ServersActive = 1,
            ServersIdle = 2,
            ClientsWaiting = 1,
            MaxWait = TimeSpan.FromSeconds(0.25),
        });
        router.Clients.Add(new ClientSnapshot { Pid = 1, User = "app", Database = "shop", State = "active", NodeId = 0 });
        router.Clients.Add(
            new ClientSnapshot { Pid = 2, User = "app", Database = "shop", State = "idle", NodeId = 1, Pinned = "temporary table" });
        router.Clients.Add(new ClientSnapshot { Pid = 3, User = "app", Database = "shop", State = "idle" });
        router.Clients.Add(new ClientSnapshot { Pid = 4, User = "app", Database = "shop", State = "waiting" });
        router.Clients.Add(new ClientSnapshot { Pid = 5, User = "app", Database = "shop", State = "login" });
        return router;
    }

    private static FakeRouter RouterWithClientAndServer()
    {
        var router = new FakeRouter();
        router.Clients.Add(new ClientSnapshot
        {
            Pid = 12,
            User = "app",
            Database = "shop",
            State = "active",
            Address = "10.0.0.9",
            Port = 40000,
            LocalAddress = "10.0.0.1",
            LocalPort = 9999,
            ConnectTime = FakeRouter.Start,
            RequestTime = FakeRouter.Start.AddMinutes(5),
            Wait = TimeSpan.FromSeconds(3.25),
            NodeId = 1,
            IsTls = true,
            TlsDescription = "TLSv1.3",
            ApplicationName = "psql",
            PreparedStatements = 2,
            Pinned = "temporary table",
            PinnedSince = FakeRouter.Start.AddMinutes(4),
            QueryCount = 77,
        });
        router.Servers.Add(new ServerSnapshot
        {
            Id = 5,
            NodeId = 1,
            Host = "postgres-standby",
            Port = 5432,
            User = "app",
            Database = "shop",
            State = "active",
            LocalAddress = "10.0.0.1",
            LocalPort = 50000,
            ConnectTime = FakeRouter.Start,
            RequestTime = FakeRouter.Start.AddMinutes(5),
            Pid = 4711,
            ClientPid = 12,
            CloseNeeded = true,
            PreparedStatements = 3,
            UseCount = 8,
            ServerVersion = "17.2",
            ApplicationName = "psql",
        });
        return router;
    }

    private static DatabaseStatistics Statistics(string database, long count) => new()
    {
        Database = database,
        ServerAssignments = count,
        Transactions = count,
        Queries = count,
        BytesReceived = 100 * count,
        BytesSent = 200 * count,
        TransactionTime = TimeSpan.FromMilliseconds(3 * count),
        QueryTime = TimeSpan.FromMilliseconds(2 * count),
        WaitTime = TimeSpan.FromMilliseconds(count),
        ClientParses = count,
        ServerParses = count,
        Binds = count,
        ClientLogins = count,
    };
}
