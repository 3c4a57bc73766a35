using System.Text.RegularExpressions;

namespace PgRouter.Core.Authentication;

/// <summary>
/// Maps of names, in the format of pg_ident.conf: MAP SYSTEM-NAME USER. A system name that begins with a slash is a regular expression, of which \1 in
/// USER is the first group; USER may also be <c>all</c>, <c>+role</c> or a regular expression (PostgreSQL 16). Immutable; any thread.
/// </summary>
internal sealed class IdentMaps
{
    public static readonly IdentMaps Empty = new([]);

    private readonly IReadOnlyList<Line> _lines;

    private IdentMaps(IReadOnlyList<Line> lines) => _lines = lines;

    /// <summary>Does the map have a line with this name?</summary>
    public bool Has(string map) => _lines.Any(line => line.Map == map);

    /// <summary>May who is called so elsewhere be this user here?</summary>
    public HbaAnswer Allows(string map, string systemName, HbaRequest request)
    {
        var best = HbaAnswer.No;
        foreach (var line in _lines.Where(line => line.Map == map))
        {
            switch (line.Allows(systemName, request))
            {
                case HbaAnswer.Yes:
                    return HbaAnswer.Yes;
                case HbaAnswer.NeedsRoles:
                    best = HbaAnswer.NeedsRoles;
                    break;
            }
        }
        return best;
    }

    /// <summary>Reads a file; an empty path is no maps.</summary>
    public static (IdentMaps Maps, IReadOnlyList<string> Mistakes) Load(string path)
    {
        if (path.Length == 0)
            return (Empty, []);
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (Empty, [$"{path}: cannot read the file of maps: {e.Message}"]);
        }
    }

    public static (IdentMaps Maps, IReadOnlyList<string> Mistakes) Parse(string text, string path)
    {
        var lines = new List<Line>();
        var mistakes = new List<string>();
        foreach (var line in HbaTokenizer.Tokenize(text))
        {
            var problem = line.Mistake;
            if (problem is null && (line.Fields.Count != 3 || line.Fields.Any(field => field.Count != 1)))
                problem = "expected MAP SYSTEM-NAME USER";
            var parsed = problem is null ? Line.Of(line.Fields[0][0], line.Fields[1][0], line.Fields[2][0], out problem) : null;
            if (parsed is not null)
                lines.Add(parsed);
            else
                mistakes.Add($"{path}:{line.Number}: {problem}");
        }
        return (new IdentMaps(lines), mistakes);
    }

    private sealed record Line(string Map, string System, Regex? Pattern, string User, HbaName? Name)
    {
        public static Line? Of(HbaToken map, HbaToken system, HbaToken user, out string? problem)
        {
            problem = null;
            var isPattern = system.Text is ['/', _, ..];
            var pattern = isPattern ? HbaName.TryPattern(system.Text[1..], RegexOptions.NonBacktracking) : null;
            var name = HbaName.Of(user.Text, user.IsQuoted);
            if ((isPattern && pattern is null) || name is null)
                problem = "a regular expression in it cannot be used: neither back references nor look-around are";
            return problem is null ? new Line(map.Text, system.Text, pattern, user.Text, name) : null;
        }

        public HbaAnswer Allows(string systemName, HbaRequest request)
        {
            if (Pattern is null)
                return systemName == System ? Name!.MatchesUser(request) : HbaAnswer.No;
            var match = Pattern.Match(systemName);
            if (!match.Success)
                return HbaAnswer.No;
            return User.Contains("\\1", StringComparison.Ordinal)
                ? request.User == User.Replace("\\1", match.Groups[1].Value, StringComparison.Ordinal) ? HbaAnswer.Yes : HbaAnswer.No
                : Name!.MatchesUser(request);
        }
    }
}
