using System.Text;
using PgRouter.Core.Admin;
using PgRouter.Core.Routing;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>What the router answers itself: empty queries, SHOW POOL_*, the virtual database; in both protocols and in the true transaction status.</summary>
internal sealed partial class ClientSession
{
    private Dictionary<byte[], LocalPortal>? _localPortals;
    private LocalPortal? _localPortal;

    /// <summary>The status of the transaction as the client has been told.</summary>
    private TransactionStatus Status => _block switch
    {
        Block.Begun => TransactionStatus.InTransaction,
        Block.Failed => TransactionStatus.Failed,
        _ => _lease is { } lease ? lease.Server.Status : TransactionStatus.Idle,
    };

    private bool IsAnsweredHere(StatementInfo info) => info.LocalCommand is not null || (info.Class == StatementClass.Empty && _lease is null);

    private AdminContext AdminContext => new()
    {
        User = Identity.User,
        Pid = Pid,
        LoadBalanceNodeId = _lastReadNodeId,
        IsConsole = Identity.IsConsole,
    };

    private async Task AnswerLocallyAsync()
    {
        await DeliverFirstAsync();
        var request = _input.Span[.._requestLength].ToArray();
        ConsumeInput(_requestLength);
        LogLocal(request);
        var writer = new MessageWriter(1024);
        if (request[0] == FrontendMessage.Query)
        {
            var text = Encoding.UTF8.GetString(request.AsSpan(MessageHeader.Size, request.Length - MessageHeader.Size - 1));
            await AnswerQueryAsync(text, writer);
        }
        else
        {
            await AnswerBatchAsync(request, writer);
        }
        EndRequest();
        _host.Statistics.Nowhere.Routed[(int)RouteReason.Local]++;
        SendToClient(writer.WrittenSpan);
        _signal.Set();
    }

    private async ValueTask AnswerQueryAsync(string text, MessageWriter writer)
    {
        var info = _ownCommand;
        _ownCommand = null;
        _unnamed.Forget(); // A simple query destroys it, whoever answers.
        if (info is { LocalCommand: null, Class: not StatementClass.Empty })
        {
            await CarryOutAsync(info, writer);
            return;
        }
        var command = Identity.IsConsole ? ConsoleCommand(text) : info?.LocalCommand;
        if (command is null)
        {
            writer.Begin(BackendMessage.EmptyQueryResponse);
            writer.End();
        }
        else
        {
            LocalResult.Write(writer, await RunCommandAsync(command), [], withDescription: true);
        }
        WriteReadyForQuery(writer);
    }

    /// <summary>The command in a text, null when the text is empty.</summary>
    private static string? ConsoleCommand(string text)
    {
        var command = text.Trim().TrimEnd(';').TrimEnd();
        return command.Length == 0 ? null : command;
    }

    private async ValueTask AnswerBatchAsync(byte[] batch, MessageWriter writer)
    {
        var failed = false;
        var hasFailed = false;
        // What is set in one batch is set together, or not at all.
        var isImplicitTransaction = !_settings.InTransaction;
        if (isImplicitTransaction)
            _settings.Begin();
        for (var position = 0; position < batch.Length;)
        {
            MessageHeader.TryRead(batch.AsSpan(position), out var type, out var length);
            var body = batch.AsMemory(position + MessageHeader.Size, length - 4);
            if (type == FrontendMessage.Sync)
            {
                _skipToSync = false;
                WriteReadyForQuery(writer);
                failed = false;
            }
            else if (!failed)
            {
                failed = !await AnswerMessageAsync(type, body, position, writer);
                hasFailed |= failed;
            }
            position += length + 1;
        }
        _skipToSync |= failed;
        if (isImplicitTransaction && hasFailed)
            _settings.Rollback();
        else if (isImplicitTransaction)
            _settings.Commit();
    }

    private async ValueTask<bool> AnswerMessageAsync(byte type, ReadOnlyMemory<byte> body, int position, MessageWriter writer)
    {
        switch (type)
        {
            case FrontendMessage.Parse:
                return ParseLocal(body.Span, position, writer);
            case FrontendMessage.Bind:
                return BindLocal(body.Span, writer);
            case FrontendMessage.Describe:
                return DescribeLocal(body.Span, writer);
            case FrontendMessage.Execute:
                return await ExecuteLocalAsync(body, writer);
            case FrontendMessage.Close:
                if (body.Span[0] == (byte)'S')
                    CloseStatement(body.Span[1..]);
                writer.WriteBytes(CloseComplete);
                return true;
            default:
                return true;
        }
    }

