namespace PgRouter.Core.Admin;

/// <summary>The virtual database, by PgBouncer's name or the router's own.</summary>
internal static class ConsoleDatabase
{
    public static bool Is(string database) => database is "pgbouncer" or "pgrouter";
}
