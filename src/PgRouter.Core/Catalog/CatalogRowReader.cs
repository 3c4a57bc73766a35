using Npgsql;

namespace PgRouter.Core.Catalog;

/// <summary>Reads the results of <see cref="CatalogQueries"/>, in their order.</summary>
internal static class CatalogRowReader
{
    public static async Task<CatalogRows> ReadAsync(NpgsqlDataReader reader, CancellationToken stop) => new()
    {
        Routines = await AllAsync(reader, Routine, stop),
        Aggregates = await NextAsync(reader, row => new AggregateRow(Oid(row, 0), Function(row, 1)), stop),
        Implicit = await NextAsync(reader, row => Function(row, 0), stop),
        ImplicitTexts = await NextAsync(reader, row => row.GetString(0), stop),
        Relations = await NextAsync(
            reader, row => new RelationRow(Oid(row, 0), row.GetString(1), row.GetString(2), row.GetString(3)[0], row.GetString(4)[0]), stop),
        Texts = await NextAsync(
            reader, row => new RelationText(Oid(row, 0), (RelationTextKind)row.GetInt32(1), Text(row, 2) ?? ""), stop),
        Triggers = await NextAsync(reader, row => new TriggerRow(Oid(row, 0), Function(row, 1)), stop),
        Edges = await NextAsync(reader, row => new RelationEdge(Oid(row, 0), Oid(row, 1)), stop),
        EventTriggers = await NextAsync(reader, row => Function(row, 0), stop),
        Dependencies = await NextAsync(
            reader, row => new RelationDependency(Oid(row, 0), (RelationTextKind)row.GetInt32(1), row.GetBoolean(2), Oid(row, 3)), stop),
        References = await NextAsync(reader, row => new RelationEdge(Oid(row, 0), Oid(row, 1)), stop),
        Defaults = await NextAsync(
            reader, row => new DefaultRow((DefaultLevel)row.GetInt32(0), Text(row, 1), row.GetString(2), row.GetString(3)), stop),
    };

    private static RoutineRow Routine(NpgsqlDataReader row) => new(
        Oid(row, 0),
        row.GetString(1),
        row.GetString(2),
        row.GetString(3),
        row.GetInt32(4),
        row.GetInt32(5),
        row.GetBoolean(6),
        row.GetString(7),
        row.GetString(8)[0],
        row.GetString(9)[0],
        row.GetBoolean(10),
        Text(row, 11),
        row.GetBoolean(12),
        Text(row, 13),
        Text(row, 14));

    private static async Task<List<T>> NextAsync<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken stop)
    {
        await reader.NextResultAsync(stop);
        return await AllAsync(reader, read, stop);
    }

    private static async Task<List<T>> AllAsync<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken stop)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(stop))
            rows.Add(read(reader));
        return rows;
    }

    private static uint Oid(NpgsqlDataReader row, int column) => row.GetFieldValue<uint>(column);

    private static FunctionRef Function(NpgsqlDataReader row, int column) => new(Oid(row, column), row.GetString(column + 1));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
