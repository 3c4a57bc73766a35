using PgRouter.Core.Configuration;

namespace PgRouter.Core.Cluster;

/// <summary>What the administrator says of one node (backend_*N). Immutable; replaced whole by a reload.</summary>
internal sealed record NodeConfig
{
    /// <summary>The N of backend_hostnameN: the node's identity in every SHOW.</summary>
    public required int Id { get; init; }

    /// <summary>Host name, address, or a directory (starts with '/') that holds the Unix-domain socket.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>Relative share of reads; 0 = never for reads.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>application_name of this node's walreceiver in pg_stat_replication; empty = matched by address.</summary>
    public string ApplicationName { get; init; } = "";

    public string DataDirectory { get; init; } = "";

    public NodeFlags Flags { get; init; } = NodeFlags.AllowToFailover;

    /// <summary>server_tls_* of this node.</summary>
    public ServerTlsConfig Tls { get; init; } = new();

    /// <summary>Reached through a Unix-domain socket, which needs no encryption.</summary>
    public bool IsLocal => Host.StartsWith('/');

    public override string ToString() => $"node {Id} ({Host}:{Port})";
}

/// <summary>backend_flagN, with pgpool's meanings.</summary>
[Flags]
internal enum NodeFlags
{
    AllowToFailover = 0,
    DisallowToFailover = 1,
    AlwaysPrimary = 2,
}
