using System.Text.RegularExpressions;
using NUnit.Framework;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;
using PgRouter.Protocol;

namespace PgRouter.Tests.Sessions;

[TestFixture]
internal sealed class StartupSettingsTests
{
    [TestCase("-c work_mem=1MB", "work_mem=1MB")]
    [TestCase("-cwork_mem=1MB", "work_mem=1MB")]
    [TestCase("--work_mem=1MB", "work_mem=1MB")]
    [TestCase("--work-mem=1MB", "work_mem=1MB")]
    [TestCase("-c search_path=a,b -c  statement_timeout=5s", "search_path=a,b statement_timeout=5s")]
    [TestCase(@"-c application_name=my\ app", "application_name=my app")]
    [TestCase(@"-c x.y=a\\b", @"x.y=a\b")]
    [TestCase("-c x.y=", "x.y=")]
    [TestCase("-c x.y=a=b", "x.y=a=b")]
    [TestCase("  ", "")]
    [TestCase("-c work_mem=1MB -c work_mem=2MB", "work_mem=2MB")]
    public void Options_are_read_as_the_server_would(string options, string expected)
    {
        Assert.That(Read([("options", options)], out var settings, out _), Is.True);
        Assert.That(settings.SameAs(SettingsOf(expected)), Is.True, SettingsSet.Empty.ScriptTo(settings));
    }

    [TestCase("-c work_mem")]
    [TestCase("-c =1")]
    [TestCase("-c")]
    [TestCase("work_mem=1MB")]
    [TestCase("--work_mem")]
    [TestCase("--")]
    [TestCase("-d 5")]
    public void Options_that_are_not_understood_are_refused_with_a_hint(string options)
    {
        Assert.That(Read([("options", options)], out _, out var error), Is.False);
        Assert.That((error!.Code, error.EndsSession), Is.EqualTo((SqlStates.SyntaxError, true)));
        Assert.That(error.Hint, Does.Contain("-c name=value"));
    }

    [Test]
    public void Every_parameter_that_is_not_the_protocols_own_is_a_setting()
    {
        Assert.That(
            Read([("database", "d"), ("DateStyle", "German"), ("_pq_.x", "1"), ("replication", "off")], out var settings, out _),
            Is.True);
        Assert.That(settings.SameAs(SettingsOf("datestyle=German")), Is.True);
    }

    [Test]
    public void Without_settings_there_is_the_empty_set()
    {
        Assert.That(Read([], out var settings, out _), Is.True);
        Assert.That(settings, Is.SameAs(SettingsSet.Empty));
    }

    private static bool Read((string, string)[] parameters, out SettingsSet settings, out ErrorMessage? error)
    {
        var writer = new MessageWriter();
        StartupPacket.WriteStartup(writer, ProtocolConstants.Version30, [("user", "u"), .. parameters]);
        Assert.That(
            StartupPacket.TryRead(writer.WrittenSpan, out var packet, out _, out _), Is.EqualTo(StartupReadResult.Complete));
        return StartupSettings.TryRead(packet!, out settings, out _, out _, out error);
    }

    private static SettingsSet SettingsOf(string text)
    {
        var values = new List<KeyValuePair<string, string>>();
        foreach (Match match in Regex.Matches(text, @"([\w.]+)=((?:(?! [\w.]+=).)*)"))
            values.Add(KeyValuePair.Create(match.Groups[1].Value, match.Groups[2].Value));
        return values.Count == 0 ? SettingsSet.Empty : SettingsSet.Of(values);
    }
}
