namespace PgRouter.Core.Sessions;

/// <summary>
/// What a standby says because it is one. Only the SQLSTATE is read, for messages are translated: 0A000 and 55000 stand for much else besides,
/// so that whether it was the standby's fault shows only when the primary has been asked.
/// </summary>
internal static class RecoveryErrors
{
    /// <summary>It writes: "cannot execute INSERT in a read-only transaction", "cannot execute nextval() in a read-only transaction".</summary>
    public static bool IsReadOnly(ReadOnlySpan<byte> code) => code.SequenceEqual("25006"u8);

    /// <summary>
    /// "canceling statement due to conflict with recovery": nothing else serializes on a standby. Not the statement's doing, so that it says nothing of
    /// the next time.
    /// </summary>
    public static bool IsConflict(ReadOnlySpan<byte> code) => code.SequenceEqual("40001"u8);

    /// <summary>
    /// All of them; the rest are "recovery is in progress" (55000), "cannot access temporary or unlogged relations during recovery" and "cannot use
    /// serializable mode in a hot standby" (0A000).
    /// </summary>
    public static bool Contains(ReadOnlySpan<byte> code) =>
        IsReadOnly(code) || IsConflict(code) || code.SequenceEqual("55000"u8) || code.SequenceEqual("0A000"u8);
}
