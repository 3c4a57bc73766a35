using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>Batches with statement names: the client's names are its own, the server's are shared by all clients.</summary>
internal sealed partial class ClientSession
{
    private static readonly byte[] Zero = [0];

    private void SendRewritten(ServerConnection server, Span<byte> bytes, in BatchScan batch)
    {
        var output = new BatchOutput(server, Loop.ScratchBuffer);
        var failed = false;
        for (var position = 0; position < bytes.Length;)
        {
            MessageHeader.TryRead(bytes[position..], out var type, out var length);
            var message = bytes.Slice(position, length + 1);
            if (!failed || type == FrontendMessage.Sync)
                failed = !Rewrite(server, type, message, position, batch, ref output);
            position += length + 1;
        }
        _skipToSync |= failed && !batch.EndsInSync;
        output.Complete();
        if (server.Socket.PeerClosed)
            _signal.Set();
    }

    /// <summary>False when the router answers with an error: what follows up to Sync does not happen.</summary>
    private bool Rewrite(ServerConnection server, byte type, Span<byte> message, int position, in BatchScan batch, ref BatchOutput output)
    {
        var body = message[MessageHeader.Size..];
        if (_knowsOwn && server.Status != TransactionStatus.Failed && OwnIn(type, body, position) is { } own)
            return RewriteOwn(server, type, body, own, ref output);
        switch (type)
        {
            case FrontendMessage.Parse when batch.HasNames && InfoOf(body, position) is var info && HasNames(info):
                return RewriteNamedParse(server, body, info, ref output);
            case FrontendMessage.Parse when body[0] != 0:
                return RewriteParse(server, body, InfoOf(body, position), [], ref output);
            case FrontendMessage.Bind:
                RewriteBind(server, body, ref output);
                return true;
            case FrontendMessage.Describe when body[0] == (byte)'S':
                RewriteDescribe(server, body, ref output);
                return true;
            case FrontendMessage.Close when body[0] == (byte)'S' && body[1] != 0 && !ForgetOwnName(body[1..^1]):
                CloseNamed(server, body[1..^1]);
                return true;
            default:
                Plan(server, type, body, position, batch);
                output.Append(message);
                return true;
        }
    }

    /// <summary>What the text in a Parse is: it was looked up when the batch was looked at.</summary>
    private StatementInfo InfoOf(ReadOnlySpan<byte> parseBody, int position)
    {
        var sql = parseBody[(parseBody.IndexOf((byte)0) + 1)..];
        return FindInfo(sql[..sql.IndexOf((byte)0)], position) ?? TooLarge;
    }

