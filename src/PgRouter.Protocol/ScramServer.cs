using System.Security.Cryptography;
using System.Text;

namespace PgRouter.Protocol;

/// <summary>Outcome of a step of <see cref="ScramServer"/>.</summary>
public enum ScramResult : byte
{
    /// <summary>Send the answer and go on; after the last step: the password was right.</summary>
    Ok,

    /// <summary>The messages were in order, the proof was not.</summary>
    WrongPassword,

    /// <summary>The client broke the protocol or asks for what is not supported; <see cref="ScramServer.Error"/> says it.</summary>
    Refused,
}

/// <summary>
/// The server's side of one SCRAM-SHA-256 login (RFC 5802, RFC 7677): <see cref="Start"/> with the client-first-message, then
/// <see cref="Finish"/> with the client-final-message. Used once, by one thread. Messages and SQLSTATEs are PostgreSQL's.
/// </summary>
public sealed class ScramServer
{
    /// <summary>Longest message accepted from a client, in bytes (PostgreSQL's PG_MAX_SASL_MESSAGE_LENGTH).</summary>
    public const int MaxClientMessageLength = 1024;

    private const int NonceBytes = 18;

    private readonly ScramVerifier _verifier;
    private readonly string? _fixedNonce;
    private string _expectedBinding = "";
    private string _nonce = "";
    private string _firstMessages = "";
    private bool _started;
    private bool _ended;

    /// <param name="verifier">What is stored of the user, or <see cref="ScramVerifier.Mock"/> for a user that does not exist.</param>
    /// <param name="nonce">The server's part of the nonce; null = random. Given for the known vectors only.</param>
    public ScramServer(ScramVerifier verifier, string? nonce = null)
    {
        _verifier = verifier;
        _fixedNonce = nonce;
    }

    /// <summary>
    /// What a client of SCRAM-SHA-256-PLUS must bind to (tls-server-end-point, the hash of the certificate it was shown); empty = that is not offered.
    /// </summary>
    public ReadOnlyMemory<byte> Binding { get; init; }

    /// <summary>The client has chosen SCRAM-SHA-256-PLUS.</summary>
    public bool IsPlus { get; init; }

    /// <summary>Why the step gave <see cref="ScramResult.Refused"/>.</summary>
    public ErrorMessage? Error { get; private set; }

    /// <summary>
    /// After a login that succeeded: the client's keys, with which this process can log in wherever the same verifier is stored.
    /// </summary>
    public ScramKeys? ClientKeys { get; private set; }

