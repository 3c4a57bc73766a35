namespace PgRouter.Core.Consistency;

/// <summary>What the side connections ask.</summary>
internal static class PositionQuestions
{
    /// <summary>Once for each connection.</summary>
    public const string Sizes = "SELECT current_setting('wal_block_size')::int8, pg_size_bytes(current_setting('wal_segment_size'))";

    /// <summary>
    /// The insert position covers what is committed with synchronous_commit = off too. CASE keeps its functions from running in recovery, where they are
    /// an error. The timeline is that of the file that is written.
    /// </summary>
    public const string OfPrimary = """
        SELECT CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8 END,
               CASE WHEN NOT pg_is_in_recovery() THEN ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int4 END
        """;

    /// <summary>The timeline is the newest of what is received and of what the control file has, which is as old as the last restartpoint.</summary>
    public const string OfStandby = """
        SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8 END,
               COALESCE((SELECT received_tli FROM pg_stat_wal_receiver),
                        GREATEST((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery())))
        """;

    /// <summary>For services that withhold the control functions.</summary>
    public const string OfStandbyReduced = """
        SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8 END,
               (SELECT received_tli FROM pg_stat_wal_receiver)
        """;

    /// <summary>Which of these server processes still live. $1: their ids.</summary>
    public const string Alive = "SELECT pid FROM pg_stat_activity WHERE pid = ANY($1)";
}
