namespace PgRouter.Core.Admin.Pgpool;

/// <summary>
/// SHOW ROUTES: how many statements each rule sent to each node, and the shapes that were sent most. What others ask is shown to admins only, though the
/// constants are left out.
/// </summary>
internal sealed class ShowRoutes() : TableCommand<ShowRoutes.Row>(
    AdminDialect.Pgpool, "SHOW ROUTES", "statements by node and reason, and the busiest shapes")
{
    private const string Hidden = "<insufficient privilege>";

    protected override AdminTable<Row> Table { get; } = new AdminTable<Row>()
        .Text("kind", r => r.Kind)
        .Int4("node_id", r => r.NodeId < 0 ? null : r.NodeId)
        .Text("reason", r => r.Reason)
        .Int8("statements", r => r.Statements)
        .Int8("refused", r => r.Refused)
        .Text("shape", r => r.Shape);

    protected override async ValueTask<IEnumerable<Row>> RowsAsync(AdminCall call)
    {
        var routes = await call.Services.Snapshots.RoutesAsync().ConfigureAwait(false);
        var maySee = call.Services.Snapshots.Config.AdminUsers.Contains(call.Context.User, StringComparer.Ordinal);
        return
        [
            .. routes.Counts.OrderBy(c => c.NodeId).ThenByDescending(c => c.Statements)
                .Select(c => new Row("node", c.NodeId, c.Reason, c.Statements, c.Refused, null)),
            .. routes.Shapes.Select(s => new Row("shape", s.NodeId, s.Reason, s.Statements, null, maySee ? s.Text : Hidden)),
        ];
    }

    internal sealed record Row(string Kind, int NodeId, string Reason, long Statements, long? Refused, string? Shape);
}
