using System.Globalization;

namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>KILL_CLIENT id: drops one client and the servers it holds.</summary>
internal sealed class KillClient() : AdminCommand(
    AdminDialect.PgBouncer, "KILL_CLIENT", "drop a client, by its id in SHOW CLIENTS, and the servers it holds")
{
    public override string Syntax => "KILL_CLIENT id";

    public override AdminAccess Access => AdminAccess.Operate;

    public override IReadOnlyList<AdminColumn>? Describe(AdminCall call) => null;

    public override async ValueTask<AdminResult> RunAsync(AdminCall call, CancellationToken cancellationToken)
    {
        if (call.Arguments.Count != 1)
            return AdminErrors.Refuse(AdminErrors.SyntaxError, "one client is required", $"Write {Syntax}.");
        if (!int.TryParse(call.Arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return AdminErrors.Refuse(AdminErrors.InvalidParameterValue, $"\"{call.Arguments[0]}\" is no id", "SHOW CLIENTS has it in column id.");
        return await call.Services.Verbs.KillClientAsync(id, cancellationToken).ConfigureAwait(false)
            ? new AdminResult { Tag = Name }
            : AdminErrors.Refuse(AdminErrors.UndefinedObject, "client not found", "SHOW CLIENTS has the ids.");
    }
}
