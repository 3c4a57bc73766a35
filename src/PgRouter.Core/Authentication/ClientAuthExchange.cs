using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>Where an exchange with a client stands.</summary>
internal enum ClientAuthStep : byte
{
    /// <summary>Send what was written, then feed the body of the next PasswordMessage.</summary>
    Continue,

    /// <summary>Send what was written; the client is who it says. AuthenticationOk is left to the session.</summary>
    Success,

    /// <summary>Send <see cref="ClientAuthExchange.Error"/> and close.</summary>
    Failure,
}

/// <summary>
/// The server's side of one login, without a socket: <see cref="Start"/>, then <see cref="Feed"/> with each PasswordMessage until it is no
/// longer
/// Continue. A user without a usable secret gets the same messages, at the same cost, as one with a wrong password. Used once, by one
/// thread.
/// A clear-text or first SCRAM check of a password costs one PBKDF2, about a millisecond.
/// </summary>
internal sealed class ClientAuthExchange
{
    /// <summary>Longest clear-text password, in bytes with its NUL (PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH).</summary>
    public const int MaxPasswordLength = 65_535;

    private readonly ClientAuthDecision _decision;
    private readonly ScramMock _mock;
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(AuthenticationMessages.Md5SaltLength);
    private ScramServer? _scram;
    private State _state;

    /// <summary>
    /// What SCRAM-SHA-256-PLUS binds to: the hash of the certificate the client was shown. Empty = it is not offered.
    /// </summary>
    public ReadOnlyMemory<byte> Binding { get; init; }

    public ClientAuthExchange(ClientAuthDecision decision, ScramMock mock)
    {
        _decision = decision;
        _mock = mock;
    }

    private enum State : byte
    {
        New,
        AwaitPassword,
        AwaitSaslInitialResponse,
        AwaitSaslResponse,
        Ended,
    }

    /// <summary>Set on Failure: what the client is told.</summary>
    public ErrorMessage? Error { get; private set; }

    /// <summary>Set on Failure: why, for the log only.</summary>
    public string LogReason { get; private set; } = "";

    /// <summary>
    /// After Success: the best secret for logging in to servers as this user. It holds the password the client sent in clear text, or
    /// the keys learned from its SCRAM login; otherwise it is the stored secret, null when there is none.
    /// </summary>
    public PasswordSecret? ServerSecret { get; private set; }

    /// <summary>The next message needs the derivation of keys, about a millisecond: not on a loop.</summary>
    public bool MayTakeLong => _state switch
    {
        State.AwaitPassword => _decision is { Kind: ClientAuthKind.ClearText, IsVerifiedByServer: false, Ldap: null },
        State.AwaitSaslInitialResponse => _decision.Secret is { HasVerifier: false },
        _ => false,
    };

    /// <summary>Appends the first message for the client, if there is one.</summary>
    public ClientAuthStep Start(MessageWriter output)
    {
        if (_state != State.New)
            throw new InvalidOperationException("Start was called before.");
        switch (_decision.Kind)
        {
            case ClientAuthKind.Trust:
                return Succeed(_decision.Secret);
            case ClientAuthKind.Reject:
                return Fail(_decision.Refusal!, _decision.LogReason);
            case ClientAuthKind.ClearText:
                AuthenticationMessages.WriteCleartextPassword(output);
                _state = State.AwaitPassword;
                break;
            case ClientAuthKind.Md5:
                AuthenticationMessages.WriteMd5Password(output, _salt);
                _state = State.AwaitPassword;
                break;
            default:
                AuthenticationMessages.WriteSasl(output, offersPlus: !Binding.IsEmpty);
                _state = State.AwaitSaslInitialResponse;
                break;
        }
        return ClientAuthStep.Continue;
    }

    /// <summary>Takes the body of a PasswordMessage ('p') and appends the answer, if there is one.</summary>
    public ClientAuthStep Feed(ReadOnlySpan<byte> body, MessageWriter output) => _state switch
    {
        State.AwaitPassword => FeedPassword(body),
        State.AwaitSaslInitialResponse => FeedSaslInitialResponse(body, output),
        State.AwaitSaslResponse => FeedSaslResponse(body, output),
        _ => throw new InvalidOperationException("The exchange does not wait for a message."),
    };

