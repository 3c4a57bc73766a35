using PgRouter.Core.Configuration;
using PgRouter.Sql;

namespace PgRouter.Core.Routing;

/// <summary>
/// What read_only_function_list and write_function_list make of a text. Names are compared as they are written, with the schema if there is one.
/// A function for the primary counts first; then, where a list of read-only functions is given, those in it are not asked about any further and
/// every other one is for the primary, save PostgreSQL's own, whose kind is known.
/// </summary>
internal static class FunctionLists
{
    /// <param name="info">The text.</param>
    /// <param name="lists">The lists in force.</param>
    /// <returns>The text without the functions that are listed as read-only, for the catalog to judge; and whether it is for the primary.</returns>
    public static (StatementInfo Judged, bool IsForPrimary) Judge(StatementInfo info, RoutingLists lists)
    {
        if (info.Statements.Any(statement => IsForPrimary(statement, lists)))
            return (info, true);
        if (lists.ReadOnlyFunctions.IsEmpty || info.Statements.All(statement => statement.Functions.Count == 0))
            return (info, false);
        var statements = info.Statements.Select(WithoutFunctions).ToArray();
        var strictest = statements.MaxBy(statement => statement.Class)!;
        return (new StatementInfo(strictest.Class, strictest.Cause, statements), false);
    }

    private static bool IsForPrimary(Statement statement, RoutingLists lists)
    {
        foreach (var name in statement.Builtins)
        {
            if (lists.WriteFunctions.MatchesName(null, name))
                return true;
        }
        foreach (var function in statement.Functions)
        {
            if (lists.WriteFunctions.MatchesName(function.Schema, function.Name))
                return true;
            if (!lists.ReadOnlyFunctions.IsEmpty && !lists.ReadOnlyFunctions.MatchesName(function.Schema, function.Name))
                return true;
        }
        return false;
    }

    /// <summary>All of them are listed as read-only.</summary>
    private static Statement WithoutFunctions(Statement statement) => statement.Functions.Count == 0
        ? statement
        : statement with { Functions = [], Class = statement.Class == StatementClass.NeedsCatalog ? StatementClass.Read : statement.Class };
}
