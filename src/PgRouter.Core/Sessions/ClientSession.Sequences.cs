using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// currval and lastval show what the session's own nextval left in its server, or fail as in a fresh session; never another client's value. Each
/// server knows whose values it may have; DISCARD SEQUENCES takes another client's away before this one writes or asks.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>Values of several clients, or of one that nobody knows any more.</summary>
    private const long SeveralOwners = -1;

    private static long _lastSequenceOwner;

    /// <summary>This client since its last DISCARD ALL; unique in the process.</summary>
    private long _sequenceOwner = Interlocked.Increment(ref _lastSequenceOwner);

    /// <summary>Every statement that may advance a sequence makes the values on the server this client's too.</summary>
    private void NoteSequenceUse(ServerConnection server, StatementClass statementClass)
    {
        if (statementClass < StatementClass.NeedsCatalog || server.SequenceOwner == _sequenceOwner)
            return;
        server.SequenceOwner = server.SequenceOwner == 0 ? _sequenceOwner : SeveralOwners;
    }

    private static readonly byte[] SyncMessage = [FrontendMessage.Sync, 0, 0, 0, 4];

    private bool HasOthersSequences(ServerConnection server) => server.SequenceOwner != 0 && server.SequenceOwner != _sequenceOwner;

    private bool MayUseSequences(ServerPool pool) =>
        pool.Sequences.IsCertain || (pool.Sequences.IsOn && KnownCatalog is not { HasSequences: false });

    /// <summary>Must another client's values go before the pending request runs on this server?</summary>
    private bool NeedsOwnSequences(ServerLease lease)
    {
        if ((_pending.Effects & (SessionEffects.ReadsSequenceState | SessionEffects.WritesSequenceState)) != 0)
            lease.Pool.Sequences.NoteUse();
        if ((_pending.Effects & SessionEffects.ReadsSequenceState) != 0)
            return HasOthersSequences(lease.Server);
        // Reads advance nothing; a transaction block, once begun, may do anything.
        return _pending.Class >= StatementClass.Transaction && _block != Block.Begun && HasOthersSequences(lease.Server) && MayUseSequences(lease.Pool);
    }

    /// <summary>
    /// In front of a block: without a round trip of its own, but in a transaction of its own, for it takes the snapshot before which a block may
    /// still choose its isolation. It does not fail.
    /// </summary>
    private void SendDiscardSequences(ServerConnection server, ServerPool pool)
    {
        pool.Sequences.NoteWrite();
        server.SequenceOwner = _sequenceOwner;
        KeepExecution(server, _services.DiscardSequences, mark: null);
        server.Output.Keep(SyncMessage);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Sync, Swallow: true));
    }

    private async Task<ErrorMessage?> TakeSequencesAsync(ServerLease lease)
    {
        if (!NeedsOwnSequences(lease))
            return null;
        lease.Pool.Sequences.NoteWrite();
        if (await lease.Server.ExecuteAsync("DISCARD SEQUENCES", _signal, SynchronizeTimeout) is { } error)
            return AsError(error);
        lease.Server.SequenceOwner = _sequenceOwner;
        return null;
    }
}
