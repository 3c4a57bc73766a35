using System.Security.Cryptography;
using System.Text;

namespace PgRouter.Testing.Protocol;

/// <summary>The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding, for one login.</summary>
internal sealed class ScramClient(string password)
{
    public const string Mechanism = "SCRAM-SHA-256";

    private const string NoChannelBinding = "biws"; // base64 of the header "n,,"

    private readonly string _nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
    private byte[] _serverSignature = [];

    // PostgreSQL takes the user name from the startup message, so this one stays empty.
    private string FirstBare => $"n=,r={_nonce}";

    public string First() => "n,," + FirstBare;

    public string Final(string serverFirst)
    {
        var parts = PartsOf(serverFirst);
        if (!parts['r'].StartsWith(_nonce, StringComparison.Ordinal))
            throw new TestBedException("SCRAM: the server's nonce does not continue the client's.");
        var iterations = int.Parse(parts['i'], System.Globalization.CultureInfo.InvariantCulture);
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password), Convert.FromBase64String(parts['s']), iterations, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var withoutProof = $"c={NoChannelBinding},r={parts['r']}";
        var signed = Encoding.UTF8.GetBytes($"{FirstBare},{serverFirst},{withoutProof}");
        var proof = HMACSHA256.HashData(SHA256.HashData(clientKey), signed);
        for (var index = 0; index < proof.Length; index++)
            proof[index] ^= clientKey[index];
        _serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), signed);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    public void Verify(string serverFinal)
    {
        if (!Convert.FromBase64String(PartsOf(serverFinal)['v']).AsSpan().SequenceEqual(_serverSignature))
            throw new TestBedException("SCRAM: the server's signature is wrong, it does not know the password.");
    }

    private static Dictionary<char, string> PartsOf(string message) => message.Split(',').ToDictionary(part => part[0], part => part[2..]);
}
