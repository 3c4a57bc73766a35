using PgRouter.Core.Configuration;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// When this client's server goes back: by its own choice at login, else as configured for its user and database at that moment. With
/// pool_mode = statement no transaction may stay open at the end of a request.
/// </summary>
internal sealed partial class ClientSession
{
    private readonly PoolMode _poolMode;
    private ErrorMessage? _refusal;

    /// <summary>
    /// Must a request be refused that would leave a transaction open? <see cref="AcquireAsync"/> does it when it is its turn.
    /// </summary>
    private bool IsBlockRefused(bool opensBlock)
    {
        // Behind a Flush the server waits for Sync: what is refused then ends the session, see RefuseTransaction.
        if (!opensBlock || _poolMode != PoolMode.Statement || _unsynced)
            return false;
        _refusal = ErrorMessage.Error(
            SqlStates.FeatureNotSupported,
            "transaction blocks not allowed in statement pooling mode",
            hint: "pool_mode is statement for this database and user: send the statements of a transaction in one query.");
        return true;
    }

    /// <summary>A transaction came to be open that nobody saw coming: in a text too large to look at, or behind an error.</summary>
    private void RefuseTransaction()
    {
        SendNow(ErrorMessage.Fatal(SqlStates.FeatureNotSupported, "transaction blocks not allowed in statement pooling mode"));
        Finish("transaction block in statement mode");
    }
}
