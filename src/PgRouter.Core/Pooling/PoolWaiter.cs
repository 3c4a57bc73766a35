using PgRouter.Core.Health;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Pooling;

/// <summary>
/// A place in a pool's queue. The session waits on its signal and then finds a lease, an error, or neither (woken for another reason).
/// One object per session, used again and again.
/// </summary>
internal sealed class PoolWaiter(Signal signal)
{
    public Signal Signal { get; } = signal;

    public EventLoop Loop => Signal.Loop;

    /// <summary>The lease, once granted. Loop thread.</summary>
    public ServerLease? Lease { get; set; }

    /// <summary>Why there will be none. Loop thread.</summary>
    public PoolError? Error { get; set; }

    /// <summary>Milliseconds (Environment.TickCount64) since when it stands in the queue.</summary>
    public long EnqueuedAtMs { get; internal set; }

    /// <summary>Guarded by the pool's lock: in the queue now.</summary>
    internal LinkedListNode<PoolWaiter>? Place { get; set; }

    /// <summary>
    /// Grows with each wait that was given up, so that a hand-over that crosses it is noticed. Written under the pool's lock.
    /// </summary>
    internal int Ticket { get; set; }

    public void Reset()
    {
        Lease = null;
        Error = null;
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
