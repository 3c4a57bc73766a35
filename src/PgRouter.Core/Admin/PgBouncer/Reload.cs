namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>RELOAD: reads the configuration and the files beside it again; a file with a mistake leaves what was read before, and the mistakes are the answer.</summary>
internal sealed class Reload() : AdminCommand(AdminDialect.PgBouncer, "RELOAD", "read the configuration again")
{
    public override AdminAccess Access => AdminAccess.Operate;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override async ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken)
    {
        if (call.Arguments.Count > 0)
            return AdminErrors.Unexpected(call.Arguments[0], Name);
        var mistakes = await call.Services.Verbs.ReloadAsync(cancellationToken).ConfigureAwait(false);
        return mistakes.Count == 0
            ? new AdminResult { Tag = Name }
            : AdminErrors.Refuse(
                AdminErrors.ConfigFileError, "the configuration was not wholly reloaded: " + string.Join(" ", mistakes),
                "What was in force before is still.");
    }
}
