namespace PgRouter.Testing.Clusters;

/// <summary>What a test cluster is made of.</summary>
public sealed record PgClusterOptions
{
    /// <summary>How many streaming standbys stand beside the primary.</summary>
    public int Standbys { get; init; } = 2;

    /// <summary>max_connections of every node.</summary>
    public int MaxConnections { get; init; } = 600;

    /// <summary>pg_hba method for TCP clients: trust, password, md5, scram-sha-256, reject. Unix sockets always trust.</summary>
    public string AuthenticationMethod { get; init; } = "trust";

    /// <summary>
    /// full_page_writes. Off for speed; must be on for <see cref="PgCluster.RewindOrRebuildAsStandbyAsync"/> to use pg_rewind, which
    /// refuses a source without it.
    /// </summary>
    public bool FullPageWrites { get; init; }

    /// <summary>More settings for postgresql.conf of every node; they win over the test bed's own.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>How a node is stopped: see pg_ctl.</summary>
public enum StopMode
{
    /// <summary>Ends sessions, writes a checkpoint.</summary>
    Fast,

    /// <summary>Ends at once; recovery at the next start.</summary>
    Immediate,
}
