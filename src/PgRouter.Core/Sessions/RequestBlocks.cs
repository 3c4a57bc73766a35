using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Follows the statements of one request, in order, through the transaction blocks they begin and end: may the request as a whole run on a standby,
/// because all of its blocks are READ ONLY, and what stands outside of them only reads? Drivers send BEGIN and the first statement together
/// (psqlODBC in one text, pgJDBC in one batch).
/// </summary>
internal struct RequestBlocks
{
    private TransactionModes _defaults;
    private bool _refusesStandby;
    private bool _hasBlock;
    private int _count;

    /// <param name="isInBlock">A block is open in front of the request.</param>
    /// <param name="modes">Its modes.</param>
    /// <param name="defaults">Those of a transaction that says nothing of them.</param>
    public RequestBlocks(bool isInBlock, TransactionModes modes, TransactionModes defaults)
    {
        IsInBlock = _hasBlock = isInBlock;
        Modes = modes;
        _defaults = defaults;
    }

    /// <summary>A block is open behind the statements added so far.</summary>
    public bool IsInBlock { get; private set; }

    /// <summary>The modes of that block.</summary>
    public TransactionModes Modes { get; private set; }

    /// <summary>All blocks of the request fit a standby, and so does what stands in them and outside of them.</summary>
    public readonly bool FitStandby => _hasBlock && !_refusesStandby && (!IsInBlock || Modes.FitsStandby);

    /// <summary>Has statements to which a standby would give another answer than the primary, even in a READ ONLY block: an error, or a lock of its own.</summary>
    public bool NeedsPrimary { get; private set; }

    /// <summary>Begins with the end of the block that is open in front of it, so that nothing of that block matters any more.</summary>
    public bool EndsFirst { get; private set; }

    /// <summary>Has statements for which a snapshot is taken.</summary>
    public bool Queries { get; private set; }

    /// <summary>Has SET or RESET in a block.</summary>
    public bool Sets { get; private set; }

    /// <summary>May leave what cannot be made again on another server: cursors, savepoints, locks.</summary>
    public bool LeavesState { get; private set; }

    /// <param name="info">The next text of the request.</param>
    /// <param name="statementClass">Its class, as the catalog knows it.</param>
    public void Add(StatementInfo info, StatementClass statementClass)
    {
        if (statementClass > StatementClass.Transaction)
            _refusesStandby = true;
        if (!IsInBlock && !info.HasTransactionVerb)
        {
            NeedsPrimary |= statementClass > StatementClass.Transaction;
            return;
        }
        for (var i = 0; i < info.Statements.Count; i++)
            Add(info.Statements[i], isJudged: statementClass < StatementClass.NeedsCatalog);
        LeavesState |= info.Statements.Count == 0 && statementClass == StatementClass.Unknown;
    }

    private void Add(Statement statement, bool isJudged)
    {
        switch (statement.Verb)
        {
            case TransactionVerb.Begin:
                // Inside a block it is a warning, and sets the modes all the same.
                Modes = (IsInBlock ? Modes : _defaults).With(statement);
                IsInBlock = _hasBlock = true;
                break;
            case TransactionVerb.Commit or TransactionVerb.Rollback or TransactionVerb.PrepareTransaction:
                NeedsPrimary |= statement.Verb == TransactionVerb.PrepareTransaction;
                EndsFirst |= _count == 0 && statement is { Verb: not TransactionVerb.PrepareTransaction, Chains: false };
                IsInBlock &= statement.Chains;
                break;
            default:
                AddOther(statement, isJudged);
                break;
        }
        _refusesStandby |= IsInBlock && Modes.WasRefused;
        _count++;
    }

    private void AddOther(Statement statement, bool isJudged)
    {
        if (IsInBlock)
            Modes = Modes.With(statement);
        // SET TRANSACTION may still make it one that fits.
        if (IsInBlock && !Modes.FitsStandby && statement is not { Kind: StatementKind.Set, Name: "transaction" })
        {
            _refusesStandby = true;
            NeedsPrimary |= !Modes.WasRefused;
        }
        NoteDefaults(statement);
        if (statement.Kind is StatementKind.Set or StatementKind.Reset or StatementKind.Show)
        {
            Sets |= IsInBlock && statement.Kind != StatementKind.Show;
            return;
        }
        Queries = true;
        LeavesState |= statement is not { Kind: StatementKind.Select or StatementKind.Explain, Effects: SessionEffects.None, Functions.Count: 0 };
        NeedsPrimary |= IsInBlock ? DiffersInReadOnly(statement, isJudged) : statement.Class > StatementClass.Transaction;
    }

    /// <summary>
    /// What a READ ONLY transaction may do on the primary and a standby refuses, or would do for itself alone. Writes are refused by both in the same
    /// words, and what a standby shows of itself belongs to a block that runs there. What outlives the block would tie the client to the standby.
    /// </summary>
    private static bool DiffersInReadOnly(Statement statement, bool isJudged) =>
        statement.CallsForPrimary || (statement.Class == StatementClass.NeedsCatalog && !isJudged)
        || statement.Kind is StatementKind.Listen or StatementKind.Unlisten or StatementKind.Notify or StatementKind.Lock or StatementKind.Call
            or StatementKind.Do || (statement.Kind == StatementKind.Other && statement.Class == StatementClass.Write)
        || (statement.Effects & OfPrimary) != 0;

    private const SessionEffects OfPrimary =
        SessionEffects.LocksAdvisory | SessionEffects.UnlocksAdvisory | SessionEffects.ReadsSequenceState | SessionEffects.ReadsChannels
        | SessionEffects.Notifies | SessionEffects.DeclaresHoldCursor | SessionEffects.ChangesSessionOpaquely;

    /// <summary>A block behind such a statement is another than the session's settings say.</summary>
    private void NoteDefaults(Statement statement)
    {
        if ((statement.Effects & (SessionEffects.SetsParameter | SessionEffects.SetsTransaction | SessionEffects.ResetsParameter)) != 0)
            _defaults = default;
    }
}
