namespace PgRouter.Core.Cluster;

/// <summary>What health knows of one node at one moment. Immutable; written by <see cref="ClusterUpdater"/> only.</summary>
internal sealed record NodeState
{
    public NodeStatus Status { get; init; } = NodeStatus.Waiting;

    /// <summary>Role by PostgreSQL's own truth (pg_is_in_recovery), whatever the status.</summary>
    public NodeRole Role { get; init; } = NodeRole.Unknown;

    /// <summary>True when the last probe got an answer.</summary>
    public bool Reachable { get; init; }

    /// <summary>Identifier of the cluster (pg_control_system), 0 when unknown.</summary>
    public ulong SystemIdentifier { get; init; }

    public uint Timeline { get; init; }

    /// <summary>On the primary the current WAL insert position, on a standby the replay position; 0 when unknown.</summary>
    public ulong Lsn { get; init; }

    /// <summary>On a standby the last position received and written by its receiver; 0 when unknown or on a primary.</summary>
    public ulong ReceiveLsn { get; init; }

    /// <summary>status of pg_stat_wal_receiver on the node; empty when there is no receiver or it may not be read.</summary>
    public string ReceiverStatus { get; init; } = "";

    /// <summary>Commit time of the last transaction replayed (pg_last_xact_replay_timestamp); null when unknown or on a primary.</summary>
    public DateTimeOffset? LastReplay { get; init; }

    /// <summary>max_connections of the node, 0 when unknown.</summary>
    public int MaxConnections { get; init; }

    /// <summary>default_transaction_read_only as a new session on the node finds it.</summary>
    public bool DefaultTransactionReadOnly { get; init; }

    /// <summary>Bytes of WAL not yet replayed, by the positions of one round; null when unknown.</summary>
    public long? ReplicationDelayBytes { get; init; }

    /// <summary>replay_lag of pg_stat_replication; null when unknown or when there is no row.</summary>
    public TimeSpan? ReplicationDelayTime { get; init; }

    /// <summary>state and sync_state of the node's row in pg_stat_replication on the primary; empty when there is none.</summary>
    public string ReplicationState { get; init; } = "";

    public string ReplicationSyncState { get; init; } = "";

    /// <summary>server_version_num, 0 when unknown.</summary>
    public int ServerVersion { get; init; }

    /// <summary>Moment of the last change of <see cref="Status"/>.</summary>
    public DateTimeOffset LastStatusChange { get; init; }

    /// <summary>Why the node has this status: the probe's error, "operator", "came back".</summary>
    public string Reason { get; init; } = "";

    /// <summary>The same state with the figures that only a primary can give unknown.</summary>
    public NodeState WithoutReplication() =>
        this with { ReplicationDelayBytes = null, ReplicationDelayTime = null, ReplicationState = "", ReplicationSyncState = "" };
}

/// <summary>pgpool's words (up, waiting, down, quarantine) and ours.</summary>
internal enum NodeStatus : byte
{
    /// <summary>Believed up, no client yet.</summary>
    Waiting,
    Up,

    /// <summary>A fault was seen and a probe is under way; still used when nothing better is there.</summary>
    Suspect,
    Down,

    /// <summary>No new leases; open ones end by themselves.</summary>
    Draining,

    /// <summary>Taken out by an operator; only an operator brings it back.</summary>
    Detached,

    /// <summary>Wrong system identifier, wrong timeline or a second primary.</summary>
    Quarantine,
}

internal enum NodeRole : byte
{
    Unknown,
    Primary,
    Standby,
}
