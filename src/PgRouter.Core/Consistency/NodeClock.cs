namespace PgRouter.Core.Consistency;

/// <summary>How far one standby has replayed, as far as it has been asked. Any thread.</summary>
internal sealed class NodeClock(int nodeId)
{
    private long _clean;
    private long _asked;
    private ulong _replayed;
    private uint _timeline;

    public int NodeId { get; } = nodeId;

    /// <summary>Everything that was committed before this moment is on it; 0 = nothing is known.</summary>
    public long Clean => Volatile.Read(ref _clean);

    /// <summary>
    /// It was asked last at this moment, over a connection that was open: servers opened before it belong to the same life of its postmaster, or are
    /// dead. After a crash a standby may begin further back than it was.
    /// </summary>
    public long Asked => Volatile.Read(ref _asked);

    /// <summary>What it had replayed then.</summary>
    public WalPosition Replayed => new(Volatile.Read(ref _timeline), Volatile.Read(ref _replayed));

    public void Note(long clean, WalPosition replayed, long asked)
    {
        Volatile.Write(ref _timeline, replayed.Timeline);
        Volatile.Write(ref _replayed, replayed.Lsn);
        Volatile.Write(ref _clean, clean);
        Volatile.Write(ref _asked, asked);
    }

    /// <summary>Nothing is known of it any more: its connection is lost, or there is another primary.</summary>
    public void Forget()
    {
        Volatile.Write(ref _clean, 0);
        Volatile.Write(ref _asked, 0);
        Volatile.Write(ref _replayed, 0);
    }
}
