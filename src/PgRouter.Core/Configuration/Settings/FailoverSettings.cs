using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>What happens when a node is lost or comes back, and online recovery.</summary>
internal static class FailoverSettings
{
    private const string NoCommand = "no command is run: promotion is left to the cluster's manager; the new primary is found";
    private const string NoVotes = "there is no watchdog, so nothing is voted on";
    private const string NoRecovery = "nodes are rebuilt with PostgreSQL's own tools; a node that is back is found by the health check";

    public static IEnumerable<Setting> Rows { get; } =
    [
        .. In(
            SettingGroup.Failover,
            Seconds("pgrouter.failover_hold", "0", "A write waits for a primary so long before it gets an error.")
                .To((c, v) => c with { FailoverHold = v.Duration }),
            Text("failover_command", "", "Command run when a node is lost.").Accepted(NoCommand),
            Text("failback_command", "", "Command run when a node is back.").Accepted(NoCommand),
            Text("follow_primary_command", "", "Command run for the other nodes after a promotion.").Once("follow_master_command")
                .Accepted(NoCommand),
            Bool("failover_on_backend_error", true, "An error on a connection takes its node out.").Once("fail_over_on_backend_error")
                .Accepted("an error on a connection brings the health check forward; the check decides"),
            Bool("failover_on_backend_shutdown", false, "A server that shuts down takes its node out.")
                .Accepted("a shutdown brings the health check forward; the check decides"),
            Bool("detach_false_primary", false, "Of two primaries the false one is taken out.")
                .Accepted("of two primaries the one with the later timeline is used, always"),
            Seconds("search_primary_node_timeout", "300", "Longest search for a primary; 0 = for ever.").Once("search_master_node_timeout")
                .Accepted("the search never ends"),
            Bool("auto_failback", false, "A standby that replicates again is used again.")
                .Accepted("a node that is back is always used again"),
            Seconds("auto_failback_interval", "60", "Least time between two such returns.")
                .Accepted("a node is used again after its checks succeed"),
            Bool("failover_when_quorum_exists", true, "Failover asks for a quorum.").Restart().Accepted(NoVotes),
            Bool("failover_require_consensus", true, "Failover asks for a majority.").Restart().Accepted(NoVotes),
            Bool("allow_multiple_failover_requests_from_node", false, "A node may vote several times.").Restart().Accepted(NoVotes),
            Bool("enable_consensus_with_half_votes", false, "Half of the votes are a majority.").Restart().Accepted(NoVotes)),
        .. In(
            SettingGroup.Recovery,
            Text("recovery_user", "", "User for online recovery.").Accepted(NoRecovery),
            Secret("recovery_password", "Password of that user.").Accepted(NoRecovery),
            Text("recovery_database", "postgres", "Database for online recovery.").Accepted(NoRecovery),
            Text("recovery_1st_stage_command", "", "First command of online recovery.").Accepted(NoRecovery),
            Text("recovery_2nd_stage_command", "", "Second command of online recovery.").Accepted(NoRecovery),
            Seconds("recovery_timeout", "90", "Longest time of online recovery.").Accepted(NoRecovery),
            Seconds("client_idle_limit_in_recovery", "0", "Idle clients are cut after this time during recovery; -1 = at once.") with
            {
                Min = -1,
                AcceptedBecause = NoRecovery,
            }),
    ];
}
