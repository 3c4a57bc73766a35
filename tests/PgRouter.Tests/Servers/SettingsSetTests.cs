using NUnit.Framework;
using PgRouter.Core.Servers;

namespace PgRouter.Tests.Servers;

[TestFixture]
internal sealed class SettingsSetTests
{
    [Test]
    public void Equal_sets_are_one_object_whatever_the_order_they_were_made_in()
    {
        var one = SettingsSet.Empty.With("b", "2").With("a", "'x'");
        var other = SettingsSet.Empty.With("a", "'y'").With("b", "2").With("a", "'x'");
        Assert.That(one, Is.SameAs(other));
        Assert.That(one.SameAs(SettingsSet.Empty.With("a", "'x'")), Is.False);
    }

    [Test]
    public void A_text_and_an_expression_that_look_alike_are_not_equal() =>
        Assert.That(SettingsSet.Empty.With("a", "on").SameAs(Text(("a", "on"))), Is.False);

    [Test]
    public void Names_are_compared_in_lower_case() => Assert.That(Text(("DateStyle", "ISO")), Is.SameAs(Text(("datestyle", "ISO"))));

    [Test]
    public void The_script_sets_what_differs_and_resets_what_is_not_wanted()
    {
        var now = SettingsSet.Empty.With("work_mem", "'1MB'").With("search_path", "'a', 'b'").With("app.id", "'1'");
        var wanted = SettingsSet.Empty.With("work_mem", "'1MB'").With("search_path", "'c'").With("role", "'bob'");
        Assert.That(now.ScriptTo(wanted), Is.EqualTo("RESET \"app\".\"id\";SET \"search_path\" TO 'c';SET \"role\" TO 'bob';"));
    }

    [Test]
    public void From_equal_settings_there_is_nothing_to_do() =>
        Assert.That(SettingsSet.Empty.With("a", "1").ScriptTo(SettingsSet.Empty.With("a", "1")), Is.Empty);

    [TestCase("plain", "'plain'")]
    [TestCase("it's", "'it''s'")]
    [TestCase(@"back\slash", @"E'back\\slash'")]
    [TestCase(@"\'; DROP TABLE t; --", @"E'\\''; DROP TABLE t; --'")]
    [TestCase("", "''")]
    public void A_startup_value_is_quoted_so_that_it_reads_the_same_under_any_setting(string value, string quoted) => Assert.That(
        SettingsSet.Empty.ScriptTo(Text(("application_name", value))),
        Is.EqualTo($"SELECT pg_catalog.set_config('application_name',{quoted},false);"));

    [Test]
    public void A_name_cannot_break_out_of_its_quotes()
    {
        Assert.That(SettingsSet.Empty.ScriptTo(SettingsSet.Empty.With("a\"; DROP", "1")), Is.EqualTo("SET \"a\"\"; DROP\" TO 1;"));
        Assert.That(
            SettingsSet.Empty.ScriptTo(Text(("a'b", "1"))), Is.EqualTo("SELECT pg_catalog.set_config('a''b','1',false);"));
    }

    [Test]
    public void RESET_goes_back_to_the_value_of_the_start()
    {
        var startup = Text(("datestyle", "German"));
        var changed = startup.With("datestyle", "'ISO'").With("work_mem", "'1MB'");
        Assert.That(changed.WithFrom("datestyle", startup).WithFrom("work_mem", startup), Is.SameAs(startup));
        Assert.That(changed.WithFrom("datestyle", SettingsSet.Empty).Contains("datestyle"), Is.False);
    }

    [Test]
    public void What_one_script_did_the_reverse_one_undoes()
    {
        var (a, b) = (Text(("x.y", "1")), SettingsSet.Empty.With("z", "2"));
        Assert.That(a.ScriptTo(b), Is.EqualTo("RESET \"x\".\"y\";SET \"z\" TO 2;"));
        Assert.That(b.ScriptTo(a), Is.EqualTo("RESET \"z\";SELECT pg_catalog.set_config('x.y','1',false);"));
    }

    [Test]
    public void Lists_of_names_are_set_before_quote_all_identifiers()
    {
        var wanted = SettingsSet.Empty.With("quote_all_identifiers", "'on'").With("search_path", "'a'");
        Assert.That(SettingsSet.Empty.ScriptTo(wanted), Is.EqualTo("SET \"search_path\" TO 'a';SET \"quote_all_identifiers\" TO 'on';"));
        Assert.That(
            SettingsSet.Empty.With("quote_all_identifiers", "'on'").ScriptTo(wanted),
            Is.EqualTo("RESET \"quote_all_identifiers\";SET \"search_path\" TO 'a';SET \"quote_all_identifiers\" TO 'on';"));
        Assert.That(wanted.QuotesAllNames);
        Assert.That(wanted.With("quote_all_identifiers", "false").QuotesAllNames, Is.False);
    }

    [Test]
    public void Sets_that_were_forgotten_by_the_table_still_compare()
    {
        var before = SettingsSet.Empty.With("kept", "1");
        for (var i = 0; i < 20_000; i++)
            SettingsSet.Empty.With("n", i.ToString());
        Assert.That(before.SameAs(SettingsSet.Empty.With("kept", "1")), Is.True);
    }

    private static SettingsSet Text(params (string Name, string Value)[] values) =>
        SettingsSet.Of(values.Select(v => KeyValuePair.Create(v.Name, v.Value)));
}
