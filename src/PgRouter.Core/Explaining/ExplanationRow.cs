using PgRouter.Core.Admin;

namespace PgRouter.Core.Explaining;

/// <summary>One line of an explanation.</summary>
/// <param name="Section">decision, statement, session, rule, function, table, node.</param>
/// <param name="Item">What the line is about.</param>
/// <param name="Answer">What is so.</param>
/// <param name="Detail">Why, or more of it.</param>
internal sealed record ExplanationRow(string Section, string Item, string? Answer, string? Detail = null)
{
    /// <summary>The columns of EXPLAIN ROUTE.</summary>
    public static IReadOnlyList<AdminColumn> Columns { get; } =
    [
        new("section", AdminType.Text), new("item", AdminType.Text), new("answer", AdminType.Text), new("detail", AdminType.Text),
    ];

    public string?[] ToRow() => [Section, Item, Answer, Detail];
}
