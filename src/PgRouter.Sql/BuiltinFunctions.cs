using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace PgRouter.Sql;

/// <summary>Where a function of pg_catalog may run.</summary>
internal enum FunctionKind : byte
{
    /// <summary>
    /// Same answer on every node that has replayed the same data; or volatile and harmless (random, clock_timestamp, pg_sleep).
    /// </summary>
    Anywhere,

    /// <summary>Runs anywhere and tells of the server it ran on (pg_backend_pid, inet_server_port): balanced like any read.</summary>
    NodeLocal,

    /// <summary>Tells of recovery, replication, statistics, files or transaction numbers: only the primary's answer is meant.</summary>
    PrimaryRead,

    /// <summary>Writes, takes a transaction number, or is refused on a standby.</summary>
    PrimaryOnly,

    /// <summary>Changes or reads state of the session: settings, session advisory locks, sequence positions, the random seed.</summary>
    SessionState,
}

/// <summary>
/// The functions of pg_catalog by name. Immutable and stable ones run anywhere unless listed here; of the volatile ones every name is
/// listed, either here or as harmless. The names stand in BuiltinFunctions.txt; a name in neither is a user function for the catalog.
/// </summary>
internal static class BuiltinFunctions
{
    /// <summary>Volatile in pg_proc only because each call may answer differently: no effect, and allowed on a standby.</summary>
    private const string HarmlessVolatile = """
        random random_normal gen_random_uuid uuidv4 uuidv7 clock_timestamp timeofday pg_sleep pg_sleep_for pg_sleep_until bernoulli system
        amvalidate brinhandler bthandler ginhandler gisthandler hashhandler spghandler heap_tableam_handler dsnowball_init dsnowball_lexize
        pg_jit_available pg_get_wal_resource_managers pg_partition_ancestors pg_partition_tree
        pg_collation_actual_version pg_database_collation_actual_version array_shuffle array_sample current_query
        """;

    private const string NodeLocal = """
        pg_backend_pid inet_server_addr inet_server_port inet_client_addr inet_client_port version
        """;

    /// <summary>Besides these every pg_stat_get_*, pg_ls_* and pg_control_*.</summary>
    private const string PrimaryRead = """
        pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state pg_last_wal_receive_lsn pg_last_wal_replay_lsn
        pg_last_xact_replay_timestamp pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_committed_xact
        pg_walfile_name pg_walfile_name_offset pg_available_wal_summaries pg_wal_summary_contents pg_get_wal_summarizer_state
        pg_get_replication_slots pg_show_replication_origin_status pg_replication_origin_progress pg_replication_origin_oid
        pg_replication_origin_session_is_setup pg_replication_origin_session_progress
        pg_postmaster_start_time pg_conf_load_time pg_config pg_show_all_settings pg_show_all_file_settings pg_settings_get_flags
        pg_hba_file_rules pg_ident_file_mappings pg_current_logfile pg_read_file pg_read_file_old pg_read_binary_file pg_stat_file
        pg_relation_filenode pg_relation_filepath pg_filenode_relation pg_tablespace_location pg_tablespace_databases
        pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size
        pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids pg_isolation_test_session_is_blocked pg_prepared_xact
        pg_get_shmem_allocations pg_get_backend_memory_contexts pg_notification_queue_usage pg_listening_channels
        pg_prepared_statement pg_cursor pg_my_temp_schema pg_is_other_temp_schema
        pg_current_snapshot txid_current_snapshot pg_current_xact_id_if_assigned txid_current_if_assigned pg_xact_status txid_status
        pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_get_multixact_members mxid_age pg_sequence_last_value
        pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects
        pg_event_trigger_table_rewrite_oid pg_event_trigger_table_rewrite_reason
        pg_get_loaded_modules pg_stat_have_stats currtid2
        lo_get lo_open lo_close lo_lseek lo_lseek64 lo_tell lo_tell64 loread
        cursor_to_xml cursor_to_xmlschema table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
        schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema
        """;

