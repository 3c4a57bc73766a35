using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace PgRouter.Core.Configuration;

/// <summary>A list of patterns (<see cref="PosixPattern"/>). Immutable; any thread. Matching allocates nothing.</summary>
internal sealed class PatternList
{
    public static readonly PatternList Empty = new([]);

    private const int OnStack = 512;

    private readonly Regex[] _patterns;

    private PatternList(Regex[] patterns) => _patterns = patterns;

    public bool IsEmpty => _patterns.Length == 0;

    /// <summary>Compiles patterns that have been checked.</summary>
    public static PatternList Of(IReadOnlyList<string> patterns)
    {
        if (patterns.Count == 0)
            return Empty;
        return new PatternList([.. patterns.Select(Compile)]);
    }

    /// <summary>What is wrong with the first pattern that is no pattern; empty when there is none.</summary>
    public static string Check(IReadOnlyList<string> patterns)
    {
        foreach (var pattern in patterns)
        {
            if (!PosixPattern.TryCompile(pattern, out _, out var problem))
                return $"found the pattern \"{pattern}\": {problem}; allowed: POSIX extended regular expressions";
        }
        return "";
    }

    public bool Matches(ReadOnlySpan<char> text)
    {
        foreach (var pattern in _patterns)
        {
            if (pattern.IsMatch(text))
                return true;
        }
        return false;
    }

    /// <summary>The same for a name, or for a schema and a name with a dot between them.</summary>
    public bool MatchesName(string? schema, string name) => Matches(schema is null ? name : $"{schema}.{name}");

    /// <summary>
    /// The same for the bytes of a statement, without its double quotes, as in pgpool. Bytes that are no UTF-8 match as some character.
    /// </summary>
    public bool MatchesStatement(ReadOnlySpan<byte> sql)
    {
        if (sql.Length <= OnStack)
            return MatchesStatement(sql, stackalloc char[OnStack]);
        var rented = ArrayPool<char>.Shared.Rent(sql.Length);
        var matches = MatchesStatement(sql, rented);
        ArrayPool<char>.Shared.Return(rented);
        return matches;
    }

    private bool MatchesStatement(ReadOnlySpan<byte> sql, Span<char> text)
    {
        var length = Encoding.UTF8.GetChars(sql, text);
        var kept = 0;
        for (var i = 0; i < length; i++)
        {
            if (text[i] != '"')
                text[kept++] = text[i];
        }
        return Matches(text[..kept]);
    }

    private static Regex Compile(string pattern) =>
        PosixPattern.TryCompile(pattern, out var regex, out var problem) ? regex : throw new ArgumentException($"{pattern}: {problem}", nameof(pattern));
}
