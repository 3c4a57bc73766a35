using NUnit.Framework;
using PgRouter.Core.Routing;

namespace PgRouter.Tests.Routing;

/// <summary>docs/routing.md and the rules in the code say the same.</summary>
[TestFixture]
internal sealed class RouteTableTests
{
    [Test]
    public void The_table_of_the_document_is_that_of_the_rules()
    {
        var section = File.ReadLines(Path.Combine(Root(), "docs", "routing.md"))
            .SkipWhile(line => line != "## The ladder").Skip(1).TakeWhile(line => !line.StartsWith('#'));

        Assert.That(
            section.Where(line => line.StartsWith('|')), Is.EqualTo(RouteTable.Lines()),
            $"the table is:\n{string.Join('\n', RouteTable.Lines())}");
    }

    [Test]
    public void A_reason_is_written_in_words() => Assert.That(
        new[] { RouteReason.VolatileFunction, RouteReason.NoStandby, RouteReason.Held }.Select(reason => reason.Word()),
        Is.EqualTo(new[] { "volatile function", "no standby", "held" }));

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "PgRouter.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("No PgRouter.sln above the test's directory.");
    }
}
