using System.Security.Cryptography;
using System.Text;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>How a secret is stored, which decides what it can be used for.</summary>
internal enum PasswordSecretKind : byte
{
    /// <summary>The password itself: good for every method, on both sides.</summary>
    Plain,

    /// <summary>"md5" + hash: checks clear text and md5 logins, and logs in to servers that ask for md5.</summary>
    Md5,

    /// <summary>A SCRAM verifier: checks clear text and SCRAM logins; logs in to servers only together with the client's keys.</summary>
    Scram,
}

/// <summary>
/// What is known of one user's password. Safe to share between threads. Nothing of the secret shows in <see cref="ToString"/>.
/// </summary>
internal sealed class PasswordSecret
{
    private readonly string? _plain;
    private readonly byte[]? _md5Hash;
    private readonly ScramKeys? _knownKeys;

    // Both are remembered results of the same pure functions: a race costs a second computation and nothing else.
    private volatile ScramVerifier? _verifier;
    private volatile DerivedKeys? _derived;

    private PasswordSecret(
        PasswordSecretKind kind, string? plain = null, byte[]? md5Hash = null, ScramVerifier? verifier = null, ScramKeys? keys = null)
    {
        Kind = kind;
        _plain = plain;
        _md5Hash = md5Hash;
        _verifier = verifier;
        _knownKeys = keys;
    }

    public PasswordSecretKind Kind { get; }

    /// <summary>True when it can log in to a server that asks for SCRAM.</summary>
    public bool CanLogInWithScram => Kind == PasswordSecretKind.Plain || _knownKeys is not null;

    /// <summary><see cref="GetVerifier"/> costs nothing.</summary>
    public bool HasVerifier => _verifier is not null || _plain is null;

    /// <exception cref="ArgumentException">The password is empty: PostgreSQL never accepts one.</exception>
    public static PasswordSecret FromPlain(string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(password);
        return new PasswordSecret(PasswordSecretKind.Plain, plain: password);
    }

    /// <param name="hash">"md5" and 32 hexadecimal digits.</param>
    /// <exception cref="ArgumentException">It is not an md5 hash.</exception>
    public static PasswordSecret FromMd5(string hash)
    {
        if (!Md5Password.IsHash(hash))
            throw new ArgumentException("An md5 hash is \"md5\" followed by 32 hexadecimal digits.", nameof(hash));
        return new PasswordSecret(PasswordSecretKind.Md5, md5Hash: Encoding.ASCII.GetBytes(hash.ToLowerInvariant()));
    }

    /// <param name="verifier">As stored in pg_authid.</param>
    /// <param name="keys">The keys learned from a client that logged in against the same verifier; null = not known (yet).</param>
    public static PasswordSecret FromScram(ScramVerifier verifier, ScramKeys? keys = null) =>
        new(PasswordSecretKind.Scram, verifier: verifier, keys: keys);

    /// <summary>
    /// The verifier to check a SCRAM login against; null when only an md5 hash is known. Costs one PBKDF2 the first time for a plain
    /// password.
    /// </summary>
    public ScramVerifier? GetVerifier(int iterations = ScramVerifier.DefaultIterations) =>
        _verifier ?? (_plain is null ? null : _verifier = ScramVerifier.FromPassword(_plain, iterations));

    /// <summary>Writes the md5 hash for this user into 35 bytes; false when only a SCRAM verifier is known.</summary>
    public bool TryGetMd5Hash(string user, Span<byte> hash)
    {
        if (_md5Hash is not null)
            _md5Hash.CopyTo(hash);
        else if (_plain is not null)
            Md5Password.Hash(Encoding.UTF8.GetBytes(_plain), Encoding.UTF8.GetBytes(user), hash);
        else
            return false;
        return true;
    }

    /// <summary>The password to send to a server that asks for clear text; false when it is not known.</summary>
    public bool TryGetPlain(out string password)
    {
        password = _plain ?? "";
        return _plain is not null;
    }

    /// <summary>
    /// The keys to log in with at a server that names this salt and count; null when they cannot be known, as when the server holds another
    /// verifier than the one the keys belong to. For a plain password it costs one PBKDF2; the last result is remembered, since the nodes
    /// of one cluster hold the same verifier.
    /// </summary>
    public ScramKeys? GetKeys(ReadOnlySpan<byte> salt, int iterations)
    {
        if (_plain is null)
            return _verifier is { } own && own.Iterations == iterations && salt.SequenceEqual(own.Salt.Span) ? _knownKeys : null;
        var derived = _derived;
        if (derived is null || derived.Iterations != iterations || !salt.SequenceEqual(derived.Salt))
            _derived = derived = new DerivedKeys(salt.ToArray(), iterations, ScramKeys.Derive(_plain, salt, iterations));
        return derived.Keys;
    }

    /// <summary>Is this clear-text password the right one? Constant time for one kind; costs one PBKDF2 for a verifier.</summary>
    public bool Fits(string user, string password)
    {
        switch (Kind)
        {
            case PasswordSecretKind.Plain:
                return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(_plain!), Encoding.UTF8.GetBytes(password));
            case PasswordSecretKind.Md5:
                Span<byte> hash = stackalloc byte[Md5Password.Length];
                Md5Password.Hash(Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes(user), hash);
                return CryptographicOperations.FixedTimeEquals(hash, _md5Hash);
            default:
                return _verifier!.Fits(password);
        }
    }

    /// <summary>The same form with the same content?</summary>
    public bool IsSameAs(PasswordSecret other) => Kind == other.Kind && Kind switch
    {
        PasswordSecretKind.Plain => _plain == other._plain,
        PasswordSecretKind.Md5 => _md5Hash.AsSpan().SequenceEqual(other._md5Hash),
        _ => _verifier!.Iterations == other._verifier!.Iterations && _verifier.Salt.Span.SequenceEqual(other._verifier.Salt.Span)
            && _verifier.StoredKey.Span.SequenceEqual(other._verifier.StoredKey.Span),
    };

    public override string ToString() => $"PasswordSecret({Kind}, ***)";

    private sealed record DerivedKeys(byte[] Salt, int Iterations, ScramKeys Keys)
    {
        public override string ToString() => "DerivedKeys(***)";
    }
}
