using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>What reads must see (docs/consistency.md), and pgpool's settings of the same purpose.</summary>
internal static class ConsistencySettings
{
    private const string Tracking = "which standby has what was written is known by its replay position, see pgrouter.read_consistency";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Balancing,
        Word("pgrouter.read_consistency", "global", ReadConsistencies.Names,
            "What a read must see at least: whatever the node has (eventual), what its session has written and read (session), everything "
            + "committed through this router (global), or on the primary by whomever (strong), before it began.")
            .To((c, v) => c with { ReadConsistency = Level(v) }),
        Milliseconds("pgrouter.consistency_wait", "0",
            "A read waits so long for a standby that has what it must see, before it runs on the primary.")
            .To((c, v) => c with { ConsistencyWait = v.Duration }),
        Word("disable_load_balance_on_write", "transaction",
            ["off", "transaction", "trans_transaction", "always", "dml_adaptive", "dml_adaptive_global"],
            "How long reads stay on the primary after a write. All but off and transaction make pgrouter.read_consistency at least session, "
            + "dml_adaptive_global makes it at least global.")
            .To((c, v) => c with { LeastConsistency = LeastOf(v.Text) }),
        List("dml_adaptive_object_relationship_list", "", "Objects that are written together with others.")
            .Accepted("triggers, rules, views and functions are known from the catalog of the database"),
        Real("track_table_mutation_ttl_factor", "5.0", 0, 1_000_000,
            "Multiple of the delay for which a written table stays on the primary.")
            .Accepted(Tracking),
        Seconds("track_table_mutation_max_staleness", "60", "Longest time for which a written table stays on the primary.")
            .Accepted(Tracking),
        Seconds("track_table_mutation_cold_start_duration", "2", "Time after the start in which everything runs on the primary.")
            .Accepted(Tracking),
        Integer("track_table_mutation_table_buckets", "1024", 1, int.MaxValue, "Hash buckets for written tables.").Restart()
            .Accepted(Tracking),
        Integer("track_table_mutation_table_size", "2048", 1, int.MaxValue, "Written tables remembered.").Restart().Accepted(Tracking));

    public static ReadConsistency Level(SettingValue value) => ReadConsistencies.Find(value.Text) ?? ReadConsistency.Global;

    /// <summary>
    /// A transaction runs on one node whatever is said here; what pgpool keeps on the primary beyond it, so that a client sees what was written, a
    /// standby serves as soon as it has it.
    /// </summary>
    private static ReadConsistency LeastOf(string word) => word switch
    {
        "off" or "transaction" => ReadConsistency.Eventual,
        "dml_adaptive_global" => ReadConsistency.Global,
        _ => ReadConsistency.Session,
    };
}
