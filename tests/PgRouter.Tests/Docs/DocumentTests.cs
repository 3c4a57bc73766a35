using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PgRouter.Tests.Docs;

/// <summary>What README.md and docs/ name is there: paths, files, links, types and members.</summary>
[TestFixture]
internal sealed partial class DocumentTests
{
    private static readonly string Root = FindRoot();

    private static readonly IReadOnlyList<string> Documents =
        [Path.Combine(Root, "README.md"), .. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md").Order(StringComparer.Ordinal)];

    private static readonly IReadOnlyList<string> SourceFiles =
    [
        .. new[] { "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)),
    ];

    private static readonly HashSet<string> SourceWords =
        [.. SourceFiles.SelectMany(path => Word().Matches(File.ReadAllText(path)).Select(match => match.Value))];

    private static IEnumerable<TestCaseData> All() => Documents.Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileName(path)));

    [TestCaseSource(nameof(All))]
    public void Every_path_exists(string document)
    {
        var missing = RepositoryPath().Matches(File.ReadAllText(document))
            .Select(match => match.Value.TrimEnd('.', '/'))
            .Where(path => !Path.Exists(Path.Combine(Root, path)));

        Assert.That(missing, Is.Empty);
    }

    [TestCaseSource(nameof(All))]
    public void Every_file_named_in_code_marks_exists(string document)
    {
        var names = SourceFiles.Select(path => Path.GetFileName(path)).ToHashSet();
        var missing = Marked(document).Where(text => FileName().IsMatch(text) && !names.Contains(text));

        Assert.That(missing, Is.Empty);
    }

    [TestCaseSource(nameof(All))]
    public void Every_link_leads_to_a_file_and_a_heading(string document)
    {
        var broken = Link().Matches(File.ReadAllText(document)).Select(match => match.Groups[1].Value)
            .Where(target => !target.StartsWith("http", StringComparison.Ordinal) && !Leads(document, target));

        Assert.That(broken, Is.Empty);
    }

    [TestCaseSource(nameof(All))]
    public void Every_type_and_member_in_code_marks_stands_in_the_source(string document)
    {
        var missing = Marked(document).Where(text => Identifier().IsMatch(text))
            .SelectMany(text => text.Split('.'))
            .Where(name => !SourceWords.Contains(name));

        Assert.That(missing, Is.Empty);
    }

    /// <summary>Texts between backticks, outside blocks of code.</summary>
    private static IEnumerable<string> Marked(string document) =>
        CodeMark().Matches(CodeBlock().Replace(File.ReadAllText(document), "")).Select(match => match.Groups[1].Value);

    private static bool Leads(string document, string target)
    {
        var parts = target.Split('#');
        var file = parts[0].Length == 0 ? document : Path.Combine(Path.GetDirectoryName(document)!, parts[0]);
        return Path.Exists(file) && (parts.Length == 1 || File.ReadLines(file).Any(line => line.StartsWith('#') && Anchor(line) == parts[1]));
    }

    /// <summary>A heading's anchor: lower case, spaces as hyphens, without marks.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.TrimStart('#').Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "PgRouter.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("No PgRouter.sln above the test's directory.");
    }

    [GeneratedRegex(@"(?<![\w/.-])(?:src|tests|conf|scripts|docker|docs|bench)/[\w./-]+")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"^[\w.]+\.cs$")]
    private static partial Regex FileName();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex CodeMark();

    [GeneratedRegex("^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    /// <summary>A name in Pascal case, or several with dots between them; not words in capitals, which are SQL.</summary>
    [GeneratedRegex(@"^(?=[A-Za-z.]*[a-z])[A-Z][A-Za-z0-9]+(\.[A-Z][A-Za-z0-9]+)*$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Word();
}
