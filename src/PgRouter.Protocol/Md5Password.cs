using System.Security.Cryptography;

namespace PgRouter.Protocol;

/// <summary>
/// PostgreSQL's md5 authentication: the stored hash is "md5" + hex(md5(password + user)), the answer to a challenge is
/// "md5" + hex(md5(hex part of the hash + salt)). All values are ASCII bytes.
/// </summary>
public static class Md5Password
{
    /// <summary>Bytes of a stored hash and of an answer: "md5" and 32 lower-case hexadecimal digits.</summary>
    public const int Length = 35;

    private const int PrefixLength = 3;

    /// <summary>True for "md5" followed by 32 hexadecimal digits, which is how PostgreSQL tells a hash from a plain password.</summary>
    public static bool IsHash(ReadOnlySpan<char> text) =>
        text.Length == Length && text.StartsWith("md5", StringComparison.Ordinal) && !text[PrefixLength..].ContainsAnyExcept(HexDigits);

    /// <summary>Writes the stored hash of a password into the first 35 bytes of <paramref name="destination"/>.</summary>
    public static void Hash(ReadOnlySpan<byte> password, ReadOnlySpan<byte> user, Span<byte> destination) =>
        HashPair(password, user, destination);

    /// <summary>
    /// Writes the answer to a challenge into the first 35 bytes of <paramref name="destination"/>.
    /// <paramref name="hash"/> is a stored hash of 35 bytes.
    /// </summary>
    public static void Respond(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> salt, Span<byte> destination)
    {
        if (hash.Length != Length)
            throw new ArgumentException("A stored hash has 35 bytes.", nameof(hash));
        HashPair(hash[PrefixLength..], salt, destination);
    }

    /// <summary>Is this the right answer to a challenge? Takes the same time for each answer of the right length.</summary>
    public static bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> answer)
    {
        Span<byte> expected = stackalloc byte[Length];
        Respond(hash, salt, expected);
        return CryptographicOperations.FixedTimeEquals(expected, answer);
    }

    private static ReadOnlySpan<char> HexDigits => "0123456789abcdefABCDEF";

    private static void HashPair(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> destination)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        md5.AppendData(first);
        md5.AppendData(second);
        Span<byte> digest = stackalloc byte[MD5.HashSizeInBytes];
        md5.GetHashAndReset(digest);
        "md5"u8.CopyTo(destination);
        Convert.TryToHexStringLower(digest, destination[PrefixLength..], out _);
    }
}
