using System.Text;
using System.Text.RegularExpressions;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>What a node wrote into its log since the last look: which session ran what there, in PostgreSQL's own words.</summary>
internal sealed class NodeLog(string path)
{
    private static readonly Regex Begin = new(@"^\d{4}-\d\d-\d\d [\d:.]+ UTC \[\d+\] (?<name>\S*) (?<text>[A-Z]+:  .*)$");

    private long _position = new FileInfo(path).Length;

    /// <summary>Passes over what is there.</summary>
    public void Skip() => _position = new FileInfo(path).Length;

    /// <summary>The new entries of a session, each with all its lines.</summary>
    public List<string> Read(string name) => [.. ReadAll().Where(entry => entry.Name == name).Select(entry => entry.Text)];

    private List<(string Name, string Text)> ReadAll()
    {
        var entries = new List<(string Name, StringBuilder Text)>();
        foreach (var line in ReadNew().Split('\n'))
        {
            if (Begin.Match(line) is { Success: true } match)
                entries.Add((match.Groups["name"].Value, new StringBuilder(match.Groups["text"].Value)));
            else if (entries.Count > 0)
                entries[^1].Text.Append('\n').Append(line);
        }

        return [.. entries.Select(entry => (entry.Name, entry.Text.ToString().TrimEnd('\n')))];
    }

    private string ReadNew()
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = _position;
        var bytes = new byte[file.Length - _position];
        file.ReadExactly(bytes);
        _position += bytes.Length;
        return Encoding.Latin1.GetString(bytes);
    }
}
