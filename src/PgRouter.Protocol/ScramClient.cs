using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace PgRouter.Protocol;

/// <summary>
/// Gives the keys for the salt and iteration count a server asks for, as <see cref="ScramKeys.Derive"/> does; null when they cannot be
/// known.
/// </summary>
public delegate ScramKeys? ScramKeyDerivation(ReadOnlySpan<byte> salt, int iterations);

/// <summary>
/// The client's side of one SCRAM-SHA-256 login (RFC 5802, RFC 7677): <see cref="Start"/>, then
/// <see cref="TryRespond"/> with the server-first-message, then <see cref="TryFinish"/> with the server-final-message. Used once, by one
/// thread.
/// A failure is final, and says what the server did wrong.
/// </summary>
public sealed class ScramClient
{
    /// <summary>
    /// Most iterations accepted from a server: PBKDF2 with more would hold a thread for seconds, which a false server could use.
    /// </summary>
    public const int MaxIterations = 600_000;

    /// <summary>Longest message accepted from a server, in bytes.</summary>
    public const int MaxServerMessageLength = 4096;

    private const int NonceBytes = 18;

    private readonly ScramKeyDerivation _derive;
    private readonly string _nonce;
    private readonly string _firstBare;
    private byte[]? _expectedSignature;
    private State _state;

    /// <summary>Logs in with a plain password.</summary>
    /// <param name="password">The password; SASLprep is applied here.</param>
    /// <param name="nonce">The client's nonce; null = random. Given for the known vectors only.</param>
    /// <param name="user">The name in the message; PostgreSQL ignores it and libpq leaves it empty.</param>
    public ScramClient(string password, string? nonce = null, string user = "")
        : this((salt, iterations) => ScramKeys.Derive(password, salt, iterations), nonce, user)
    {
    }

    /// <summary>Logs in with keys that are known already, whatever salt the server names.</summary>
    public ScramClient(ScramKeys keys, string? nonce = null, string user = "")
        : this((_, _) => keys, nonce, user)
    {
    }

    /// <summary>Logs in with keys derived, or remembered, by the caller.</summary>
    public ScramClient(ScramKeyDerivation derive, string? nonce = null, string user = "")
    {
        _derive = derive;
        _nonce = nonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        _firstBare = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={_nonce}";
    }

    /// <summary>
    /// What a login by SCRAM-SHA-256-PLUS is bound to (tls-server-end-point, the hash of the server's certificate); empty = SCRAM-SHA-256.
    /// </summary>
    public ReadOnlyMemory<byte> Binding { get; init; }

    /// <summary>The connection is encrypted: without a binding, the server is told that one could have been had.</summary>
    public bool IsEncrypted { get; init; }

    private string Header => !Binding.IsEmpty ? "p=tls-server-end-point,," : IsEncrypted ? "y,," : "n,,";

    private enum State : byte
    {
        New,
        Started,
        Responded,
        Ended,
    }

    /// <summary>The client-first-message.</summary>
    public byte[] Start()
    {
        Enter(State.New, State.Started);
        return Encoding.UTF8.GetBytes(Header + _firstBare);
    }

    /// <summary>Reads the server-first-message and gives the client-final-message; false with a reason when the login is over.</summary>
    public bool TryRespond(ReadOnlySpan<byte> serverFirst, out byte[] clientFinal, out string reason)
    {
        Enter(State.Started, State.Ended);
        clientFinal = [];
        if (!TryReadServerFirst(serverFirst, out var nonce, out var salt, out var iterations, out reason))
            return false;
        if (_derive(salt, iterations) is not { } keys)
        {
            reason = "the SCRAM keys at hand do not belong to the verifier the server has";
            return false;
        }
        var withoutProof = $"c={Convert.ToBase64String([.. Encoding.ASCII.GetBytes(Header), .. Binding.Span])},r={nonce}";
        var authMessage = Encoding.UTF8.GetBytes($"{_firstBare},{Encoding.UTF8.GetString(serverFirst)},{withoutProof}");
        var proof = HMACSHA256.HashData(SHA256.HashData(keys.ClientKey.Span), authMessage);
        for (var i = 0; i < proof.Length; i++)
            proof[i] ^= keys.ClientKey.Span[i];
        _expectedSignature = HMACSHA256.HashData(keys.ServerKey.Span, authMessage);
        clientFinal = Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
        _state = State.Responded;
        return true;
    }

    /// <summary>Reads the server-final-message; false with a reason when the server did not prove that it knows the password.</summary>
    public bool TryFinish(ReadOnlySpan<byte> serverFinal, out string reason)
    {
        Enter(State.Responded, State.Ended);
        var message = new ScramMessage(serverFinal);
        if (serverFinal.Length > MaxServerMessageLength || !message.TryReadAny(out var name, out var value))
            reason = "malformed SCRAM message from the server";
        else if (name == 'e')
            reason = $"the server refused the SCRAM login: {Encoding.UTF8.GetString(value)}";
        else if (name != 'v' || ScramMessage.DecodeBase64(value) is not { } signature)
            reason = "malformed SCRAM message from the server";
        else if (!CryptographicOperations.FixedTimeEquals(signature, _expectedSignature))
            reason = "wrong SCRAM signature from the server: it does not know the password";
        else
            reason = "";
        return reason.Length == 0;
    }

    private bool TryReadServerFirst(ReadOnlySpan<byte> text, out string nonce, out byte[] salt, out int iterations, out string reason)
    {
        nonce = "";
        salt = [];
        iterations = 0;
        reason = "malformed SCRAM message from the server";
        // Attribute 'm' would be a mandatory extension that nobody knows; it fails as "not r".
        var message = new ScramMessage(text);
        if (text.Length > MaxServerMessageLength || !message.TryRead('r', out var nonceBytes) || !ScramMessage.IsNonce(nonceBytes))
            return false;
        nonce = Encoding.ASCII.GetString(nonceBytes);
        if (nonce.Length <= _nonce.Length || !nonce.StartsWith(_nonce, StringComparison.Ordinal))
        {
            reason = "the server's SCRAM nonce does not begin with the client's";
            return false;
        }
        if (!message.TryRead('s', out var saltText) || ScramMessage.DecodeBase64(saltText) is not { Length: > 0 } saltBytes)
            return false;
        salt = saltBytes;
        if (!message.TryRead('i', out var count) || !Utf8Parser.TryParse(count, out iterations, out var used) || used != count.Length)
            return false;
        if (iterations is >= 1 and <= MaxIterations)
            return true;
        reason = $"the server asks for {iterations} SCRAM iterations; accepted are 1 to {MaxIterations}";
        return false;
    }

    private void Enter(State expected, State next)
    {
        if (_state != expected)
            throw new InvalidOperationException($"SCRAM step out of order: {_state} instead of {expected}.");
        _state = next;
    }
}
