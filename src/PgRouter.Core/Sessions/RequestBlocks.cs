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
    private TransactionModes _modes;
    private bool _refusesStandby;
    private bool _hasBlock;

    /// <param name="isInBlock">A block is open in front of the request.</param>
    /// <param name="modes">Its modes.</param>
    /// <param name="defaults">Those of a transaction that says nothing of them.</param>
    public RequestBlocks(bool isInBlock, TransactionModes modes, TransactionModes defaults)
    {
        IsInBlock = _hasBlock = isInBlock;
        _modes = modes;
        _defaults = defaults;
    }

    /// <summary>A block is open behind the statements added so far.</summary>
    public bool IsInBlock { get; private set; }

    /// <summary>All blocks of the request fit a standby, and so does what stands in them and outside of them.</summary>
    public readonly bool FitStandby => _hasBlock && !_refusesStandby && (!IsInBlock || _modes.FitsStandby);

    /// <param name="info">The next text of the request.</param>
    /// <param name="statementClass">Its class, as the catalog knows it.</param>
    public void Add(StatementInfo info, StatementClass statementClass)
    {
        if (statementClass > StatementClass.Transaction)
            _refusesStandby = true;
        if (!IsInBlock && !info.HasTransactionVerb)
            return;
        for (var i = 0; i < info.Statements.Count; i++)
            Add(info.Statements[i]);
    }

    private void Add(Statement statement)
    {
        switch (statement.Verb)
        {
            case TransactionVerb.Begin:
                // Inside a block it is a warning, and sets the modes all the same.
                _modes = (IsInBlock ? _modes : _defaults).With(statement);
                IsInBlock = _hasBlock = true;
                break;
            case TransactionVerb.Commit or TransactionVerb.Rollback or TransactionVerb.PrepareTransaction:
                IsInBlock &= statement.Chains;
                break;
            default:
                if (IsInBlock)
                    _modes = _modes.With(statement);
                // SET TRANSACTION may still make it one that fits.
                _refusesStandby |= IsInBlock && !_modes.FitsStandby && statement is not { Kind: StatementKind.Set, Name: "transaction" };
                NoteDefaults(statement);
                break;
        }
        _refusesStandby |= IsInBlock && _modes.WasRefused;
    }

    /// <summary>A block behind such a statement is another than the session's settings say.</summary>
    private void NoteDefaults(Statement statement)
    {
        if ((statement.Effects & (SessionEffects.SetsParameter | SessionEffects.SetsTransaction | SessionEffects.ResetsParameter)) != 0)
            _defaults = default;
    }
}
