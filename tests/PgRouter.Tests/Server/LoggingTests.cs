using System.Text;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Server.Logging;

namespace PgRouter.Tests.Server;

[TestFixture]
internal sealed class LoggingTests
{
    private static readonly LogPrefixValues Values = new(
        new DateTimeOffset(2026, 1, 2, 3, 4, 5, 67, TimeSpan.Zero), 4711, 8, "psql", "shop", "alice");

    [TestCase("%t: pid %p: ", "2026-01-02 03:04:05: pid 4711: ")]
    [TestCase("%m: %a pid %p: ", "2026-01-02 03:04:05.067: psql pid 4711: ")]
    [TestCase("%u@%d %P[%l] 100%% ", "alice@shop pgrouter[8] 100% ")]
    [TestCase("%x%", "%")]
    [TestCase("", "")]
    public void The_prefix_is_pgpools(string format, string expected)
    {
        var line = new StringBuilder();
        LogPrefix.Append(line, format, Values);
        Assert.That(line.ToString(), Is.EqualTo(expected));
    }

    [TestCase(LogSeverity.Warning, "Information Warning Error Critical")]
    [TestCase(LogSeverity.Info, "Information Warning Error Critical")]
    [TestCase(LogSeverity.Debug1, "Debug Information Warning Error Critical")]
    [TestCase(LogSeverity.Debug5, "Trace Debug Information Warning Error Critical")]
    [TestCase(LogSeverity.Error, "Information Error Critical")]
    [TestCase(LogSeverity.Log, "Information Critical")]
    [TestCase(LogSeverity.Fatal, "Critical")]
    public void The_least_severity_is_postgresqls(LogSeverity least, string expected)
    {
        var logged = Enum.GetValues<LogLevel>().Where(level => LogSeverities.IsLogged(level, least));
        Assert.That(string.Join(' ', logged), Is.EqualTo(expected));
    }
}
