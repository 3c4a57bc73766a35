using PgRouter.Core.Cluster;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>What the console does to a session: it waits while its database is paused, reads nothing while suspended, ends when killed.</summary>
internal sealed partial class ClientSession
{
    private readonly DatabaseGate _gate;
    private string? _breakReason;

    /// <summary>Nothing is left to be sent in either direction. Loop thread.</summary>
    public bool IsFlushed => _output.IsEmpty && (_lease is not { } lease || lease.Server.Output.IsEmpty);

    /// <summary>Ends the session at once and closes its servers. Any thread.</summary>
    public void Kill() => Loop.Post(
        static state =>
        {
            var session = (ClientSession)state!;
            session._breakReason = "its client was killed from the console";
            session._terminateRequested = session._terminateAtOnce = true;
            session._signal.Set();
        },
        this);

    /// <summary>Lets the session look around: a gate was opened. Any thread.</summary>
    public void Wake() => Loop.Post(static state => ((ClientSession)state!)._signal.Set(), this);

    /// <summary>The round of a suspended session: what it has is sent, nothing is read.</summary>
    private Step PumpSuspended()
    {
        if (!_output.Flush(_client))
            Finish("client went away");
        if (_lease is { } lease && !lease.Server.Output.Flush(lease.Server.Socket))
            OnServerLost("send failed");
        if (_terminateAtOnce && !_ended)
            Terminate();
        return Step.Wait;
    }

    /// <summary>
    /// Waits until the database is no longer paused. Null when the caller is to look around again; else why the request fails. The wait is
    /// part of the wait for a server, query_wait_timeout included, as in PgBouncer.
    /// </summary>
    private async Task<ErrorMessage?> WaitAtGateAsync()
    {
        var place = _gate.Enter(_signal);
        try
        {
            while (_gate.IsPaused && !IsAbandoned() && !_terminateRequested)
            {
                if (_cancelRequested)
                {
                    DropCancel();
                    return ErrorMessage.Error(SqlStates.QueryCanceled, "canceling statement due to user request");
                }
                if (HasWaitedTooLong(null))
                    return PausedTooLong(Identity.Database);
                await _signal;
            }
            return null;
        }
        finally
        {
            _gate.Leave(place);
        }
    }

    /// <summary>A server of its own that it may use while the database is paused.</summary>
    private bool KeepsServerOn(ClusterView cluster, int nodeIndex) =>
        _kept is not null && nodeIndex >= 0 && _kept.ContainsKey(cluster.Nodes[nodeIndex].Id);

    /// <summary>Closes the servers of the client instead of giving them back; what they run is canceled, because nobody waits for it.</summary>
    private void BreakServers(string reason)
    {
        foreach (var kept in _kept?.Values ?? Enumerable.Empty<ServerLease>())
            kept.Break(reason);
        _kept?.Clear();
        if (_lease is not { } lease)
            return;
        _lease = null;
        LoseTables(lease.Server);
        if (lease.Server.Owed.Count > 0)
            _ = ServerCancel.SendAsync(lease.Server, _services.Config().ServerConnectTimeout);
        lease.Break(reason);
    }

    /// <summary>What a client gets that waited in vain for its database.</summary>
    internal static ErrorMessage PausedTooLong(string database) => ErrorMessage.Error(
        SqlStates.CannotConnectNow,
        $"database \"{database}\" is paused, and was not resumed in time",
        hint: "An operator has said PAUSE or KILL; RESUME ends it. Waits are bounded by query_wait_timeout.");

    /// <summary>PostgreSQL's words for a database with datallowconn off (CheckMyDatabase() in postinit.c).</summary>
    internal static ErrorMessage Disabled(string database) => ErrorMessage.Fatal(
        SqlStates.ObjectNotInPrerequisiteState,
        $"database \"{database}\" is not currently accepting connections",
        detail: "An operator has said DISABLE on the router's console; ENABLE ends it.");
}
