using PgRouter.Core.Health;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// One who waits for a server of a pool. The session waits on its signal and then finds a lease, an error, or neither (woken for another
/// reason). One object per session, used again and again.
/// </summary>
internal sealed class PoolWaiter(Signal signal)
{
    private LinkedListNode<PoolWaiter>? _place;

    public Signal Signal { get; } = signal;

    public EventLoop Loop => Signal.Loop;

    /// <summary>The lease, once granted. Loop thread.</summary>
    public ServerLease? Lease { get; set; }

    /// <summary>Why there will be none. Loop thread.</summary>
    public PoolError? Error { get; set; }

    /// <summary>Milliseconds (Environment.TickCount64) since when it stands in the queue.</summary>
    public long EnqueuedAtMs { get; internal set; }

    /// <summary>Its place in the line, in a list while it stands there. Guarded by the line's lock.</summary>
    internal LinkedListNode<PoolWaiter> Place => _place ??= new LinkedListNode<PoolWaiter>(this);

    /// <summary>
    /// Grows with each wait that was given up, so that a hand-over that crosses it is noticed. Written under the line's lock.
    /// </summary>
    internal int Ticket { get; set; }

    public void Reset()
    {
        Lease = null;
        Error = null;
    }

    /// <summary>Tells it why there will be no lease, unless it has left since it had this ticket. Any thread.</summary>
    internal void Fail(PoolError error, int ticket)
    {
        if (ReferenceEquals(Loop, EventLoop.Current))
            SetError(error);
        else
            Loop.Post(_ => FailHere(error, ticket), null);
    }

    private void FailHere(PoolError error, int ticket)
    {
        if (Ticket == ticket)
            SetError(error);
    }

    private void SetError(PoolError error)
    {
        Error = error;
        Signal.Set();
    }
}

/// <summary>Why a pool could not open a server.</summary>
/// <param name="Message">What PostgreSQL or the network said.</param>
/// <param name="IsUnreachable">The node did not answer as a server that is up would: another node may.</param>
internal sealed record PoolError(ErrorMessage Message, bool IsUnreachable)
{
    /// <summary>A standby that has not replayed a new database, role or password says so too: the primary's word counts.</summary>
    public bool MayBeBehind =>
        Message.Code is SqlStates.InvalidCatalogName or SqlStates.InvalidPassword or SqlStates.InvalidAuthorizationSpecification;

    /// <summary>What health should make of it; only of meaning when the node is unreachable.</summary>
    public NodeFault Fault { get; init; } = NodeFaults.FromSqlState(Message.Code) ?? NodeFault.Refused;
}
