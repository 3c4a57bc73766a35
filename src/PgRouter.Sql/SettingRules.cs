using System.Text;

namespace PgRouter.Sql;

/// <summary>What changing a setting by name means for the session, however it is written (SET, RESET, set_config).</summary>
internal static class SettingRules
{
    /// <summary>Adds the change to the facts; a null <paramref name="value"/> means DEFAULT.</summary>
    public static void Apply(string name, string? value, bool isLocal, StatementFacts facts)
    {
        facts.AddSetting(new SettingChange(name, value, isLocal));
        facts.Effects |= name switch
        {
            "role" or "session_authorization" => SessionEffects.SetsRole,
            "transaction_isolation" or "transaction_read_only" or "transaction_deferrable" => SessionEffects.SetsTransaction,
            _ when value is null => SessionEffects.ResetsParameter,
            _ => SessionEffects.SetsParameter,
        };
        var text = value?.Trim('\'');
        if (name == "transaction_isolation")
            facts.Isolation = text?.ToLowerInvariant();
        if (name == "transaction_read_only")
            facts.ReadOnly = text?.ToLowerInvariant() is "on" or "true" or "t" or "yes" or "y" or "1";
    }

    /// <summary>The argument of set_config as an SQL expression list; null for NULL, which set_config takes as DEFAULT.</summary>
    public static string? ValueOf(string name, Constant value)
    {
        if (value.Kind == ConstantKind.Null)
            return null;
        if (!NameLists.Contains(name)) // SET quotes each element, so a list given as one string must be taken apart.
            return value.ToSql();
        var elements = SplitNames(value.Text).Select(Constant.Quote);
        var list = string.Join(", ", elements);
        return list.Length == 0 ? "''" : list;
    }

    /// <summary>Splits a list of identifiers: commas outside double quotes, unquoted names in lower case.</summary>
    private static IEnumerable<string> SplitNames(string list)
    {
        var element = new StringBuilder();
        var isQuoted = false;
        var wasQuoted = false;
        for (var i = 0; i <= list.Length; i++)
        {
            if (i == list.Length || (list[i] == ',' && !isQuoted))
            {
                var name = wasQuoted ? element.ToString() : element.ToString().Trim().ToLowerInvariant();
                if (name.Length > 0 || wasQuoted)
                    yield return name;
                element.Clear();
                wasQuoted = false;
            }
            else if (list[i] == '"')
            {
                if (isQuoted && i + 1 < list.Length && list[i + 1] == '"')
                    element.Append(list[i++]);
                else
                    isQuoted = !isQuoted;
                if (!wasQuoted)
                    element.Clear();
                wasQuoted = true;
            }
            else if (isQuoted || !wasQuoted || !char.IsWhiteSpace(list[i]))
                element.Append(list[i]);
        }
    }
}
