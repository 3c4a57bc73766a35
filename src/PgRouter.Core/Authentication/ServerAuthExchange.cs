using System.Text;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>Where a login to a server stands.</summary>
internal enum ServerAuthStep : byte
{
    /// <summary>Send what was written (it may be nothing), then feed the body of the next Authentication message.</summary>
    Continue,

    /// <summary>AuthenticationOk came.</summary>
    Done,

    /// <summary>Close the connection; <see cref="ServerAuthExchange.Reason"/> says why.</summary>
    Failure,
}

/// <summary>
/// The client's side of one login to PostgreSQL, without a socket: <see cref="Feed"/> with the body of each Authentication message ('R')
/// until it is
/// no longer Continue. An ErrorResponse in between is the caller's to read. Used once, by one thread. SCRAM with a plain password costs one
/// PBKDF2 per verifier, about a millisecond.
/// </summary>
internal sealed class ServerAuthExchange
{
    private readonly string _user;
    private readonly PasswordSecret? _secret;
    private ScramClient? _scram;
    private State _state;

    /// <param name="user">The user in the start-up packet.</param>
    /// <param name="secret">What is known of its password; null = nothing, which is enough for trust.</param>
    public ServerAuthExchange(string user, PasswordSecret? secret)
    {
        _user = user;
        _secret = secret;
    }

    /// <summary>The connection is encrypted.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>What a login by SCRAM-SHA-256-PLUS is bound to; empty = nothing can be.</summary>
    public ReadOnlyMemory<byte> Binding { get; init; }

    private enum State : byte
    {
        AwaitRequest,
        AwaitSaslContinue,
        AwaitSaslFinal,
        AwaitOk,
        Ended,
    }

    /// <summary>Set on Failure, for the log and for the client that waits; holds no secret.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>The next message may need the derivation of keys, which a server can make take long: not on a loop.</summary>
    public bool MayTakeLong => _state == State.AwaitSaslContinue;

    /// <summary>Takes the body of an Authentication message and appends the answer, if there is one.</summary>
    public ServerAuthStep Feed(ReadOnlySpan<byte> body, MessageWriter output)
    {
        if (_state == State.Ended)
            throw new InvalidOperationException("The exchange has ended.");
        var reader = new MessageReader(body);
        if (!reader.TryReadInt32(out var code))
            return Fail("malformed Authentication message from the server");
        return (code, _state) switch
        {
            // Ok in the middle of SCRAM would skip the server's proof, so it is accepted only where PostgreSQL sends it.
            (AuthenticationCode.Ok, State.AwaitRequest or State.AwaitOk) => Finish(),
            (AuthenticationCode.CleartextPassword, State.AwaitRequest) => AnswerClearText(output),
            (AuthenticationCode.Md5Password, State.AwaitRequest) => AnswerMd5(reader.Rest, output),
            (AuthenticationCode.Sasl, State.AwaitRequest) => StartScram(reader, output),
            (AuthenticationCode.SaslContinue, State.AwaitSaslContinue) => ContinueScram(reader.Rest, output),
            (AuthenticationCode.SaslFinal, State.AwaitSaslFinal) => FinishScram(reader.Rest),
            (_, State.AwaitRequest) => Fail(
                $"{Describe(code)}, which is not supported; use scram-sha-256, md5, password or trust in pg_hba.conf"),
            _ => Fail($"Authentication message {code} from the server out of order"),
        };
    }

    private ServerAuthStep AnswerClearText(MessageWriter output)
    {
        if (_secret is null)
            return FailNoPassword("a clear-text password");
        if (!_secret.TryGetPlain(out var password))
            return Fail($"the server asks for a clear-text password, but of user \"{_user}\" only {Describe(_secret)} is known");
        AuthenticationMessages.WritePassword(output, Encoding.UTF8.GetBytes(password));
        _state = State.AwaitOk;
        return ServerAuthStep.Continue;
    }

