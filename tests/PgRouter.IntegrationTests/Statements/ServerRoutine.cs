using Npgsql;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>One row of pg_proc.</summary>
/// <param name="Schema">Its schema.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">f function, a aggregate, w window function.</param>
/// <param name="ReturnsSet">It stands in FROM.</param>
/// <param name="IsStrict">A null makes it return null unasked.</param>
/// <param name="ArgumentTypes">Types as format_type() writes them.</param>
/// <param name="IsVariadic">The last argument is given as an array.</param>
/// <param name="DirectArguments">Of an ordered-set aggregate those in front of WITHIN GROUP; -1 for other functions.</param>
internal sealed record ServerRoutine(
    string Schema, string Name, char Kind, bool ReturnsSet, bool IsStrict, string[] ArgumentTypes, bool IsVariadic, int DirectArguments)
{
    private const string Query = """
        SELECT nspname::text, proname::text, prokind::text, proretset, proisstrict, proargtypes::oid[]::regtype[]::text[],
            provariadic <> 0 AND provariadic <> '"any"'::regtype, coalesce(CASE WHEN aggkind = 'n' THEN -1 ELSE aggnumdirectargs END, -1)::int
        FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace LEFT JOIN pg_aggregate ON aggfnoid = p.oid
        WHERE nspname IN ('pg_catalog', 'information_schema') AND p.oid < 16384 ORDER BY 1, 2, p.oid
        """;

    /// <summary>The function with its types, as regprocedure writes it.</summary>
    public string Signature => $"{Name}({string.Join(',', ArgumentTypes)})";

    /// <summary>The key in the table of built-in functions.</summary>
    public string QuotedName => $"{Schema}.\"{Name}\"";

    public static async Task<List<ServerRoutine>> ReadAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(Query, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var routines = new List<ServerRoutine>();
        while (await reader.ReadAsync())
        {
            routines.Add(new ServerRoutine(
                reader.GetString(0), reader.GetString(1), reader.GetString(2)[0], reader.GetBoolean(3), reader.GetBoolean(4),
                reader.GetFieldValue<string[]>(5), reader.GetBoolean(6), reader.GetInt32(7)));
        }

        return routines;
    }

    /// <summary>A statement that calls it with these arguments.</summary>
    public string Write(IReadOnlyList<string> arguments)
    {
        var all = IsVariadic ? [.. arguments.SkipLast(1), $"VARIADIC {arguments[^1]}"] : arguments;
        if (Kind == 'a' && DirectArguments >= 0)
        {
            var ordered = all.Skip(DirectArguments).DefaultIfEmpty("1");
            return $"SELECT {QuotedName}({string.Join(", ", all.Take(DirectArguments))}) WITHIN GROUP (ORDER BY {string.Join(", ", ordered)})";
        }

        if (Kind == 'a')
            return $"SELECT {QuotedName}({(all.Count == 0 ? "*" : string.Join(", ", all))})";
        var call = $"{QuotedName}({string.Join(", ", all)})";
        if (Kind == 'w')
            return $"SELECT {call} OVER ()";
        return ReturnsSet ? $"SELECT * FROM {call} LIMIT 50" : $"SELECT {call}";
    }
}
