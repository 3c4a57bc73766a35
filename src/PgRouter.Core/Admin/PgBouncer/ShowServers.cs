namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW SERVERS: PgBouncer's columns, then node, use count and PostgreSQL's version.</summary>
internal sealed class ShowServers() : TableCommand<SocketRow>(AdminDialect.PgBouncer, "SHOW SERVERS", "connections to PostgreSQL")
{
    protected override AdminTable<SocketRow> Table { get; } = SocketRow.PgBouncerColumns()
        .Int4("node_id", r => r.NodeId)
        .Int8("use_count", r => r.Count)
        .Text("server_version", r => r.ServerVersion);

    protected override async ValueTask<IEnumerable<SocketRow>> RowsAsync(AdminCall call)
    {
        var servers = await call.Services.Snapshots.ServersAsync().ConfigureAwait(false);
        return servers.OrderBy(s => s.NodeId).ThenBy(s => s.Id).Select(Row);
    }

    private static SocketRow Row(ServerSnapshot server) => new()
    {
        Type = "S",
        User = server.User,
        Database = server.Database,
        State = BouncerWords.ServerState(server.State),
        Replication = server.Replication,
        Address = server.Host,
        Port = server.Port,
        LocalAddress = server.LocalAddress,
        LocalPort = server.LocalPort,
        ConnectTime = server.ConnectTime,
        RequestTime = server.RequestTime,
        CloseNeeded = server.CloseNeeded,
        Pointer = SocketRow.ServerPointer(server.Id),
        Link = server.ClientPid == 0 ? "" : SocketRow.ClientPointer(server.ClientPid),
        RemotePid = server.Pid,
        Tls = server.TlsDescription,
        ApplicationName = server.ApplicationName,
        PreparedStatements = server.PreparedStatements,
        // PgBouncer's type is int4; the id wraps after two thousand million connections.
        Id = (int)(server.Id & int.MaxValue),
        NodeId = server.NodeId,
        Count = server.UseCount,
        ServerVersion = server.ServerVersion,
    };
}
