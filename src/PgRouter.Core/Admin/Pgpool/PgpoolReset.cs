namespace PgRouter.Core.Admin.Pgpool;

/// <summary>PGPOOL RESET: refused, because no setting of this router belongs to one session.</summary>
internal sealed class PgpoolReset() : AdminCommand(AdminDialect.Pgpool, "PGPOOL RESET", "refused: settings hold for all sessions")
{
    public override string Syntax => "PGPOOL RESET name | ALL";

    public override bool IsHidden => true;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AdminErrors.Refuse(Refusal(call)));

    /// <summary>The refusal of PGPOOL SET and RESET on a setting that is there.</summary>
    public static AdminError NotPerSession(string verb, string name) => new(
        AdminErrors.FeatureNotSupported,
        $"PGPOOL {verb} {name} is not supported: settings hold for all sessions",
        "Change the setting in pgpool.conf and reload.");

    private AdminError Refusal(AdminCall call)
    {
        if (call.Arguments.Count == 0)
            return new AdminError(AdminErrors.SyntaxError, "PGPOOL RESET needs a name", $"Write {Syntax}.");
        var name = call.Arguments[0];
        var isKnown = name.Equals("ALL", StringComparison.OrdinalIgnoreCase) || PgpoolShow.Find(call, name) is not null;
        return isKnown ? NotPerSession("RESET", name) : PgpoolShow.UnknownSetting(call, name);
    }
}
