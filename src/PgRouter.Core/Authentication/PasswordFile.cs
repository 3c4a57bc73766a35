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
    }

    public int Count => _users.Count;

    public IReadOnlyList<string> Users => _users.Keys;

    /// <summary>What is known of this user's password; null for a user that is not in the file or has no password there.</summary>
    public PasswordSecret? Find(string user) => _users.GetValueOrDefault(user);

    /// <summary>
    /// Iterations to show to users that are not in the file: those of a verifier in it, so that they do not stand out.
    /// </summary>
    public int ScramIterations =>
        _users.Values.FirstOrDefault(secret => secret.Kind == PasswordSecretKind.Scram)?.GetVerifier()?.Iterations
        ?? ScramVerifier.DefaultIterations;

    /// <summary>
    /// Makes the SCRAM verifiers of all plain passwords ahead of the first login, about a millisecond each. Meant for a thread of its own;
    /// without it
    /// the first SCRAM login of a user pays, which also tells that the user exists.
    /// </summary>
    public void DeriveVerifiers(CancellationToken cancellationToken)
    {
        var iterations = ScramIterations;
        foreach (var secret in _users.Values)
        {
            if (cancellationToken.IsCancellationRequested)
                return;
            secret.GetVerifier(iterations);
        }
    }

    /// <summary>Reads a file; a file that cannot be read is a mistake like any other.</summary>
    public static PasswordFileResult Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new PasswordFileResult(Empty, [$"{path}: cannot read the password file: {exception.Message}"]);
        }
    }

    /// <summary>Reads the text of a file; <paramref name="path"/> is for the mistakes only.</summary>
    public static PasswordFileResult Parse(string text, string path)
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
            var entry = ParseLine(line);
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

    private static PasswordLine ParseLine(string line)
    {
        // The protocol ends strings at a NUL, so a name or password with one could never be sent.
        if (line.Contains('\0', StringComparison.Ordinal))
            return PasswordLine.Wrong("the line contains a NUL byte; is this a text file in UTF-8?");
        return line.TrimStart()[0] == '"' ? UserListLine.Parse(line) : ParsePoolPasswdLine(line);
    }

    private static PasswordLine ParsePoolPasswdLine(string line)
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
        if (secret.StartsWith("AES", StringComparison.Ordinal))
        {
            return PasswordLine.Wrong(
                $"the secret of user \"{user}\" is AES-encrypted, which is not supported; "
                + "write TEXT and the password, an md5 hash or a SCRAM-SHA-256 verifier");
        }
        return PasswordLine.FromStored(user, secret);
    }
}

/// <summary>What reading a password file gave: the users of all good lines, and every mistake as "file:line: what".</summary>
internal sealed record PasswordFileResult(PasswordFile File, IReadOnlyList<string> Mistakes);
