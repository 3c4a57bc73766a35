using System.Collections.Concurrent;
using PgRouter.Core.Configuration;
using PgRouter.Core.Servers;

namespace PgRouter.Core.Authentication;

/// <summary>
/// What the router has learned at logins and need not ask again: passwords that clients gave and servers took, whether a server asks for one at all,
/// and the greeting of each (database, user, settings). In memory only. Any thread.
/// </summary>
internal sealed class LoginBook
{
    private static readonly TimeSpan TrustAge = TimeSpan.FromSeconds(60);
    private const int MaxGreetings = 10_000;

    private readonly ConcurrentDictionary<string, PasswordSecret> _learned = new();
    private readonly ConcurrentDictionary<(string Database, string User), (bool Asks, long AtMs)> _demands = new();
    private readonly ConcurrentDictionary<(string Database, string User, SettingsSet Settings), byte[]> _greetings = new();

    private PoolKey? _key;

    public PasswordStore Passwords { get; } = new();

    public HbaStore Hba { get; } = new();

    /// <summary>pg_ident.conf.</summary>
    public IdentMaps Idents { get; private set; } = IdentMaps.Empty;

    public ScramMock Mock { get; private set; } = new();

    /// <summary>What is known of a user's password, for a login to a server: the file first, then what a client showed.</summary>
    public PasswordSecret? SecretFor(string user)
    {
        var stored = Passwords.Current.Find(user);
        if (stored is { Kind: not (PasswordSecretKind.Scram or PasswordSecretKind.Md5) })
            return stored;
        return _learned.TryGetValue(user, out var learned) ? learned : stored;
    }

    /// <summary>
    /// The password to log in with elsewhere than on a loop: empty when nothing is known and the server may not ask; null when only a hash is known.
    /// </summary>
    public string? PasswordFor(string user)
    {
        if (SecretFor(user) is not { } secret)
            return "";
        return secret.TryGetPlain(out var password) ? password : null;
    }

    /// <summary>
    /// The password of an account of the router's own (sr_check_user and its kind), as pgpool has it: as given, with TEXT in front, encrypted with the key of
    /// pool_passwd, or, when it is not given, the one in pool_passwd. Empty = none; null = it cannot be known.
    /// </summary>
    public string? PasswordOf(string user, string given)
    {
        if (given.Length == 0)
            return Passwords.Current.Find(user) is { } stored ? stored.TryGetPlain(out var password) ? password : null : "";
        if (given.StartsWith("TEXT", StringComparison.Ordinal))
            return given[4..];
        return given.StartsWith(PoolKey.Prefix, StringComparison.Ordinal) ? _key?.Decrypt(given[PoolKey.Prefix.Length..]) : given;
    }

    /// <summary>What a client showed of its password.</summary>
    public PasswordSecret? LearnedSecret(string user) => _learned.GetValueOrDefault(user);

    public void Learn(string user, PasswordSecret secret) => _learned[user] = secret;

    /// <summary>Does the server ask this user for a password? Null when not known, or not any more.</summary>
    public bool? AsksForPassword(string database, string user) =>
        _demands.TryGetValue((database, user), out var demand) && Environment.TickCount64 - demand.AtMs < TrustAge.TotalMilliseconds ? demand.Asks : null;

    public void NoteDemand(string database, string user, bool asks) => _demands[(database, user)] = (asks, Environment.TickCount64);

    /// <summary>The ParameterStatus messages for a client with these settings, null when no server has said them yet.</summary>
    public byte[]? Greeting(string database, string user, SettingsSet settings) => _greetings.GetValueOrDefault((database, user, settings));

    public void NoteGreeting(string database, string user, SettingsSet settings, byte[] messages)
    {
        if (_greetings.Count >= MaxGreetings)
            _greetings.Clear();
        _greetings[(database, user, settings)] = messages;
    }

    /// <summary>
    /// Reads pool_passwd and pool_hba.conf again; a file with mistakes leaves the one in force. Returns the mistakes. Verifiers of plain passwords are
    /// made ahead on a thread of the pool, so that no login pays for one on a loop.
    /// </summary>
    public IReadOnlyList<string> LoadFiles(RouterConfig config)
    {
        var before = Passwords.Current;
        var mistakes = LoadPasswords(config);
        if (config.EnablePoolHba)
            mistakes.AddRange(LoadHba(config));
        var file = Passwords.Current;
        ForgetWhatChanged(before, file);
        Mock = Mock.WithIterations(file.IterationsOr(config.ScramIterations));
        ThreadPool.QueueUserWorkItem(_ => file.DeriveVerifiers(config.ScramIterations, CancellationToken.None));
        return mistakes;
    }

    private List<string> LoadPasswords(RouterConfig config)
    {
        var (key, mistake) = PoolKey.Load(config.PoolKeyFile);
        if (mistake is not null)
            return [mistake];
        _key = key;
        var mistakes = new List<string>(Passwords.Reload(config.PoolPasswdFile, key));
        foreach (var (setting, given) in config.AccountPasswords)
        {
            if (PasswordOf("", given) is null)
                mistakes.Add($"{setting}: the password is AES-encrypted, and {(key is null ? "no key is known" : "not with the key that is given")}; see pgrouter.key_file");
        }
        return mistakes;
    }

    /// <summary>What a client showed belongs to the secret it was checked against: with another one in the file it is worth nothing.</summary>
    private void ForgetWhatChanged(PasswordFile before, PasswordFile after)
    {
        foreach (var user in _learned.Keys)
        {
            if (before.Find(user) is { } old && after.Find(user)?.IsSameAs(old) != true)
                _learned.TryRemove(user, out _);
        }
    }

    /// <summary>Lines and maps are put into force together, or not at all.</summary>
    private IReadOnlyList<string> LoadHba(RouterConfig config)
    {
        var (maps, mistakes) = IdentMaps.Load(config.IdentFile);
        if (mistakes.Count > 0)
            return mistakes;
        mistakes = Hba.Reload(config.PoolHbaFile, file => HbaChecks.Find(file, maps, config));
        if (mistakes.Count == 0)
            Idents = maps;
        return mistakes;
    }

    /// <summary>After a reload or a change of primary: everything that servers said is asked again.</summary>
    public void ForgetServers()
    {
        _demands.Clear();
        _greetings.Clear();
    }
}
