using System.Globalization;
using PgRouter.Core.Configuration;
using PgRouter.Core.Configuration.Settings;
using PgRouter.Core.Consistency;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>One setting that a session can have of the router.</summary>
/// <param name="Name">With its prefix.</param>
/// <param name="Default">As SHOW tells it.</param>
/// <param name="Allowed">What may be written, in words.</param>
/// <param name="Read">The value as SHOW tells it, null when it is none.</param>
/// <param name="Apply">What it means for routing.</param>
internal sealed record OwnSetting(string Name, string Default, string Allowed, Func<string, string?> Read, Func<RouteHint, string, RouteHint> Apply)
{
    /// <summary>Each statement is followed by a NOTICE that tells where it ran, and why.</summary>
    public const string NoticeRoute = "pgrouter.notice_route";

    /// <summary>Empty = as configured.</summary>
    public const string Consistency = "pgrouter.read_consistency";

    /// <inheritdoc cref="Consistency"/>
    public const string ConsistencyWait = "pgrouter.consistency_wait";

    /// <summary>SHOW only: a position behind everything that is committed now.</summary>
    public const string LsnToken = "pgrouter.lsn_token";

    /// <summary>Everything a session can say by SET pgrouter.*, one row each.</summary>
    public static IReadOnlyList<OwnSetting> Rows { get; } =
    [
        new("pgrouter.route", "auto", "auto, primary, standby, node=N", ReadRoute, ApplyRoute),
        new("pgrouter.max_lag", "-1", "a time with ms, s, min, h or d, without a unit in milliseconds; -1 = as configured", ReadLag, ApplyLag),
        new(NoticeRoute, "off", "on, off", ReadSwitch, (hint, _) => hint),
        new(Consistency, "", string.Join(", ", ReadConsistencies.Names), ReadLevel, (hint, level) => level.Length == 0 ? hint : hint with { Consistency = level }),
        new(ConsistencyWait, "", "a time with ms, s, min, h or d, without a unit in milliseconds", ReadWait, ApplyWait),
        new("pgrouter.min_lsn", "", "what SHOW pgrouter.lsn_token has said, or a position like 0/3000148; empty = none", ReadToken,
            (hint, token) => token.Length == 0 ? hint : hint with { MinLsn = token }),
    ];

    /// <summary>Its number among <see cref="Rows"/>, -1 when there is no such setting.</summary>
    public static int Find(string name)
    {
        for (var i = 0; i < Rows.Count; i++)
        {
            if (Rows[i].Name == name)
                return i;
        }
        return -1;
    }

    private static readonly Setting Switch = SettingRows.Bool(NoticeRoute, false, "");

    private static string? ReadSwitch(string text) => SettingParser.Parse(Switch, text.Trim()).Value?.Text;

    private static string? ReadRoute(string text)
    {
        var word = text.ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal);
        if (word is "auto" or "primary" or "standby")
            return word;
        return word.StartsWith("node=", StringComparison.Ordinal) && NodeOf(word) is { } node ? string.Create(CultureInfo.InvariantCulture, $"node={node}") : null;
    }

    private static int? NodeOf(string word) =>
        int.TryParse(word.AsSpan("node=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id <= BackendSettings.MaxNodeId ? id : null;

    private static RouteHint ApplyRoute(RouteHint hint, string word) => word switch
    {
        "primary" => hint with { Primary = true },
        "standby" => hint with { Standby = true },
        "auto" => hint,
        _ => hint with { Node = NodeOf(word) },
    };

    private static readonly Setting Lag = SettingRows.Milliseconds("pgrouter.max_lag", "0", "");

    private static string? ReadLag(string text)
    {
        if (text.Trim() == "-1")
            return "-1";
        if (SettingParser.Parse(Lag, text.Trim()).Value is not { } value)
            return null;
        return Written(value.Duration);
    }

    public static string Written(TimeSpan duration)
    {
        var milliseconds = Math.Ceiling(duration.TotalMilliseconds);
        return milliseconds % 1000 == 0 && milliseconds > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000}s")
            : string.Create(CultureInfo.InvariantCulture, $"{milliseconds}ms");
    }

    private static string? ReadLevel(string text) => ReadConsistencies.Find(text.Trim().ToLowerInvariant())?.Name();

    private static string? ReadWait(string text) => text.Trim() == "-1" ? null : ReadLag(text);

    private static RouteHint ApplyWait(RouteHint hint, string value) =>
        value.Length == 0 ? hint : hint with { ConsistencyWait = SettingParser.Parse(Lag, value).Value!.Duration };

    private static string? ReadToken(string text) =>
        text.Trim() is not { Length: > 0 } token ? "" : WalPosition.ParseToken(token) is { } position ? position.ToToken() : null;

    private static RouteHint ApplyLag(RouteHint hint, string value) =>
        value == "-1" ? hint : hint with { MaxLag = SettingParser.Parse(Lag, value).Value!.Duration };
}
