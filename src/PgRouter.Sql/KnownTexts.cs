namespace PgRouter.Sql;

/// <summary>Verdicts that need no parse.</summary>
internal static class KnownTexts
{
    /// <summary>An empty query, or only comments and semicolons.</summary>
    public static readonly StatementInfo Empty = new(StatementClass.Empty, "empty query", []);

    /// <summary>A statement the router answers itself.</summary>
    public static StatementInfo Local(string command)
    {
        var statement = new Statement { Kind = StatementKind.Local, Class = StatementClass.Local, Cause = "router command" };
        return new StatementInfo(StatementClass.Local, statement.Cause, [statement]) { LocalCommand = command, LiteralsMatter = true };
    }

    /// <summary>The same verdict with a hint found in front of the text.</summary>
    public static StatementInfo WithHint(StatementInfo info, RouteHint? hint) => hint is null
        ? info
        : new StatementInfo(info.Class, info.Cause, info.Statements)
        {
            Hint = hint,
            LiteralsMatter = info.LiteralsMatter,
            IsLasting = info.IsLasting,
            LocalCommand = info.LocalCommand,
            PidCalls = info.PidCalls,
        };
}
