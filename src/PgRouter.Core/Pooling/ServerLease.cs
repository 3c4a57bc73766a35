using PgRouter.Core.Servers;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Pooling;

/// <summary>
/// The right to use one server, and the only way to hold one. Ends in exactly one of three ways: <see cref="Release"/> (clean),
/// <see cref="Recycle"/> (needs a reset first) or <see cref="Break"/> (not to be used again). Each server has one lease object that is given
/// out again and again. Loop thread only.
/// </summary>
internal sealed class ServerLease(ServerPool pool, ServerConnection server) : IReadinessOwner
{
    private bool _isHeld;

    public ServerConnection Server { get; } = server;

    public ServerPool Pool { get; } = pool;

    /// <summary>While it moves to the loop of one who waits for it: who, and the ticket it had.</summary>
    internal (PoolWaiter Waiter, int Ticket) OnItsWay { get; set; }

    /// <summary>Gives the server back. One that is not clean is closed: the router never guesses.</summary>
    public void Release()
    {
        End();
        Pool.PutBack(Server);
    }

    /// <summary>Gives it back after the reset queries: state of this client must not reach the next one.</summary>
    public void Recycle(IReadOnlyList<string> resetQueries)
    {
        End();
        _ = Pool.ResetAndReturnAsync(Server, resetQueries);
    }

    /// <summary>Closes the server.</summary>
    public void Break(string reason)
    {
        End();
        Pool.Drop(Server, reason);
    }

    /// <summary>Called by the pool when it gives the server out.</summary>
    internal ServerLease Begin()
    {
        _isHeld = true;
        Server.UseCount++;
        return this;
    }

    /// <summary>The socket of the idle server became ready: nobody holds it, so the pool looks.</summary>
    void IReadinessOwner.OnReady() => Pool.OnIdleReady(Server);

    private void End()
    {
        if (!_isHeld)
            throw new InvalidOperationException($"The lease of {Server} has ended before.");
        _isHeld = false;
        Server.ClientPid = 0;
        Server.Retained.Forget();
    }
}
