namespace PgRouter.Core.Admin.Pgpool;

/// <summary>PGPOOL SET: refused, because no setting of this router belongs to one session.</summary>
internal sealed class PgpoolSet() : AdminCommand(AdminDialect.Pgpool, "PGPOOL SET", "refused: settings hold for all sessions")
{
    public override string Syntax => "PGPOOL SET name TO value";

    public override bool IsHidden => true;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AdminErrors.Refuse(Refusal(call)));

    private AdminError Refusal(AdminCall call)
    {
        if (call.Arguments.Count == 0)
            return new AdminError(AdminErrors.SyntaxError, "PGPOOL SET needs a name and a value", $"Write {Syntax}.");
        var name = call.Arguments[0];
        if (name.Equals("CACHE", StringComparison.OrdinalIgnoreCase))
            return new AdminError(AdminErrors.FeatureNotSupported,
                "PGPOOL SET CACHE is not supported: there is no query cache in this router");
        return PgpoolShow.Find(call, name) is null ? PgpoolShow.UnknownSetting(call, name) : PgpoolReset.NotPerSession("SET", name);
    }
}
