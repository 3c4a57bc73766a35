namespace PgRouter.Core.Admin.Pgpool;

/// <summary>PGPOOL SHOW: one setting as a column of its own name, a group of them, or ALL.</summary>
internal sealed class PgpoolShow() : AdminCommand(
    AdminDialect.Pgpool, "PGPOOL SHOW", "one setting, a group (backend, health_check), or all of them")
{
    private static readonly string[] Groups = ["backend", "health_check"];
    private static readonly string[] WatchdogGroups = ["watchdog", "heartbeat"];

    public override string Syntax => "PGPOOL SHOW name | group | ALL";

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call)
    {
        if (Refusal(call) is not null)
            return null;
        return IsList(call.Arguments[0]) ? SettingList.Table.Columns : [Column(Find(call, call.Arguments[0])!)];
    }

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Refusal(call) is { } refusal ? AdminErrors.Refuse(refusal) : Show(call, call.Arguments[0]));

    private static AdminResult Show(AdminCall call, string name)
    {
        if (!IsList(name))
        {
            var setting = Find(call, name)!;
            return new AdminResult { Columns = [Column(setting)], Rows = [[setting.Value]], Tag = "SELECT 1" };
        }
        var all = SettingList.All(call.Services);
        var shown = IsAll(name) ? all : all.Where(r => r.Name.StartsWith(name + "_", StringComparison.OrdinalIgnoreCase));
        var rows = SettingList.Table.Fill(shown, call.Services.Clock.LocalTimeZone);
        return new AdminResult { Columns = SettingList.Table.Columns, Rows = rows, Tag = $"SELECT {rows.Count}" };
    }

    private AdminError? Refusal(AdminCall call)
    {
        if (call.Arguments.Count == 0)
            return new AdminError(AdminErrors.SyntaxError, "PGPOOL SHOW needs a name", $"Write {Syntax}.");
        if (call.Arguments.Count > 1)
            return AdminErrors.Unexpected(call.Arguments[1], $"PGPOOL SHOW {call.Arguments[0]}").Error;
        var name = call.Arguments[0];
        if (WatchdogGroups.Contains(name, StringComparer.OrdinalIgnoreCase))
            return new AdminError(AdminErrors.FeatureNotSupported,
                $"PGPOOL SHOW {name} is not supported: there is no watchdog in this router");
        return IsList(name) || Find(call, name) is not null ? null : UnknownSetting(call, name);
    }

    /// <summary>The refusal of a setting that is not there, with the nearest name.</summary>
    public static AdminError UnknownSetting(AdminCall call, string name)
    {
        var near = NearestName.Find(name, SettingList.All(call.Services).Select(s => s.Name));
        return new AdminError(
            AdminErrors.UndefinedObject,
            $"unrecognized configuration parameter \"{name}\"",
            near is null ? "PGPOOL SHOW ALL lists the settings." : $"Did you mean {near}?");
    }

    /// <summary>The setting by name, whatever its case; null when there is none.</summary>
    public static SettingRow? Find(AdminCall call, string name) =>
        SettingList.All(call.Services).FirstOrDefault(s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static AdminColumn Column(SettingRow setting) => new(setting.Name, AdminType.Text);

    private static bool IsList(string name) => IsAll(name) || Groups.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsAll(string name) => name.Equals("ALL", StringComparison.OrdinalIgnoreCase);
}
