using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class SettingTableTests
{
    [Test]
    public void Every_name_belongs_to_one_row()
    {
        var names = SettingTable.Rows.SelectMany(row => row.AllNames.Distinct());
        Assert.That(names, Is.Unique);
    }

    [TestCaseSource(typeof(SettingTable), nameof(SettingTable.Rows))]
    public void A_row_is_complete(Setting row)
    {
        Assert.That(row.Meaning, Does.EndWith("."));
        Assert.That(row.AcceptedBecause is null || row.RefusedBecause is null);
        var lands = row.Apply is not null || row.ApplyToNode is not null || row.ApplyToHealth is not null || row.ApplyToServerTls is not null;
        Assert.That(lands || row.Name == "log_destination", Is.EqualTo(row.Support == SettingSupport.Implemented),
            "only what lands is implemented");
    }

    [TestCaseSource(typeof(SettingTable), nameof(SettingTable.Rows))]
    public void A_default_is_a_good_value(Setting row)
    {
        var (_, problem) = SettingParser.Parse(row, row.Default);
        Assert.That(problem, Is.Empty);
    }

    [Test]
    public void The_defaults_of_the_table_are_those_of_the_configuration()
    {
        var plain = new RouterConfig();
        foreach (var row in SettingTable.Rows.Where(row => row.Apply is not null && row.Name is not ("pool_passwd" or "auth_hba_file")))
        {
            if (row.Name is "num_init_children" or "max_pool" or "child_life_time")
                continue;
            var draft = new ConfigDraft();
            row.Apply!(draft, SettingParser.Parse(row, row.Default).Value!);
            Assert.That(draft.Finish(), Is.EqualTo(plain).UsingPropertiesComparer(), row.Name);
        }
        foreach (var row in SettingTable.Rows.Where(row => row.ApplyToHealth is not null))
            Assert.That(row.ApplyToHealth!(plain.HealthCheck, SettingParser.Parse(row, row.Default).Value!),
                Is.EqualTo(plain.HealthCheck), row.Name);
    }

    [TestCase("backend_hostname0", "backend_hostname", 0)]
    [TestCase("backend_weight127", "backend_weight", 127)]
    [TestCase("health_check_period", "health_check_period", null)]
    [TestCase("health_check_period3", "health_check_period", 3)]
    [TestCase("HEALTH_CHECK_USER1", "health_check_user", 1)]
    [TestCase("socket_dir", "unix_socket_directories", null)]
    [TestCase("client_idle_timeout", "client_idle_limit", null)]
    [TestCase("auth_file", "pool_passwd", null)]
    [TestCase("black_function_list", "write_function_list", null)]
    public void A_name_is_found_under_each_of_its_spellings(string name, string canonical, int? index)
    {
        Assert.That(SettingTable.TryFind(name, out var setting, out var found), Is.True);
        Assert.That((setting.Name, found), Is.EqualTo((canonical, index)));
    }

    [TestCase("backend_hostname")]
    [TestCase("backend_hostname128")]
    [TestCase("backend_hostname01")]
    [TestCase("port1")]
    [TestCase("")]
    [TestCase("77")]
    public void A_name_that_is_not_there_is_not_found(string name) => Assert.That(SettingTable.TryFind(name, out _, out _), Is.False);

    [TestCase("load_balace_mode", "load_balance_mode")]
    [TestCase("prot", "port")]
    [TestCase("backend_hotsname1", "backend_hostname1")]
    [TestCase("backend_hostname", "backend_hostname0")]
    [TestCase("healthcheck_period", "health_check_period")]
    [TestCase("something_else_entirely", null)]
    public void The_nearest_name_is_suggested(string name, string? suggestion) =>
        Assert.That(SettingTable.Suggest(name), Is.EqualTo(suggestion));
}
