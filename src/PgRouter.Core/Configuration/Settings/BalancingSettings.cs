using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Where reads may run.</summary>
internal static class BalancingSettings
{
    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Balancing,
        Bool("load_balance_mode", true, "Reads are spread over the nodes by weight; off = everything runs on the primary.")
            .To((c, v) => c with { LoadBalanceMode = v.Bool }),
        Bool("ignore_leading_white_space", true, "White space before a statement does not change where it runs.")
            .Accepted("statements are parsed; white space never matters"),
        Word("pgrouter.balance_policy", "weighted_random", ["weighted_random", "least_in_flight", "lowest_latency"],
            "Which of the nodes that may serve a read gets it: by chance in proportion to backend_weight, the one with the fewest statements "
            + "under way, or the one that answers soonest.")
            .To((c, v) => c with { BalancePolicy = Enum.Parse<BalancePolicy>(v.Text.Replace("_", ""), ignoreCase: true) }),
        Bool("statement_level_load_balance", true,
            "The node is chosen for each statement; off = a session keeps the node that was chosen for its first read (pgpool's default).")
            .To((c, v) => c with { StatementLevelLoadBalance = v.Bool }),
        Patterns("read_only_function_list",
            "Functions that do not write, by patterns of their names; any other but PostgreSQL's own keeps a statement on the primary.")
            .Once("white_function_list")
            .To((c, v) => c with { Lists = c.Lists with { ReadOnlyFunctions = PatternList.Of(v.Items) } }),
        Patterns("write_function_list", "Functions that keep a statement on the primary, by patterns of their names.")
            .Once("black_function_list")
            .To((c, v) => c with { Lists = c.Lists with { WriteFunctions = PatternList.Of(v.Items) } }),
        Patterns("primary_routing_query_pattern_list", "Statements that run on the primary, by patterns of their whole text.", ';')
            .Once("black_query_pattern_list")
            .To((c, v) => c with { Lists = c.Lists with { PrimaryStatements = PatternList.Of(v.Items) } }),
        Redirects("user_redirect_preference_list", "Nodes that the reads of users prefer: " + RedirectList.Form + ".")
            .To((c, v) => c with { Lists = c.Lists with { Users = RedirectList.Of(v.Items) } }),
        Redirects("database_redirect_preference_list", "The same for databases, which count before users.")
            .To((c, v) => c with { Lists = c.Lists with { Databases = RedirectList.Of(v.Items) } }),
        Redirects("app_name_redirect_preference_list",
            "The same for the application_name with which a client connects; it counts before databases and users.")
            .To((c, v) => c with { Lists = c.Lists with { Applications = RedirectList.Of(v.Items) } }),
        Bool("allow_sql_comments", false, "A comment before a statement does not keep it on the primary.")
            .Accepted("comments never matter, save for hints"),
        Word("relcache_query_target", "primary", ["primary", "load_balance_node"], "Node that is asked about tables and functions.")
            .Accepted("no node is asked about tables and functions"),
        Word("load_balance_hosts", "round-robin", ["round-robin", "disable"], "PgBouncer's choice between several hosts.")
            .Accepted("reads are spread by backend_weight"));
}
