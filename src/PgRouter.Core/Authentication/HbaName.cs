using System.Text.RegularExpressions;

namespace PgRouter.Core.Authentication;

/// <summary>What a line, or a part of one, says to a request.</summary>
internal enum HbaAnswer : byte
{
    No,
    Yes,

    /// <summary>It depends on the roles the user is a member of, which the request does not have yet.</summary>
    NeedsRoles,

    /// <summary>It depends on the host name of the client's address, which the request does not have yet.</summary>
    NeedsHostName,
}

/// <summary>
/// A name in DATABASE or USER. As in PostgreSQL a keyword, <c>+role</c> and <c>@file</c> are such only when they are not quoted, and a name that
/// begins with a slash is a regular expression, quoted or not.
/// </summary>
internal sealed class HbaName
{
    private static readonly TimeSpan MatchLimit = TimeSpan.FromMilliseconds(100);

    private readonly string _text;
    private readonly Kind _kind;
    private readonly Regex? _pattern;

    private HbaName(string text, Kind kind, Regex? pattern = null)
    {
        (_text, _kind, _pattern) = (text, kind, pattern);
    }

    private enum Kind : byte
    {
        Exact,
        Keyword,
        Role,
        Pattern,
    }

    /// <summary>A name of a line; null when it is a regular expression that cannot be read.</summary>
    public static HbaName? Of(string text, bool isQuoted)
    {
        if (text is ['/', _, ..])
        {
            // Without backtracking: a name that a client sends can then never make it take long.
            return TryPattern(text[1..], RegexOptions.NonBacktracking) is { } pattern ? new HbaName(text, Kind.Pattern, pattern) : null;
        }
        if (isQuoted)
            return new HbaName(text, Kind.Exact);
        if (text is ['+', _, ..])
            return new HbaName(text[1..], Kind.Role);
        return new HbaName(text, text is "all" or "sameuser" or "samerole" or "samegroup" or "replication" ? Kind.Keyword : Kind.Exact);
    }

    /// <summary>Null when it cannot be read.</summary>
    public static Regex? TryPattern(string text, RegexOptions options)
    {
        try
        {
            return new Regex(text, options | RegexOptions.CultureInvariant, MatchLimit);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    public HbaAnswer MatchesDatabase(HbaRequest request)
    {
        if (_kind == Kind.Keyword && _text == "replication")
            return Answer(request.IsReplication);
        if (request.IsReplication)
            return HbaAnswer.No;
        if (_kind != Kind.Keyword)
            return MatchesText(request.Database, request);
        return _text switch
        {
            "all" => HbaAnswer.Yes,
            "sameuser" => Answer(request.Database == request.User),
            _ => IsMember(request, request.Database),
        };
    }

    public HbaAnswer MatchesUser(HbaRequest request)
    {
        if (_kind == Kind.Keyword)
            return Answer(_text == "all" || request.User == _text);
        return _kind == Kind.Role ? IsMember(request, _text) : MatchesText(request.User, request);
    }

    private HbaAnswer MatchesText(string name, HbaRequest request) => _kind switch
    {
        Kind.Pattern => Answer(_pattern!.IsMatch(name)),
        Kind.Role => HbaAnswer.No, // +role says nothing of a database.
        _ => Answer(name == _text),
    };

    private static HbaAnswer IsMember(HbaRequest request, string role)
    {
        if (request.User == role)
            return HbaAnswer.Yes;
        return request.Roles is { } roles ? Answer(roles.Contains(role)) : HbaAnswer.NeedsRoles;
    }

    private static HbaAnswer Answer(bool yes) => yes ? HbaAnswer.Yes : HbaAnswer.No;
}
