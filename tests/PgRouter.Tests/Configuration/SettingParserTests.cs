using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class SettingParserTests
{
    [TestCase("10", 10_000, "10")]
    [TestCase("10s", 10_000, "10")]
    [TestCase("10000ms", 10_000, "10")]
    [TestCase("2min", 120_000, "120")]
    [TestCase("1h", 3_600_000, "3600")]
    [TestCase("1d", 86_400_000, "86400")]
    [TestCase("500 ms", 500, "500ms")]
    [TestCase("1.5", 1500, "1500ms")]
    [TestCase("250us", 0.25, "0.25ms")]
    public void A_duration_takes_units_and_has_one_text_per_value(string text, double milliseconds, string canonical)
    {
        var value = Parse("sr_check_period", text);
        Assert.That(value.Duration.TotalMilliseconds, Is.EqualTo(milliseconds));
        Assert.That(value.Text, Is.EqualTo(canonical));
    }

    [Test]
    public void A_number_without_a_unit_is_in_the_unit_of_its_setting()
    {
        Assert.That(Parse("connect_timeout", "2000").Duration, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(Parse("server_connect_timeout", "2").Duration, Is.EqualTo(TimeSpan.FromSeconds(2)));
    }

    [TestCase("1024", 1024)]
    [TestCase("1kB", 1024)]
    [TestCase("10MB", 10L * 1024 * 1024)]
    [TestCase("2GB", 2L * 1024 * 1024 * 1024)]
    [TestCase("1TB", 1024L * 1024 * 1024 * 1024)]
    public void A_size_takes_units(string text, long bytes) => Assert.That(Parse("delay_threshold", text).Integer, Is.EqualTo(bytes));

    [TestCase("on", true)]
    [TestCase("TRUE", true)]
    [TestCase("yes", true)]
    [TestCase("1", true)]
    [TestCase("Off", false)]
    [TestCase("no", false)]
    [TestCase("0", false)]
    public void A_switch_takes_the_usual_words(string text, bool on) => Assert.That(Parse("load_balance_mode", text).Bool, Is.EqualTo(on));

    [TestCase("0777", 511)]
    [TestCase("700", 448)]
    [TestCase("0", 0)]
    public void A_mode_is_octal(string text, int mode) => Assert.That(Parse("unix_socket_permissions", text).Integer, Is.EqualTo(mode));

    [TestCase("port", "0")]
    [TestCase("port", "65536")]
    [TestCase("port", "9999999999999999999999")]
    [TestCase("port", "")]
    [TestCase("port", "5432s")]
    [TestCase("sr_check_period", "-1")]
    [TestCase("sr_check_period", "10 weeks")]
    [TestCase("sr_check_period", "s")]
    [TestCase("sr_check_period", "99999d")]
    [TestCase("sr_check_period", "1e9")]
    [TestCase("sr_check_period", "NaN")]
    [TestCase("delay_threshold", "10 EB")]
    [TestCase("backend_weight0", "-0.5")]
    [TestCase("backend_flag0", "ALWAYS")]
    [TestCase("load_balance_mode", "maybe")]
    [TestCase("pool_mode", "query")]
    [TestCase("unix_socket_permissions", "0888")]
    public void A_value_out_of_range_is_told_with_what_is_allowed(string name, string text)
    {
        SettingTable.TryFind(name, out var setting, out _);
        var (value, problem) = SettingParser.Parse(setting, text);
        Assert.That(value, Is.Null);
        Assert.That(problem, Does.Contain($"found \"{text}\"").And.Contain("allowed: " + SettingParser.Allowed(setting)));
    }

    private static SettingValue Parse(string name, string text)
    {
        Assert.That(SettingTable.TryFind(name, out var setting, out _), Is.True);
        var (value, problem) = SettingParser.Parse(setting, text);
        Assert.That(problem, Is.Empty);
        return value!;
    }
}
