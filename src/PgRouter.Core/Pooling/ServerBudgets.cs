namespace PgRouter.Core.Pooling;

/// <summary>What a limit on the servers of several pools together is about.</summary>
internal enum BudgetKind : byte
{
    /// <summary>num_init_children x max_pool: the servers of one node.</summary>
    Node,

    /// <summary>max_db_connections: the servers of one database, all nodes together.</summary>
    Database,

    /// <summary>max_user_connections: the servers of one user, all nodes together.</summary>
    User,
}

/// <summary>The servers of all pools that share a node, a database or a user. Its fields are <see cref="ServerBudgets"/>'.</summary>
internal sealed class Budget(BudgetKind kind, string name)
{
    public readonly LinkedList<(ServerPool Pool, long SinceMs)> Starving = [];
    public int Taken;
    public int Opening;

    public BudgetKind Kind { get; } = kind;

    /// <summary>The database or the user, or the number of the node.</summary>
    public string Name { get; } = name;

    /// <summary>The setting that limits it.</summary>
    public string Setting => Kind switch
    {
        BudgetKind.Database => "max_db_connections",
        BudgetKind.User => "max_user_connections",
        _ => "num_init_children x max_pool",
    };
}

/// <summary>
/// The limits that several pools share. A server counts in three of them at once: its node's, its database's and its user's. A pool that
/// finds one of them spent stands in that one's line; a pool that could let a server go idle, or whose own waiters came later, closes one
/// for it. Any thread; one lock, taken when a server is opened or closed and otherwise only while some pool stands in a line.
/// </summary>
internal sealed class ServerBudgets
{
    /// <summary>
    /// Logins under way on one node at once: PostgreSQL starts a process for each, and a storm of them delays those that run.
    /// </summary>
    public const int MostLogins = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<(BudgetKind Kind, string Name), Budget> _budgets = [];
    private volatile int _starving;

    /// <summary>The budgets a pool shares with others.</summary>
    public Budget[] For(PoolKey key)
    {
        lock (_lock)
        {
            return
            [
                Get(BudgetKind.Node, key.NodeId.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                Get(BudgetKind.Database, key.Database),
                Get(BudgetKind.User, key.User),
            ];
        }
    }

    /// <summary>Servers open or opening in a budget.</summary>
    public int TakenOf(Budget budget)
    {
        lock (_lock)
            return budget.Taken;
    }

    /// <summary>
    /// Takes a place in every budget of the pool for a server that is opened now, or puts the pool in the line of the first that is spent
    /// and says which; null with false when only too many logins are under way.
    /// </summary>
    /// <param name="pool">The pool that wants to open a server.</param>
    /// <param name="mayStandInLine">False for a server that nobody waits for.</param>
    /// <param name="spent">The budget that is spent.</param>
    public bool TryTake(ServerPool pool, bool mayStandInLine, out Budget? spent)
    {
        lock (_lock)
        {
            spent = pool.Budgets.FirstOrDefault(budget => IsSpent(budget, pool));
            var busy = spent ?? pool.Budgets.FirstOrDefault(IsBusy);
            if (busy is null)
            {
                foreach (var budget in pool.Budgets)
                {
                    budget.Taken++;
                    budget.Opening++;
                }
                return true;
            }
            if (mayStandInLine && !busy.Starving.Any(s => ReferenceEquals(s.Pool, pool)))
            {
                busy.Starving.AddLast((pool, Environment.TickCount64));
                _starving++;
            }
            return false;
        }
    }

    /// <summary>A server was opened without asking, at the login of a client; false when there is no place for it.</summary>
    public bool TryTakeOpened(ServerPool pool)
    {
        lock (_lock)
        {
            if (pool.Budgets.Any(budget => IsSpent(budget, pool)))
                return false;
            foreach (var budget in pool.Budgets)
                budget.Taken++;
            return true;
        }
    }

    /// <summary>The opening of a server that <see cref="TryTake"/> allowed has ended; a server that came of it keeps its places.</summary>
    public void EndOpening(ServerPool pool, bool succeeded)
    {
        lock (_lock)
        {
            foreach (var budget in pool.Budgets)
            {
                budget.Opening--;
                if (!succeeded)
                    budget.Taken--;
            }
        }
    }

    /// <summary>Gives the places of a closed server back.</summary>
    public void Release(ServerPool pool)
    {
        lock (_lock)
        {
            foreach (var budget in pool.Budgets)
                budget.Taken--;
        }
    }

    /// <summary>
    /// Takes a pool out of a line that a place has become free in, of those that a pool shares; null when there is none. Called again until
    /// then: one whose waiters have left takes no place.
    /// </summary>
    public ServerPool? NextInLine(ServerPool pool)
    {
        if (_starving == 0)
            return null;
        lock (_lock)
        {
            foreach (var budget in pool.Budgets)
            {
                if (budget.Starving.First is not { } first || IsSpent(budget, first.Value.Pool) || IsBusy(budget))
                    continue;
                budget.Starving.RemoveFirst();
                _starving--;
                return first.Value.Pool;
            }
        }
        return null;
    }

    /// <summary>Does another pool wait for a place that a server of this one takes, since before those who wait here?</summary>
    public bool IsOwed(ServerPool own)
    {
        if (_starving == 0)
            return false;
        var since = own.Line.OldestSinceMs;
        lock (_lock)
        {
            foreach (var budget in own.Budgets)
            {
                while (budget.Starving.First is { } first && first.Value.Pool.Line.Count == 0)
                {
                    budget.Starving.RemoveFirst(); // Its waiters have left.
                    _starving--;
                }
                if (budget.Starving.First is { } oldest && !ReferenceEquals(oldest.Value.Pool, own) && oldest.Value.SinceMs < since
                    && IsSpent(budget, oldest.Value.Pool))
                    return true;
            }
        }
        return false;
    }

    /// <summary>The first spent budget of a pool, for messages; null when none is.</summary>
    public Budget? FindSpent(ServerPool pool)
    {
        lock (_lock)
            return pool.Budgets.FirstOrDefault(budget => IsSpent(budget, pool));
    }

    /// <summary>The limit of a budget, 0 = none.</summary>
    public static int LimitOf(Budget budget, ServerPool pool) => budget.Kind switch
    {
        BudgetKind.Database => pool.Limits.MaxDbConnections,
        BudgetKind.User => pool.Limits.MaxUserConnections,
        _ => pool.MaxNodeConnections,
    };

    private static bool IsSpent(Budget budget, ServerPool pool) => LimitOf(budget, pool) is > 0 and var most && budget.Taken >= most;

    private static bool IsBusy(Budget budget) => budget.Kind == BudgetKind.Node && budget.Opening >= MostLogins;

    private Budget Get(BudgetKind kind, string name)
    {
        if (!_budgets.TryGetValue((kind, name), out var budget))
            _budgets[(kind, name)] = budget = new Budget(kind, name);
        return budget;
    }
}
