using System.Collections.Frozen;
using System.Globalization;

namespace PgRouter.Sql;

/// <summary>Where a function that PostgreSQL comes with may run.</summary>
internal enum FunctionKind : byte
{
    /// <summary>
    /// Same answer on every node that has replayed the same data; or volatile and harmless (random, clock_timestamp, pg_sleep).
    /// </summary>
    Anywhere,

    /// <summary>Runs anywhere and tells of the server it ran on (pg_backend_pid, inet_server_port): balanced like any read.</summary>
    NodeLocal,

    /// <summary>Tells of recovery, replication, statistics, files or transaction numbers: only the primary's answer is meant.</summary>
    PrimaryRead,

    /// <summary>Writes, takes a transaction number, is refused on a standby, or runs SQL given as text.</summary>
    PrimaryOnly,

    /// <summary>Changes or reads state of the session: settings, session advisory locks, sequence positions, the random seed.</summary>
    SessionState,
}

/// <summary>One entry of the table.</summary>
/// <param name="Kind">Where it may run.</param>
/// <param name="IsHarmlessVolatile">Volatile in pg_proc, and runs anywhere all the same.</param>
/// <param name="IsOfOtherVersions">PostgreSQL 15 does not have it.</param>
internal readonly record struct BuiltinFunction(FunctionKind Kind, bool IsHarmlessVolatile, bool IsOfOtherVersions);

/// <summary>
/// The functions that PostgreSQL comes with, from BuiltinFunctions.txt, where each stands in the section of its kind. What is not in there is a
/// user function, for the catalog.
/// </summary>
internal static class BuiltinFunctions
{
    private const string PgCatalog = "pg_catalog";
    private const string OtherVersions = " | other versions";

    private static readonly FrozenDictionary<string, BuiltinFunction> Table = Read();

    /// <summary>Names whose overloads are not all alike, each with the numbers of arguments that are told apart.</summary>
    private static readonly FrozenSet<string> Overloaded =
        Table.Keys.Where(key => key.Contains('/')).Select(key => key[..key.IndexOf('/')]).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The table as it was read: name, schema.name outside pg_catalog, name/arguments.</summary>
    public static IReadOnlyDictionary<string, BuiltinFunction> Entries => Table;

    /// <summary>The names of pg_catalog.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. Table.Keys.Where(key => key.IndexOfAny(['/', '.']) < 0)];

    /// <summary>
    /// Of those for the primary alone: may it write rows that a read on a standby could miss? Large objects and sequences are read on the primary only.
    /// </summary>
    public static bool WritesTables(string name) =>
        name is "query_to_xml" or "query_to_xmlschema" or "query_to_xml_and_xmlschema" or "ts_stat" or "ts_rewrite" or "pg_import_system_collations"
            or "pg_extension_config_dump"
        || name.StartsWith("binary_upgrade_", StringComparison.Ordinal);

    /// <summary>The kind of a function of pg_catalog by its name alone, for texts whose calls are not parsed.</summary>
    public static bool TryGetKind(string name, out FunctionKind kind)
    {
        var isKnown = Table.TryGetValue(name, out var function);
        kind = function.Kind;
        return isKnown;
    }

    /// <summary>The kind of a call as written; a null schema means the search_path, whose first schema is pg_catalog.</summary>
    public static bool TryGetKind(string? schema, string name, int arguments, out FunctionKind kind)
    {
        if (schema is not (null or PgCatalog))
            return TryGetKind($"{schema}.{name}", out kind);
        return (Overloaded.Contains(name) && TryGetKind(string.Create(CultureInfo.InvariantCulture, $"{name}/{arguments}"), out kind))
            || TryGetKind(name, out kind);
    }

    private static FrozenDictionary<string, BuiltinFunction> Read()
    {
        var table = new Dictionary<string, BuiltinFunction>(StringComparer.Ordinal);
        var section = default(BuiltinFunction);
        foreach (var line in ReadLines())
        {
            if (line.StartsWith("== ", StringComparison.Ordinal))
                section = SectionOf(line[3..]);
            else if (!line.StartsWith('#'))
            {
                foreach (var name in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    table.Add(name, section);
            }
        }

        return table.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static BuiltinFunction SectionOf(string heading)
    {
        var isOther = heading.EndsWith(OtherVersions, StringComparison.Ordinal);
        var title = isOther ? heading[..^OtherVersions.Length] : heading;
        var kind = title switch
        {
            "anywhere" or "anywhere volatile" => FunctionKind.Anywhere,
            "node balanced" => FunctionKind.NodeLocal,
            "node primary" => FunctionKind.PrimaryRead,
            "primary" => FunctionKind.PrimaryOnly,
            "session" => FunctionKind.SessionState,
            _ => throw new InvalidOperationException($"BuiltinFunctions.txt has a section that is none: {heading}"),
        };
        return new BuiltinFunction(kind, title == "anywhere volatile", isOther);
    }

    private static IEnumerable<string> ReadLines()
    {
        using var stream = typeof(BuiltinFunctions).Assembly.GetManifestResourceStream("BuiltinFunctions.txt")
            ?? throw new InvalidOperationException("The function names are missing from the assembly.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            yield return line;
    }
}
