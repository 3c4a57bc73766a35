namespace PgRouter.Core.Health;

/// <summary>The answer to the probe's query: one node, one moment. Positions are pg_lsn as a byte count; 0 = unknown.</summary>
internal sealed record NodeFacts
{
    public required bool InRecovery { get; init; }

    /// <summary>pg_control_system(); 0 when it may not be read.</summary>
    public ulong SystemIdentifier { get; init; }

    /// <summary>Timeline being written (primary) or the newest one received or replayed (standby); 0 when unknown.</summary>
    public uint Timeline { get; init; }

    /// <summary>Insert position on a primary, replay position on a standby.</summary>
    public ulong Lsn { get; init; }

    public ulong ReceiveLsn { get; init; }

    public DateTimeOffset? LastReplay { get; init; }

    /// <summary>
    /// pg_stat_wal_receiver: status, slot_name, and the application_name it gives to the primary; empty when not readable.
    /// </summary>
    public string ReceiverStatus { get; init; } = "";

    public string ReceiverSlot { get; init; } = "";

    public string ReceiverApplicationName { get; init; } = "";

    public int ServerVersion { get; init; }

    public int MaxConnections { get; init; }

    public bool DefaultTransactionReadOnly { get; init; }

    /// <summary>Address on which the node accepted the probe, empty for a Unix-domain socket.</summary>
    public string ServerAddress { get; init; } = "";

    /// <summary>pg_stat_replication, on the primary only.</summary>
    public IReadOnlyList<ReplicationRow> Replication { get; init; } = [];
}

/// <summary>One row of pg_stat_replication. Fields that the probe's user may not read are empty, 0 or null.</summary>
internal sealed record ReplicationRow
{
    public string ApplicationName { get; init; } = "";

    public string ClientAddress { get; init; } = "";

    /// <summary>Port of the walreceiver's end, -1 for a Unix-domain socket, 0 when unknown.</summary>
    public int ClientPort { get; init; }

    public string State { get; init; } = "";

    public string SyncState { get; init; } = "";

    public ulong SentLsn { get; init; }

    public ulong WriteLsn { get; init; }

    public ulong FlushLsn { get; init; }

    public ulong ReplayLsn { get; init; }

    public TimeSpan? ReplayLag { get; init; }

    /// <summary>Replication slot in use, empty when none.</summary>
    public string Slot { get; init; } = "";
}
