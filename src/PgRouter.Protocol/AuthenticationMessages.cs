namespace PgRouter.Protocol;

/// <summary>Writers for the messages of the authentication exchange, of both sides.</summary>
public static class AuthenticationMessages
{
    /// <summary>The SASL mechanisms spoken here: without and with channel binding.</summary>
    public const string ScramSha256 = "SCRAM-SHA-256";
    public const string ScramSha256Plus = "SCRAM-SHA-256-PLUS";

    /// <summary>Bytes of salt in AuthenticationMD5Password.</summary>
    public const int Md5SaltLength = 4;

    /// <summary>AuthenticationOk.</summary>
    public static void WriteOk(MessageWriter writer) => WriteRequest(writer, AuthenticationCode.Ok, []);

    public static void WriteCleartextPassword(MessageWriter writer) => WriteRequest(writer, AuthenticationCode.CleartextPassword, []);

    /// <summary>AuthenticationMD5Password.</summary>
    /// <exception cref="ArgumentException">The salt does not have 4 bytes.</exception>
    public static void WriteMd5Password(MessageWriter writer, ReadOnlySpan<byte> salt)
    {
        if (salt.Length != Md5SaltLength)
            throw new ArgumentException("The salt must have 4 bytes.", nameof(salt));
        WriteRequest(writer, AuthenticationCode.Md5Password, salt);
    }

    /// <summary>AuthenticationSASL that offers SCRAM-SHA-256, and SCRAM-SHA-256-PLUS before it where a channel can be bound to.</summary>
    public static void WriteSasl(MessageWriter writer, bool offersPlus = false) => WriteRequest(
        writer, AuthenticationCode.Sasl, offersPlus ? "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"u8 : "SCRAM-SHA-256\0\0"u8);

    public static void WriteSaslContinue(MessageWriter writer, ReadOnlySpan<byte> data) =>
        WriteRequest(writer, AuthenticationCode.SaslContinue, data);

    public static void WriteSaslFinal(MessageWriter writer, ReadOnlySpan<byte> data) =>
        WriteRequest(writer, AuthenticationCode.SaslFinal, data);

    /// <summary>PasswordMessage: a clear-text password or the answer to an MD5 challenge.</summary>
    public static void WritePassword(MessageWriter writer, ReadOnlySpan<byte> password)
    {
        writer.Begin(FrontendMessage.PasswordMessage);
        writer.WriteCString(password);
        writer.End();
    }

    /// <summary>SASLInitialResponse for SCRAM-SHA-256 or SCRAM-SHA-256-PLUS.</summary>
    public static void WriteSaslInitialResponse(MessageWriter writer, ReadOnlySpan<byte> data, bool isPlus = false)
    {
        writer.Begin(FrontendMessage.PasswordMessage);
        writer.WriteCString(isPlus ? ScramSha256Plus : ScramSha256);
        writer.WriteInt32(data.Length);
        writer.WriteBytes(data);
        writer.End();
    }

    /// <summary>SASLResponse.</summary>
    public static void WriteSaslResponse(MessageWriter writer, ReadOnlySpan<byte> data)
    {
        writer.Begin(FrontendMessage.PasswordMessage);
        writer.WriteBytes(data);
        writer.End();
    }

    /// <summary>
    /// Reads the body of a SASLInitialResponse; false when it is malformed. A response length of -1 gives empty
    /// <paramref name="data"/>: the client waits for a challenge, which SCRAM does not have.
    /// </summary>
    public static bool TryReadSaslInitialResponse(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> mechanism, out ReadOnlySpan<byte> data)
    {
        data = default;
        var reader = new MessageReader(body);
        if (!reader.TryReadCString(out mechanism) || !reader.TryReadInt32(out var length))
            return false;
        return (length == -1 || reader.TryReadBytes(length, out data)) && reader.Remaining == 0;
    }

    private static void WriteRequest(MessageWriter writer, int code, ReadOnlySpan<byte> data)
    {
        writer.Begin(BackendMessage.Authentication);
        writer.WriteInt32(code);
        writer.WriteBytes(data);
        writer.End();
    }
}
