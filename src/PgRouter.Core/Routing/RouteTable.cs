namespace PgRouter.Core.Routing;

/// <summary>The ladder as the table of docs/routing.md, line by line, made from the rules themselves.</summary>
internal static class RouteTable
{
    public static IEnumerable<string> Lines() =>
    [
        "| # | reason | applies to | where |",
        "| --- | --- | --- | --- |",
        .. Router.Rules.Select((rule, i) => $"| {i + 1} | `{rule.Reason.Word()}` | {rule.When} | {rule.Where} |"),
    ];
}
