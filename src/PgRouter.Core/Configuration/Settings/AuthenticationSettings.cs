using static PgRouter.Core.Configuration.Settings.SettingRows;

namespace PgRouter.Core.Configuration.Settings;

/// <summary>Who may come in, and who may use the consoles.</summary>
internal static class AuthenticationSettings
{
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
        Text("auth_ident_file", "", "Path of the maps of names for lines with map=; empty = pg_ident.conf beside the configuration file, if it is there.")
            .PgBouncer("auth_ident_file").To((c, v) => c with { IdentFile = v.Text }) with
        {
            InForce = c => c.IdentFile,
        },
        Text("auth_user", "", "User that runs auth_query, with its password in pool_passwd; empty = only pool_passwd is asked.").PgBouncer("auth_user")
            .To((c, v) => c with { AuthUser = v.Text }),
        Text("auth_query", RouterConfig.DefaultAuthQuery,
            "Query that looks up a user that is not in pool_passwd; $1 = its name; columns: name, secret, and the end of its validity if there is one.")
            .PgBouncer("auth_query").To((c, v) => c with { AuthQuery = v.Text }),
        Text("auth_dbname", "", "Database in which auth_query runs; empty = sr_check_database.").PgBouncer("auth_dbname")
            .To((c, v) => c with { AuthDatabase = v.Text }),
        Seconds("pgrouter.auth_cache_time", "30", "Time for which answers of auth_query, and memberships of roles, are remembered.") with
        {
            Apply = (draft, value) => draft.Config = draft.Config with { AuthCacheTime = value.Duration },
        },
        Text("pgrouter.key_file", "", "File of the key of AES passwords (pg_enc); empty = PGPOOLKEYFILE, else .pgpoolkey in the home directory. Also -k.")
            .To((c, v) => c with { PoolKeyFile = v.Text }) with
        {
            InForce = c => c.PoolKeyFile,
        },
        Integer("scram_iterations", "4096", 1, 600_000, "SCRAM iterations for passwords that are stored as text; verifiers bring their own number.")
            .PgBouncer("scram_iterations").To((c, v) => c with { ScramIterations = (int)v.Integer }));
}
