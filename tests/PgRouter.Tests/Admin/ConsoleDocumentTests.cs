using NUnit.Framework;
using PgRouter.Core.Admin;

namespace PgRouter.Tests.Admin;

/// <summary>docs/console.md and the table of commands say the same.</summary>
internal sealed class ConsoleDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Root(), "docs", "console.md"));

    [Test]
    public void Every_registered_command_is_named()
    {
        var missing = new FakeRouter().Commands.All.Select(c => c.Name)
            .Where(n => !Document.Contains($"`{n}", StringComparison.OrdinalIgnoreCase));

        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void Every_column_is_explained_under_its_command()
    {
        var console = new AdminContext { User = "app", Pid = 1, IsConsole = true };
        var commands = new FakeRouter().Commands;

        var missing =
            from command in commands.All.Where(c => !c.IsHidden)
            from column in commands.Describe(command.Name, console) ?? []
            where !Section(command.Name).Contains($"`{column.Name}`", StringComparison.Ordinal)
            select $"{command.Name}: {column.Name}";

        Assert.That(missing, Is.Empty);
    }

    /// <summary>The text from a heading that names the command to the next heading.</summary>
    private static string Section(string command)
    {
        var lines = Document.Split('\n');
        var start = Array.FindIndex(lines, l => l.StartsWith('#') && l.Contains($"`{command}`", StringComparison.Ordinal));
        return start < 0 ? "" : string.Join('\n', lines.Skip(start + 1).TakeWhile(l => !l.StartsWith('#')));
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "PgRouter.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("No PgRouter.sln above the test's directory.");
    }
}
