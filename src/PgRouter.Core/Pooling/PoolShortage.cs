using System.Globalization;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// What a client is told that waits, or has waited in vain: what it waits for and what to change. Looked up at that moment; any thread.
/// </summary>
internal static class PoolShortage
{
    /// <summary>
    /// After query_wait_timeout: the error of the last login when no server could be opened, 08001 when a login is still under way, else
    /// 53300 with the limit that is reached. Never held against the node.
    /// </summary>
    public static PoolError AfterWaiting(ServerPool pool, TimeSpan waited)
    {
        if (pool.Count < pool.Size && pool.Opener.LastError is { } failure)
            return failure with { IsUnreachable = false };
        var (detail, hint) = Explain(pool);
        var isLoggingIn = pool.Opening > 0 && pool.Opening == pool.Count;
        return new PoolError(
            ErrorMessage.Error(
                isLoggingIn ? SqlStates.SqlClientUnableToEstablishSqlConnection : SqlStates.TooManyConnections,
                $"no server was free within {Seconds(waited)} s on node {pool.Node.Id} for {pool.Key.Database}/{pool.Key.User}",
                detail,
                hint),
            IsUnreachable: false);
    }

    /// <summary>After query_wait_notify.</summary>
    public static ErrorMessage Notice(ServerPool pool, TimeSpan waited) => new()
    {
        Severity = ErrorMessage.SeverityNotice,
        Code = SqlStates.SuccessfulCompletion,
        Message = $"waiting for a server on node {pool.Node.Id} for {Seconds(waited)} s",
        Detail = pool.Count < pool.Size && pool.Opener.LastError is { } failure
            ? $"The last login was refused: {failure.Message.Message}"
            : Explain(pool).Detail,
    };

    private static (string Detail, string Hint) Explain(ServerPool pool)
    {
        if (pool.Count < pool.Size && pool.FindSpentBudget() is { } spent)
            return (Detail(spent, pool), $"Raise {spent.Setting} or query_wait_timeout.");
        if (pool.Opening > 0 && pool.Opening == pool.Count)
            return ($"A login to {pool.Node} is under way and not answered.", "Look at the node, its pg_hba.conf and its log.");
        var limits = pool.Limits;
        return (
            $"All {pool.Count} servers of the pool are in use, {pool.WaiterCount} clients wait.",
            limits.ReservePoolSize == 0
                ? "Raise pool_size (default_pool_size, num_init_children), reserve_pool_size or query_wait_timeout."
                : "Raise pool_size (default_pool_size, num_init_children) or query_wait_timeout.");
    }

    private static string Detail(Budget spent, ServerPool pool)
    {
        var most = ServerBudgets.LimitOf(spent, pool);
        return spent.Kind switch
        {
            BudgetKind.Database => $"All {most} servers of database \"{spent.Name}\" are in use ({spent.Setting}).",
            BudgetKind.User => $"All {most} servers of user \"{spent.Name}\" are in use ({spent.Setting}).",
            _ => $"All {most} servers of node {spent.Name} are in use ({spent.Setting}).",
        };
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}