    private bool RewriteParse(
        ServerConnection server, ReadOnlySpan<byte> body, StatementInfo info, IReadOnlyList<PreparedStatement> uses, ref BatchOutput output)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        var definition = reader.Rest;
        _counters.ClientParses++;
        _statements ??= new StatementMap(_services.Statements);
        if (IsRefused(server, info))
        {
            output.Message(FrontendMessage.Parse, PreparedStatement.NoName, Zero, definition); // Refused, whatever its name.
            server.Owed.Enqueue(new OwedReply(ReplyKind.Parse));
            return true;
        }
        if (RefusalOf(name, definition.Length) is { } refusal)
            return Fail(server, refusal, ref output);
        var statement = _services.Statements.Acquire(definition, info, NameScope);
        if (uses.Count > 0)
            statement.Uses = uses;
        var ownName = name.ToArray();
        _statements.Add(ownName, statement);
        if (server.Prepared.Touch(statement))
        {
            Answer(server, new LocalReply(ParseComplete) { ParsedName = ownName });
            return true;
        }
        PrepareOn(server, statement, ownName, ref output);
        return true;
    }

    /// <summary>In a transaction that has failed Parse takes the ends of transactions, and the empty statement.</summary>
    private static bool IsRefused(ServerConnection server, StatementInfo info) =>
        server.Status == TransactionStatus.Failed && !info.HasTransactionVerb && info.Class != StatementClass.Empty;

    private void RewriteBind(ServerConnection server, ReadOnlySpan<byte> body, ref BatchOutput output)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var portal);
        reader.TryReadCString(out var name);
        _counters.Binds++;
        var bound = name.IsEmpty ? _unnamed.Info : _statements?.Find(name)?.Info;
        if (bound?.BoundPidCalls is not null && SubstituteForBind(bound, name, reader.Rest) is { } substitute)
        {
            if (!server.Prepared.Touch(substitute.Statement))
                PrepareOn(server, substitute.Statement, null, ref output);
            AppendBind(server, body, portal.Length, substitute.Statement.ServerName, reader.Rest, substitute.Info, ref output);
            return;
        }
        EnsurePrepared(server, name, ref output, out var serverName, out var info);
        AppendBind(server, body, portal.Length, serverName, reader.Rest, info, ref output);
    }

    private void AppendBind(
        ServerConnection server, scoped ReadOnlySpan<byte> body, int portalLength, scoped ReadOnlySpan<byte> serverName,
        scoped ReadOnlySpan<byte> values, StatementInfo? info, ref BatchOutput output)
    {
        NotePortal(body, info);
        output.Header(FrontendMessage.Bind, portalLength + 1 + serverName.Length + 1 + values.Length);
        output.Append(body[..(portalLength + 1)]);
        output.Append(serverName);
        output.Append(Zero);
        output.Append(values);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Bind, Subject: info));
    }

    private void RewriteDescribe(ServerConnection server, ReadOnlySpan<byte> body, ref BatchOutput output)
    {
        var name = body[1..^1];
        EnsurePrepared(server, name, ref output, out var serverName, out _);
        output.Message(FrontendMessage.Describe, body[..1], serverName, Zero);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Describe));
    }

    /// <summary>
    /// Makes sure that the server knows the statement, and says by what name. A name that the client has not given to a Parse goes to the server as
    /// it is: SQL's PREPARE may have made it, and if not, the error and what it does to the transaction are PostgreSQL's.
    /// </summary>
    private void EnsurePrepared(
        ServerConnection server, ReadOnlySpan<byte> name, ref BatchOutput output, out ReadOnlySpan<byte> serverName, out StatementInfo? info)
    {
        if (name.IsEmpty)
        {
            serverName = default;
            info = _unnamed.Info;
            EnsureUnnamed(server, ref output);
            return;
        }
        var statement = _statements?.Find(name);
        info = statement?.Info;
        serverName = statement is not null ? statement.ServerName : name.StartsWith(PreparedStatement.NamePrefix) ? PreparedStatement.NoName : name;
        if (statement is null)
            return;
        EnsureUsed(server, statement.Uses, ref output);
        if (server.Prepared.Touch(statement))
            return;
        if (statement.Definition.Length > 0)
            PrepareOn(server, statement, null, ref output);
        else
            serverName = name; // Too large to be kept, and its server is gone.
    }

    private void EnsureUnnamed(ServerConnection server, ref BatchOutput output)
    {
        if (_unnamed.Uses is { } uses)
            EnsureUsed(server, uses, ref output);
        if (_unnamed.Use != 0 && server.UnnamedStatementOwner == _unnamed.Use)
            return;
        if (_unnamed.Use == 0 || _unnamed.Body.IsEmpty)
        {
            // The client has none: nor must the server have another client's.
            output.Message(FrontendMessage.Close, "S"u8, Zero);
            server.Owed.Enqueue(new OwedReply(ReplyKind.Close, Swallow: true));
            server.UnnamedStatementOwner = 0;
            return;
        }
        output.Message(FrontendMessage.Parse, _unnamed.Body);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Parse, Swallow: true));
        server.UnnamedStatementOwner = _unnamed.Use;
        _counters.ServerParses++;
    }

    /// <summary>Sends Parse under the shared name; the reply is the client's when it asked (ownName), else swallowed. Closes the one it displaces.</summary>
    private void PrepareOn(ServerConnection server, PreparedStatement statement, byte[]? ownName, ref BatchOutput output)
    {
        if (server.Prepared.Add(statement, _services.Config().MaxPreparedStatements) is { } displaced)
        {
            output.Message(FrontendMessage.Close, "S"u8, displaced.ServerName, Zero);
            server.Owed.Enqueue(new OwedReply(ReplyKind.Close, Swallow: true, Subject: displaced));
        }
        _counters.ServerParses++;
        if (statement.IsSql)
        {
            PrepareBySql(server, statement, ref output);
            return;
        }
        output.Message(FrontendMessage.Parse, statement.ServerName, Zero, statement.Definition);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Parse, Swallow: ownName is null, Subject: statement, Name: ownName));
        if (statement.ResultShape != 0)
            return;
        output.Message(FrontendMessage.Describe, "S"u8, statement.ServerName, Zero);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Describe, Swallow: true, Subject: statement));
    }

    /// <summary>Close of a named statement is the client's own affair: the server keeps it for others.</summary>
    private void CloseNamed(ServerConnection server, ReadOnlySpan<byte> name)
    {
        var ownName = name.ToArray();
        var statement = _statements?.Remove(ownName);
        Answer(server, new LocalReply(CloseComplete) { ClosedName = ownName, ClosedStatement = statement });
    }

    private void SendLargeBind(ServerConnection server, ReadOnlySpan<byte> head, long total)
    {
        var output = new BatchOutput(server, Loop.ScratchBuffer);
        var reader = new MessageReader(head[MessageHeader.Size..]);
        reader.TryReadCString(out var portal);
        reader.TryReadCString(out var name);
        EnsurePrepared(server, name, ref output, out var serverName, out var info);
        NotePortal(head[MessageHeader.Size..], info);
        _counters.Binds++;
        output.Header(FrontendMessage.Bind, (int)(total - MessageHeader.Size) - name.Length + serverName.Length);
        output.Append(head.Slice(MessageHeader.Size, portal.Length + 1));
        output.Append(serverName);
        output.Append(Zero);
        output.Append(reader.Rest);
        output.Complete();
        server.Owed.Enqueue(new OwedReply(ReplyKind.Bind));
    }

    /// <summary>A Parse (or another message) too large to be kept: passed on; a named one ties the client to this server.</summary>
    private void SendLargeParse(ServerConnection server, ReadOnlySpan<byte> head, long total)
    {
        MessageHeader.TryRead(head, out var type, out _);
        if (type != FrontendMessage.Parse)
        {
            Plan(server, type, head[MessageHeader.Size..], 0, default);
            SendToServer(server, head);
            return;
        }
        var reader = new MessageReader(head[MessageHeader.Size..]);
        reader.TryReadCString(out var name);
        _counters.ClientParses++;
        _counters.ServerParses++;
        if (name.IsEmpty)
        {
            _unnamed.RememberLarge(Interlocked.Increment(ref _lastUnnamed));
            server.UnnamedStatementOwner = _unnamed.Use;
            server.Owed.Enqueue(new OwedReply(ReplyKind.Parse));
            SendToServer(server, head);
            return;
        }
        _statements ??= new StatementMap(_services.Statements);
        if (RefusalOf(name, head.Length) is { } refusal)
        {
            _skipToSync = true;
            var failing = new BatchOutput(server, Loop.ScratchBuffer);
            Fail(server, refusal, ref failing);
            failing.Complete();
            return;
        }
        var ownName = name.ToArray();
        var statement = _services.Statements.AcquireLarge(TooLarge);
        _statements.Add(ownName, statement);
        server.Prepared.Add(statement, limit: 0);
        Pin(PinReasons.LargeStatement);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Parse, Subject: statement, Name: ownName));
        var output = new BatchOutput(server, Loop.ScratchBuffer);
        output.Header(FrontendMessage.Parse, (int)(total - MessageHeader.Size) - name.Length + statement.ServerName.Length);
        output.Append(statement.ServerName);
        output.Append(Zero);
        output.Append(reader.Rest);
        output.Complete();
    }

    /// <summary>Puts a reply of the router's own into the plan.</summary>
    private static void Answer(ServerConnection server, LocalReply reply) => server.Owed.Enqueue(new OwedReply(ReplyKind.Local, Subject: reply));

    /// <summary>
    /// Answers with an error of the router's own and makes the server fail at this place too: its transaction, explicit or not, must be as failed as
    /// the client is told. Returns false: what follows up to Sync does not happen.
    /// </summary>
    private static bool Fail(ServerConnection server, LocalReply error, ref BatchOutput output)
    {
        output.Message(FrontendMessage.Describe, "S"u8, PreparedStatement.NoName, Zero);
        server.Owed.Enqueue(new OwedReply(ReplyKind.Describe, Subject: error));
        return false;
    }
}
