namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// DISCARD ALL: sent by drivers that pool their own connections. A console session has no state, so nothing is left to discard.
/// </summary>
internal sealed class DiscardAll() : AdminCommand(
    AdminDialect.PgBouncer, "DISCARD ALL", "for drivers that pool connections: there is nothing to discard")
{
    public override bool IsHidden => true;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken) => ValueTask.FromResult(
        call.Arguments.Count > 0 ? AdminErrors.Unexpected(call.Arguments[0], Name) : new AdminResult { Tag = Name });
}
