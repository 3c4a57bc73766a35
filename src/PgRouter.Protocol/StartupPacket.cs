using System.Text;
using System.Text.Unicode;

namespace PgRouter.Protocol;

/// <summary>What the first packet of a connection asks for.</summary>
public enum StartupPacketKind : byte
{
    Startup,
    SslRequest,
    GssEncRequest,
    CancelRequest,
}

/// <summary>Outcome of <see cref="StartupPacket.TryRead"/>.</summary>
public enum StartupReadResult : byte
{
    /// <summary>The packet is not complete yet.</summary>
    NeedMoreData,
    Complete,

    /// <summary>Malformed: send the error and close.</summary>
    Invalid,
}

/// <summary>A packet of the start-up phase: length and code, no type byte. Immutable.</summary>
public sealed class StartupPacket
{
    private StartupPacket(StartupPacketKind kind)
    {
        Kind = kind;
    }

    public StartupPacketKind Kind { get; }

    /// <summary>Version of a Startup, as in <see cref="ProtocolConstants"/>.</summary>
    public int ProtocolVersion { get; private init; }

    /// <summary>Names and values of a Startup, in the order sent, repeated names included.</summary>
    public IReadOnlyList<(string Name, string Value)> Parameters { get; private init; } = [];

    /// <summary>Process id of a CancelRequest.</summary>
    public int CancelProcessId { get; private init; }

    /// <summary>Secret of a CancelRequest, 4 to 256 bytes.</summary>
    public ReadOnlyMemory<byte> CancelSecret { get; private init; }

    /// <summary>The "user" parameter.</summary>
    public string User => Find("user") ?? "";

    /// <summary>The "database" parameter; the user's name when there is none or it is empty, as in PostgreSQL.</summary>
    public string Database => Find("database") is { Length: > 0 } database ? database : User;

    /// <summary>The last value given for a name, as PostgreSQL takes it; null when there is none.</summary>
    public string? Find(string name)
    {
        for (var i = Parameters.Count - 1; i >= 0; i--)
        {
            if (Parameters[i].Name == name)
                return Parameters[i].Value;
        }
        return null;
    }

    /// <summary>
    /// Reads the packet at the start of <paramref name="buffer"/>. On Complete, <paramref name="packet"/> is set and takes
    /// <paramref name="consumed"/> bytes; on Invalid, <paramref name="error"/> says why (a FATAL as PostgreSQL words it).
    /// </summary>
    public static StartupReadResult TryRead(ReadOnlySpan<byte> buffer, out StartupPacket? packet, out int consumed, out ErrorMessage? error)
    {
        packet = null;
        consumed = 0;
        error = null;
        var reader = new MessageReader(buffer);
        if (!reader.TryReadInt32(out var length))
            return StartupReadResult.NeedMoreData;
        var bodyLength = (long)length - sizeof(int);
        if (bodyLength is < sizeof(int) or > ProtocolConstants.MaxStartupPacketLength)
        {
            error = ErrorMessage.Fatal(SqlStates.ProtocolViolation, "invalid length of startup packet");
            return StartupReadResult.Invalid;
        }
        if (!reader.TryReadBytes((int)bodyLength, out var body))
            return StartupReadResult.NeedMoreData;
        packet = ParseBody(body, out error);
        if (packet is null)
            return StartupReadResult.Invalid;
        consumed = length;
        return StartupReadResult.Complete;
    }

    /// <summary>Appends a Startup.</summary>
    public static void WriteStartup(MessageWriter writer, int protocolVersion, IEnumerable<(string Name, string Value)> parameters)
    {
        writer.BeginUntyped();
        writer.WriteInt32(protocolVersion);
        foreach (var (name, value) in parameters)
        {
            writer.WriteCString(name);
            writer.WriteCString(value);
        }
        writer.WriteByte(0);
        writer.End();
    }

    public static void WriteSslRequest(MessageWriter writer) => WriteCode(writer, ProtocolConstants.SslRequest);

    public static void WriteGssEncRequest(MessageWriter writer) => WriteCode(writer, ProtocolConstants.GssEncRequest);

