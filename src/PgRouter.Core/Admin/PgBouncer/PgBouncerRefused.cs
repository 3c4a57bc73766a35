namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>Words of PgBouncer that this router does not carry out.</summary>
internal static class PgBouncerRefused
{
    private const string NoPause = "pools cannot be stopped from the console yet";
    private const string NoKill = "connections cannot be closed from the console yet";
    private const string NoPeers = "there are no peers";
    private const string NoResolver = "host names are resolved by the operating system";
    private const string NoSockets = "buffers belong to the event loops and are not reported";

    public static IReadOnlyList<AdminCommand> Commands { get; } =
    [
        Verb("PAUSE", NoPause),
        Verb("RESUME", NoPause),
        Verb("SUSPEND", NoPause),
        Verb("DISABLE", NoPause),
        Verb("ENABLE", NoPause),
        Verb("WAIT_CLOSE", NoPause),
        Verb("KILL", NoKill, "pg_terminate_backend closes a connection."),
        Verb("KILL_CLIENT", NoKill, "pg_terminate_backend closes a connection."),
        Verb("RECONNECT", NoKill, "server_lifetime renews connections by their age."),
        Show("SHOW SOCKETS", NoSockets, "SHOW CLIENTS and SHOW SERVERS list the connections."),
        Show("SHOW ACTIVE_SOCKETS", NoSockets, "SHOW CLIENTS and SHOW SERVERS list the connections."),
        Show("SHOW FDS", "file descriptors and keys of connections are not given away"),
        Show("SHOW MEM", "memory belongs to the .NET runtime, whose metrics report it"),
        Show("SHOW PEERS", NoPeers),
        Show("SHOW PEER_POOLS", NoPeers),
        Show("SHOW DNS_HOSTS", NoResolver),
        Show("SHOW DNS_ZONES", NoResolver),
    ];

    private static RefusedCommand Verb(string name, string reason, string? hint = null) =>
        new(AdminDialect.PgBouncer, name, AdminAccess.Operate, reason, hint);

    private static RefusedCommand Show(string name, string reason, string? hint = null) =>
        new(AdminDialect.PgBouncer, name, AdminAccess.Show, reason, hint);
}