    private bool ParseLocal(ReadOnlySpan<byte> body, int position, MessageWriter writer)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        var definition = reader.Rest;
        reader.TryReadCString(out var sql);
        var info = InfoForLocal(sql, position);
        if (info is null)
        {
            return Refuse(writer, ErrorMessage.Error(
                SqlStates.FeatureNotSupported,
                "a command of the router cannot stand in one batch with statements for PostgreSQL",
                hint: "Send a Sync between them."));
        }
        if (name.IsEmpty)
        {
            _unnamed.Remember(body, info, Interlocked.Increment(ref _lastUnnamed));
        }
        else
        {
            _statements ??= new StatementMap(_services.Statements);
            if (RefusalOf(name, definition.Length) is { } refusal)
                return Refuse(writer, refusal);
            _statements.Add(name.ToArray(), _services.Statements.Acquire(definition, info, NameScope));
        }
        writer.WriteBytes(ParseComplete);
        return true;
    }

    private StatementInfo? InfoForLocal(ReadOnlySpan<byte> sql, int position)
    {
        if (Identity.IsConsole)
        {
            return new StatementInfo(StatementClass.Local, "console", []) { LocalCommand = ConsoleCommand(Encoding.UTF8.GetString(sql)) ?? "" };
        }
        return FindInfo(sql, position) is { } info && (info.LocalCommand is not null || info.Class == StatementClass.Empty || info.IsOwnSetting) ? info : null;
    }

    private bool BindLocal(ReadOnlySpan<byte> body, MessageWriter writer)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var portal);
        reader.TryReadCString(out var name);
        var info = name.IsEmpty ? _unnamed.Info : _statements?.Find(name)?.Info;
        if (info is null)
            return Refuse(writer, LocalReply.UnknownStatement(name));
        // A statement that is explained may have any parameters: nobody looks at them.
        if (!TryReadFormats(ref reader, out var parameters, out var formats) || (parameters > 0 && ExplainedBy(info.LocalCommand ?? "") is null))
        {
            return Refuse(writer, ErrorMessage.Error(
                SqlStates.ProtocolViolation, $"bind message supplies {parameters} parameters, but a command of the router requires 0"));
        }
        var local = new LocalPortal(info.LocalCommand ?? "", formats, info.IsOwnSetting ? info.Statements[0] : null);
        if (portal.IsEmpty)
            _localPortal = local;
        else
            (_localPortals ??= new Dictionary<byte[], LocalPortal>(Servers.ByteArrayComparer.Instance))[portal.ToArray()] = local;
        writer.WriteBytes([BackendMessage.BindComplete, 0, 0, 0, 4]);
        return true;
    }

    private static bool TryReadFormats(ref MessageReader reader, out short parameters, out short[] formats)
    {
        formats = [];
        parameters = 0;
        if (!reader.TryReadInt16(out var parameterFormats) || !reader.TrySkip(parameterFormats * 2) || !reader.TryReadInt16(out parameters))
            return false;
        for (var i = 0; i < parameters; i++)
        {
            if (!reader.TryReadInt32(out var length) || !reader.TrySkip(Math.Max(0, length)))
                return false;
        }
        if (!reader.TryReadInt16(out var count) || count < 0)
            return false;
        formats = new short[count];
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadInt16(out formats[i]))
                return false;
        }
        return true;
    }

    private bool DescribeLocal(ReadOnlySpan<byte> body, MessageWriter writer)
    {
        var name = body[1..^1];
        if (body[0] == (byte)'S')
        {
            var info = name.IsEmpty ? _unnamed.Info : _statements?.Find(name)?.Info;
            if (info is null)
                return Refuse(writer, LocalReply.UnknownStatement(name));
            var command = info.LocalCommand ?? "";
            WriteParameters(writer, ExplainedBy(command) is { } sql ? ExplainedStatement.CountParameters(sql) : 0);
            LocalResult.WriteDescription(writer, info.IsOwnSetting ? ColumnOf(info.Statements[0]) : DescribeCommand(command), []);
            return true;
        }
        if (FindLocalPortal(name) is not { } portal)
            return Refuse(writer, UnknownPortal(name));
        LocalResult.WriteDescription(writer, portal.Own is { } own ? ColumnOf(own) : DescribeCommand(portal.Command), portal.Formats);
        return true;
    }

    private async ValueTask<bool> ExecuteLocalAsync(ReadOnlyMemory<byte> body, MessageWriter writer)
    {
        var end = body.Span.IndexOf((byte)0);
        if (FindLocalPortal(body.Span[..end]) is not { } portal)
            return Refuse(writer, UnknownPortal(body.Span[..end]));
        if (portal.Own is { } own)
            return await ExecuteOwnAsync(own, writer);
        if (portal.Command.Length == 0)
        {
            writer.Begin(BackendMessage.EmptyQueryResponse);
            writer.End();
            return true;
        }
        var result = await RunCommandAsync(portal.Command);
        LocalResult.Write(writer, result, portal.Formats, withDescription: false);
        return result.Error is null;
    }

    private LocalPortal? FindLocalPortal(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            return _localPortal;
        LocalPortal? portal = null;
        _localPortals?.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out portal);
        return portal;
    }

    private static LocalReply UnknownPortal(ReadOnlySpan<byte> name) =>
        LocalReply.Error(SqlStates.InvalidCursorName, $"portal \"{Encoding.UTF8.GetString(name)}\" does not exist");

    private static bool Refuse(MessageWriter writer, LocalReply reply)
    {
        writer.WriteBytes(reply.Bytes);
        return false;
    }

    private static bool Refuse(MessageWriter writer, ErrorMessage error)
    {
        error.WriteErrorResponse(writer);
        return false;
    }

    private sealed record LocalPortal(string Command, short[] Formats, Statement? Own);
}