    private ClientAuthStep FeedPassword(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body.Length > MaxPasswordLength || body.IndexOf((byte)0) != body.Length - 1)
            return FailProtocol("invalid password packet size");
        var answer = body[..^1];
        if (answer.IsEmpty)
            return Fail(ErrorMessage.Fatal(SqlStates.InvalidPassword, "empty password returned by client"), "empty password");
        return _decision.Kind == ClientAuthKind.Md5 ? CheckMd5(answer) : CheckClearText(answer);
    }

    private ClientAuthStep CheckMd5(ReadOnlySpan<byte> answer)
    {
        Span<byte> hash = stackalloc byte[Md5Password.Length];
        var isKnown = _decision.Secret is { } secret && secret.TryGetMd5Hash(_decision.User, hash);
        if (!isKnown)
            Md5Password.Hash(RandomNumberGenerator.GetBytes(16), Encoding.UTF8.GetBytes(_decision.User), hash);
        return Md5Password.Verify(hash, _salt, answer) && isKnown ? Succeed(_decision.Secret) : FailPassword();
    }

    private ClientAuthStep CheckClearText(ReadOnlySpan<byte> answer)
    {
        if (!Utf8.IsValid(answer))
            return FailPassword();
        var password = Encoding.UTF8.GetString(answer);
        if (_decision.IsVerifiedByServer || _decision.Ldap is not null)
            return Succeed(PasswordSecret.FromPlain(password));
        // Always through a verifier, also for a plain secret: the time must not tell whether the user is known.
        var verifier = _decision.Secret?.GetVerifier(_mock.Iterations);
        var fits = (verifier ?? _mock.For(_decision.User)).Fits(password);
        if (verifier is null)
            fits = _decision.Secret is not null && _decision.Secret.Fits(_decision.User, password);
        return fits ? Succeed(PasswordSecret.FromPlain(password)) : FailPassword();
    }

    private ClientAuthStep FeedSaslInitialResponse(ReadOnlySpan<byte> body, MessageWriter output)
    {
        if (!AuthenticationMessages.TryReadSaslInitialResponse(body, out var mechanism, out var data))
            return FailProtocol("malformed SASLInitialResponse message");
        var isPlus = mechanism.SequenceEqual("SCRAM-SHA-256-PLUS"u8);
        if (isPlus ? Binding.IsEmpty : !mechanism.SequenceEqual("SCRAM-SHA-256"u8))
            return FailProtocol("client selected an invalid SASL authentication mechanism");
        _scram = new ScramServer(_decision.Secret?.GetVerifier(_mock.Iterations) ?? _mock.For(_decision.User)) { Binding = Binding, IsPlus = isPlus };
        if (_scram.Start(data, out var answer) != ScramResult.Ok)
            return Fail(_scram.Error!, _scram.Error!.ToString());
        AuthenticationMessages.WriteSaslContinue(output, answer);
        _state = State.AwaitSaslResponse;
        return ClientAuthStep.Continue;
    }

    private ClientAuthStep FeedSaslResponse(ReadOnlySpan<byte> body, MessageWriter output)
    {
        switch (_scram!.Finish(body, out var answer))
        {
            case ScramResult.WrongPassword:
                return FailPassword();
            case ScramResult.Refused:
                return Fail(_scram.Error!, _scram.Error!.ToString());
        }
        AuthenticationMessages.WriteSaslFinal(output, answer);
        var secret = _decision.Secret!;
        return Succeed(
            secret.Kind == PasswordSecretKind.Scram ? PasswordSecret.FromScram(secret.GetVerifier()!, _scram.ClientKeys) : secret);
    }

    private ClientAuthStep Succeed(PasswordSecret? serverSecret)
    {
        _state = State.Ended;
        ServerSecret = serverSecret;
        return ClientAuthStep.Success;
    }

    private ClientAuthStep FailPassword() => Fail(
        ErrorMessage.Fatal(SqlStates.InvalidPassword, $"password authentication failed for user \"{_decision.User}\""),
        _decision.LogReason.Length > 0 ? _decision.LogReason : "password does not match");

    private ClientAuthStep FailProtocol(string message) => Fail(ErrorMessage.Fatal(SqlStates.ProtocolViolation, message), message);

    private ClientAuthStep Fail(ErrorMessage error, string logReason)
    {
        _state = State.Ended;
        Error = error;
        LogReason = logReason;
        return ClientAuthStep.Failure;
    }
}
