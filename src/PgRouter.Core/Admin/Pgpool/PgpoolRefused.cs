namespace PgRouter.Core.Admin.Pgpool;

/// <summary>Words of pgpool-II that this router does not carry out.</summary>
internal static class PgpoolRefused
{
    public static IReadOnlyList<AdminCommand> Commands { get; } =
    [
        new RefusedCommand(
            AdminDialect.Pgpool, "SHOW POOL_CACHE", AdminAccess.Show,
            "there is no query cache in this router", "Every answer comes from PostgreSQL."),
    ];
}
