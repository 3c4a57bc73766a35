using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Process ids as the client sees them: a text that asks for its own, or stops another client's, is written anew before it is looked at like any
/// other; what it stops is told once the server has said that the statement succeeded. See <see cref="BackendPidText"/>.
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly ErrorMessage UnsupportedPid = ErrorMessage.Error(
        SqlStates.FeatureNotSupported,
        "pg_backend_pid() in ROWS FROM needs an alias with column names",
        hint: "Write ROWS FROM (...) AS alias (column, ...), or call it in the select list.");

    /// <summary>The session stops its own server process, and is to end with it.</summary>
    private bool _terminatesItself;

    /// <summary>Replaces the pending request by what is meant for a server.</summary>
    private void WritePids()
    {
        var request = _input.Span[.._requestLength].ToArray();
        var writer = new MessageWriter(request.Length + 256);
        var resolved = new Dictionary<int, StatementInfo>();
        for (var position = 0; position < request.Length;)
        {
            MessageHeader.TryRead(request.AsSpan(position), out var type, out var length);
            var message = request.AsSpan(position, length + 1);
            var isWritten = type switch
            {
                FrontendMessage.Query => WriteText(type, [], message[MessageHeader.Size..], position, writer, resolved),
                FrontendMessage.Parse => WriteParse(message[MessageHeader.Size..], position, writer, resolved),
                _ => false,
            };
            if (_pidsUnsupported)
            {
                _pidsUnsupported = false;
                FailPending(UnsupportedPid);
                return;
            }
            if (!isWritten)
            {
                if (_resolved is not null && _resolved.TryGetValue(position, out var info))
                    resolved[writer.Length] = info;
                writer.WriteBytes(message);
            }
            position += length + 1;
        }
        ConsumeInput(request.Length);
        _input.Prepend(writer.WrittenSpan);
        _resolved = resolved;
        _signal.Set();
    }

    private bool _pidsUnsupported;

    private bool WriteParse(ReadOnlySpan<byte> body, int position, MessageWriter writer, Dictionary<int, StatementInfo> resolved)
    {
        var name = body[..(body.IndexOf((byte)0) + 1)];
        return WriteText(FrontendMessage.Parse, name, body[name.Length..], position, writer, resolved);
    }

    /// <summary>Writes a message whose text concerns process ids; false when it does not.</summary>
    private bool WriteText(
        byte type, ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest, int position, MessageWriter writer, Dictionary<int, StatementInfo> resolved)
    {
        var sql = rest[..rest.IndexOf((byte)0)];
        if (FindInfo(sql, position) is not { PidCalls: { } calls } info)
            return false;
        var pids = new BackendPidText(Pid, UserOf);
        var (text, written) = pids.Write(sql, _conformingStrings, info, calls, parameter: null);
        _pidsUnsupported = pids.IsUnsupported;
        resolved[writer.Length] = written;
        writer.Begin(type);
        writer.WriteBytes(head);
        writer.WriteBytes(text ?? sql);
        writer.WriteBytes(rest[sql.Length..]);
        writer.End();
        return true;
    }

    private string? UserOf(long pid) => pid is > 0 and <= int.MaxValue ? _services.Clients.Find((int)pid)?.Identity.User : null;

    /// <summary>
    /// Bind of a statement that stops the process a parameter names: when that is a client, another statement with the same parameters is bound in its
    /// place. Null when the statement itself will do.
    /// </summary>
    private (PreparedStatement Statement, StatementInfo Info)? SubstituteForBind(StatementInfo info, ReadOnlySpan<byte> name, ReadOnlySpan<byte> values)
    {
        var definition = name.IsEmpty ? _unnamed.Body : _statements?.Find(name)?.Definition;
        if (definition.IsEmpty)
            return null;
        if (name.IsEmpty)
            definition = definition[1..]; // The empty name.
        var sql = definition[..definition.IndexOf((byte)0)];
        var bound = values.ToArray();
        var (text, written) = new BackendPidText(Pid, UserOf).Write(
            sql, _conformingStrings, info, info.BoundPidCalls!, number => BoundInteger(bound, number));
        if (text is null)
            return null;
        var statement = _services.Statements.Acquire([.. text, .. definition[sql.Length..]], info.OfShape(), NameScope);
        _services.Statements.Release(statement); // It is this server's now, and in the cache while that has room.
        return (statement, written);
    }

    /// <summary>An integer among the values of Bind, from behind the statement's name on; null when it is none.</summary>
    private static long? BoundInteger(ReadOnlySpan<byte> values, int number)
    {
        var reader = new MessageReader(values);
        if (!reader.TryReadInt16(out var formats) || formats < 0)
            return null;
        var isBinary = false;
        for (var i = 0; i < formats; i++)
        {
            if (!reader.TryReadInt16(out var format))
                return null;
            if (formats == 1 || i == number - 1)
                isBinary = format == 1;
        }
        if (!reader.TryReadInt16(out var count) || number > count)
            return null;
        ReadOnlySpan<byte> value = default;
        for (var i = 0; i < number; i++)
        {
            if (!reader.TryReadInt32(out var length) || length > reader.Remaining || (length < 0 && i == number - 1))
                return null;
            value = reader.Rest[..Math.Max(0, length)];
            reader.TrySkip(Math.Max(0, length));
        }
        if (isBinary)
            return value.Length switch
            {
                4 => BinaryPrimitives.ReadInt32BigEndian(value),
                8 => BinaryPrimitives.ReadInt64BigEndian(value),
                _ => null,
            };
        return Utf8Parser.TryParse(value, out long parsed, out var used) && used == value.Length ? parsed : null;
    }

    /// <summary>A statement has succeeded: the clients it names are told.</summary>
    private void SendSignals(StatementInfo info, int statement)
    {
        foreach (var signal in info.Signals!)
        {
            if (signal.Statement != statement || signal.Pid == Pid || _services.Clients.Find(signal.Pid) is not { } client)
                continue;
            if (signal.Terminates)
                client.RequestTermination(atOnce: true);
            else
                _ = client.CancelAsync();
        }
    }

    /// <summary>What is known of the text that the next reply of the server is about.</summary>
    private static StatementInfo? InfoOfHead(ServerConnection server) => server.Owed.Count == 0
        ? null
        : server.Owed.Head.Subject switch
        {
            StatementInfo info => info,
            PreparedStatement statement => statement.Info,
            _ => null,
        };

    /// <summary>
    /// An error about a text that is not the client's own: the refusal to stop a client in PostgreSQL's words, else the same error with the client's
    /// names and its place in the client's text. Null when it is to go as it is.
    /// </summary>
    private byte[]? ErrorOfClientsText(ServerConnection server, ReadOnlySpan<byte> body)
    {
        if (InfoOfHead(server) is not { Edits: { } edits } info)
            return InClientsTerms(body);
        if (info.Signals is not null && BackendPidText.ReadDenial(body) is { } denial)
        {
            var writer = new MessageWriter();
            SignalDenial(server, denial.Terminates, denial.OfSuperuser).WriteErrorResponse(writer);
            return writer.WrittenSpan.ToArray();
        }
        var named = InClientsTerms(body);
        return WithOldPosition(edits, named is null ? body : named.AsSpan(MessageHeader.Size)) ?? named;
    }

    private static byte[]? WithOldPosition(TextEdits edits, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body[^1] != 0 || !ErrorMessage.TryGetField(body, (byte)'P', out var place)
            || !Utf8Parser.TryParse(place, out int position, out _))
            return null;
        var digits = Encoding.ASCII.GetBytes(edits.OldPosition(position).ToString(CultureInfo.InvariantCulture));
        body.Overlaps(place, out var at);
        return [.. Header(body.Length - place.Length + digits.Length), .. body[..at], .. digits, .. body[(at + place.Length)..]];
    }

    private static byte[] Header(int bodyLength)
    {
        var header = new byte[MessageHeader.Size];
        MessageHeader.Write(header, BackendMessage.ErrorResponse, bodyLength + MessageHeader.MinLength);
        return header;
    }

    /// <summary>Texts: pg_cancel_backend() and pg_terminate_backend() in PostgreSQL's signalfuncs.c, which changed them in version 16.</summary>
    private static ErrorMessage SignalDenial(ServerConnection server, bool terminates, bool ofSuperuser)
    {
        var version = server.Parameters.GetValueOrDefault("server_version", "");
        var isOld = int.TryParse(version.Split('.', ' ', 'd', 'b', 'r')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) && major < 16;
        if (isOld)
        {
            return ErrorMessage.Error(SqlStates.InsufficientPrivilege, (terminates, ofSuperuser) switch
            {
                (false, true) => "must be a superuser to cancel superuser query",
                (false, false) => "must be a member of the role whose query is being canceled or member of pg_signal_backend",
                (true, true) => "must be a superuser to terminate superuser process",
                (true, false) => "must be a member of the role whose process is being terminated or member of pg_signal_backend",
            });
        }
        return ErrorMessage.Error(
            SqlStates.InsufficientPrivilege,
            terminates ? "permission denied to terminate process" : "permission denied to cancel query",
            (terminates, ofSuperuser) switch
            {
                (false, true) => "Only roles with the SUPERUSER attribute may cancel queries of roles with the SUPERUSER attribute.",
                (false, false) =>
                    "Only roles with privileges of the role whose query is being canceled or with privileges of the \"pg_signal_backend\" role may cancel this query.",
                (true, true) => "Only roles with the SUPERUSER attribute may terminate processes of roles with the SUPERUSER attribute.",
                (true, false) =>
                    "Only roles with privileges of the role whose process is being terminated or with privileges of the \"pg_signal_backend\" role may terminate this process.",
            });
    }

    /// <summary>A server says that it ends: does it because this very statement told it to?</summary>
    private bool IsOwnTermination(ServerConnection server) => InfoOfHead(server)?.Signals is { } signals && signals.Any(signal => signal.Pid == Pid);
}
