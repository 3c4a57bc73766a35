using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A READ ONLY block that runs on a standby, and comes to a statement that a standby cannot carry out as the primary would in such a block: SET
/// TRANSACTION READ WRITE, an advisory lock, a write behind its COMMIT in one text. As long as nothing ties its statements to one server the block
/// begins again on the primary, with what was SET in it; else the statement is refused (docs/routing.md, "Transactions").
/// </summary>
internal sealed partial class ClientSession
{
    private const int MostSets = 32;

    /// <summary>For texts of the router's own, so that no client's statement is taken for one of them.</summary>
    private const string OwnScope = "pgrouter";

    private static readonly StatementInfo OwnBegin = new(StatementClass.Transaction, "BEGIN", []);

    private bool _blockOnStandby;
    private bool _blockHasQueried;
    private bool _blockHasState;
    private bool _leavesStandby;

    /// <summary>It must leave, or wait, because its node lacks what the request must see.</summary>
    private bool _lacksFreshness;
    private bool _endsBlockFirst;

    /// <summary>The modes it began with, when its BEGIN came in one request with its first statement.</summary>
    private TransactionModes? _beganWith;
    private readonly List<(byte[] Text, StatementInfo Info)> _blockSets = [];

    /// <summary>A server was taken for a request.</summary>
    private void NoteBlockOnStandby(ServerLease lease)
    {
        _blockOnStandby = _pending.BeginsReadOnly && !IsOnPrimary(lease);
        if (!_blockOnStandby)
            return;
        _blockHasQueried = _blockHasState = false;
        _beganWith = null;
        _blockSets.Clear();
        if (_block != Block.Begun)
            _opening.Clear();
    }

    /// <summary>Notes a request that is sent now, if it is one in a block on a standby.</summary>
    /// <param name="blocks">What it is to the block.</param>
    /// <param name="sql">Its text, when it has but one that is kept.</param>
    /// <param name="info">What that is.</param>
    private void FollowBlock(in RequestBlocks blocks, ReadOnlySpan<byte> sql, StatementInfo? info)
    {
        if (!_blockOnStandby)
            return;
        if (_opening.Count == 0)
            _beganWith ??= blocks.Modes;
        if (!blocks.Modes.WasRefused)
            _modes = blocks.Modes;
        _blockHasQueried |= blocks.Queries;
        _blockHasState |= blocks.LeavesState;
        if (!blocks.Sets)
            return;
        if (!sql.IsEmpty && info?.Statements.Count == 1 && _blockSets.Count < MostSets)
            _blockSets.Add((sql.ToArray(), info));
        else
            _blockHasState = true;
    }

    /// <summary>Must a request in a block on a standby be carried out elsewhere?</summary>
    private bool LeavesStandby(ServerLease lease) => _leavesStandby && _blockOnStandby && (!_unsynced || _lacksFreshness) && !IsOnPrimary(lease);

    /// <summary>
    /// What a request asks of its block. Modes that a standby refuses are refused by any server behind a query or a savepoint, in the same words.
    /// </summary>
    private void JudgeBlocks(in RequestBlocks blocks)
    {
        _leavesStandby = blocks.NeedsPrimary || (blocks.Modes.WasRefused && !_blockHasQueried && !_blockHasState);
        _endsBlockFirst = blocks.EndsFirst;
    }

    private bool MayBeginAgain(ServerConnection server) =>
        _pins == PinReasons.None && _doubts == PinReasons.None && !_unsynced
        && (_endsBlockFirst
            || (!_blockHasState && _portals is not { Count: > 0 }
                && (!_blockHasQueried || _modes.HasSnapshotPerStatement || server.Status == TransactionStatus.Failed)));

    /// <summary>Ends the block on the standby, and puts its beginning in front of the pending request. Returns why that cannot be.</summary>
    private async Task<ErrorMessage?> LeaveStandbyAsync()
    {
        _leavesStandby = false;
        var lease = _lease!;
        var server = lease.Server;
        var mayBeginAgain = MayBeginAgain(server);
        if (_lacksFreshness && await BecomesFreshAsync(lease, mayBeginAgain ? WaitLimit : LongestStay))
            return null;
        if (!mayBeginAgain)
            return _lacksFreshness ? NotReplayed(server) : NotOnStandby(server);
        var failed = server.Status == TransactionStatus.Failed;
        var error = await server.ExecuteAsync("ROLLBACK", _signal, SynchronizeTimeout);
        _blockOnStandby = false;
        _settings.Rollback();
        server.Settings = _settings.OnServer;
        if (error is null)
            ReleaseIfIdle(server);
        if (_lease is not null)
        {
            _lease = null;
            lease.Break("its transaction could not be ended");
        }
        _settings.Begin();
        BeginAgain();
        _block = failed ? Block.Failed : Block.Begun;
        _pending = _pending with { Class = StatementClass.Write > _pending.Class ? StatementClass.Write : _pending.Class, BeginsReadOnly = false };
        return null;
    }

    private void BeginAgain()
    {
        if (_beganWith is { } modes)
            _opening.Add(new Opening(Inject(modes.BeginText(), OwnBegin), null));
        foreach (var (text, info) in _blockSets)
            _opening.Add(new Opening(Inject(System.Text.Encoding.UTF8.GetString(text), info), info));
        _blockSets.Clear();
    }

    private InjectedStatement Inject(string text, StatementInfo info)
    {
        byte[] definition = [.. System.Text.Encoding.UTF8.GetBytes(text), 0, 0, 0];
        var statement = _services.Statements.Acquire(definition, info, OwnScope);
        _services.Statements.Release(statement);
        return new InjectedStatement(statement, "pgrouter_begin");
    }

    private static ErrorMessage NotReplayed(ServerConnection server) => ErrorMessage.Error(
        SqlStates.ObjectNotInPrerequisiteState,
        $"node {server.Node.Id} has not replayed what this statement must see",
        detail: "Its READ ONLY transaction is tied to the node by a cursor, a savepoint or the like.",
        hint: "Try again, begin such a transaction with /* pgrouter: primary */ BEGIN READ ONLY, or lower pgrouter.read_consistency.");

    private static ErrorMessage NotOnStandby(ServerConnection server) => ErrorMessage.Error(
        SqlStates.FeatureNotSupported,
        "this statement must run on the primary, and its READ ONLY transaction runs on a standby",
        detail: $"The transaction runs on node {server.Node.Id}, and has a snapshot, a cursor, a savepoint or the like there.",
        hint: "Begin such a transaction with /* pgrouter: primary */ BEGIN READ ONLY.");
}
