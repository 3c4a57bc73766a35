using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>How far the standbys are behind.</summary>
internal static class ReplicationCheckSettings
{
    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.StreamingReplication,
        Seconds("sr_check_period", "10", "Time between two looks at the replication delay; 0 = off.")
            .To((c, v) => c with { SrCheckPeriod = v.Duration }),
        Text("sr_check_user", "", "User for these checks; pg_monitor is enough.").To((c, v) => c with { SrCheckUser = v.Text }),
        Secret("sr_check_password", "Password of that user.").To((c, v) => c with { SrCheckPassword = v.Text }),
        Text("sr_check_database", "postgres", "Database for these checks.").To((c, v) => c with { SrCheckDatabase = v.Text }),
        Bytes("delay_threshold", "0", "A standby further behind than this gets no reads; 0 = any.")
            .To((c, v) => c with { DelayThreshold = v.Integer }),
        Milliseconds("delay_threshold_by_time", "0", "A standby further behind than this time gets no reads; 0 = any.")
            .To((c, v) => c with { DelayThresholdByTime = v.Duration }),
        Bool("prefer_lower_delay_standby", false,
            "The standby that is least behind takes the reads of one that is too far behind; off = all nodes that are not share them.")
            .To((c, v) => c with { PreferLowerDelayStandby = v.Bool }),
        Word("log_standby_delay", "if_over_threshold", ["none", "always", "if_over_threshold"], "When the delay is logged.")
            .Accepted("SHOW POOL_NODES tells the delay"),
        Text("replication_delay_source_cmd", "", "Command that tells the delay.")
            .Refused("no command is run; without it the delay of such a cluster would not be known"),
        Seconds("replication_delay_source_timeout", "10", "Longest time of that command.").Accepted("no command is run"));
}
