using PgRouter.Core.Configuration;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>Reads what SET, RESET and SHOW say of a pgrouter.* setting, and refuses it in PostgreSQL's words (set_config_option() in guc.c).</summary>
internal static class OwnSettingChange
{
    /// <summary>The setting's row and its new value, null for the one of the start-up packet; else the error.</summary>
    /// <param name="change">A setting whose name has the prefix.</param>
    public static ErrorMessage? Read(SettingChange change, out int row, out string? value)
    {
        value = null;
        row = OwnSetting.Find(change.Name);
        if (row < 0)
            return CannotSet(change.Name);
        if (change.Value is null)
            return null;
        var text = SqlLiteral.TextOf(change.Value);
        if (text is null)
            return ErrorMessage.Error(SqlStates.InvalidParameterValue, $"SET {change.Name} takes only one argument");
        value = OwnSetting.Rows[row].Read(text);
        return value is null ? Invalid(row, text) : null;
    }

    /// <summary>The same for a value of the start-up packet.</summary>
    public static ErrorMessage? ReadStartup(string name, string text, ref OwnSettings settings)
    {
        var row = OwnSetting.Find(name);
        if (row < 0)
            return CannotSet(name) with { Severity = ErrorMessage.SeverityFatal };
        if (OwnSetting.Rows[row].Read(text) is not { } value)
            return Invalid(row, text) with { Severity = ErrorMessage.SeverityFatal };
        settings = settings.With(row, value);
        return null;
    }

    /// <summary>The first thing that a text says of such settings and that cannot be; null when there is none.</summary>
    public static ErrorMessage? Check(StatementInfo info)
    {
        foreach (var statement in info.Statements)
        {
            foreach (var change in statement.Settings)
            {
                if (OwnSettingNames.IsOwn(change.Name) && Read(change, out _, out _) is { } error)
                    return error;
            }
        }
        return null;
    }

    public static ErrorMessage CannotShow(string name) => ErrorMessage.Error(
        SqlStates.UndefinedObject, $"unrecognized configuration parameter \"{name}\"",
        hint: $"A session has {Names}. PGPOOL SHOW tells the settings of the router.");

    private static string Names => string.Join(", ", OwnSetting.Rows.Select(row => row.Name));

    private static ErrorMessage Invalid(int row, string text) => ErrorMessage.Error(
        SqlStates.InvalidParameterValue, $"invalid value for parameter \"{OwnSetting.Rows[row].Name}\": \"{text}\"",
        hint: $"Allowed: {OwnSetting.Rows[row].Allowed}.");

    private static ErrorMessage CannotSet(string name)
    {
        if (name == OwnSetting.LsnToken)
            return ErrorMessage.Error(
                SqlStates.CantChangeRuntimeParam, $"parameter \"{name}\" cannot be changed", hint: "SET pgrouter.min_lsn takes what it has said.");
        if (name is StartupPoolMode.Name)
            return ErrorMessage.Error(SqlStates.CantChangeRuntimeParam, $"parameter \"{name}\" cannot be set after connection start");
        return SettingTable.TryFind(name, out _, out _)
            ? ErrorMessage.Error(
                SqlStates.CantChangeRuntimeParam, $"parameter \"{name}\" cannot be changed now", hint: "It is set in pgpool.conf, for all sessions.")
            : ErrorMessage.Error(
                SqlStates.InvalidName, $"invalid configuration parameter name \"{name}\"", detail: "\"pgrouter\" is a reserved prefix.",
                hint: $"A session has {Names}.");
    }
}
