using System.Collections.Immutable;
using System.Text;

namespace PgRouter.Core.Catalog;

/// <summary>
/// The schemas in which a session finds names that are written without one, in their order; without pg_catalog, pg_temp and what cannot be a schema of
/// a user. Which of them it may use (USAGE) is not known here: answers are united over all of them. Immutable; equal by its schemas.
/// </summary>
internal sealed class SearchPath : IEquatable<SearchPath>
{
    /// <summary>Nothing is known: a name may mean any schema's.</summary>
    public static readonly SearchPath Any = new([]) { IsAny = true };

    private readonly ImmutableArray<string> _schemas;
    private readonly string _key;
    private readonly int _hash;

    public SearchPath(ImmutableArray<string> schemas)
    {
        _schemas = schemas;
        _key = string.Join('\0', schemas);
        _hash = _key.GetHashCode(StringComparison.Ordinal);
    }

    public bool IsAny { get; private init; }

    public IReadOnlyList<string> Schemas => _schemas;

    /// <summary>May a name without a schema mean one in this?</summary>
    public bool Contains(string schema)
    {
        if (IsAny)
            return true;
        foreach (var known in _schemas)
        {
            if (known == schema)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Reads a value of search_path: a list of identifiers or literals between commas, as in the start-up packet, pg_db_role_setting and behind
    /// <c>SET search_path TO</c>.
    /// </summary>
    /// <param name="value">The value.</param>
    /// <param name="role">Who "$user" is; null when that is not known.</param>
    /// <returns><see cref="Any"/> when it cannot be read.</returns>
    public static SearchPath Parse(string value, string? role)
    {
        var schemas = ImmutableArray.CreateBuilder<string>();
        for (var i = 0; i < value.Length;)
        {
            if (Element(value, ref i) is not { } element)
                return Any;
            if (element == "$user")
            {
                if (role is null)
                    return Any;
                schemas.Add(role);
            }
            else if (element.Length > 0 && element is not ("pg_catalog" or "pg_temp"))
            {
                schemas.Add(element);
            }
        }
        return new SearchPath(schemas.ToImmutable());
    }

    /// <summary>One name, as an identifier or a literal; null when it is neither.</summary>
    public static string? NameIn(string value)
    {
        var i = 0;
        return Element(value, ref i) is { } name && i == value.Length ? name : null;
    }

    /// <summary>One element and the comma behind it; null when the list is not well formed.</summary>
    private static string? Element(string value, ref int i)
    {
        Skip(value, ref i);
        var element = new StringBuilder();
        if (i < value.Length && value[i] is '"' or '\'')
        {
            var quote = value[i++];
            while (true)
            {
                if (i == value.Length)
                    return null;
                if (value[i] == quote && (i + 1 == value.Length || value[i + 1] != quote))
                    break;
                i += value[i] == quote ? 1 : 0;
                element.Append(value[i++]);
            }
            i++;
        }
        else
        {
            while (i < value.Length && value[i] != ',' && !char.IsWhiteSpace(value[i]))
                element.Append(char.IsAsciiLetterUpper(value[i]) ? (char)(value[i++] | 0x20) : value[i++]);
        }
        Skip(value, ref i);
        if (i < value.Length && value[i++] != ',')
            return null;
        return element.ToString();
    }

    private static void Skip(string value, ref int i)
    {
        while (i < value.Length && char.IsWhiteSpace(value[i]))
            i++;
    }

    public bool Equals(SearchPath? other) =>
        ReferenceEquals(this, other) || (other is not null && _hash == other._hash && IsAny == other.IsAny && _key == other._key);

    public override bool Equals(object? obj) => Equals(obj as SearchPath);

    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => IsAny ? "any schema" : string.Join(", ", _schemas);
}
