using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The modes of a transaction as far as they decide where it may run: what BEGIN and SET TRANSACTION say, over the defaults of the session. A value.
/// </summary>
internal readonly record struct TransactionModes(bool IsReadOnly, bool IsSerializable)
{
    /// <summary>A statement has asked for what a standby refuses to hear, whatever was said after it.</summary>
    public bool WasRefused { get; init; }

    /// <summary>
    /// A standby runs nothing but transactions that are READ ONLY, and of those none that is serializable (26.4. Hot Standby).
    /// </summary>
    public bool FitsStandby => IsReadOnly && !IsSerializable && !WasRefused;

    /// <summary>With what a statement says of them: BEGIN, START TRANSACTION, SET TRANSACTION, SET transaction_read_only and its kind.</summary>
    public TransactionModes With(Statement statement) => new(
        statement.ReadOnly ?? IsReadOnly,
        statement.Isolation is { } isolation ? isolation == "serializable" : IsSerializable)
    {
        WasRefused = WasRefused || statement.ReadOnly == false || statement.Isolation == "serializable",
    };
}
