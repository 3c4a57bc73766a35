namespace PgRouter.Core.Catalog;

/// <summary>An account to read a database's catalog with. Any account will do: pg_proc and its kind are open to all.</summary>
/// <param name="User">The role.</param>
/// <param name="Password">Null = none, which is enough for trust.</param>
internal sealed record CatalogAccount(string User, string? Password)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"user={User}";
}
