using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Where reads may run.</summary>
internal static class BalancingSettings
{
    private const string NoList = "it is not available, and without it statements would run on other nodes than asked for";
    private const string Functions = "PostgreSQL's own functions are known by name; a statement that calls any other function runs on the primary";
    private const string Tracking = "written tables are not tracked: outside a transaction a read may be served by a standby that is behind";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Balancing,
        Bool("load_balance_mode", true, "Reads are spread over the nodes by weight; off = everything runs on the primary.")
            .To((c, v) => c with { LoadBalanceMode = v.Bool }),
        Bool("ignore_leading_white_space", true, "White space before a statement does not change where it runs.")
            .Accepted("statements are parsed; white space never matters"),
        List("read_only_function_list", "", "Functions that do not write.").Once("white_function_list").Accepted(Functions),
        List("write_function_list", "", "Functions that write.").Once("black_function_list").Accepted(Functions),
        List("primary_routing_query_pattern_list", "", "Patterns of statements that run on the primary.", ';')
            .Once("black_query_pattern_list").Refused(NoList + "; empty the list and mark such statements with /* pgrouter: primary */"),
        List("user_redirect_preference_list", "", "Nodes preferred per user.").Refused(NoList),
        List("database_redirect_preference_list", "", "Nodes preferred per database.").Refused(NoList),
        List("app_name_redirect_preference_list", "", "Nodes preferred per application_name.").Refused(NoList),
        Bool("allow_sql_comments", false, "A comment before a statement does not keep it on the primary.")
            .Accepted("comments never matter, save for hints"),
        Word("disable_load_balance_on_write", "transaction",
            ["off", "transaction", "trans_transaction", "always", "dml_adaptive", "dml_adaptive_global"],
            "How long reads stay on the primary after a write.")
            .Accepted("a transaction runs wholly on one node; outside one a read may be served by a standby that is behind, see delay_threshold"),
        List("dml_adaptive_object_relationship_list", "", "Objects that are written together with others.").Accepted(Tracking),
        Bool("statement_level_load_balance", false, "The node is chosen per statement instead of per session.")
            .Accepted("the node is chosen per transaction or statement, as the pool mode asks"),
        Word("relcache_query_target", "primary", ["primary", "load_balance_node"], "Node that is asked about tables and functions.")
            .Accepted("no node is asked about tables and functions"),
        Real("track_table_mutation_ttl_factor", "5.0", 0, 1_000_000,
            "Multiple of the delay for which a written table stays on the primary.")
            .Accepted(Tracking),
        Seconds("track_table_mutation_max_staleness", "60", "Longest time for which a written table stays on the primary.")
            .Accepted(Tracking),
        Seconds("track_table_mutation_cold_start_duration", "2", "Time after the start in which everything runs on the primary.")
            .Accepted(Tracking),
        Integer("track_table_mutation_table_buckets", "1024", 1, int.MaxValue, "Hash buckets for written tables.").Restart()
            .Accepted(Tracking),
        Integer("track_table_mutation_table_size", "2048", 1, int.MaxValue, "Written tables remembered.").Restart().Accepted(Tracking),
        Word("load_balance_hosts", "round-robin", ["round-robin", "disable"], "PgBouncer's choice between several hosts.")
            .Accepted("reads are spread by backend_weight"));
}
