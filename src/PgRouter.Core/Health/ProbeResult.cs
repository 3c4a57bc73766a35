namespace PgRouter.Core.Health;

/// <summary>What one probe of a node came to. A failure is a value: a probe never throws.</summary>
internal sealed record ProbeResult
{
    public required ProbeOutcome Outcome { get; init; }

    /// <summary>What the node answered; null unless <see cref="ProbeOutcome.Answered"/>.</summary>
    public NodeFacts? Facts { get; init; }

    /// <summary>Why there are no facts, in words for the log and for SHOW; never holds a password.</summary>
    public string Reason { get; init; } = "";

    /// <summary>SQLSTATE of the refusal, empty when there was no ErrorResponse.</summary>
    public string SqlState { get; init; } = "";

    /// <summary>True when the node serves clients, as far as one can see.</summary>
    public bool IsGood => Outcome is ProbeOutcome.Answered or ProbeOutcome.LoginRefused;

    public static ProbeResult Answered(NodeFacts facts) => new() { Outcome = ProbeOutcome.Answered, Facts = facts };

    public static ProbeResult LoginRefused(string reason, string sqlState = "") =>
        new() { Outcome = ProbeOutcome.LoginRefused, Reason = reason, SqlState = sqlState };

    public static ProbeResult Failed(string reason, string sqlState = "") =>
        new() { Outcome = ProbeOutcome.Failed, Reason = reason, SqlState = sqlState };
}

/// <summary>Stage that a probe reached.</summary>
internal enum ProbeOutcome : byte
{
    /// <summary>No answer, a broken connection, 57P01..57P03, or a query that failed.</summary>
    Failed,

    /// <summary>
    /// The node answers, but not to us: authentication, missing database, too many clients, or no user configured. It counts as up (PQping
    /// says the same), but its role and positions are unknown.
    /// </summary>
    LoginRefused,

    /// <summary>The probe's query ran.</summary>
    Answered,
}