    /// <summary>Reads the client-first-message and gives the server-first-message.</summary>
    public ScramResult Start(ReadOnlySpan<byte> clientFirst, out byte[] serverFirst)
    {
        if (_started)
            throw new InvalidOperationException("Start was called before.");
        _started = true;
        serverFirst = [];
        if (!CheckText(clientFirst) || !TryReadGs2Header(clientFirst, out var bare))
            return ScramResult.Refused;
        if (!TryReadClientFirst(bare, out var clientNonce))
            return ScramResult.Refused;
        _nonce = clientNonce + (_fixedNonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes)));
        var text = $"r={_nonce},s={Convert.ToBase64String(_verifier.Salt.Span)},i={_verifier.Iterations}";
        _firstMessages = $"{Encoding.UTF8.GetString(bare)},{text}";
        serverFirst = Encoding.ASCII.GetBytes(text);
        return ScramResult.Ok;
    }

    /// <summary>Reads the client-final-message and, when the proof is right, gives the server-final-message.</summary>
    public ScramResult Finish(ReadOnlySpan<byte> clientFinal, out byte[] serverFinal)
    {
        if (_nonce.Length == 0 || _ended)
            throw new InvalidOperationException("Finish needs one successful Start and is called once.");
        _ended = true;
        serverFinal = [];
        if (!CheckText(clientFinal) || !TryReadClientFinal(clientFinal, out var withoutProof, out var proof))
            return ScramResult.Refused;
        var authMessage = Encoding.UTF8.GetBytes($"{_firstMessages},{Encoding.UTF8.GetString(withoutProof)}");
        Span<byte> clientKey = stackalloc byte[ScramKeys.KeyLength];
        HMACSHA256.HashData(_verifier.StoredKey.Span, authMessage, clientKey);
        for (var i = 0; i < clientKey.Length; i++)
            clientKey[i] ^= proof[i];
        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(clientKey), _verifier.StoredKey.Span))
            return ScramResult.WrongPassword;
        ClientKeys = new ScramKeys(clientKey, _verifier.ServerKey.Span);
        var signature = HMACSHA256.HashData(_verifier.ServerKey.Span, authMessage);
        serverFinal = Encoding.ASCII.GetBytes("v=" + Convert.ToBase64String(signature));
        return ScramResult.Ok;
    }

    private bool CheckText(ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
            return Malformed("The message is empty.");
        if (message.Length > MaxClientMessageLength || message.Contains((byte)0))
            return Malformed("Message length does not match input length.");
        return System.Text.Unicode.Utf8.IsValid(message) || Malformed("The message is not valid UTF-8.");
    }

    /// <summary>gs2-header: channel binding flag and authorisation identity.</summary>
    private bool TryReadGs2Header(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> bare)
    {
        bare = default;
        var comma = message.IndexOf((byte)',');
        switch ((char)message[0])
        {
            case 'n' when IsPlus:
            case 'y' when IsPlus:
                return Malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.");
            case 'n':
                _expectedBinding = "biws"; // base64 of "n,,"
                break;
            case 'y' when !Binding.IsEmpty:
                // Somebody between has taken the mechanism off the list that was offered.
                return Refuse(
                    SqlStates.ProtocolViolation,
                    "SCRAM channel binding negotiation error",
                    detail: "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.");
            case 'y':
                _expectedBinding = "eSws"; // base64 of "y,,"
                break;
            case 'p' when !IsPlus:
                return Malformed("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.");
            case 'p' when comma > 0:
                if (!message[..comma].SequenceEqual("p=tls-server-end-point"u8))
                    return Refuse(SqlStates.ProtocolViolation, "unsupported SCRAM channel-binding type");
                _expectedBinding = Convert.ToBase64String([.. "p=tls-server-end-point,,"u8, .. Binding.Span]);
                message = message[(comma - 1)..];
                break;
            default:
                return Malformed("Unexpected channel-binding flag.");
        }
        if (message.Length < 3 || message[1] != ',')
            return Malformed("Comma expected after the channel-binding flag.");
        if (message[2] == 'a')
            return Refuse(SqlStates.FeatureNotSupported, "client uses authorization identity, but it is not supported");
        if (message[2] != ',')
            return Malformed("Unexpected attribute in client-first-message.");
        bare = message[3..];
        return true;
    }

    private bool TryReadClientFirst(ReadOnlySpan<byte> bare, out string nonce)
    {
        nonce = "";
        if (bare.StartsWith("m="u8))
            return Refuse(SqlStates.FeatureNotSupported, "client requires an unsupported SCRAM extension");
        // The user name in the message is ignored, as in PostgreSQL: the start-up packet has it.
        var message = new ScramMessage(bare);
        if (!message.TryRead('n', out _) || !message.TryRead('r', out var value))
            return Malformed("User name and nonce expected.");
        if (!ScramMessage.IsNonce(value))
            return Refuse(SqlStates.ProtocolViolation, "non-printable characters in SCRAM nonce");
        nonce = Encoding.ASCII.GetString(value);
        while (!message.AtEnd)
        {
            if (!message.TryReadAny(out _, out _))
                return Malformed("Unexpected attribute in client-first-message.");
        }
        return true;
    }

    private bool TryReadClientFinal(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> withoutProof, out byte[] proof)
    {
        withoutProof = default;
        proof = [];
        var message = new ScramMessage(text);
        if (!message.TryRead('c', out var binding))
            return Malformed("Channel binding expected.");
        if (!binding.SequenceEqual(Encoding.ASCII.GetBytes(_expectedBinding)))
            return IsPlus
                ? Refuse(SqlStates.InvalidAuthorizationSpecification, "SCRAM channel binding check failed")
                : Refuse(SqlStates.ProtocolViolation, "unexpected SCRAM channel-binding attribute in client-final-message");
        if (!message.TryRead('r', out var nonce))
            return Malformed("Nonce expected.");
        if (!nonce.SequenceEqual(Encoding.ASCII.GetBytes(_nonce)))
            return Refuse(SqlStates.ProtocolViolation, "invalid SCRAM response", detail: "Nonce does not match.");
        char name;
        ReadOnlySpan<byte> value;
        int start;
        do
        {
            start = message.Position;
            if (!message.TryReadAny(out name, out value))
                return Malformed("Proof expected.");
        }
        while (name != 'p');
        if (ScramMessage.DecodeBase64(value) is not { Length: ScramKeys.KeyLength } decoded)
            return Malformed("Malformed proof in client-final-message.");
        if (!message.AtEnd)
            return Malformed("Garbage found at the end of client-final-message.");
        proof = decoded;
        withoutProof = text[..(start - 1)];
        return true;
    }

    private bool Malformed(string detail) => Refuse(SqlStates.ProtocolViolation, "malformed SCRAM message", detail: detail);

    private bool Refuse(string code, string message, string? hint = null, string? detail = null)
    {
        Error = ErrorMessage.Fatal(code, message, detail, hint);
        return false;
    }
}
