namespace PgRouter.Core.Health;

/// <summary>
/// The texts of the probe. Both forms give the same columns; the second needs no privilege beyond logging in and no control-file functions,
/// for services that withhold them.
/// </summary>
internal static class ProbeQuery
{
    // Right after a promotion the control file still names the old timeline (the checkpoint comes later), so a primary is asked for the
    // name of the WAL file it writes. A standby's control file is only as new as its last restartpoint, hence the newest of three sources.
    // CASE keeps pg_current_wal_insert_lsn() from running in recovery, where it is an error; recovery can only end, so no race is left.
    public const string Full = """
        SELECT pg_is_in_recovery(),
               (SELECT system_identifier FROM pg_control_system()),
               CASE WHEN pg_is_in_recovery()
                    THEN GREATEST((SELECT timeline_id FROM pg_control_checkpoint()),
                                  (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                                  w.received_tli)
                    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int4 END,
               (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn)::int8,
               CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::int8 END,
               CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() END,
               w.status, w.slot_name::text,
               COALESCE(substring(w.conninfo FROM '(?:^|\s)application_name=(\S+)'),
                        substring(w.conninfo FROM '(?:^|\s)fallback_application_name=(\S+)')),
               current_setting('server_version_num')::int4,
               current_setting('max_connections')::int4,
               current_setting('default_transaction_read_only')::bool,
               host(inet_server_addr())
          FROM (VALUES (1)) one LEFT JOIN pg_stat_wal_receiver w ON true
        """;

    public const string Reduced = """
        SELECT pg_is_in_recovery(), NULL::int8, NULL::int4,
               (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END - '0/0'::pg_lsn)::int8,
               NULL::int8, NULL::timestamptz, NULL::text, NULL::text, NULL::text,
               current_setting('server_version_num')::int4,
               current_setting('max_connections')::int4,
               current_setting('default_transaction_read_only')::bool,
               NULL::text
        """;

    /// <summary>A backup in progress has a row too, and is no standby.</summary>
    public const string Replication = """
        SELECT r.application_name, host(r.client_addr), r.client_port, r.state, r.sync_state,
               (r.sent_lsn - '0/0'::pg_lsn)::int8, (r.write_lsn - '0/0'::pg_lsn)::int8,
               (r.flush_lsn - '0/0'::pg_lsn)::int8, (r.replay_lsn - '0/0'::pg_lsn)::int8,
               r.replay_lag, s.slot_name::text
          FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
         WHERE NOT pg_is_in_recovery() AND r.state IS DISTINCT FROM 'backup'
        """;
}
