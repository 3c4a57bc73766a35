using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Which nodes are alive. Every row may carry a node's number.</summary>
internal static class HealthCheckSettings
{
    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.HealthCheck,
        Health(Seconds("health_check_period", "5", "Time between two checks of a node; 0 = no checks."),
            (h, v) => h with { Period = v.Duration }),
        Health(Seconds("health_check_timeout", "20", "Longest time of one check; 0 = for ever."),
            (h, v) => h with { Timeout = v.Duration }),
        Health(Text("health_check_user", "", "User for the checks; empty = sr_check_user with its password."),
            (h, v) => h with { User = v.Text }) with
        {
            InForce = c => c.HealthCheck.User,
        },
        Health(Secret("health_check_password", "Password of that user."), (h, v) => h with { Password = v.Text }),
        Health(Text("health_check_database", "postgres", "Database for the checks."), (h, v) => h with { Database = v.Text }),
        Health(Integer("health_check_max_retries", "3", 0, 1_000_000, "Failed checks that are repeated before the node is down."),
            (h, v) => h with { MaxRetries = (int)v.Integer }),
        Health(Seconds("health_check_retry_delay", "1", "Wait before a repeated check."), (h, v) => h with { RetryDelay = v.Duration }),
        Health(Milliseconds("connect_timeout", "10000", "Longest time to connect to a node.") with { Min = 1 },
            (h, v) => h with { ConnectTimeout = v.Duration }) with
        {
            Apply = (draft, value) => draft.ConnectTimeout = value.Duration,
        },
        Bool("health_check_test", false, "Results are read from a file.").Restart().Refused("results cannot be faked"));

    private static Setting Health(Setting row, Func<HealthCheckConfig, SettingValue, HealthCheckConfig> apply) =>
        row with { Suffix = SettingSuffix.Optional, ApplyToHealth = apply };
}