    /// <summary>Appends a CancelRequest; <paramref name="secret"/> as received in BackendKeyData.</summary>
    public static void WriteCancelRequest(MessageWriter writer, int processId, ReadOnlySpan<byte> secret)
    {
        writer.BeginUntyped();
        writer.WriteInt32(ProtocolConstants.CancelRequest);
        writer.WriteInt32(processId);
        writer.WriteBytes(secret);
        writer.End();
    }

    private static void WriteCode(MessageWriter writer, int code)
    {
        writer.BeginUntyped();
        writer.WriteInt32(code);
        writer.End();
    }

    private static StartupPacket? ParseBody(ReadOnlySpan<byte> body, out ErrorMessage? error)
    {
        var reader = new MessageReader(body);
        reader.TryReadInt32(out var code);
        switch (code)
        {
            case ProtocolConstants.SslRequest:
                return ParseCodeOnly(StartupPacketKind.SslRequest, reader.Remaining, out error);
            case ProtocolConstants.GssEncRequest:
                return ParseCodeOnly(StartupPacketKind.GssEncRequest, reader.Remaining, out error);
            case ProtocolConstants.CancelRequest:
                return ParseCancel(reader, out error);
        }
        if (ProtocolConstants.Major(code) == 3)
            return ParseStartup(code, reader, out error);
        error = ErrorMessage.Fatal(
            SqlStates.FeatureNotSupported,
            $"unsupported frontend protocol {ProtocolConstants.Major(code)}.{ProtocolConstants.Minor(code)}: server supports 3.0 to 3.2");
        return null;
    }

    private static StartupPacket? ParseCodeOnly(StartupPacketKind kind, int remaining, out ErrorMessage? error)
    {
        error = remaining == 0 ? null : ErrorMessage.Fatal(SqlStates.ProtocolViolation, "invalid length of startup packet");
        return error is null ? new StartupPacket(kind) : null;
    }

    private static StartupPacket? ParseCancel(MessageReader reader, out ErrorMessage? error)
    {
        error = null;
        if (reader.TryReadInt32(out var processId)
            && reader.Remaining is >= ProtocolConstants.MinCancelSecretLength and <= ProtocolConstants.MaxCancelSecretLength)
        {
            return new StartupPacket(StartupPacketKind.CancelRequest) { CancelProcessId = processId, CancelSecret = reader.Rest.ToArray() };
        }
        error = ErrorMessage.Fatal(SqlStates.ProtocolViolation, "invalid length of cancel request packet");
        return null;
    }

    private static StartupPacket? ParseStartup(int version, MessageReader reader, out ErrorMessage? error)
    {
        var parameters = new List<(string Name, string Value)>();
        error = null;
        while (reader.TryReadCString(out var name))
        {
            if (name.IsEmpty)
                return CheckStartup(version, parameters, reader.Remaining, out error);
            if (!reader.TryReadCString(out var value))
                break;
            if (!TryDecode(name, out var nameText) || !TryDecode(value, out var valueText))
            {
                // Decoding with a replacement character could make two different users look the same.
                error = ErrorMessage.Fatal(
                    SqlStates.CharacterNotInRepertoire,
                    "invalid byte sequence for encoding \"UTF8\" in startup packet",
                    hint: "User, database and option names must be valid UTF-8.");
                return null;
            }
            parameters.Add((nameText, valueText));
        }
        error = LayoutError();
        return null;
    }

    private static StartupPacket? CheckStartup(
        int version, List<(string Name, string Value)> parameters, int remaining, out ErrorMessage? error)
    {
        var packet = new StartupPacket(StartupPacketKind.Startup) { ProtocolVersion = version, Parameters = parameters };
        if (remaining != 0)
            error = LayoutError();
        else if (packet.User.Length == 0)
            error = ErrorMessage.Fatal(SqlStates.InvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet");
        else
            error = null;
        return error is null ? packet : null;
    }

    private static ErrorMessage LayoutError() =>
        ErrorMessage.Fatal(SqlStates.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte");

    private static bool TryDecode(ReadOnlySpan<byte> bytes, out string text)
    {
        if (Utf8.IsValid(bytes))
        {
            text = Encoding.UTF8.GetString(bytes);
            return true;
        }
        text = "";
        return false;
    }
}
