namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHUTDOWN, with PgBouncer's words for how long to wait.</summary>
internal sealed class Shutdown() : AdminCommand(
    AdminDialect.PgBouncer, "SHUTDOWN", "stop the router, at once or when servers or clients are done")
{
    public override string Syntax => "SHUTDOWN [WAIT_FOR_SERVERS | WAIT_FOR_CLIENTS]";

    public override AdminAccess Access => AdminAccess.Operate;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken)
    {
        if (Mode(call.Arguments) is not { } mode)
            return ValueTask.FromResult(AdminErrors.Refuse(AdminErrors.SyntaxError, "unknown words after SHUTDOWN", $"Write {Syntax}."));
        call.Services.Verbs.Shutdown(mode);
        return ValueTask.FromResult(new AdminResult { Tag = Name });
    }

    private static ShutdownMode? Mode(IReadOnlyList<string> words) => words.Count switch
    {
        0 => ShutdownMode.Immediate,
        1 when words[0].Equals("WAIT_FOR_SERVERS", StringComparison.OrdinalIgnoreCase) => ShutdownMode.WaitForServers,
        1 when words[0].Equals("WAIT_FOR_CLIENTS", StringComparison.OrdinalIgnoreCase) => ShutdownMode.WaitForClients,
        _ => null,
    };
}
