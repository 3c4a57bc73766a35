using PgRouter.Core.Configuration;

namespace PgRouter.Core.Admin;

/// <summary>What a command does, as far as rights go.</summary>
internal enum AdminAccess
{
    /// <summary>Only shows.</summary>
    Show,

    /// <summary>Changes what the router does.</summary>
    Operate,
}

/// <summary>
/// Who may do what, by admin_users and stats_users. Admins do all; stats users see all. With both lists empty every user that can log in
/// sees all, as with pgpool-II, and nobody operates: a right to stop the router is never given by leaving a setting out.
/// </summary>
internal static class AdminAuthorization
{
    /// <summary>May the user log in to the virtual database? Null when it may.</summary>
    public static AdminError? CheckConsoleLogin(RouterConfig config, string user) => Check(config, user, AdminAccess.Show);

    /// <summary>May the user do this? Null when it may, else the refusal (42501).</summary>
    public static AdminError? Check(RouterConfig config, string user, AdminAccess access)
    {
        if (config.AdminUsers.Contains(user, StringComparer.Ordinal))
            return null;
        if (access == AdminAccess.Operate)
            return Denied($"user \"{user}\" may not operate the router", "Only users in admin_users may.");
        var isOpen = config.AdminUsers.Count == 0 && config.StatsUsers.Count == 0;
        return isOpen || config.StatsUsers.Contains(user, StringComparer.Ordinal)
            ? null
            : Denied($"user \"{user}\" may not see the router's state", "Only users in admin_users or stats_users may.");
    }

    private static AdminError Denied(string message, string hint) => new(AdminErrors.InsufficientPrivilege, message, hint);
}
