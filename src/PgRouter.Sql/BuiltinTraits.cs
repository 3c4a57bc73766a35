namespace PgRouter.Sql;

/// <summary>What the functions PostgreSQL comes with do to a session.</summary>
public static class BuiltinTraits
{
    /// <summary>Is there a function of this name in pg_catalog?</summary>
    public static bool IsBuiltin(string name) => BuiltinFunctions.TryGetKind(name, out _);

    /// <summary>Every such name, for the question which functions of a server are none of them.</summary>
    public static IReadOnlyCollection<string> Names => BuiltinFunctions.Names;

    /// <summary>
    /// The traits of a call. set_config() counts as changing the session and current_setting() as reading the node's; who can see their
    /// arguments decides better.
    /// </summary>
    public static SessionTraits Of(string name)
    {
        var traits = Named(name);
        if (!BuiltinFunctions.TryGetKind(name, out var kind))
            return traits;
        return kind switch
        {
            FunctionKind.PrimaryOnly => traits | SessionTraits.Writes,
            FunctionKind.PrimaryRead => traits | SessionTraits.ReadsNode,
            _ => traits,
        };
    }

    private static SessionTraits Named(string name) => name switch
    {
        "current_setting" => SessionTraits.ReadsNode,
        "nextval" or "setval" => SessionTraits.AdvancesSequences,
        "currval" or "lastval" => SessionTraits.ReadsSequences,
        "set_config" or "setseed" or "pg_backup_start" or "pg_start_backup"
            or "pg_replication_origin_session_setup" or "pg_replication_origin_session_reset" => SessionTraits.ChangesSettings,
        "pg_advisory_lock" or "pg_advisory_lock_shared" or "pg_try_advisory_lock" or "pg_try_advisory_lock_shared" or "pg_advisory_unlock"
            or "pg_advisory_unlock_shared" or "pg_advisory_unlock_all" => SessionTraits.LocksAdvisory,
        "pg_notify" => SessionTraits.Notifies,
        "pg_listening_channels" or "pg_prepared_statement" or "pg_cursor" => SessionTraits.ReadsSession,
        "pg_backend_pid" or "pg_cancel_backend" or "pg_terminate_backend" => SessionTraits.UsesPids,
        _ => RunsText(name) ? SessionTraits.Anything : SessionTraits.None,
    };

    /// <summary>It runs SQL that is given as text.</summary>
    internal static bool RunsText(string name) =>
        name is "query_to_xml" or "query_to_xmlschema" or "query_to_xml_and_xmlschema" or "ts_stat" or "ts_rewrite";
}
