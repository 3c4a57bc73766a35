using Microsoft.Extensions.Logging;
using PgRouter.Core.Admin;
using PgRouter.Core.Configuration;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;

namespace PgRouter.Core.Hosting;

/// <summary>
/// Carries out what operators say on the console: changes the gates, tells sessions and pools, and looks again and again until it is so.
/// Safe from any thread; several consoles may be at it at once.
/// </summary>
internal sealed class ConsoleVerbs(SessionServices services, Func<ReloadReport> reload) : IRouterVerbs
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>How long killed clients and servers may take to go before they are cut, and then before they are no longer waited for.</summary>
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(2);

    private readonly DatabaseGates _gates = services.Pools.Context.Gates;
    private readonly PoolOperations _pools = new(services.Pools);

    public ValueTask<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken)
    {
        var report = reload();
        return ValueTask.FromResult<IReadOnlyList<string>>([.. report.Mistakes.Select(m => m.ToString()), .. report.FileMistakes]);
    }

    /// <summary>By signal to the own process, so that one place decides how it ends.</summary>
    public void Shutdown(ShutdownMode mode) => ProcessSignal.Send(mode switch
    {
        ShutdownMode.WaitForClients => ProcessSignal.Terminate,
        ShutdownMode.WaitForServers => ProcessSignal.Interrupt,
        _ => ProcessSignal.Quit,
    });

    public ValueTask<AdminError?> RunAsync(DatabaseVerb verb, string? database, CancellationToken cancellationToken)
    {
        HostingLog.Commanded(services.Logger, verb.ToString(), database ?? "(all)");
        return verb switch
        {
            DatabaseVerb.Pause => PauseAsync(database, cancellationToken),
            DatabaseVerb.Resume => ValueTask.FromResult(Resume(database)),
            DatabaseVerb.Kill => KillAsync(database, cancellationToken),
            DatabaseVerb.WaitClose => WaitCloseAsync(database, cancellationToken),
            _ => ValueTask.FromResult(DoAtOnce(verb, database)),
        };
    }

    public async ValueTask<AdminError?> SuspendAsync(CancellationToken cancellationToken)
    {
        if (_gates.Suspend() is { } refusal)
            return Refused(refusal);
        HostingLog.Commanded(services.Logger, "Suspend", "(all)");
        try
        {
            services.Clients.Wake(); // Who sleeps with unsent bytes tries once more.
            var limit = services.Config().SuspendTimeout;
            await UntilAsync(async () => (await UnflushedAsync()).Count == 0, limit, cancellationToken).ConfigureAwait(false);
            foreach (var client in await UnflushedAsync().ConfigureAwait(false))
                client.Kill();
            return null;
        }
        catch (OperationCanceledException)
        {
            Resume(null);
            throw;
        }
    }

    public async ValueTask<bool> KillClientAsync(int id, CancellationToken cancellationToken)
    {
        if (services.Clients.Find(id) is not { } client)
            return false;
        HostingLog.Commanded(services.Logger, "Kill client", client.Identity.Database);
        client.Kill();
        await UntilAsync(() => services.Clients.Find(id) is null, KillPatience, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async ValueTask<AdminError?> PauseAsync(string? database, CancellationToken cancellationToken)
    {
        if (_gates.Pause(database) is { } refusal)
            return Refused(refusal);
        _pools.Stop(database);
        try
        {
            await UntilAsync(() => !_pools.HasServers(database) || !_gates.IsPausedBy(database), null, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Resume(database);
            throw;
        }
        return _gates.IsPausedBy(database) ? null : new AdminError(AdminErrors.QueryCanceled, "the pause was ended by RESUME before it was complete");
    }

    private AdminError? Resume(string? database)
    {
        if (_gates.Resume(database) is { } refusal)
            return Refused(refusal);
        _pools.Start(database);
        services.Clients.Wake(); // Those that were suspended.
        return null;
    }

    private async ValueTask<AdminError?> KillAsync(string? database, CancellationToken cancellationToken)
    {
        if (_gates.Pause(database) is { } refusal)
            return Refused(refusal);
        var clients = services.Clients.Clients
            .Where(c => !c.Identity.IsConsole && (database is null || c.Identity.Database == database)).ToList();
        foreach (var client in clients)
            client.Kill();
        _pools.Stop(database);
        // Sessions close their own servers, and know why; what is left then belongs to nobody, or hangs.
        await UntilAsync(() => clients.All(c => services.Clients.Find(c.Pid) != c), KillPatience, cancellationToken).ConfigureAwait(false);
        _pools.Cut(database);
        await UntilAsync(() => !_pools.HasServers(database), KillPatience, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<AdminError?> WaitCloseAsync(string? database, CancellationToken cancellationToken)
    {
        await UntilAsync(() => !_pools.HasOutdated(database), null, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private AdminError? DoAtOnce(DatabaseVerb verb, string? database)
    {
        if (verb == DatabaseVerb.Reconnect)
        {
            _gates.Outdate(database, ServerConnection.LastId);
            _pools.CloseOutdated(database);
            return null;
        }
        _gates.Disable(database!, isDisabled: verb == DatabaseVerb.Disable);
        return null;
    }

    /// <summary>Sessions whose bytes wait to be taken, by either side; each loop is asked for its own.</summary>
    private async Task<List<IClient>> UnflushedAsync()
    {
        var parts = await Task.WhenAll(services.Pools.Context.Loops.Select(loop => loop.InvokeAsync(
            () => services.Clients.Clients.Where(c => c.Loop == loop && !c.Identity.IsConsole && !c.IsFlushed).ToList()))).ConfigureAwait(false);
        return [.. parts.SelectMany(p => p)];
    }

    private static Task UntilAsync(Func<bool> isSo, TimeSpan? limit, CancellationToken cancellationToken) =>
        UntilAsync(() => Task.FromResult(isSo()), limit, cancellationToken);

    private static async Task UntilAsync(Func<Task<bool>> isSo, TimeSpan? limit, CancellationToken cancellationToken)
    {
        var giveUpMs = limit is { } time ? Environment.TickCount64 + (long)time.TotalMilliseconds : long.MaxValue;
        while (!await isSo().ConfigureAwait(false) && Environment.TickCount64 < giveUpMs)
            await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
    }

    private static AdminError Refused(string message) => new(AdminErrors.ObjectNotInPrerequisiteState, message);
}
