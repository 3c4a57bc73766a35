using PgRouter.Core.Configuration;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// <c>pgrouter.pool_mode</c> in a start-up packet: a client chooses between transaction and session for itself. It is the router's word and
/// no setting of a server. Pinning lets a client keep its server anyway, so the choice gives it nothing it could not have; only
/// pool_mode = statement is not the client's to leave, because it is there to forbid transactions.
/// </summary>
internal static class StartupPoolMode
{
    public const string Name = "pgrouter.pool_mode";

    /// <summary>Takes the choice out of the settings; null = none was made. The last one counts, as with every setting.</summary>
    public static bool TryTake(List<KeyValuePair<string, string>> values, out PoolMode? mode, out ErrorMessage? error)
    {
        (mode, error) = (null, null);
        foreach (var (name, value) in values)
        {
            if (!name.Equals(Name, StringComparison.OrdinalIgnoreCase))
                continue;
            mode = value.ToLowerInvariant() switch
            {
                "transaction" => PoolMode.Transaction,
                "session" => PoolMode.Session,
                "statement" => PoolMode.Statement,
                _ => null,
            };
            if (mode is null)
            {
                error = ErrorMessage.Fatal(
                    SqlStates.InvalidParameterValue,
                    $"invalid value for parameter \"{Name}\": \"{value}\"",
                    hint: "Available values: transaction, session, statement.");
                return false;
            }
        }
        values.RemoveAll(pair => pair.Key.Equals(Name, StringComparison.OrdinalIgnoreCase));
        return true;
    }

    /// <summary>Why a client may not have what it chose; null when it may.</summary>
    public static ErrorMessage? Refuse(PoolMode? asked, PoolMode configured) =>
        configured == PoolMode.Statement && asked is not (null or PoolMode.Statement)
            ? ErrorMessage.Fatal(
                SqlStates.InsufficientPrivilege,
                $"permission denied to set parameter \"{Name}\"",
                detail: "pool_mode is statement for this database and user.")
            : null;
}
