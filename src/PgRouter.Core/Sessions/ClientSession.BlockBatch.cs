using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// BEGIN, SET TRANSACTION and the end of a block that no server knows of, by the extended protocol and by themselves up to Sync: answered as in the
/// simple one. A batch is looked at first and then carried out; whatever is not plain is left to a server.
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly byte[] NoParametersNoRows =
        [BackendMessage.ParameterDescription, 0, 0, 0, 6, 0, 0, BackendMessage.NoData, 0, 0, 0, 4];

    private static readonly byte[] NoRows = [BackendMessage.NoData, 0, 0, 0, 4];
    private static readonly byte[] BindComplete = [BackendMessage.BindComplete, 0, 0, 0, 4];

    private bool IsBlockBatchHandledHere(ReadOnlySpan<byte> batch, out int used)
    {
        used = 0;
        if (_lease is not null || _cancelsPending || _unsynced || _pendingLoss is not null || _block == Block.Failed)
            return false;
        var writer = new MessageWriter();
        if (!AnswersBlockBatch(batch, writer))
            return false;
        used = batch.Length;
        LogLocal(batch);
        CarryOutBlockBatch(batch);
        WriteReady(writer);
        SendToClient(writer.WrittenSpan);
        EndRequest();
        return true;
    }

    /// <summary>Writes what the client gets up to ReadyForQuery; false, and nothing has happened, when a server must be asked.</summary>
    private bool AnswersBlockBatch(ReadOnlySpan<byte> batch, MessageWriter writer)
    {
        var block = _block;
        var opening = _opening.Count;
        var unnamed = _unnamed.Info;
        var position = 0;
        ReadOnlySpan<byte> newName = default, portal = default;
        StatementInfo? newStatement = null, bound = null;
        while (position < batch.Length && MessageHeader.TryRead(batch[position..], out var type, out var length))
        {
            var body = batch.Slice(position + MessageHeader.Size, length - 4);
            var reader = new MessageReader(body);
            switch (type)
            {
                case FrontendMessage.Parse:
                    if (newStatement is not null || ReadBlockParse(body, position) is not { } parsed)
                        return false;
                    newName = body[..body.IndexOf((byte)0)];
                    if (newName.IsEmpty)
                        unnamed = parsed;
                    else
                        newStatement = parsed;
                    writer.WriteBytes(ParseComplete);
                    break;
                case FrontendMessage.Bind:
                    reader.TryReadCString(out portal);
                    reader.TryReadCString(out var name);
                    bound = name.IsEmpty ? unnamed : newStatement is not null && name.SequenceEqual(newName) ? newStatement : _statements?.Find(name)?.Info;
                    if (bound is null || !TryReadFormats(ref reader, out var parameters, out _) || parameters > 0)
                        return false;
                    writer.WriteBytes(BindComplete);
                    break;
                case FrontendMessage.Describe:
                    reader.TryReadByte(out var kind);
                    reader.TryReadCString(out var target);
                    if (!(kind == (byte)'S' ? target.IsEmpty || target.SequenceEqual(newName) : bound is not null && target.SequenceEqual(portal)))
                        return false;
                    writer.WriteBytes(kind == (byte)'S' ? NoParametersNoRows : NoRows);
                    break;
                case FrontendMessage.Execute:
                    reader.TryReadCString(out var executed);
                    if (bound is null || !executed.SequenceEqual(portal) || !Follow(bound, ref block, ref opening, writer))
                        return false;
                    bound = null;
                    break;
                case FrontendMessage.Close:
                    writer.WriteBytes(CloseComplete);
                    break;
            }
            position += length + 1;
        }
        return block != _block || opening != _opening.Count;
    }

    /// <summary>A Parse of a statement that begins, shapes or ends a block; null for any other, and for one that fails.</summary>
    private StatementInfo? ReadBlockParse(ReadOnlySpan<byte> body, int position)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        reader.TryReadCString(out var sql);
        reader.TryReadInt16(out var types);
        if (types != 0 || (name.Length > 0 && IsNameTaken(name)))
            return null;
        return FindInfo(sql, position) is { } info && IsBlockStatement(info) ? info : null;
    }

    /// <summary>What an Execute makes of the block; false when that is not certain.</summary>
    private bool Follow(StatementInfo info, ref Block block, ref int opening, MessageWriter writer)
    {
        if (info.Statements is not [{ Chains: false } statement] || !IsBlockStatement(info))
            return false;
        switch (info.Verb)
        {
            case TransactionVerb.Begin when block == Block.None:
                (block, opening) = (Block.Begun, 1);
                WriteCommandComplete(writer, statement.Cause == "BEGIN" ? "BEGIN" : "START TRANSACTION");
                return true;
            case TransactionVerb.None when block == Block.Begun && opening < MostOpening:
                opening++;
                WriteCommandComplete(writer, "SET");
                return true;
            case TransactionVerb.Commit or TransactionVerb.Rollback when block == Block.Begun:
                block = Block.None;
                WriteCommandComplete(writer, info.Verb == TransactionVerb.Commit ? "COMMIT" : "ROLLBACK");
                return true;
            default:
                return false;
        }
    }

    private void CarryOutBlockBatch(ReadOnlySpan<byte> batch)
    {
        ReadOnlySpan<byte> bound = default;
        for (var position = 0; MessageHeader.TryRead(batch[position..], out var type, out var length); position += length + 1)
        {
            var body = batch.Slice(position + MessageHeader.Size, length - 4);
            var reader = new MessageReader(body);
            switch (type)
            {
                case FrontendMessage.Parse:
                    RememberBlockStatement(body, position);
                    break;
                case FrontendMessage.Bind:
                    reader.TryReadCString(out _);
                    reader.TryReadCString(out bound);
                    _counters.Binds++;
                    break;
                case FrontendMessage.Execute:
                    CarryOutBlockStatement(bound);
                    break;
                case FrontendMessage.Close when body[0] == (byte)'S':
                    CloseStatement(body[1..]);
                    break;
                case FrontendMessage.Sync:
                    return;
            }
        }
    }

    private void RememberBlockStatement(ReadOnlySpan<byte> body, int position)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        var definition = reader.Rest;
        reader.TryReadCString(out var sql);
        var info = FindInfo(sql, position)!;
        _counters.ClientParses++;
        if (name.IsEmpty)
            _unnamed.Remember(body, info, Interlocked.Increment(ref _lastUnnamed));
        else
            Remember(name.ToArray(), _services.Statements.Acquire(definition, info, NameScope));
    }

    private void CarryOutBlockStatement(ReadOnlySpan<byte> name)
    {
        var statement = name.IsEmpty ? null : _statements!.Find(name);
        var info = statement?.Info ?? _unnamed.Info!;
        _queryCount++;
        _counters.Queries++;
        if (info.Verb is TransactionVerb.Commit or TransactionVerb.Rollback)
        {
            if (info.Verb == TransactionVerb.Commit && _block == Block.Begun)
                _settings.Commit();
            EndBlock();
            return;
        }
        // The body of a Parse is a name and a text, the definition of a statement the text alone.
        var reader = new MessageReader(statement is null ? _unnamed.Body[(_unnamed.Body.IndexOf((byte)0) + 1)..] : statement.Definition);
        reader.TryReadCString(out var sql);
        if (info.Verb == TransactionVerb.Begin)
            BeginLater(info, sql);
        else
            SetModesLater(info, sql);
    }
}
