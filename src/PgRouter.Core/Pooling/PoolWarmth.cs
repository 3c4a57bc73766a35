using System.Collections.Immutable;
using PgRouter.Core.Cluster;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>
/// min_pool_size: opens servers before they are asked for. Kept warm are the pools of clients that are logged in, and, on every node in
/// use, those of the databases and users that were known by name at the start or the last reload. Any thread unless a loop is given.
/// </summary>
internal sealed class PoolWarmth(PoolDirectory directory)
{
    private volatile HashSet<(string Database, string User)> _known = [];

    /// <summary>
    /// Which pools to keep warm without a client: each database that has lines of its own in the configuration with each user that has
    /// lines of its own or a password, as far as min_pool_size of the two is above 0.
    /// </summary>
    public void Configure(IEnumerable<string> databases, IReadOnlyCollection<string> users)
    {
        var limits = directory.Context.Limits;
        _known = databases.SelectMany(_ => users, (database, user) => (Database: database, User: user))
            .Where(pair => limits.For(pair.Database, pair.User).Current.MinPoolSize > 0).ToHashSet();
    }

    /// <summary>Opens the servers of all known pools; ends when they are open or refused, at the latest after a time.</summary>
    public async Task WarmUpAsync(TimeSpan limit)
    {
        var pools = KnownPools().ToList();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        directory.Context.OpeningEnded = EndIfWarm;
        foreach (var pool in pools)
            Keeper(pool).Post(_ => Begin(pool), null);
        if (pools.Count > 0)
            await done.Task.WaitAsync(limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        directory.Context.OpeningEnded = null;
        foreach (var pool in pools.Where(p => OpenOf(p) < p.Limits.MinPoolSize))
        {
            PoolLog.NotWarm(
                directory.Context.Logger, pool.Node.Id, pool.Key.Database, pool.Key.User, OpenOf(pool), pool.Limits.MinPoolSize,
                pool.Opener.LastError?.Message.Message ?? pool.FindSpentBudget()?.Setting ?? "no answer in time");
        }

        void Begin(ServerPool pool)
        {
            Open(pool, EventLoop.Current!);
            EndIfWarm();
        }

        void EndIfWarm()
        {
            if (!pools.Any(IsWarming))
                done.TrySetResult();
        }
    }

    /// <summary>Opens what is missing in the pools that this loop keeps. That loop.</summary>
    public void Upkeep(EventLoop loop)
    {
        foreach (var pool in KnownPools())
        {
            // One that was refused is tried again when a client wants it, or after a reload.
            if (Keeper(pool) == loop && pool.Opener.LastError is null or { IsUnreachable: true })
                Open(pool, loop);
        }
        foreach (var pool in directory.Pools)
        {
            if (Keeper(pool) == loop && IsUsable(pool) && directory.Context.Clients.Of(pool.Key.Database, pool.Key.User) > 0)
                Open(pool, loop);
        }
    }

    private static void Open(ServerPool pool, EventLoop loop) => pool.Opener.OpenSpare(loop, pool.Limits.MinPoolSize);

    private static int OpenOf(ServerPool pool) => pool.Count - pool.Opening;

    private static bool IsWarming(ServerPool pool) =>
        OpenOf(pool) < pool.Limits.MinPoolSize && pool.Opener.LastError is null && pool.FindSpentBudget() is null;

    /// <summary>The one loop that opens a pool's spare servers.</summary>
    private EventLoop Keeper(ServerPool pool) =>
        directory.Context.Loops[(int)((uint)pool.Key.GetHashCode() % directory.Context.Loops.Count)];

    private bool IsUsable(ServerPool pool) => directory.View.Find(pool.Key.NodeId) is { IsUsable: true };

    /// <summary>Does any statement run there without being sent by name?</summary>
    private bool IsUsed(NodeView node) => node.IsUsable
        && (node.Index == directory.View.PrimaryIndex || (node.Config.Weight > 0 && directory.Context.Config().LoadBalanceMode));

    private IEnumerable<ServerPool> KnownPools() => _known.Count == 0
        ? ImmutableArray<ServerPool>.Empty
        : directory.View.Nodes.Where(IsUsed)
            .SelectMany(_ => _known, (node, pair) => directory.Get(node.Config, pair.Database, pair.User));
}
