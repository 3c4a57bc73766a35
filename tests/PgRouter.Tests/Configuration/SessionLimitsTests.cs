using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Configuration.Settings;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class SessionLimitsTests
{
    private ConfigFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new ConfigFiles();

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    [Test]
    public void Without_lines_of_its_own_a_database_and_user_have_what_all_have()
    {
        var limits = SessionLimits.For(
            _files.LoadGood("default_pool_size = 7", "pool_mode = session", "client_idle_timeout = 9", "server_lifetime = 60"), "d", "u");

        Assert.That(
            (limits.PoolSize, limits.PoolMode, limits.ClientIdleTimeout, limits.ServerLifetime, limits.ReservePoolTimeout),
            Is.EqualTo((7, PoolMode.Session, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5))));
    }

    [TestCase("app", "shop", 1)]
    [TestCase("other", "shop", 2)]
    [TestCase("other", "elsewhere", 3)]
    public void The_users_line_is_stronger_than_the_databases_and_both_than_those_of_all(string user, string database, int size)
    {
        var config = _files.LoadGood(
            "default_pool_size = 5", "database.*.pool_size = 4", "user.*.pool_size = 3", "database.shop.pool_size = 2", "user.app.pool_size = 1");

        Assert.That(SessionLimits.For(config, database, user).PoolSize, Is.EqualTo(size));
    }

    [Test]
    public void The_line_of_all_databases_is_stronger_than_the_setting()
    {
        var config = _files.LoadGood("query_timeout = 5", "database.*.query_timeout = 1min", "user.slow.query_timeout = 0");

        Assert.That(SessionLimits.For(config, "d", "u").QueryTimeout, Is.EqualTo(TimeSpan.FromMinutes(1)));
        Assert.That(SessionLimits.For(config, "d", "slow").QueryTimeout, Is.EqualTo(TimeSpan.Zero));
    }

    [TestCase("database.shop.pool_size = 2", "shop")]
    [TestCase("DATABASE.shop.Pool_Size = 2", "shop")]
    [TestCase("database.Shop.pool_size = 2", "Shop")]
    [TestCase("database.my.shop.pool_size = 2", "my.shop")]
    [TestCase("database.my-shop$1.pool_size 2", "my-shop$1")]
    [TestCase("database.caf\u00e9.pool_size = 2", "caf\u00e9")]
    [TestCase("database.\"my shop\".pool_size = 2 # small", "my shop")]
    [TestCase("database.\"a # \"\"b\"\" = \".pool_size = 2", "a # \"b\" = ")]
    [TestCase("database.\"*\".pool_size = 2", "*")]
    [TestCase("database.\"a.b\".pool_size = 2", "a.b")]
    public void A_name_may_be_quoted(string line, string database)
    {
        var config = _files.LoadGood(line);

        Assert.That(SessionLimits.For(config, database, "u").PoolSize, Is.EqualTo(2));
        Assert.That(SessionLimits.For(config, "someone's", "u").PoolSize, Is.EqualTo(20));
        Assert.That(config.Overrides.Databases, Is.EqualTo(new[] { database }));
    }

    [TestCaseSource(typeof(ScopedSettings), nameof(ScopedSettings.Rows))]
    public void Every_setting_of_a_database_or_user_lands_in_its_limits(Setting row)
    {
        var scope = row.Scopes == ScopeKind.User ? "user.u" : "database.d";
        var value = row.Kind == SettingKind.Word ? row.Words[^1] : "17";
        var config = _files.LoadGood("default_pool_size = 50", $"{scope}.{row.Name} = {value}");

        var plain = SessionLimits.For(_files.LoadGood("default_pool_size = 50"), "d", "u");
        Assert.That(SessionLimits.For(config, "d", "u"), Is.Not.EqualTo(plain));
        Assert.That(SessionLimits.For(config, "other", "other"), Is.EqualTo(plain));
    }

    [TestCase("reserve_pool", "reserve_pool_size")]
    [TestCase("connection_life_time", "server_lifetime")]
    [TestCase("client_idle_limit", "client_idle_timeout")]
    public void Other_names_of_a_setting_are_understood(string name, string canonical)
    {
        var result = _files.Load("backend_hostname0 = 'db0'", $"database.d.{name} = 3");

        Assert.That(result.Mistakes, Is.Empty);
        Assert.That(result.Values, Does.ContainKey($"database.d.{canonical}"));
    }

    [TestCase("database.d.pol_size = 1", "no such setting of a database; did you mean database.d.pool_size?")]
    [TestCase("user.\"a b\".pool_mod = session", "no such setting of a user; did you mean user.\"a b\".pool_mode?")]
    [TestCase("database.d.max_user_connections = 1", "a database has no max_user_connections of its own, a user has")]
    [TestCase("user.u.max_db_connections = 1", "a user has no max_db_connections of its own, a database has")]
    [TestCase("database.d.max_client_conn = 1", "max_client_conn is for all, a database cannot have its own; write max_client_conn = ...")]
    [TestCase("user.u.colour = red", "no such setting of a user; there are pool_mode, pool_size, min_pool_size")]
    [TestCase("databse.d.pool_size = 1", "no such setting; did you mean database.d.pool_size?")]
    [TestCase("users.u.pool_size = 1", "no such setting; did you mean user.u.pool_size?")]
    [TestCase("database.d.pool_size = none", "found \"none\"; allowed: a whole number from 1 to 100000")]
    [TestCase("database.d.pool_mode = auto", "found \"auto\"; allowed: transaction, session, statement")]
    public void A_mistake_tells_what_was_probably_meant(string line, string message)
    {
        var result = _files.Load("backend_hostname0 = 'db0'", line);

        Assert.That(result.Mistakes.Select(mistake => mistake.Message), Has.One.StartsWith(message));
    }

    [TestCase("database.d = 1")]
    [TestCase("database.\"d.pool_size = 1")]
    [TestCase("database.\"\".pool_size = 1")]
    [TestCase("database..pool_size = 1")]
    public void A_broken_name_is_a_mistake(string line) =>
        Assert.That(_files.Load("backend_hostname0 = 'db0'", line).Mistakes, Has.Count.EqualTo(1));

    [TestCase("child_life_time = 100", 100)]
    [TestCase("child_life_time = 100\nserver_idle_timeout = 20", 20)]
    [TestCase("", 600)]
    public void The_life_of_an_idle_process_of_pgpool_is_that_of_an_idle_server(string lines, int seconds) =>
        Assert.That(_files.LoadGood(lines.Split('\n')).ServerIdleTimeout.TotalSeconds, Is.EqualTo(seconds));

    [TestCase("min_pool_size = 30", "min_pool_size is above the pool size, which is 20")]
    [TestCase("child_max_connections = 50", "child_max_connections counts transactions with pool_mode = transaction: servers are replaced after 50")]
    public void What_is_probably_not_meant_is_warned_of(string line, string warning) =>
        Assert.That(_files.Load("backend_hostname0 = 'db0'", line).Warnings, Has.One.Contains(warning));

    [TestCase("child_max_connections = 50", "pool_mode = session")]
    [TestCase("min_pool_size = 20", "reserve_pool_size = 1")]
    public void What_works_as_it_stands_is_not(params string[] lines) =>
        Assert.That(_files.Load(["backend_hostname0 = 'db0'", "sr_check_user = 'c'", .. lines]).Warnings, Is.Empty);

    [Test]
    public void Reserved_connections_that_leave_none_are_a_mistake() =>
        Assert.That(
            _files.Load("backend_hostname0 = 'db0'", "max_client_conn = 2", "reserved_connections = 2").Mistakes.Select(m => m.Message),
            Has.One.Contains("no client could connect"));

    [Test]
    public void Lines_of_databases_and_users_are_shown()
    {
        var result = _files.Load("backend_hostname0 = 'db0'", "user.\"a b\".query_wait_timeout = 2min", "database.*.pool_size = 3");

        Assert.That(
            SettingView.All(result).Where(row => row.Item.Contains('.') && !row.Item.StartsWith("pgrouter.", StringComparison.Ordinal))
                .Select(row => (row.Item, row.Value)),
            Is.EqualTo(new[] { ("database.*.pool_size", "3"), ("user.\"a b\".query_wait_timeout", "120") }));
        Assert.That(SettingView.Find(result, "user.\"a b\".query_wait_timeout")?.Value, Is.EqualTo("120"));
    }

    [Test]
    public void A_variable_of_the_environment_can_be_of_a_database()
    {
        var environment = new Dictionary<string, string> { ["PGROUTER__database__shop__pool_size"] = "6" };
        var result = ConfigLoader.Load(_files.Write("pgpool.conf", "backend_hostname0 = 'db0'"), environment);

        Assert.That(SessionLimits.For(result.Config!, "shop", "u").PoolSize, Is.EqualTo(6));
    }

    [Test]
    public void After_a_reload_the_limits_in_force_are_the_new_ones()
    {
        var path = _files.Write("pgpool.conf", "backend_hostname0 = 'db0'", "database.d.pool_size = 3");
        var store = new ConfigStore(path, Load(), Load);
        var limits = new LimitBook(() => store.Current).For("d", "u");
        Assert.That(limits.Current.PoolSize, Is.EqualTo(3));

        _files.Write("pgpool.conf", "backend_hostname0 = 'db0'", "default_pool_size = 4");
        var report = store.Reload();

        Assert.That(report.Changed, Is.EqualTo(new[] { "database.d.pool_size", "default_pool_size" }));
        Assert.That(limits.Current.PoolSize, Is.EqualTo(4));

        ConfigResult Load() => ConfigLoader.Load(path, ConfigFiles.NoEnvironment);
    }
}
