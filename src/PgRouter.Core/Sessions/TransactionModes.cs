using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The modes of a transaction as far as they decide where it may run: what BEGIN and SET TRANSACTION say, over the defaults of the session. A value.
/// </summary>
/// <param name="IsReadOnly">READ ONLY.</param>
/// <param name="Isolation">The level in lower case; null when nobody has said it and the server's default is not known.</param>
internal readonly record struct TransactionModes(bool IsReadOnly, string? Isolation)
{
    public const string Serializable = "serializable";

    public bool IsSerializable => Isolation == Serializable;

    /// <summary>A statement has asked for what a standby refuses to hear, whatever was said after it.</summary>
    public bool WasRefused { get; init; }

    /// <summary>
    /// A standby runs nothing but transactions that are READ ONLY, and of those none that is serializable (26.4. Hot Standby).
    /// </summary>
    public bool FitsStandby => IsReadOnly && !IsSerializable && !WasRefused;

    /// <summary>Each statement sees what was committed before it, so that nothing ties two of them to one node.</summary>
    public bool HasSnapshotPerStatement => Isolation is "read committed" or "read uncommitted";

    /// <summary>With what a statement says of them: BEGIN, START TRANSACTION, SET TRANSACTION, SET transaction_read_only and its kind.</summary>
    public TransactionModes With(Statement statement) => new(statement.ReadOnly ?? IsReadOnly, statement.Isolation ?? Isolation)
    {
        WasRefused = WasRefused || statement.ReadOnly == false || statement.Isolation == Serializable,
    };

    /// <summary>The text that begins such a transaction, as long as it was not refused.</summary>
    public string BeginText() => $"BEGIN{(Isolation is null ? "" : $" ISOLATION LEVEL {Isolation.ToUpperInvariant()}")}{(IsReadOnly ? " READ ONLY" : "")}";
}
