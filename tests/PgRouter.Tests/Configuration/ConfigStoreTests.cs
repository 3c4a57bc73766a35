using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class ConfigStoreTests
{
    private ConfigFiles _files = null!;
    private ConfigStore _store = null!;

    [SetUp]
    public void CreateStore()
    {
        _files = new ConfigFiles();
        var path = Write("port = 9999", "log_statement = off", "pgrouter.loops = 1");
        _store = new ConfigStore(path, Load(path), () => Load(path));
    }

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    [Test]
    public void A_changed_setting_is_in_force_after_a_reload_and_is_named()
    {
        var before = _store.Current;
        var raised = new List<(RouterConfig, RouterConfig)>();
        _store.Changed += (old, next) => raised.Add((old, next));
        Write("log_statement = on", "port = 9999", "pgrouter.loops = 1", "backend_hostname1 = 'db1'");

        var report = _store.Reload();

        Assert.That(report.Succeeded);
        Assert.That(report.Changed, Is.EqualTo(new[] { "backend_hostname1", "log_statement" }));
        Assert.That(report.NeedRestart, Is.Empty);
        Assert.That(_store.Current.LogStatement);
        Assert.That(_store.Current.Nodes, Has.Count.EqualTo(2));
        Assert.That(raised, Is.EqualTo(new[] { (before, _store.Current) }));
    }

    [Test]
    public void A_setting_that_needs_a_restart_keeps_its_value_and_is_named()
    {
        Write("port = 7777", "log_connections = on");
        var report = _store.Reload();
        Assert.That(report.NeedRestart, Is.EqualTo(new[] { "pgrouter.loops", "port" }));
        Assert.That(report.Changed, Is.EqualTo(new[] { "log_connections" }));
        Assert.That((_store.Current.Port, _store.Current.Loops), Is.EqualTo((9999, 1)));
        Assert.That(SettingView.Find(_store.CurrentResult, "port")!.Value, Is.EqualTo("9999"));
        Assert.That(_store.Reload().NeedRestart, Is.EqualTo(new[] { "pgrouter.loops", "port" }), "asked again, told again");
    }

    [Test]
    public void A_bad_file_changes_nothing()
    {
        var before = _store.Current;
        _store.Changed += (_, _) => Assert.Fail("nothing has changed");
        Write("log_statement = on", "log_connections = maybe");
        var report = _store.Reload();
        Assert.That(report.Succeeded, Is.False);
        Assert.That(report.Mistakes.Select(mistake => mistake.Setting), Is.EqualTo(new[] { "log_connections" }));
        Assert.That(_store.Current, Is.SameAs(before));
    }

    [Test]
    public void Another_spelling_of_the_same_value_is_no_change()
    {
        Write("port = 9999", "log_statement = false", "pgrouter.loops = 1", "sr_check_period = 10000ms", "client_idle_timeout = 0");
        _store.Changed += (_, _) => Assert.Fail("nothing has changed");
        Assert.That(_store.Reload().Changed, Is.Empty);
    }

    [Test]
    public void A_default_that_decides_the_pool_size_is_a_change()
    {
        Write("port = 9999", "pgrouter.loops = 1", "num_init_children = 32");
        Assert.That(_store.Reload().Changed, Is.EqualTo(new[] { "num_init_children" }));
        Assert.That(_store.Current.DefaultPoolSize, Is.EqualTo(32));
    }

    [Test]
    public void A_store_does_not_begin_with_mistakes()
    {
        var wrong = _files.Load("port = 9999");
        Assert.That(() => new ConfigStore(null, wrong, () => wrong), Throws.ArgumentException);
    }

    private string Write(params string[] lines) => _files.Write("pgpool.conf", ["backend_hostname0 = 'db0'", .. lines]);

    private static ConfigResult Load(string path) => ConfigLoader.Load(path, ConfigFiles.NoEnvironment);
}
