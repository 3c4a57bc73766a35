using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Who may come in, and who may use the consoles.</summary>
internal static class AuthenticationSettings
{
    private const string NoAuthQuery = "passwords are read from pool_passwd only";

    public static IEnumerable<Setting> Rows { get; } = In(
        SettingGroup.Authentication,
        Bool("enable_pool_hba", false, "Clients are admitted by pool_hba.conf.").To((c, v) => c with { EnablePoolHba = v.Bool }),
        Text("auth_hba_file", "", "Path of the HBA file; empty = pool_hba.conf beside the configuration file.").PgBouncer("auth_hba_file")
            .To((c, v) => c with { PoolHbaFile = v.Text }) with
        {
            InForce = c => c.PoolHbaFile,
        },
        Text("pool_passwd", "pool_passwd", "File of users and passwords, relative to the configuration file; empty = none.")
            .PgBouncer("auth_file")
            .To((c, v) => c with { PoolPasswdFile = v.Text }) with
        {
            InForce = c => c.PoolPasswdFile,
        },
        Bool("allow_clear_text_frontend_auth", false, "A client whose password is not known is asked for it in clear text.")
            .To((c, v) => c with { AllowClearTextFrontendAuth = v.Bool }),
        Seconds("authentication_timeout", "60", "Longest time a client may take to log in; 0 = for ever.").PgBouncer("client_login_timeout")
            .To((c, v) => c with { AuthenticationTimeout = v.Duration }),
        List("admin_users", "", "Users who may use the console's commands; empty = any user that can log in.").PgBouncer("admin_users")
            .To((c, v) => c with { AdminUsers = v.Items }),
        List("stats_users", "", "Users who may use the console's SHOW; empty = any user that can log in.").PgBouncer("stats_users")
            .To((c, v) => c with { StatsUsers = v.Items }),
        Word("auth_type", "md5", ["any", "trust", "plain", "md5", "scram-sha-256", "cert", "hba", "pam", "ldap"],
            "PgBouncer's way to check passwords.")
            .PgBouncer("auth_type").Accepted("the method follows from pool_hba.conf and from the kind of password in pool_passwd"),
        Text("auth_user", "", "User that runs auth_query.").PgBouncer("auth_user").Accepted(NoAuthQuery),
        Text("auth_query", "", "Query that looks a password up.").PgBouncer("auth_query").Accepted(NoAuthQuery),
        Text("auth_dbname", "", "Database of auth_query.").PgBouncer("auth_dbname").Accepted(NoAuthQuery),
        Integer("scram_iterations", "4096", 1, int.MaxValue, "SCRAM iterations for plain-text passwords.").PgBouncer("scram_iterations")
            .Accepted("4096 is used for plain-text passwords; verifiers bring their own number"));
}
