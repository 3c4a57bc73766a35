using System.Text;

namespace PgRouter.Core.Configuration;

/// <summary>
/// The name of a setting of one database or user: <c>database.NAME.setting</c>, <c>user.NAME.setting</c>. NAME is the exact name, in double
/// quotes when it holds anything but letters, digits, '_', '-', '$' and '.'; without quotes * stands for all.
/// </summary>
internal sealed record ScopedName(ScopeOf Scope, string Setting)
{
    private const string Database = "database";
    private const string User = "user";

    /// <summary>Reads a name as written; null when it is not of this form.</summary>
    public static ScopedName? Read(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || KindOf(text[..dot]) is not { } kind)
            return null;
        var rest = text[(dot + 1)..];
        return rest.StartsWith('"') ? ReadQuoted(kind, rest) : ReadBare(kind, rest);
    }

    /// <summary>The name with which a mistyped one was probably meant; null when it looks like something else.</summary>
    public static string? Suggest(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || text.LastIndexOf('.') == dot)
            return null;
        var word = text[..dot].ToLowerInvariant();
        var near = word.StartsWith("db", StringComparison.Ordinal) ? Database
            : new[] { Database, User }.FirstOrDefault(known => EditDistance.Between(word, known) <= 1 + known.Length / 5);
        return near is null ? null : near + text[dot..];
    }

    /// <summary>The canonical form, which <see cref="Read"/> reads again.</summary>
    public override string ToString() => $"{(Scope.Kind == ScopeKind.Database ? Database : User)}.{Written(Scope.Name)}.{Setting}";

    /// <summary>May stand in a name without quotes.</summary>
    public static bool IsPlain(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '$' or '.';

    private static ScopeKind? KindOf(string word) =>
        word.Equals(Database, StringComparison.OrdinalIgnoreCase) ? ScopeKind.Database
        : word.Equals(User, StringComparison.OrdinalIgnoreCase) ? ScopeKind.User
        : null;

    /// <summary>No setting has a dot in its name, so the last one ends the database's or user's name.</summary>
    private static ScopedName? ReadBare(ScopeKind kind, string rest)
    {
        var dot = rest.LastIndexOf('.');
        if (dot <= 0 || dot == rest.Length - 1)
            return null;
        var name = rest[..dot];
        return new ScopedName(new ScopeOf(kind, name == "*" ? null : name), rest[(dot + 1)..].ToLowerInvariant());
    }

    private static ScopedName? ReadQuoted(ScopeKind kind, string rest)
    {
        var name = new StringBuilder();
        var at = 1;
        for (; at < rest.Length; at++)
        {
            if (rest[at] == '"' && at + 1 < rest.Length && rest[at + 1] == '"')
                at++;
            else if (rest[at] == '"')
                break;
            name.Append(rest[at]);
        }
        var isWhole = name.Length > 0 && at + 2 < rest.Length && rest[at + 1] == '.';
        return isWhole ? new ScopedName(new ScopeOf(kind, name.ToString()), rest[(at + 2)..].ToLowerInvariant()) : null;
    }

    private static string Written(string? name) =>
        name is null ? "*"
        : name.All(IsPlain) ? name
        : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
