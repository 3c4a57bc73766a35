namespace PgRouter.Sql;

/// <summary>
/// The names one WITH clause defines and where they hide tables: in the statement's body everywhere; in the expressions themselves from
/// the next one on, or in all of them when RECURSIVE. The tree gives WITH after the tables it hides, so this is settled at the end.
/// </summary>
internal struct CteScope(int start)
{
    private readonly int _start = start;
    private List<(string Name, int First, int Stop)>? _expressions;

    public bool IsRecursive { get; set; }

    /// <param name="name">The name defined.</param>
    /// <param name="first">Index of the first table its own query names.</param>
    /// <param name="stop">Index after the last of them.</param>
    public void Add(string name, int first, int stop) => (_expressions ??= []).Add((name, first, stop));

    public readonly void Close(StatementFacts facts)
    {
        if (_expressions is null)
            return;
        var expressions = _expressions;
        var isRecursive = IsRecursive;
        facts.RemoveHiddenTables(_start, (index, table) =>
        {
            if (table.Schema is not null || table.IsWritten)
                return false;
            var own = expressions.FindIndex(expression => index >= expression.First && index < expression.Stop);
            var visible = own < 0 || isRecursive ? expressions.Count : own;
            for (var i = 0; i < visible; i++)
            {
                if (expressions[i].Name == table.Name)
                    return true;
            }

            return false;
        });
    }
}
