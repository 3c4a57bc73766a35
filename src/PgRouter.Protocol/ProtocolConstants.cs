namespace PgRouter.Protocol;

/// <summary>Numbers of the start-up phase: protocol versions are major * 65536 + minor.</summary>
public static class ProtocolConstants
{
    public const int Version30 = 3 << 16;

    /// <summary>PostgreSQL 18: BackendKeyData with a secret of up to 256 bytes. There is no 3.1.</summary>
    public const int Version32 = (3 << 16) | 2;

    public const int SslRequest = (1234 << 16) | 5679;
    public const int GssEncRequest = (1234 << 16) | 5680;
    public const int CancelRequest = (1234 << 16) | 5678;

    /// <summary>Answers to SSLRequest and GSSENCRequest.</summary>
    public const byte EncryptionAccepted = (byte)'S';
    public const byte EncryptionRefused = (byte)'N';

    /// <summary>Longest start-up packet in bytes without its length word (PostgreSQL's MAX_STARTUP_PACKET_LENGTH).</summary>
    public const int MaxStartupPacketLength = 10_000;

    /// <summary>Bounds of the secret in BackendKeyData and CancelRequest, in bytes.</summary>
    public const int MinCancelSecretLength = 4;
    public const int MaxCancelSecretLength = 256;

    public static int Major(int version) => version >>> 16;

    public static int Minor(int version) => version & 0xFFFF;
}
