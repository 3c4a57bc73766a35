using PgRouter.Core.Admin;

namespace PgRouter.Tests.Admin;

internal static class AdminResultExtensions
{
    /// <summary>The value of a column in a row, by name.</summary>
    public static string? Value(this AdminResult result, string column, int row = 0) =>
        result.Rows[row][result.Columns.Select(c => c.Name).ToList().IndexOf(column)];

    /// <summary>A row as psql -A prints it: values between bars, NULL as "~".</summary>
    public static string Line(this AdminResult result, int row = 0) => string.Join('|', result.Rows[row].Select(v => v ?? "~"));

    /// <summary>Columns as "name type, name type".</summary>
    public static string Shape(this IReadOnlyList<AdminColumn> columns) =>
        string.Join(' ', columns.Select(c => $"{c.Name}:{c.Type.ToString().ToLowerInvariant()}"));
}
