namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW HELP: every command with one line on it. PgBouncer sends a notice; rows can be read by any client.</summary>
internal sealed class ShowHelp() : TableCommand<AdminCommand>(AdminDialect.PgBouncer, "SHOW HELP", "this list")
{
    protected override AdminTable<AdminCommand> Table { get; } = new AdminTable<AdminCommand>()
        .Text("command", c => c.Syntax)
        .Text("description", c => c.Summary);

    protected override ValueTask<IEnumerable<AdminCommand>> RowsAsync(AdminCall call) =>
        ValueTask.FromResult(call.Services.Commands.Where(c => !c.IsHidden));
}
