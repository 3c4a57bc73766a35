using System.Net;

namespace PgRouter.Core.Authentication;

/// <summary>What pool_hba.conf is asked: who wants to connect to what, from where.</summary>
internal sealed record HbaRequest
{
    /// <summary>True for a Unix-domain socket.</summary>
    public bool IsLocal { get; init; }

    public bool IsTls { get; init; }

    /// <summary>The client's address; null for a Unix-domain socket.</summary>
    public IPAddress? Address { get; init; }

    public required string Database { get; init; }

    public required string User { get; init; }

    /// <summary>True for physical replication (replication=true), which only the keyword "replication" matches.</summary>
    public bool IsReplication { get; init; }
}
