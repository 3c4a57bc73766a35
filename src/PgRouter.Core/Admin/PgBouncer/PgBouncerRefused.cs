namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>Words of PgBouncer that this router does not carry out.</summary>
internal static class PgBouncerRefused
{
    private const string NoPeers = "there are no peers";
    private const string NoResolver = "host names are resolved by the operating system";
    private const string NoSockets = "buffers belong to the event loops and are not reported";

    public static IReadOnlyList<AdminCommand> Commands { get; } =
    [
        Show("SHOW SOCKETS", NoSockets, "SHOW CLIENTS and SHOW SERVERS list the connections."),
        Show("SHOW ACTIVE_SOCKETS", NoSockets, "SHOW CLIENTS and SHOW SERVERS list the connections."),
        Show("SHOW FDS", "file descriptors and keys of connections are not given away"),
        Show("SHOW MEM", "memory belongs to the .NET runtime, whose metrics report it"),
        Show("SHOW PEERS", NoPeers),
        Show("SHOW PEER_POOLS", NoPeers),
        Show("SHOW DNS_HOSTS", NoResolver),
        Show("SHOW DNS_ZONES", NoResolver),
    ];

    private static RefusedCommand Show(string name, string reason, string? hint = null) =>
        new(AdminDialect.PgBouncer, name, AdminAccess.Show, reason, hint);
}
