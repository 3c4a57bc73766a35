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

    /// <summary>Roles the user is a member of, directly or through others; null = not looked up.</summary>
    public IReadOnlySet<string>? Roles { get; init; }

    /// <summary>The name of the client's address that leads back to it; empty = it has none, null = not looked up.</summary>
    public string? HostName { get; init; }

    /// <summary>Whom the client's certificate names; null = it showed none. It is a valid one: others end the handshake.</summary>
    public ClientCertificateNames? Certificate { get; init; }
}

/// <summary>The names in a certificate; null where there is none that can be used.</summary>
internal sealed record ClientCertificateNames(string? CommonName, string? DistinguishedName);
