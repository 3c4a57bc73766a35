namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// One row of SHOW POOLS or SHOW NODE_POOLS: pools of one database and user added up, over all nodes or on one. Clients that hold no server
/// are on no node, so only the sum over nodes counts them.
/// </summary>
internal sealed record PoolRow(
    string Database, string User, int? NodeId, IReadOnlyList<PoolSnapshot> Pools, IReadOnlyList<ClientSnapshot> Clients)
{
    public int ClientsActive => Clients.Count(c => c.State is not ("waiting" or "login"));

    /// <summary>Those in the queues of the pools; over all nodes also those that wait before any pool: paused, or without a primary.</summary>
    public int ClientsWaiting => Math.Max(Pools.Sum(p => p.ClientsWaiting), Clients.Count(c => c.State == "waiting"));

    public int ClientsPinned => Clients.Count(c => c.Pinned.Length > 0);

    /// <summary>The longest wait of any of the pools, or of a client before them.</summary>
    public TimeSpan MaxWait => Pools.Select(p => p.MaxWait).Concat(Clients.Select(c => c.Wait)).DefaultIfEmpty().Max();

    /// <summary>One row per (database, user), as PgBouncer has one pool for them; NodeId is set when only one node has a pool.</summary>
    public static IEnumerable<PoolRow> ByUser(IReadOnlyList<PoolSnapshot> pools, IReadOnlyList<ClientSnapshot> clients)
    {
        var poolsOf = pools.ToLookup(p => (p.Database, p.User));
        var clientsOf = clients.Where(c => c.State != "login").ToLookup(c => (c.Database, c.User));
        return poolsOf.Select(g => g.Key)
            .Union(clientsOf.Select(g => g.Key))
            .OrderBy(key => key.Database, StringComparer.Ordinal)
            .ThenBy(key => key.User, StringComparer.Ordinal)
            .Select(key => new PoolRow(key.Database, key.User, OnlyNode(poolsOf[key]), [.. poolsOf[key]], [.. clientsOf[key]]));
    }

    /// <summary>One row per pool: (database, user, node).</summary>
    public static IEnumerable<PoolRow> ByNode(IReadOnlyList<PoolSnapshot> pools, IReadOnlyList<ClientSnapshot> clients)
    {
        var clientsOf = clients.Where(c => c.NodeId >= 0).ToLookup(c => (c.Database, c.User, c.NodeId));
        return pools
            .OrderBy(p => p.Database, StringComparer.Ordinal)
            .ThenBy(p => p.User, StringComparer.Ordinal)
            .ThenBy(p => p.NodeId)
            .Select(p => new PoolRow(p.Database, p.User, p.NodeId, [p], [.. clientsOf[(p.Database, p.User, p.NodeId)]]));
    }

    /// <summary>PgBouncer's 17 columns, then ours.</summary>
    public static AdminTable<PoolRow> Table { get; } = new AdminTable<PoolRow>()
        .Text("database", r => r.Database)
        .Text("user", r => r.User)
        .Int4("cl_active", r => r.ClientsActive)
        .Int4("cl_waiting", r => r.ClientsWaiting)
        .Int4("cl_active_cancel_req", r => r.Pools.Sum(p => p.CancelRequestsActive))
        .Int4("cl_waiting_cancel_req", r => r.Pools.Sum(p => p.CancelRequestsWaiting))
        .Int4("sv_active", r => r.Pools.Sum(p => p.ServersActive))
        .Int4("sv_active_cancel", r => r.Pools.Sum(p => p.ServersActiveCancel))
        .Int4("sv_being_canceled", r => r.Pools.Sum(p => p.ServersBeingCanceled))
        .Int4("sv_idle", r => r.Pools.Sum(p => p.ServersIdle))
        // PgBouncer sets servers aside that must be checked before use; here a check happens at check-out.
        .Int4("sv_used", _ => 0)
        .Int4("sv_tested", r => r.Pools.Sum(p => p.ServersTested))
        .Int4("sv_login", r => r.Pools.Sum(p => p.ServersLogin))
        .Int4("maxwait", r => (int)r.MaxWait.TotalSeconds)
        .Int4("maxwait_us", r => SocketRow.MicrosecondsOfSecond(r.MaxWait))
        // Of the pool; a client may have chosen another for itself. Unknown while no pool exists yet.
        .Text("pool_mode", r => r.Pools.Count > 0 ? BouncerWords.Mode(r.Pools[0].Mode) : null)
        // Which node a statement goes to is decided by statement, not when a server connects.
        .Text("load_balance_hosts", _ => null)
        .Int4("node_id", r => r.NodeId)
        .Int4("cl_pinned", r => r.ClientsPinned)
        .Int4("pool_size", r => r.Pools.Sum(p => p.Size))
        .Int4("reserve_pool_size", r => r.Pools.Sum(p => p.ReserveSize));

    private static int? OnlyNode(IEnumerable<PoolSnapshot> pools)
    {
        var nodes = pools.Select(p => p.NodeId).Distinct().ToList();
        return nodes.Count == 1 ? nodes[0] : null;
    }
}
