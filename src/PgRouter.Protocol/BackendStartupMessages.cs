namespace PgRouter.Protocol;

/// <summary>Writers for the messages a server sends between the start-up packet and the first ReadyForQuery.</summary>
public static class BackendStartupMessages
{
    /// <summary>
    /// NegotiateProtocolVersion: the newest version this side speaks (as a whole, 3.2 = 196610) and the "_pq_." options it does not know.
    /// </summary>
    public static void WriteNegotiateProtocolVersion(MessageWriter writer, int newestVersion, IReadOnlyCollection<string> unknownOptions)
    {
        writer.Begin(BackendMessage.NegotiateProtocolVersion);
        writer.WriteInt32(newestVersion);
        writer.WriteInt32(unknownOptions.Count);
        foreach (var option in unknownOptions)
            writer.WriteCString(option);
        writer.End();
    }

    /// <summary>BackendKeyData: 4 bytes of secret in protocol 3.0, up to 256 from 3.2 on.</summary>
    /// <exception cref="ArgumentException">The secret is shorter than 4 or longer than 256 bytes.</exception>
    public static void WriteBackendKeyData(MessageWriter writer, int processId, ReadOnlySpan<byte> secret)
    {
        if (secret.Length is < ProtocolConstants.MinCancelSecretLength or > ProtocolConstants.MaxCancelSecretLength)
            throw new ArgumentException("The secret must have 4 to 256 bytes.", nameof(secret));
        writer.Begin(BackendMessage.BackendKeyData);
        writer.WriteInt32(processId);
        writer.WriteBytes(secret);
        writer.End();
    }

    public static void WriteParameterStatus(MessageWriter writer, string name, string value)
    {
        writer.Begin(BackendMessage.ParameterStatus);
        writer.WriteCString(name);
        writer.WriteCString(value);
        writer.End();
    }

    public static void WriteReadyForQuery(MessageWriter writer, TransactionStatus status)
    {
        writer.Begin(BackendMessage.ReadyForQuery);
        writer.WriteByte((byte)status);
        writer.End();
    }
}
