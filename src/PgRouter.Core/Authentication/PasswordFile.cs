using System.Collections.Frozen;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>
/// The users of one password file, read whole: lines of pgpool's pool_passwd (<c>user:secret</c>) and of PgBouncer's userlist.txt
/// (<c>"user" "secret"</c>), told apart line by line. Immutable; never shows a secret.
/// </summary>
internal sealed class PasswordFile
{
    public static readonly PasswordFile Empty = new(FrozenDictionary<string, PasswordSecret>.Empty);

    private readonly FrozenDictionary<string, PasswordSecret> _users;

    private PasswordFile(FrozenDictionary<string, PasswordSecret> users)
    {
        _users = users;
        IsMostlyVerifiers = users.Values.Count(secret => secret.Kind == PasswordSecretKind.Scram) * 2 > users.Count;
    }

    public int Count => _users.Count;

    public IReadOnlyList<string> Users => _users.Keys;

    /// <summary>What is known of this user's password; null for a user that is not in the file or has no password there.</summary>
    public PasswordSecret? Find(string user) => _users.GetValueOrDefault(user);

    /// <summary>Most of the secrets are SCRAM verifiers.</summary>
    public bool IsMostlyVerifiers { get; }

    /// <summary>
    /// Iterations to show to users that are not in the file: those of a verifier in it, so that they do not stand out.
    /// </summary>
    /// <param name="common">scram_iterations, when there is no verifier in it.</param>
    public int IterationsOr(int common) =>
        _users.Values.FirstOrDefault(secret => secret.Kind == PasswordSecretKind.Scram)?.GetVerifier()?.Iterations ?? common;

    /// <summary>
    /// Makes the SCRAM verifiers of all plain passwords ahead of the first login, about a millisecond each. Meant for a thread of its own;
    /// without it
    /// the first SCRAM login of a user pays, which also tells that the user exists.
    /// </summary>
    /// <param name="common">scram_iterations.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public void DeriveVerifiers(int common, CancellationToken cancellationToken)
    {
        var iterations = IterationsOr(common);
        foreach (var secret in _users.Values)
        {
            if (cancellationToken.IsCancellationRequested)
                return;
            secret.GetVerifier(iterations);
        }
    }

    /// <summary>Reads a file; a file that cannot be read is a mistake like any other.</summary>
    public static PasswordFileResult Load(string path, PoolKey? key = null)
    {
        try
        {
            return Parse(File.ReadAllText(path), path, key);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new PasswordFileResult(Empty, [$"{path}: cannot read the password file: {exception.Message}"]);
        }
    }

    /// <summary>Reads the text of a file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="path">Where it comes from.</param>
    /// <param name="key">For passwords that are encrypted; null = none is known.</param>
    public static PasswordFileResult Parse(string text, string path, PoolKey? key = null)
    {
        var users = new Dictionary<string, PasswordSecret>(StringComparer.Ordinal);
        var firstLines = new Dictionary<string, int>(StringComparer.Ordinal);
        var mistakes = new List<string>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r');
            if (line.AsSpan().Trim().IsEmpty || line.TrimStart()[0] is '#' or ';')
                continue;
            var entry = ParseLine(line, key);
            if (entry.Mistake is null && !firstLines.TryAdd(entry.User, number))
                entry = PasswordLine.Wrong($"user \"{entry.User}\" stands in line {firstLines[entry.User]} already; remove one of the two");
            if (entry.Mistake is not null)
                mistakes.Add($"{path}:{number}: {entry.Mistake}");
            else if (entry.Secret is not null)
                users.Add(entry.User, entry.Secret);
        }
        return new PasswordFileResult(new PasswordFile(users.ToFrozenDictionary(StringComparer.Ordinal)), mistakes);
    }

    public override string ToString() => $"PasswordFile({Count} users)";

    private static PasswordLine ParseLine(string line, PoolKey? key)
    {
        // The protocol ends strings at a NUL, so a name or password with one could never be sent.
        if (line.Contains('\0', StringComparison.Ordinal))
            return PasswordLine.Wrong("the line contains a NUL byte; is this a text file in UTF-8?");
        return line.TrimStart()[0] == '"' ? UserListLine.Parse(line) : ParsePoolPasswdLine(line, key);
    }

    private static PasswordLine ParsePoolPasswdLine(string line, PoolKey? key)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return PasswordLine.Wrong("expected user:secret or \"user\" \"secret\"");
        if (colon == 0)
            return PasswordLine.Wrong("the user name before the colon is empty");
        var user = line[..colon];
        var secret = line[(colon + 1)..];
        if (secret.Length == 0)
            return PasswordLine.Wrong($"the secret of user \"{user}\" is empty");
        if (secret.StartsWith("TEXT", StringComparison.Ordinal))
        {
            return secret.Length == 4
                ? PasswordLine.Wrong($"the secret of user \"{user}\" is empty behind TEXT")
                : new PasswordLine(user, PasswordSecret.FromPlain(secret[4..]), null);
        }
        if (secret.StartsWith(PoolKey.Prefix, StringComparison.Ordinal))
            return FromEncrypted(user, secret[PoolKey.Prefix.Length..], key);
        return PasswordLine.FromStored(user, secret);
    }

    private static PasswordLine FromEncrypted(string user, string secret, PoolKey? key)
    {
        if (key is null)
        {
            return PasswordLine.Wrong(
                $"the secret of user \"{user}\" is AES-encrypted, and no key is known; name its file with pgrouter.key_file, -k or PGPOOLKEYFILE");
        }
        return key.Decrypt(secret) is { Length: > 0 } password
            ? new PasswordLine(user, PasswordSecret.FromPlain(password), null)
            : PasswordLine.Wrong($"the secret of user \"{user}\" was not encrypted with the key that is given; make it anew with pg_enc");
    }
}

/// <summary>What reading a password file gave: the users of all good lines, and every mistake as "file:line: what".</summary>
internal sealed record PasswordFileResult(PasswordFile File, IReadOnlyList<string> Mistakes);
