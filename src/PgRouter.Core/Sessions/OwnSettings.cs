using System.Collections.Immutable;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What a session has of <see cref="OwnSetting.Rows"/>: for each row what it has said itself, by SET or in its start-up packet, or else what ALTER ROLE
/// and ALTER DATABASE have its kind begin with, or else the built-in value. Immutable.
/// </summary>
internal sealed class OwnSettings
{
    private static readonly int NoticeRow = OwnSetting.Find(OwnSetting.NoticeRoute);
    private static readonly ImmutableArray<string> BuiltIn = [.. OwnSetting.Rows.Select(row => row.Default)];

    public static readonly OwnSettings Default = new(BuiltIn, [.. OwnSetting.Rows.Select(_ => (string?)null)]);

    private readonly ImmutableArray<string> _begun;
    private readonly ImmutableArray<string?> _said;

    private OwnSettings(ImmutableArray<string> begun, ImmutableArray<string?> said)
    {
        (_begun, _said) = (begun, said);
        var hint = new RouteHint();
        for (var i = 0; i < begun.Length; i++)
            hint = OwnSetting.Rows[i].Apply(hint, this[i]);
        Hint = hint == new RouteHint() ? null : hint;
        NoticesRoute = this[NoticeRow] == "on";
    }

    /// <summary>What it means for routing; null when it says nothing.</summary>
    public RouteHint? Hint { get; }

    /// <summary>pgrouter.notice_route.</summary>
    public bool NoticesRoute { get; }

    public string this[int row] => _said[row] ?? _begun[row];

    /// <summary>What the session itself has said of it; null = nothing.</summary>
    public string? Said(int row) => _said[row];

    /// <summary>With a value as <see cref="OwnSetting.Read"/> gives it; null = the session says nothing of it any more.</summary>
    public OwnSettings With(int row, string? value) => _said[row] == value ? this : new OwnSettings(_begun, _said.SetItem(row, value));

    /// <summary>With other values to begin with; null for those that nobody has said.</summary>
    public OwnSettings Begun(IReadOnlyList<string?> values)
    {
        ImmutableArray<string> begun = [.. values.Select((value, row) => value ?? BuiltIn[row])];
        return begun.SequenceEqual(_begun) ? this : new OwnSettings(begun, _said);
    }
}
