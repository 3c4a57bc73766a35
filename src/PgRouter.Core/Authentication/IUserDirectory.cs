namespace PgRouter.Core.Authentication;

/// <summary>What only the database knows of its users. Any thread; never blocks. Both throw <see cref="UserLookupException"/> when it cannot be asked.</summary>
internal interface IUserDirectory
{
    /// <summary>auth_query is in force.</summary>
    bool KnowsSecrets { get; }

    /// <summary>The stored secret of a user that may log in (auth_query); null when there is no such user, or its password is not valid any more.</summary>
    Task<PasswordSecret?> SecretOfAsync(string user);

    /// <summary>The roles a user is a member of, directly or through others, itself included; empty for a user that is not known.</summary>
    Task<IReadOnlySet<string>> RolesOfAsync(string user);

    /// <summary>A login failed by what was given here: it is asked again, at most once a second.</summary>
    void Doubt(string user);
}

/// <summary>No node could be asked; the message says why, for the log.</summary>
internal sealed class UserLookupException(string message) : Exception(message);
