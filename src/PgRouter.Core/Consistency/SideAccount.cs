namespace PgRouter.Core.Consistency;

/// <summary>An account for the side connections. Any will do: positions are open to all.</summary>
/// <param name="Database">Where to log in.</param>
/// <param name="User">The role.</param>
/// <param name="Password">Null or empty = none, which is enough for trust.</param>
internal sealed record SideAccount(string Database, string User, string? Password)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"user={User} database={Database}";
}
