using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class ConfigLoaderTests
{
    private ConfigFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new ConfigFiles();

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    [Test]
    public void The_file_of_scenario_13_is_read_as_it_stands()
    {
        var result = ConfigLoader.Load(
            ConfigFiles.InRepository("tests/PgRouter.Tests/Configuration/scenario13.pgpool.conf"),
            new Dictionary<string, string>
            {
                ["PGPOOL_BACKEND_NODES"] = "0:postgres-primary:5432,1:postgres-standby:5432",
                ["PGPOOL_SR_CHECK_USER"] = "postgres",
                ["PGPOOL_SR_CHECK_PASSWORD"] = "postgres",
                ["PGPOOL_ENABLE_LDAP"] = "no",
            });

        Assert.That(result.Mistakes, Is.Empty);
        Assert.That(result.Warnings, Has.Count.EqualTo(1).And.One.Contains("socket_dir is an old name"));
        var config = result.Config!;
        Assert.That(config.ListenAddresses, Is.EqualTo(new[] { "*" }));
        Assert.That(config.UnixSocketDirectories, Is.EqualTo(new[] { "/tmp" }));
        Assert.That(config.Port, Is.EqualTo(9999));
        Assert.That(config.DefaultPoolSize, Is.EqualTo(32));
        Assert.That(config.ServerLifetime, Is.EqualTo(TimeSpan.Zero));
        Assert.That(config.Nodes, Is.EqualTo(new[]
        {
            new NodeConfig
            {
                Id = 0, Host = "postgres-primary", Port = 5432, Weight = 0, DataDirectory = "/var/lib/postgresql/data",
                Flags = NodeFlags.AlwaysPrimary,
            },
            new NodeConfig
            {
                Id = 1, Host = "postgres-standby", Port = 5432, Weight = 1, DataDirectory = "/var/lib/postgresql/data",
                Flags = NodeFlags.DisallowToFailover,
            },
        }));
        Assert.That(config.HealthCheck, Is.EqualTo(new HealthCheckConfig
        {
            Period = TimeSpan.FromSeconds(10),
            Timeout = TimeSpan.FromSeconds(20),
            User = "postgres",
            Password = "postgres",
            Database = "postgres",
            MaxRetries = 3,
            RetryDelay = TimeSpan.FromSeconds(1),
        }));
        Assert.That((config.SrCheckUser, config.SrCheckPassword, config.SrCheckDatabase), Is.EqualTo(("postgres", "postgres", "postgres")));
        Assert.That(config.AllowClearTextFrontendAuth && config.LogConnections && config.LogHostname);
        Assert.That(config.LogStatement && config.LogClientMessages);
        Assert.That(config.LogPerNodeStatement, Is.False);
        Assert.That(config.LogLinePrefix, Is.EqualTo("%t: pid %p: "));
        Assert.That(config.LogMinMessages, Is.EqualTo(LogSeverity.Info));
        Assert.That(config.ResetQueryList, Is.EqualTo(new[] { "ABORT", "DISCARD ALL" }));
    }

    [Test]
    public void The_sample_is_the_table_and_loads_without_mistakes()
    {
        var path = ConfigFiles.InRepository("conf/pgpool.conf.sample");
        Assert.That(File.ReadAllText(path), Is.EqualTo(SampleFile.Write()),
            "write it again: pgrouter config --sample > conf/pgpool.conf.sample");
        Assert.That(ConfigLoader.Load(path, ConfigFiles.NoEnvironment).Mistakes, Is.Empty);

        var everything = File.ReadAllLines(path)
            .Select(line => line.StartsWith('#') && !line.StartsWith("# ") ? line[1..] : line).ToArray();
        Assert.That(_files.Load(everything).Mistakes, Is.Empty, "every default can be switched on");
    }

    [Test]
    public void All_mistakes_are_reported_at_once_with_their_places()
    {
        var result = _files.Load(
            "load_balace_mode = on",
            "port = 99999",
            "backend_hostname0 = 'a'",
            "backend_hostname1 = 'a'",
            "backend_weight2 = 1",
            "[pgbouncer]",
            "use_watchdog = on",
            "backend_clustering_mode = 'native_replication'",
            "listen_addresses = '",
            "backend_weight200 = 1");

        Assert.That(result.Config, Is.Null);
        Assert.That(result.Mistakes.Select(mistake => mistake.Source.Line), Is.EqualTo(new[] { 1, 2, 4, 5, 6, 7, 8, 9, 10 }));
        Assert.That(result.Mistakes[0].ToString(),
            Does.EndWith("pgpool.conf:1: load_balace_mode: no such setting; did you mean load_balance_mode?"));
        Assert.That(result.Mistakes[1].Message, Is.EqualTo("found \"99999\"; allowed: a whole number from 1 to 65535"));
        Assert.That(result.Mistakes[2].Message, Does.Contain("node 0 already"));
        Assert.That(result.Mistakes[3].Message, Does.Contain("backend_hostname2"));
        Assert.That(result.Mistakes[5].Message, Does.StartWith("found \"on\", only off is available"));
        Assert.That(result.Mistakes[6].Message, Does.StartWith("found \"native_replication\", which is not available"));
        Assert.That(result.Mistakes[8].Message, Does.Contain("0 to 127"));
    }

    [TestCase("use_watchdog = on")]
    [TestCase("replication_mode = on")]
    [TestCase("client_tls_sslmode = require")]
    [TestCase("server_tls_sslmode = verify-full")]
    [TestCase("primary_routing_query_pattern_list = '(x'")]
    [TestCase("enable_pool_hba = on")]
    [TestCase("backend_flag0 = 'ALLOW_TO_FAILOVER|DISALLOW_TO_FAILOVER'")]
    [TestCase("backend_port1 = 5433")]
    [TestCase("backend_hostname0 = 'localhost'\nbackend_port0 = 9999")]
    [TestCase("listen_addresses = ''\nunix_socket_directories = ''")]
    [TestCase("delay_threshold = 1MB\nsr_check_period = 0")]
    [TestCase("backend_hostname1 = 'b'\nbackend_flag0 = ALWAYS_PRIMARY\nbackend_flag1 = ALWAYS_PRIMARY")]
    public void What_cannot_be_honoured_is_refused(string lines) =>
        Assert.That(_files.Load(["backend_hostname0 = 'db0'", .. lines.Split('\n')]).Mistakes, Has.Count.EqualTo(1));

    [Test]
    public void A_socket_path_that_is_too_long_is_refused()
    {
        var mistakes = _files.Load("backend_hostname0 = 'a'", $"socket_dir = '/{new string('d', 100)}'").Mistakes;
        Assert.That(mistakes.Select(mistake => mistake.Message), Has.One.Contains("107 bytes"));
    }

    [Test]
    public void A_file_without_a_node_is_refused() =>
        Assert.That(_files.Load("port = 9999").Mistakes.Select(mistake => mistake.Setting), Is.EqualTo(new[] { "backend_hostname0" }));

    [Test]
    public void A_setting_without_effect_is_a_warning_unless_it_is_the_default()
    {
        var result = _files.Load("backend_hostname0 = 'a'", "sr_check_user = 'u'", "memory_cache_enabled = on", "child_life_time = 5min",
            "relcache_size = 256");
        Assert.That(result.Mistakes, Is.Empty);
        Assert.That(result.Warnings, Has.Count.EqualTo(1).And.One.Contains("memory_cache_enabled has no effect: results are not cached"));
    }

    [Test]
    public void The_last_line_wins() => Assert.That(_files.LoadGood("port = 1111", "listen_port = 2222").Port, Is.EqualTo(2222));

    [TestCase("", 20)]
    [TestCase("num_init_children = 10", 10)]
    [TestCase("max_pool = 2", 32)]
    [TestCase("num_init_children = 10\nmax_pool = 2", 10)]
    [TestCase("num_init_children = 10\ndefault_pool_size = 7\nmax_pool = 2", 7)]
    public void The_pool_size_follows_pgbouncer_then_pgpool(string lines, int size) =>
        Assert.That(_files.LoadGood(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)).DefaultPoolSize, Is.EqualTo(size));

    [Test]
    public void A_nodes_own_health_check_rests_on_the_common_one()
    {
        var config = _files.LoadGood("health_check_period1 = 3", "health_check_timeout = 7", "sr_check_user = 'checker'",
            "connect_timeout = 1500");
        Assert.That(config.HealthFor(0).Period, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(config.HealthFor(1), Is.EqualTo(config.HealthFor(0) with { Period = TimeSpan.FromSeconds(3) }));
        Assert.That(config.HealthFor(1).Timeout, Is.EqualTo(TimeSpan.FromSeconds(7)));
        Assert.That(config.HealthFor(1).User, Is.EqualTo("checker"));
        Assert.That(config.HealthFor(0).ConnectTimeout, Is.EqualTo(TimeSpan.FromSeconds(1.5)));
        Assert.That(config.ServerConnectTimeout, Is.EqualTo(TimeSpan.FromSeconds(1.5)));
    }

    [Test]
    public void Server_connect_timeout_goes_before_connect_timeout() =>
        Assert.That(_files.LoadGood("server_connect_timeout = 3", "connect_timeout = 1500").ServerConnectTimeout,
            Is.EqualTo(TimeSpan.FromSeconds(3)));

    [Test]
    public void Paths_begin_beside_the_file()
    {
        _files.Write("pool_hba.conf", "local all all trust");
        _files.Write("pool_passwd", "u:p");
        var config = _files.LoadGood("enable_pool_hba = on");
        Assert.That(config.PoolHbaFile, Is.EqualTo(Path.Combine(_files.Directory, "pool_hba.conf")));
        Assert.That(config.PoolPasswdFile, Is.EqualTo(Path.Combine(_files.Directory, "pool_passwd")));
        Assert.That(_files.LoadGood("pool_passwd = ''").PoolPasswdFile, Is.Empty);
    }

    [Test]
    public void Pgbouncers_settings_are_understood_by_their_names()
    {
        var config = _files.LoadGood(
            "pool_mode = session", "max_client_conn = 1000", "query_wait_timeout = 5", "server_idle_timeout = 60", "server_lifetime = 120",
            "client_idle_timeout = 30", "client_login_timeout = 15", "server_reset_query = DISCARD ALL", "max_prepared_statements = 5",
            "admin_users = alice, bob", "stats_users = carol", "listen_addr = 0.0.0.0", "min_pool_size = 5");
        Assert.That(config.PoolMode, Is.EqualTo(PoolMode.Session));
        Assert.That((config.MaxClientConn, config.MaxPreparedStatements), Is.EqualTo((1000, 5)));
        Assert.That(config.QueryWaitTimeout, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(config.ServerIdleTimeout, Is.EqualTo(TimeSpan.FromSeconds(60)));
        Assert.That(config.ServerLifetime, Is.EqualTo(TimeSpan.FromSeconds(120)));
        Assert.That(config.ClientIdleLimit, Is.EqualTo(TimeSpan.FromSeconds(30)));
        Assert.That(config.AuthenticationTimeout, Is.EqualTo(TimeSpan.FromSeconds(15)));
        Assert.That(config.ResetQueryList, Is.EqualTo(new[] { "DISCARD ALL" }));
        Assert.That(config.AdminUsers, Is.EqualTo(new[] { "alice", "bob" }));
        Assert.That(config.StatsUsers, Is.EqualTo(new[] { "carol" }));
        Assert.That(config.ListenAddresses, Is.EqualTo(new[] { "0.0.0.0" }));
    }

    [Test]
    public void Raw_mode_balances_nothing()
    {
        var result = _files.Load("backend_hostname0 = 'a'", "backend_clustering_mode = raw");
        Assert.That(result.Config!.LoadBalanceMode, Is.False);
        Assert.That(result.Warnings, Has.Some.Contains("raw"));
    }

    [Test]
    public void Own_variables_go_before_parameters_before_the_images_before_the_file()
    {
        var path = _files.Write("pgpool.conf", "port = 1", "max_pool = 1", "num_init_children = 1", "sr_check_period = 1");
        var result = ConfigLoader.Load(path, new Dictionary<string, string>
        {
            ["PGPOOL_BACKEND_NODES"] = "0:a;2:[fd00::2]:5433:0.5:/data:DISALLOW_TO_FAILOVER|ALWAYS_PRIMARY",
            ["PGPOOL_PORT_NUMBER"] = "2",
            ["PGPOOL_MAX_POOL"] = "2",
            ["PGPOOL_NUM_INIT_CHILDREN"] = "2",
            ["PGPOOL_PARAMS_PORT"] = "3",
            ["PGPOOL_PARAMS_MAX_POOL"] = "3",
            ["PGROUTER__port"] = "4",
            ["PGROUTER__PGROUTER__LOOPS"] = "2",
            ["PGPOOL_ENABLE_LOG_CONNECTIONS"] = "yes",
        });
        Assert.That(result.Mistakes, Is.Empty);
        var config = result.Config!;
        Assert.That((config.Port, config.DefaultPoolSize, config.Loops, config.LogConnections), Is.EqualTo((4, 2, 2, true)));
        Assert.That(config.SrCheckPeriod, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(config.Nodes[0], Is.EqualTo(new NodeConfig { Id = 0, Host = "a", Port = 5432 }));
        Assert.That(config.Nodes[1], Is.EqualTo(new NodeConfig
        {
            Id = 2,
            Host = "fd00::2",
            Port = 5433,
            Weight = 0.5,
            DataDirectory = "/data",
            Flags = NodeFlags.DisallowToFailover | NodeFlags.AlwaysPrimary,
        }));
    }

    [Test]
    public void The_environment_alone_is_enough()
    {
        var secret = _files.Write("secret", "top");
        var result = ConfigLoader.Load(null, new Dictionary<string, string>
        {
            ["PGPOOL_BACKEND_NODES"] = "0:a:5432:1,1:b",
            ["PGPOOL_SR_CHECK_USER"] = "checker",
            ["PGPOOL_SR_CHECK_PASSWORD_FILE"] = secret,
            ["PGPOOL_POSTGRES_PASSWORD"] = "hidden",
        });
        Assert.That(result.Mistakes, Is.Empty);
        Assert.That(result.Config!.Nodes, Has.Count.EqualTo(2));
        Assert.That(result.Config.SrCheckPassword, Is.EqualTo("top"));
        Assert.That(result.Warnings, Has.Some.Contains("PGPOOL_POSTGRES_PASSWORD is not used").And.None.Contains("hidden"));
    }

    [Test]
    public void A_mistake_in_a_variable_names_the_variable()
    {
        var result = ConfigLoader.Load(null, new Dictionary<string, string>
        {
            ["PGPOOL_BACKEND_NODES"] = "0:a,host-without-number,x:b",
            ["PGROUTER__prot"] = "1",
            ["PGPOOL_PARAMS_PORT"] = "zero",
        });
        Assert.That(result.Mistakes.Select(mistake => mistake.Source.ToString()), Is.EquivalentTo(new[]
        {
            "environment variable PGPOOL_BACKEND_NODES", "environment variable PGPOOL_BACKEND_NODES",
            "environment variable PGROUTER__prot", "environment variable PGPOOL_PARAMS_PORT",
        }));
    }

    [Test]
    public void The_hba_file_of_the_command_line_has_the_last_word()
    {
        var hba = _files.Write("my_hba", "local all all trust");
        var path = _files.Write("pgpool.conf", "backend_hostname0 = 'a'", "enable_pool_hba = on", "auth_hba_file = 'gone'");
        var result = ConfigLoader.Load(path, ConfigFiles.NoEnvironment, hba);
        Assert.That(result.Mistakes, Is.Empty);
        Assert.That(result.Config!.PoolHbaFile, Is.EqualTo(hba));
    }
}
