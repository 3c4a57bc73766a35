using PgRouter.Core.Authentication;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Users;

/// <summary>Secrets by auth_query and memberships of roles, remembered for pgrouter.auth_cache_time. Any thread.</summary>
internal sealed class UserDirectory : IUserDirectory, IDisposable
{
    private readonly Func<RouterConfig> _config;
    private readonly TimeProvider _time;
    private readonly LookupCache<Known?> _secrets;
    private readonly LookupCache<IReadOnlySet<string>> _roles;

    public UserDirectory(Func<string, Task<StoredUser?>> find, Func<string, Task<IReadOnlySet<string>>> rolesOf, Func<RouterConfig> config, TimeProvider time)
    {
        (_config, _time) = (config, time);
        Func<TimeSpan> age = () => config().AuthCacheTime;
        _secrets = new LookupCache<Known?>(async user => Read(user, await find(user).ConfigureAwait(false)), age, time);
        _roles = new LookupCache<IReadOnlySet<string>>(rolesOf, age, time);
    }

    /// <summary>Answers about secrets that are kept.</summary>
    public int RememberedSecrets => _secrets.Count;

    public bool KnowsSecrets => _config().AuthUser.Length > 0;

    public async Task<PasswordSecret?> SecretOfAsync(string user)
    {
        var known = await _secrets.GetAsync(user).ConfigureAwait(false);
        // Asked at each login, so that a password ends at its time and not when the answer is asked for anew.
        return known is null || known.ValidUntil <= _time.GetUtcNow() ? null : known.Secret;
    }

    public Task<IReadOnlySet<string>> RolesOfAsync(string user) => _roles.GetAsync(user);

    public void Doubt(string user)
    {
        _secrets.Doubt(user);
        _roles.Doubt(user);
    }

    /// <summary>After a reload everything is asked anew.</summary>
    public void Forget()
    {
        _secrets.Clear();
        _roles.Clear();
    }

    public void Dispose()
    {
        _secrets.Dispose();
        _roles.Dispose();
    }

    private static Known? Read(string user, StoredUser? stored)
    {
        if (stored?.Secret is not { Length: > 0 } text)
            return null;
        var line = PasswordLine.FromStored(user, text);
        return line.Secret is { } secret
            ? new Known(secret, stored.ValidUntil ?? DateTimeOffset.MaxValue)
            : throw new UserLookupException($"auth_query: {line.Mistake}");
    }

    private sealed record Known(PasswordSecret Secret, DateTimeOffset ValidUntil);
}
