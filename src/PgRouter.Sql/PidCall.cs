namespace PgRouter.Sql;

/// <summary>The functions whose meaning is a process id of the session: behind a router the client's is not the server's.</summary>
public enum PidFunction : byte
{
    /// <summary>pg_backend_pid().</summary>
    OwnPid,

    /// <summary>pg_cancel_backend(pid).</summary>
    Cancel,

    /// <summary>pg_terminate_backend(pid [, timeout]).</summary>
    Terminate,
}

/// <summary>Where such a call stands, which decides what can stand in its place.</summary>
public enum PidCallPlace : byte
{
    /// <summary>
    /// Not to be touched: its statement works on process ids of servers, stores the expression, or calls it where nobody knows how often it runs;
    /// or the words are no call at all.
    /// </summary>
    Untouched,

    /// <summary>An expression whose name nobody sees.</summary>
    Expression,

    /// <summary>In an output column without a name of its own, or in GROUP BY, ORDER BY or DISTINCT ON, which must match one.</summary>
    OutputColumn,

    /// <summary>An item of FROM without an alias.</summary>
    FromItem,

    /// <summary>An item of FROM with an alias.</summary>
    FromItemWithAlias,

    /// <summary>In ROWS FROM without an alias: the names of the columns come from the functions and cannot be kept.</summary>
    RowsFrom,

    /// <summary>A whole column without a name of <c>SELECT f(..)</c> and nothing else: it runs exactly once.</summary>
    BareColumn,

    /// <summary>The same with a name.</summary>
    NamedBareColumn,
}

/// <summary>One place of a text that may be a call of these functions, in the order of the text. All texts of one shape have the same.</summary>
/// <param name="Function">What is called.</param>
/// <param name="Place">Where.</param>
/// <param name="Statement">Index of its statement in the text.</param>
public readonly record struct PidCall(PidFunction Function, PidCallPlace Place, int Statement);

/// <summary>A call that the tree has, at its byte in the text and its depth in the tree.</summary>
internal readonly record struct PidCallFound(int Location, int Depth, PidFunction Function, PidCallPlace Place);

/// <summary>What the tree says of calls of these functions, and which statements mean the server's own process ids.</summary>
internal static class PidCalls
{
    public static PidFunction? FunctionOf(string? schema, string name) => schema is not (null or "pg_catalog")
        ? null
        : name switch
        {
            "pg_backend_pid" => PidFunction.OwnPid,
            "pg_cancel_backend" => PidFunction.Cancel,
            "pg_terminate_backend" => PidFunction.Terminate,
            _ => null,
        };

    /// <summary>A view with process ids of servers in it.</summary>
    public static bool IsOfServers(TableUse table) =>
        table.Schema is null or "pg_catalog"
        && (table.Name is "pg_locks" or "pg_replication_slots" || table.Name.StartsWith("pg_stat_", StringComparison.Ordinal));

    /// <summary>A function that takes or returns process ids of servers.</summary>
    public static bool IsOfServers(string function) =>
        function is "pg_blocking_pids" or "pg_safe_snapshot_blocking_pids" or "pg_isolation_test_session_is_blocked" or "pg_lock_status"
            or "pg_log_backend_memory_contexts" or "pg_get_replication_slots"
        || function.StartsWith("pg_stat_get_", StringComparison.Ordinal);

    /// <summary>Gives each candidate of the text the call that the tree has there; null when there is nothing to do about any.</summary>
    public static IReadOnlyList<PidCall>? Settle(ReadOnlySpan<byte> sql, List<(PidCallFound Call, int Statement)> found)
    {
        if (!found.Any(f => f.Call.Place != PidCallPlace.Untouched))
            return null;
        var calls = new List<PidCall>();
        // The parser was given the text as with standard_conforming_strings on, see ParserInput.
        var candidates = new PidCandidates(sql, standardConformingStrings: true);
        while (candidates.Next())
        {
            var start = candidates.Start;
            var (call, statement) = found.FirstOrDefault(f => f.Call.Location == start);
            calls.Add(new PidCall(candidates.Function, call.Place, statement));
        }

        return calls;
    }
}
