using System.Security.Cryptography;
using System.Text;

namespace PgRouter.Protocol;

/// <summary>
/// The two secrets of SCRAM-SHA-256 (RFC 5802, section 3): who has the ClientKey can log in, who has the ServerKey can pose as the server.
/// Immutable; says nothing of itself in <see cref="ToString"/>.
/// </summary>
public sealed class ScramKeys
{
    /// <summary>Bytes of each key: SHA-256.</summary>
    public const int KeyLength = SHA256.HashSizeInBytes;

    public ScramKeys(ReadOnlySpan<byte> clientKey, ReadOnlySpan<byte> serverKey)
    {
        if (clientKey.Length != KeyLength || serverKey.Length != KeyLength)
            throw new ArgumentException("A SCRAM-SHA-256 key has 32 bytes.");
        ClientKey = clientKey.ToArray();
        ServerKey = serverKey.ToArray();
    }

    public ReadOnlyMemory<byte> ClientKey { get; }

    public ReadOnlyMemory<byte> ServerKey { get; }

    /// <summary>
    /// Derives the keys of a password. Costs one PBKDF2, about a millisecond for 4096 iterations, growing with them.
    /// </summary>
    public static ScramKeys Derive(string password, ReadOnlySpan<byte> salt, int iterations)
    {
        var normalised = Encoding.UTF8.GetBytes(SaslPrep.Normalise(password));
        Span<byte> salted = stackalloc byte[KeyLength];
        Rfc2898DeriveBytes.Pbkdf2(normalised, salt, salted, iterations, HashAlgorithmName.SHA256);
        Span<byte> clientKey = stackalloc byte[KeyLength];
        Span<byte> serverKey = stackalloc byte[KeyLength];
        HMACSHA256.HashData(salted, "Client Key"u8, clientKey);
        HMACSHA256.HashData(salted, "Server Key"u8, serverKey);
        CryptographicOperations.ZeroMemory(normalised);
        CryptographicOperations.ZeroMemory(salted);
        return new ScramKeys(clientKey, serverKey);
    }

    public override string ToString() => "ScramKeys(***)";
}
