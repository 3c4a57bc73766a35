using System.Collections.Immutable;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>What a session has said by SET pgrouter.*, a value for each row of <see cref="OwnSetting.Rows"/>. Immutable.</summary>
internal sealed class OwnSettings
{
    private static readonly int NoticeRow = OwnSetting.Find(OwnSetting.NoticeRoute);

    public static readonly OwnSettings Default = new([.. OwnSetting.Rows.Select(row => row.Default)]);

    private readonly ImmutableArray<string> _values;

    private OwnSettings(ImmutableArray<string> values)
    {
        _values = values;
        var hint = new RouteHint();
        for (var i = 0; i < values.Length; i++)
            hint = OwnSetting.Rows[i].Apply(hint, values[i]);
        Hint = hint == new RouteHint() ? null : hint;
        NoticesRoute = values[NoticeRow] == "on";
    }

    /// <summary>What it means for routing; null when it says nothing.</summary>
    public RouteHint? Hint { get; }

    /// <summary>pgrouter.notice_route.</summary>
    public bool NoticesRoute { get; }

    public string this[int row] => _values[row];

    /// <summary>With a value as <see cref="OwnSetting.Read"/> gives it.</summary>
    public OwnSettings With(int row, string value) => _values[row] == value ? this : new OwnSettings(_values.SetItem(row, value));
}
