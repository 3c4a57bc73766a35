using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>A setting of a role, a database, both or all, as ALTER ROLE and ALTER DATABASE .. SET leave it; or of the server itself.</summary>
/// <param name="Level">Whose it is: what counts more stands later.</param>
/// <param name="Role">The role; null = all.</param>
/// <param name="Name">In lower case.</param>
/// <param name="Value">As text.</param>
internal readonly record struct DefaultRow(DefaultLevel Level, string? Role, string Name, string Value);

/// <summary>In the order in which they hide each other (process_settings() in postinit.c).</summary>
internal enum DefaultLevel : byte
{
    /// <summary>The configuration file, as the session that read the catalog saw it.</summary>
    Server,
    All,
    Database,
    Role,
    RoleInDatabase,
}

/// <summary>
/// What a session of a role in one database begins with, of the settings that decide what its texts mean and where they may run, the router's own
/// among them.
/// </summary>
internal sealed class SessionDefaults
{
    public const string SearchPath = "search_path";
    public const string Isolation = "default_transaction_isolation";
    public const string ReadOnly = "default_transaction_read_only";

    private readonly Dictionary<(string? Role, string Name), DefaultRow> _rows = [];
    private readonly HashSet<string> _hidden = [];

    public SessionDefaults(IEnumerable<DefaultRow> rows, string reader)
    {
        var all = rows.ToList();
        // What the reader was given by a setting of its own says nothing of the server's.
        foreach (var row in all.Where(row => row.Level is not DefaultLevel.Server && (row.Role is null || row.Role == reader)))
            _hidden.Add(row.Name);
        foreach (var row in all.OrderBy(row => row.Level))
        {
            if (row.Level != DefaultLevel.Server || !_hidden.Contains(row.Name))
                _rows[(row.Role, row.Name)] = row;
            HasOwn |= OwnSettingNames.IsOwn(row.Name);
        }
    }

    /// <summary>There are settings of the router's own among them.</summary>
    public bool HasOwn { get; }

    /// <summary>The value a session of the role begins with; null when it is not known.</summary>
    public string? ValueFor(string role, string name)
    {
        var hasOwn = _rows.TryGetValue((role, name), out var own);
        var hasCommon = _rows.TryGetValue((null, name), out var common);
        if (hasOwn && hasCommon)
            return own.Level > common.Level ? own.Value : common.Value;
        return hasOwn ? own.Value : hasCommon ? common.Value : null;
    }
}
