namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SUSPEND: send what is under way, then read no socket until RESUME.</summary>
internal sealed class Suspend() : AdminCommand(
    AdminDialect.PgBouncer, "SUSPEND", "send what is buffered and read no socket until RESUME")
{
    public override AdminAccess Access => AdminAccess.Operate;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override async ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken)
    {
        if (call.Arguments.Count > 0)
            return AdminErrors.Unexpected(call.Arguments[0], Name);
        return await call.Services.Verbs.SuspendAsync(cancellationToken).ConfigureAwait(false) is { } refusal
            ? AdminErrors.Refuse(refusal)
            : new AdminResult { Tag = Name };
    }
}
