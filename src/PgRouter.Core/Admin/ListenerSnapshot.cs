namespace PgRouter.Core.Admin;

/// <summary>A channel that clients of a database listen to over its shared connection.</summary>
internal sealed record ListenerSnapshot
{
    public required string Database { get; init; }

    /// <summary>The name as PostgreSQL keeps it, without quotes.</summary>
    public required string Channel { get; init; }

    /// <summary>Clients that listen to it, or are about to.</summary>
    public required int Subscribers { get; init; }

    /// <summary>listening, opening, lost.</summary>
    public required string State { get; init; }

    /// <summary>Where the shared connection goes, -1 while there is none.</summary>
    public int NodeId { get; init; } = -1;

    /// <summary>PostgreSQL's pid of the shared connection, 0 while there is none.</summary>
    public int ServerPid { get; init; }

    /// <summary>As whom the shared connection is logged in.</summary>
    public string User { get; init; } = "";

    /// <summary>Notifications of all channels of the database that were given to clients, each counted for each client.</summary>
    public long Delivered { get; init; }

    /// <summary>Since when the shared connection is open, or gone.</summary>
    public DateTimeOffset Since { get; init; }
}
