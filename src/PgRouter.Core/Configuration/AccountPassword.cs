namespace PgRouter.Core.Configuration;

/// <summary>
/// Turns the password that is configured for an account of the router's own into the one to log in with: it may be encrypted, or stand in pool_passwd.
/// Empty = none; null = it cannot be known.
/// </summary>
internal delegate string? AccountPassword(string user, string given);
