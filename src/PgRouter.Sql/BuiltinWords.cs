namespace PgRouter.Sql;

/// <summary>Where a function that PostgreSQL comes with may run, in words for explanations.</summary>
public static class BuiltinWords
{
    /// <param name="name">One of <see cref="Statement.Builtins"/>.</param>
    public static string Of(string name) => !BuiltinFunctions.TryGetKind(name, out var kind) ? "unknown" : kind switch
    {
        FunctionKind.Anywhere => "runs anywhere",
        FunctionKind.NodeLocal => "runs anywhere, and tells of the node",
        FunctionKind.PrimaryRead => "answers differ between nodes: primary",
        FunctionKind.SessionState => "state of the session: primary",
        _ => "writes, or is refused by a standby: primary",
    };
}
