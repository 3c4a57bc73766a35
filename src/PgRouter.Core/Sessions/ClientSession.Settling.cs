using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Consistency;
using PgRouter.Core.Pooling;
using PgRouter.Core.Routing;
using PgRouter.Core.Transport;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A standby may show a commit before the primary does: there the record is written and sent first, and only then, or when synchronous standbys have
/// answered, becomes visible. Who has read on a standby while commits of the same tables were under way reads on the primary when those have ended.
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly TimeSpan SettlePoll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(5);

    /// <summary>Since when a commit of <see cref="_writesInFlight"/> may be under way; 0 = there is none. Read by other sessions.</summary>
    private long _flightSince;

    /// <summary>Commits that were under way before this moment may have been seen on a standby; 0 = none.</summary>
    private long _unsettled;

    /// <summary>In these tables.</summary>
    private TableSet _unsettledReads = TableSet.Nothing;

    /// <summary>Any thread: may a commit of these tables be under way since before a moment?</summary>
    private bool IsCommitting(TableClock clock, TableSet tables, long before)
    {
        var since = Volatile.Read(ref _flightSince);
        return since != 0 && since <= before && ReferenceEquals(_clock, clock) && Volatile.Read(ref _writesInFlight).Overlaps(tables);
    }

    private void NoteUnsettled(long seen)
    {
        _unsettledReads = _unsettled == 0 ? _readsUnderWay : _unsettledReads.With(_readsUnderWay);
        _unsettled = seen;
    }

    /// <summary>Does the primary show what this session has seen elsewhere?</summary>
    private bool IsSettled(ServerLease lease)
    {
        if (_unsettled == 0 || _clock is null || _pending.Class >= StatementClass.Write || !IsOnPrimary(lease) || AsksNothing(_pending.Hint))
            return true;
        // Only while the tables are being written must all clients be asked whether it is by a commit of then. Lost ones come last: one that is lost
        // meanwhile is among them before it is not in flight any more.
        if ((_clock.IsInFlight(_unsettledReads) && MayStillCommit()) || Book.Lost.Has(_clock, _unsettledReads))
            return false;
        _unsettled = 0;
        return true;
    }

    private bool MayStillCommit()
    {
        foreach (var client in _services.Clients.Each)
        {
            if (client is ClientSession session && session.IsCommitting(_clock!, _unsettledReads, _unsettled))
                return true;
        }
        return false;
    }

    /// <summary>Waits until it does; false, and the lease is given back, when a standby can serve the request before.</summary>
    private async Task<bool> IsSettledAsync(ServerLease lease)
    {
        var until = Loop.NowMs + (long)SettleLimit.TotalMilliseconds;
        while (!IsSettled(lease) && Loop.NowMs < until && !_ended && !_terminateRequested && !_cancelRequested)
        {
            var cluster = _services.Cluster.View;
            if (Decide(cluster, _services.Config()).NodeIndex is var node && node >= 0 && cluster.Nodes[node].State.Role == NodeRole.Standby)
            {
                GiveBack(lease);
                return false;
            }
            using var pause = new Deadline(_signal);
            pause.Start(SettlePoll);
            while (!pause.HasPassed && !_ended)
                await _signal;
        }
        _unsettled = 0;
        return true;
    }
}
