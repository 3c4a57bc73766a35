using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class SettingViewTests
{
    private ConfigFiles _files = null!;
    private ConfigResult _result = null!;

    [SetUp]
    public void LoadFile()
    {
        _files = new ConfigFiles();
        _result = _files.Load(
            "backend_hostname0 = 'db0'",
            "backend_hostname1 = 'db1'",
            "backend_weight1 = 0.5",
            "backend_flag1 = 'DISALLOW_TO_FAILOVER | ALWAYS_PRIMARY'",
            "sr_check_user = 'checker'",
            "sr_check_password = 'very secret'",
            "health_check_password1 = 'very secret'",
            "health_check_period1 = 3min",
            "max_pool = 2",
            "client_idle_timeout = 5");
        Assert.That(_result.Mistakes, Is.Empty);
    }

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    [Test]
    public void Every_setting_is_shown_once_with_the_nodes_last()
    {
        var items = SettingView.All(_result).Select(row => row.Item).ToList();
        Assert.That(items, Is.Unique);
        Assert.That(items, Is.SupersetOf(SettingTable.Rows.Where(row => row.Suffix != SettingSuffix.Required).Select(row => row.Name)));
        Assert.That(items.SkipWhile(item => item != "backend_hostname0"), Is.EqualTo(new[]
        {
            "backend_hostname0", "backend_port0", "backend_weight0", "backend_data_directory0", "backend_flag0",
            "backend_application_name0",
            "backend_hostname1", "backend_port1", "backend_weight1", "backend_data_directory1", "backend_flag1",
            "backend_application_name1",
        }));
    }

    [TestCase("port", "9999")]
    [TestCase("backend_hostname1", "db1")]
    [TestCase("backend_port1", "5432")]
    [TestCase("backend_weight1", "0.5")]
    [TestCase("backend_flag1", "DISALLOW_TO_FAILOVER|ALWAYS_PRIMARY")]
    [TestCase("backend_flag0", "ALLOW_TO_FAILOVER")]
    [TestCase("default_pool_size", "32")]
    [TestCase("health_check_period", "5")]
    [TestCase("health_check_period1", "180")]
    [TestCase("health_check_period0", "5")]
    [TestCase("health_check_user", "checker")]
    [TestCase("client_idle_timeout", "5")]
    [TestCase("CLIENT_IDLE_LIMIT", "5")]
    [TestCase("server_connect_timeout", "10")]
    [TestCase("sr_check_password", "*****")]
    [TestCase("health_check_password1", "*****")]
    [TestCase("recovery_password", "")]
    public void A_setting_is_found_with_its_value_in_force(string name, string value)
    {
        var row = SettingView.Find(_result, name)!;
        Assert.That((row.Item, row.Value), Is.EqualTo((name.ToLowerInvariant(), value)));
    }

    [TestCase("prot")]
    [TestCase("backend_hostname7")]
    public void What_is_not_there_is_not_found(string name) => Assert.That(SettingView.Find(_result, name), Is.Null);

    [Test]
    public void A_secret_is_shown_nowhere()
    {
        var everything = SettingView.All(_result).Concat(SettingView.PgBouncerConfig(_result))
            .Concat(SettingView.Group(_result, "health_check")!);
        Assert.That(everything.Select(row => row.ToString()), Has.None.Contains("very secret"));
    }

    [Test]
    public void Groups_are_those_of_pgpool()
    {
        Assert.That(SettingView.Group(_result, "BACKEND")!.Select(row => row.Item), Has.Member("backend_weight1"));
        Assert.That(SettingView.Group(_result, "health_check")!.Select(row => row.Item),
            Is.SupersetOf(new[] { "health_check_period", "health_check_period1" }));
        Assert.That(SettingView.Group(_result, "watchdog"), Is.Not.Empty);
        Assert.That(SettingView.Group(_result, "heartbeat"), Is.Not.Empty);
        Assert.That(SettingView.Group(_result, "port"), Is.Null);
    }

    [Test]
    public void Pgbouncers_settings_have_pgbouncers_names()
    {
        var rows = SettingView.PgBouncerConfig(_result).ToDictionary(row => row.Item);
        Assert.That(rows["client_idle_timeout"].Value, Is.EqualTo("5"));
        Assert.That(rows["server_lifetime"].Default, Is.EqualTo("3600"));
        Assert.That(rows["listen_port"].Changeable, Is.False);
        Assert.That(rows["pool_mode"].Changeable, Is.True);
        Assert.That(rows.Keys, Has.No.Member("backend_hostname0").And.No.Member("load_balance_mode"));
    }
}