    private ServerAuthStep AnswerMd5(ReadOnlySpan<byte> salt, MessageWriter output)
    {
        if (salt.Length != AuthenticationMessages.Md5SaltLength)
            return Fail("malformed AuthenticationMD5Password from the server");
        if (_secret is null)
            return FailNoPassword("an md5 password");
        Span<byte> hash = stackalloc byte[Md5Password.Length];
        if (!_secret.TryGetMd5Hash(_user, hash))
            return Fail($"the server asks for an md5 password, but of user \"{_user}\" only {Describe(_secret)} is known");
        Span<byte> answer = stackalloc byte[Md5Password.Length];
        Md5Password.Respond(hash, salt, answer);
        AuthenticationMessages.WritePassword(output, answer);
        _state = State.AwaitOk;
        return ServerAuthStep.Continue;
    }

    private ServerAuthStep StartScram(MessageReader reader, MessageWriter output)
    {
        var isOffered = false;
        var isPlusOffered = false;
        var offers = new List<string>();
        while (reader.TryReadCString(out var mechanism) && !mechanism.IsEmpty)
        {
            isOffered |= mechanism.SequenceEqual("SCRAM-SHA-256"u8);
            isPlusOffered |= mechanism.SequenceEqual("SCRAM-SHA-256-PLUS"u8);
            offers.Add(Encoding.UTF8.GetString(mechanism));
        }
        if (!isOffered)
        {
            return Fail(
                $"the server offers no SASL mechanism that is supported, only: {string.Join(", ", offers)}; supported is SCRAM-SHA-256");
        }
        if (_secret is null)
            return FailNoPassword("SCRAM-SHA-256");
        if (!_secret.CanLogInWithScram)
        {
            return Fail(
                $"the server asks for SCRAM-SHA-256, but of user \"{_user}\" only {Describe(_secret)} is known; "
                + "store the password itself, or let the client log in with SCRAM against the server's verifier");
        }
        var isPlus = isPlusOffered && !Binding.IsEmpty;
        _scram = new ScramClient(_secret.GetKeys) { Binding = isPlus ? Binding : default, IsEncrypted = IsEncrypted };
        AuthenticationMessages.WriteSaslInitialResponse(output, _scram.Start(), isPlus);
        _state = State.AwaitSaslContinue;
        return ServerAuthStep.Continue;
    }

    private ServerAuthStep ContinueScram(ReadOnlySpan<byte> data, MessageWriter output)
    {
        if (!_scram!.TryRespond(data, out var answer, out var reason))
            return Fail(reason);
        AuthenticationMessages.WriteSaslResponse(output, answer);
        _state = State.AwaitSaslFinal;
        return ServerAuthStep.Continue;
    }

    private ServerAuthStep FinishScram(ReadOnlySpan<byte> data)
    {
        if (!_scram!.TryFinish(data, out var reason))
            return Fail(reason);
        _state = State.AwaitOk;
        return ServerAuthStep.Continue;
    }

    private ServerAuthStep Finish()
    {
        _state = State.Ended;
        return ServerAuthStep.Done;
    }

    private ServerAuthStep FailNoPassword(string wanted) =>
        Fail($"the server asks for {wanted}, but no password of user \"{_user}\" is known; add the user to the password file");

    private ServerAuthStep Fail(string reason)
    {
        _state = State.Ended;
        Reason = reason;
        return ServerAuthStep.Failure;
    }

    private static string Describe(PasswordSecret secret) => secret.Kind switch
    {
        PasswordSecretKind.Md5 => "an md5 hash",
        PasswordSecretKind.Scram => "a SCRAM verifier",
        _ => "the password",
    };

    private static string Describe(int code) => code switch
    {
        AuthenticationCode.KerberosV5 => "the server asks for Kerberos V5",
        AuthenticationCode.ScmCredential => "the server asks for SCM credentials",
        AuthenticationCode.Gss => "the server asks for GSSAPI",
        AuthenticationCode.Sspi => "the server asks for SSPI",
        _ => $"the server asks for authentication method {code}",
    };
}