    /// <summary>Besides these every binary_upgrade_*. Some run SQL given as text (query_to_xml, ts_stat).</summary>
    private const string PrimaryOnly = """
        nextval setval txid_current pg_current_xact_id pg_notify pg_export_snapshot
        lo_creat lo_create lo_export lo_from_bytea lo_import lo_put lo_truncate lo_truncate64 lo_unlink lowrite
        query_to_xml query_to_xmlschema query_to_xml_and_xmlschema ts_stat ts_rewrite
        pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_switch_wal pg_create_restore_point pg_promote
        pg_wal_replay_pause pg_wal_replay_resume pg_logical_emit_message pg_log_standby_snapshot pg_sync_replication_slots
        pg_create_logical_replication_slot pg_create_physical_replication_slot pg_copy_logical_replication_slot
        pg_copy_physical_replication_slot pg_drop_replication_slot pg_replication_slot_advance pg_logical_slot_get_changes
        pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes
        pg_replication_origin_advance pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_session_reset
        pg_replication_origin_session_setup pg_replication_origin_xact_reset pg_replication_origin_xact_setup
        pg_cancel_backend pg_terminate_backend pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_log_backend_memory_contexts
        pg_stat_reset pg_stat_reset_replication_slot pg_stat_reset_shared pg_stat_reset_single_function_counters
        pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_subscription_stats pg_stat_clear_snapshot
        pg_stat_force_next_flush pg_import_system_collations pg_extension_config_dump pg_nextoid pg_stop_making_pinned_objects
        pg_set_attribute_stats pg_set_relation_stats pg_clear_attribute_stats pg_clear_relation_stats
        brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list
        RI_FKey_cascade_del RI_FKey_cascade_upd RI_FKey_check_ins RI_FKey_check_upd RI_FKey_noaction_del RI_FKey_noaction_upd
        RI_FKey_restrict_del RI_FKey_restrict_upd RI_FKey_setdefault_del RI_FKey_setdefault_upd RI_FKey_setnull_del RI_FKey_setnull_upd
        suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column unique_key_recheck
        plpgsql_call_handler plpgsql_inline_handler plpgsql_validator
        """;

    private const string SessionState = """
        set_config current_setting setseed currval lastval
        pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
        pg_advisory_unlock pg_advisory_unlock_shared pg_advisory_unlock_all
        pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
        """;

    private static readonly FrozenDictionary<string, FunctionKind> Table = Build();

    public static IReadOnlyCollection<string> Names => Table.Keys;

    /// <summary>The volatile ones that run anywhere all the same.</summary>
    public static IReadOnlyCollection<string> HarmlessVolatileNames { get; } = Split(HarmlessVolatile);

    public static bool TryGetKind(string name, [MaybeNullWhen(false)] out FunctionKind kind) => Table.TryGetValue(name, out kind);

    /// <summary>
    /// Of those for the primary alone: may it write rows that a read on a standby could miss? Large objects and sequences are read on the primary only.
    /// </summary>
    public static bool WritesTables(string name) =>
        name is "query_to_xml" or "query_to_xmlschema" or "query_to_xml_and_xmlschema" or "ts_stat" or "ts_rewrite" or "pg_import_system_collations"
            or "pg_extension_config_dump"
        || name.StartsWith("binary_upgrade_", StringComparison.Ordinal);

    private static FrozenDictionary<string, FunctionKind> Build()
    {
        var table = new Dictionary<string, FunctionKind>(StringComparer.Ordinal);
        foreach (var line in ReadNames())
        {
            foreach (var name in Split(line))
                table[name] = KindByPrefix(name);
        }

        Set(table, HarmlessVolatile, FunctionKind.Anywhere);
        Set(table, NodeLocal, FunctionKind.NodeLocal);
        Set(table, PrimaryRead, FunctionKind.PrimaryRead);
        Set(table, PrimaryOnly, FunctionKind.PrimaryOnly);
        Set(table, SessionState, FunctionKind.SessionState);
        return table.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static FunctionKind KindByPrefix(string name)
    {
        if (name.StartsWith("binary_upgrade_", StringComparison.Ordinal))
            return FunctionKind.PrimaryOnly;
        string[] monitors = ["pg_stat_get_", "pg_ls_", "pg_control_"];
        return monitors.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)) ? FunctionKind.PrimaryRead : FunctionKind.Anywhere;
    }

    private static void Set(Dictionary<string, FunctionKind> table, string names, FunctionKind kind)
    {
        foreach (var name in Split(names))
            table[name] = kind;
    }

    private static string[] Split(string names) => names.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> ReadNames()
    {
        using var stream = typeof(BuiltinFunctions).Assembly.GetManifestResourceStream("BuiltinFunctions.txt")
            ?? throw new InvalidOperationException("The function names are missing from the assembly.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
                yield return line;
        }
    }
}
