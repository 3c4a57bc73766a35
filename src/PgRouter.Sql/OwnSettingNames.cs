namespace PgRouter.Sql;

/// <summary>The settings of a session that are the router's: SET, RESET and SHOW of them are its business, not a server's.</summary>
public static class OwnSettingNames
{
    public const string Prefix = "pgrouter.";

    /// <param name="name">In lower case.</param>
    public static bool IsOwn(string? name) => name is not null && name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>One SET, RESET or SHOW of such a setting and nothing else.</summary>
    internal static bool IsOnly(IReadOnlyList<Statement> statements) =>
        statements is [{ Kind: StatementKind.Set or StatementKind.Reset or StatementKind.Show } statement] && IsOwn(statement.Name);

    /// <summary>Some statement sets, resets or shows one.</summary>
    internal static bool IsAmong(IReadOnlyList<Statement> statements)
    {
        foreach (var statement in statements)
        {
            if (statement.Kind == StatementKind.Show && IsOwn(statement.Name))
                return true;
            foreach (var setting in statement.Settings)
            {
                if (IsOwn(setting.Name))
                    return true;
            }
        }
        return false;
    }
}
