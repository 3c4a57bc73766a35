using System.Text.RegularExpressions;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Architecture;

/// <summary>One file of src: its path below src, its text without comments and strings, and the names it brings in.</summary>
internal sealed partial class SourceFile
{
    private SourceFile(string path, string text)
    {
        Path = path;
        LineCount = text.Count(c => c == '\n');
        Code = CommentOrString().Replace(text, match => match.Value.StartsWith('/') ? " " : "\"\"");
        Namespace = NamespaceLine().Match(Code) is { Success: true } line ? line.Groups[1].Value : null;
    }

    /// <summary>As in "PgRouter.Core/Routing/Router.cs".</summary>
    public string Path { get; }

    public string Project => Path.Split('/')[0];

    /// <summary>The first folder below the project, empty for a file beside the project file.</summary>
    public string Room => Path.Split('/') is { Length: > 2 } parts ? parts[1] : "";

    public string Folder => System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    public string? Namespace { get; }

    public string Code { get; }

    public int LineCount { get; }

    /// <summary>Does it name this namespace, by a using or in front of a type?</summary>
    public bool Names(string space) => Regex.IsMatch(Code, $@"(?<![\w.]){Regex.Escape(space)}(?!\w)");

    /// <summary>The types it declares.</summary>
    public IEnumerable<string> Types() => TypeName().Matches(Code).Select(match => match.Groups[1].Value);

    /// <summary>All source files, without what the build generates.</summary>
    public static IReadOnlyList<SourceFile> All()
    {
        var root = ConfigFiles.InRepository("src");
        return [.. Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path: path, Name: System.IO.Path.GetRelativePath(root, path).Replace('\\', '/')))
            .Where(file => !file.Name.Contains("/obj/", StringComparison.Ordinal) && !file.Name.Contains("/bin/", StringComparison.Ordinal))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => new SourceFile(file.Name, File.ReadAllText(file.Path)))];
    }

    public override string ToString() => Path;

    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|\"\"\"+.*?\"\"\"+|@?\$?\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'""", RegexOptions.Singleline)]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"^namespace\s+([\w.]+)\s*[;{]", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record)\s+(?!class\b|struct\b)(\w+)")]
    private static partial Regex TypeName();
}
