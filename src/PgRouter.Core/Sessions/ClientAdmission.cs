using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// May one more client come in? max_client_conn and reserved_connections count connections, logins under way included; the limits of
/// databases and users count clients that are logged in. All answer 53300, in PostgreSQL's words. Any thread.
/// </summary>
internal static class ClientAdmission
{
    /// <summary>Null when there is room for the last connection. The reserved ones are for the users in admin_users.</summary>
    public static ErrorMessage? Check(RouterConfig config, int connections, string user)
    {
        var most = config.MaxClientConn;
        if (most == 0 || connections <= most - config.ReservedConnections)
            return null;
        if (connections > most)
            return TooMany("sorry, too many clients already", $"max_client_conn is {most}.");
        return config.AdminUsers.Contains(user, StringComparer.Ordinal)
            ? null
            : TooMany(
                "remaining connection slots are reserved for the users in admin_users",
                $"max_client_conn is {most}, reserved_connections is {config.ReservedConnections}.");
    }

    /// <summary>The limits of an address: null when the client may go on to log in.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="connections">Connections from the address, this one included.</param>
    /// <param name="pause">How long the address has to wait after failed logins.</param>
    public static ErrorMessage? CheckAddress(RouterConfig config, int connections, TimeSpan pause)
    {
        if (config.MaxAddressConnections > 0 && connections > config.MaxAddressConnections)
            return TooMany("too many connections from this address", $"pgrouter.max_address_connections is {config.MaxAddressConnections}.");
        return pause == TimeSpan.Zero
            ? null
            : ErrorMessage.Fatal(
                SqlStates.InvalidAuthorizationSpecification, "too many failed logins from this address",
                hint: $"Try again in {Math.Ceiling(pause.TotalSeconds)} s.");
    }

    /// <summary>Counts a client in, which <see cref="ClientCounts.Leave"/> must count out again; or says why it may not come in.</summary>
    public static ErrorMessage? TryEnter(ClientCounts counts, ClientIdentity identity, SessionLimits limits) =>
        counts.TryEnter(identity.Database, identity.User, limits) switch
        {
            ScopeKind.Database => TooMany(
                $"too many connections for database \"{identity.Database}\"",
                $"max_db_client_connections is {limits.MaxDbClientConnections}."),
            ScopeKind.User => TooMany(
                $"too many connections for role \"{identity.User}\"", $"max_user_client_connections is {limits.MaxUserClientConnections}."),
            _ => null,
        };

    private static ErrorMessage TooMany(string message, string hint) =>
        ErrorMessage.Fatal(SqlStates.TooManyConnections, message, hint: hint);
}
