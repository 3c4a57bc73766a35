using System.Globalization;
using System.Security.Cryptography;

namespace PgRouter.Protocol;

/// <summary>
/// What a server stores of a SCRAM-SHA-256 password, in PostgreSQL's form
/// <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c> (pg_authid.rolpassword). Immutable; says nothing of itself in
/// <see cref="ToString"/>.
/// </summary>
public sealed class ScramVerifier
{
    public const string Prefix = "SCRAM-SHA-256$";

    /// <summary>PostgreSQL's defaults (scram_iterations, SCRAM_DEFAULT_SALT_LEN).</summary>
    public const int DefaultIterations = 4096;
    public const int DefaultSaltLength = 16;

    private ScramVerifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey)
    {
        Iterations = iterations;
        Salt = salt;
        StoredKey = storedKey;
        ServerKey = serverKey;
    }

    public int Iterations { get; }

    public ReadOnlyMemory<byte> Salt { get; }

    public ReadOnlyMemory<byte> StoredKey { get; }

    public ReadOnlyMemory<byte> ServerKey { get; }

    /// <summary>Makes the verifier of a plain password with a new salt. Costs one PBKDF2.</summary>
    public static ScramVerifier FromPassword(string password, int iterations = DefaultIterations) =>
        FromPassword(password, RandomNumberGenerator.GetBytes(DefaultSaltLength), iterations);

    /// <summary>Makes the verifier of a plain password. Costs one PBKDF2.</summary>
    public static ScramVerifier FromPassword(string password, ReadOnlySpan<byte> salt, int iterations)
    {
        var keys = ScramKeys.Derive(password, salt, iterations);
        return new ScramVerifier(iterations, salt.ToArray(), SHA256.HashData(keys.ClientKey.Span), keys.ServerKey.ToArray());
    }

    /// <summary>
    /// The verifier shown to a user that does not exist: the salt depends on the name and the seed only, so that asking twice gives
    /// the same answer, as it would for a user that exists. No password fits it.
    /// </summary>
    public static ScramVerifier Mock(ReadOnlySpan<byte> user, ReadOnlySpan<byte> seed, int iterations = DefaultIterations)
    {
        var digest = HMACSHA256.HashData(seed, user);
        // Random keys rather than zeros: a proof that fits them cannot be made, whoever reads this.
        return new ScramVerifier(
            iterations,
            digest[..DefaultSaltLength],
            RandomNumberGenerator.GetBytes(ScramKeys.KeyLength),
            RandomNumberGenerator.GetBytes(ScramKeys.KeyLength));
    }

    /// <summary>
    /// Reads PostgreSQL's form; false when it is malformed or has more than <see cref="ScramClient.MaxIterations"/>.
    /// </summary>
    public static bool TryParse(string text, out ScramVerifier? verifier)
    {
        verifier = null;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var halves = text[Prefix.Length..].Split('$');
        if (halves.Length != 2
            || halves[0].Split(':') is not [var iterations, var salt]
            || halves[1].Split(':') is not [var stored, var server])
        {
            return false;
        }
        if (!int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count is < 1 or > ScramClient.MaxIterations)
        {
            return false;
        }
        if (DecodeBase64(salt) is not { Length: > 0 } saltBytes
            || DecodeBase64(stored) is not { Length: ScramKeys.KeyLength } storedKey
            || DecodeBase64(server) is not { Length: ScramKeys.KeyLength } serverKey)
        {
            return false;
        }
        verifier = new ScramVerifier(count, saltBytes, storedKey, serverKey);
        return true;
    }

    /// <summary>PostgreSQL's form, to be stored; a secret.</summary>
    public string Encode() =>
        $"{Prefix}{Iterations}:{Convert.ToBase64String(Salt.Span)}$"
        + $"{Convert.ToBase64String(StoredKey.Span)}:{Convert.ToBase64String(ServerKey.Span)}";

    /// <summary>Do these keys belong to this verifier? Constant time.</summary>
    public bool Fits(ScramKeys keys) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(keys.ClientKey.Span), StoredKey.Span)
        & CryptographicOperations.FixedTimeEquals(keys.ServerKey.Span, ServerKey.Span);

    /// <summary>Is this plain password the one of the verifier? Costs one PBKDF2.</summary>
    public bool Fits(string password) => Fits(ScramKeys.Derive(password, Salt.Span, Iterations));

    public override string ToString() => "ScramVerifier(***)";

    private static byte[]? DecodeBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var written) ? bytes[..written] : null;
    }
}
