namespace PgRouter.Core.Admin;

/// <summary>
/// The columns of one command, each beside the function that fills it from a row. Built once per command, read from any thread afterwards.
/// </summary>
internal sealed class AdminTable<TRow>
{
    private readonly List<AdminColumn> _columns = [];
    private readonly List<Func<TRow, TimeZoneInfo, string?>> _values = [];

    public IReadOnlyList<AdminColumn> Columns => _columns;

    public AdminTable<TRow> Text(string name, Func<TRow, string?> value) => Add(name, AdminType.Text, (row, _) => value(row));

    public AdminTable<TRow> Int4(string name, Func<TRow, int?> value) => Add(name, AdminType.Int4, (row, _) => Integer(value(row)));

    public AdminTable<TRow> Int8(string name, Func<TRow, long?> value) => Add(name, AdminType.Int8, (row, _) => Integer(value(row)));

    public AdminTable<TRow> Numeric(string name, Func<TRow, long?> value) => Add(name, AdminType.Numeric, (row, _) => Integer(value(row)));

    public AdminTable<TRow> Bool(string name, Func<TRow, bool?> value) =>
        Add(name, AdminType.Bool, (row, _) => value(row) is { } known ? AdminText.Bool(known) : null);

    /// <summary>A float8 printed with six digits after the point.</summary>
    public AdminTable<TRow> Float8(string name, Func<TRow, double?> value) =>
        Add(name, AdminType.Float8, (row, _) => value(row) is { } known ? AdminText.Float8Fixed(known) : null);

    /// <summary>A timestamp without time zone, in the router's local time.</summary>
    public AdminTable<TRow> Timestamp(string name, Func<TRow, DateTimeOffset?> value) =>
        Add(name, AdminType.Timestamp, (row, zone) => Known(value(row)) is { } known ? AdminText.Timestamp(known, zone) : null);

    /// <summary>A moment as text in UTC, as PgBouncer's console gives it.</summary>
    public AdminTable<TRow> UtcText(string name, Func<TRow, DateTimeOffset?> value) =>
        Add(name, AdminType.Text, (row, _) => Known(value(row)) is { } known ? AdminText.Utc(known) : null);

    /// <summary>Fills every row; timestamps without zone are written in <paramref name="zone"/>.</summary>
    public IReadOnlyList<string?[]> Fill(IEnumerable<TRow> rows, TimeZoneInfo zone) =>
        rows.Select(row => _values.Select(value => value(row, zone)).ToArray()).ToList();

    private AdminTable<TRow> Add(string name, AdminType type, Func<TRow, TimeZoneInfo, string?> value)
    {
        _columns.Add(new AdminColumn(name, type));
        _values.Add(value);
        return this;
    }

    private static string? Integer(long? value) => value is { } known ? AdminText.Integer(known) : null;

    // A moment that was never written is the default value; as a date of the year 1 it would be a false figure.
    private static DateTimeOffset? Known(DateTimeOffset? value) => value == default(DateTimeOffset) ? null : value;
}
