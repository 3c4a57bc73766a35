using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PgRouter.Sql;

namespace PgRouter.Testing.Corpus;

/// <summary>Reads the files of the corpus; their format is in docs/testing.md.</summary>
public static class CorpusBook
{
    private const string Separator = " ;; ";
    private static readonly Regex Repetition = new("⟪(.*?)×([0-9]+)⟫");
    private static readonly Regex HexBytes = new("⟦([0-9A-F ]+)⟧");

    /// <summary>All statements of all files.</summary>
    public static IReadOnlyList<CorpusStatement> All { get; } = [.. Files().SelectMany(Read)];

    /// <summary>The objects that they find in the database.</summary>
    public static string Schema { get; } = TextOf("schema.sql");

    private static IEnumerable<string> Files() =>
        typeof(CorpusBook).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".corpus", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static string TextOf(string resource)
    {
        using var stream = typeof(CorpusBook).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private static IEnumerable<CorpusStatement> Read(string file)
    {
        var group = "";
        var heading = default(Expectation);
        var (before, settings, parameters) = (new List<string>(), new List<(string, string)>(), (string[]?)null);
        var lines = TextOf(file).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (line.Length == 0 || line.StartsWith('#'))
                continue;
            if (line.StartsWith("=== ", StringComparison.Ordinal))
                group = line[4..];
            else if (line.StartsWith("== ", StringComparison.Ordinal))
                heading = Expectation.Parse(line[3..]);
            else if (line.StartsWith("> ", StringComparison.Ordinal))
                before.Add(line[2..]);
            else if (line.StartsWith("@ ", StringComparison.Ordinal))
                settings.Add((line[2..line.IndexOf('=')], line[(line.IndexOf('=') + 1)..]));
            else if (line.StartsWith("$ ", StringComparison.Ordinal))
                parameters = line[2..].Split(Separator);
            else
            {
                var place = string.Create(CultureInfo.InvariantCulture, $"{file}:{i + 1}");
                var text = new StringBuilder(line);
                while (i + 1 < lines.Length && lines[i + 1].StartsWith("    ", StringComparison.Ordinal))
                    text.Append('\n').Append(lines[++i]);
                var (sql, expected) = Split(text.ToString(), heading);
                yield return new CorpusStatement
                {
                    Place = place,
                    Group = group,
                    Class = expected.Class,
                    Node = expected.Node,
                    SqlState = expected.SqlState,
                    Varies = expected.Varies,
                    Before = [.. before],
                    Settings = [.. settings],
                    Parameters = parameters?.Select(value => value == "NULL" ? null : value).ToArray(),
                    Sql = Bytes(sql),
                };
                before.Clear();
                settings.Clear();
                parameters = null;
            }
        }
    }

    /// <summary>A statement may carry what is expected of it behind two number signs, in place of the heading.</summary>
    private static (string Sql, Expectation Expected) Split(string text, Expectation heading)
    {
        var mark = text.LastIndexOf(" ## ", StringComparison.Ordinal);
        return mark < 0 ? (text, heading) : (text[..mark], Expectation.Parse(text[(mark + 4)..]));
    }

    private static byte[] Bytes(string text)
    {
        text = Repetition.Replace(
            text, match => new StringBuilder().Insert(0, match.Groups[1].Value, int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)).ToString());
        text = text.Replace('␊', '\n').Replace('␍', '\r').Replace('␉', '\t').Replace('␌', '\f').Replace('␠', ' ');
        var bytes = new List<byte>();
        var copied = 0;
        foreach (Match match in HexBytes.Matches(text))
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(text[copied..match.Index]));
            bytes.AddRange(Convert.FromHexString(match.Groups[1].Value.Replace(" ", "")));
            copied = match.Index + match.Length;
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(text[copied..]));
        return [.. bytes];
    }

    /// <summary>CLASS NODE [SQLSTATE] [varies]</summary>
    private readonly record struct Expectation(StatementClass Class, CorpusNode Node, string? SqlState, bool Varies)
    {
        public static Expectation Parse(string text)
        {
            var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new Expectation(
                Enum.Parse<StatementClass>(words[0]),
                Enum.Parse<CorpusNode>(words[1], ignoreCase: true),
                words.Skip(2).FirstOrDefault(word => word != "varies"),
                words.Skip(2).Contains("varies"));
        }
    }
}
