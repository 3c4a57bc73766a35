using System.Collections.Frozen;

namespace PgRouter.Core.Catalog;

/// <summary>
/// Extensions whose functions in C leave nothing behind in a session and write nothing, though PostgreSQL calls some of them volatile. Known from
/// their documentation (PostgreSQL, appendix F; postgis.net). Their functions in SQL and plpgsql are read like all others.
/// </summary>
internal static class TrustedExtensions
{
    /// <summary>
    /// Types with their operators and functions, or functions that only compute: bytes, hashes, random values, text, geometry.
    /// </summary>
    private static readonly string[] Computing =
    [
        "btree_gin", "btree_gist", "citext", "cube", "dict_int", "dict_xsyn", "earthdistance", "fuzzystrmatch", "hstore", "intagg",
        "intarray", "isn", "ltree", "pg_trgm", "pgcrypto", "seg", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "bloom",
        "sslinfo", "vector", "postgis", "insert_username", "moddatetime",
    ];

    /// <summary>Views into the server: they tell of the node they run on and change nothing in the session.</summary>
    private static readonly string[] Looking =
    [
        "amcheck", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm", "pg_stat_statements", "pg_visibility",
        "pg_walinspect", "pgrowlocks", "pgstattuple", "old_snapshot",
    ];

    /// <summary>
    /// Foreign tables: the connections that a session keeps to other servers hold nothing that a client can see. (Those of dblink do.)
    /// </summary>
    private static readonly string[] Reaching = ["postgres_fdw", "file_fdw"];

    private static readonly FrozenSet<string> All = Computing.Concat(Looking).Concat(Reaching).ToFrozenSet(StringComparer.Ordinal);

    public static bool Contains(string extension) => All.Contains(extension);

    /// <summary>Its functions in C are volatile only in that they answer differently each time.</summary>
    public static bool OnlyComputes(string extension) => Computing.Contains(extension);
}
