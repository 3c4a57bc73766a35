namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>SHOW CLIENTS: PgBouncer's columns, then node, pin and statement count.</summary>
internal sealed class ShowClients() : TableCommand<SocketRow>(AdminDialect.PgBouncer, "SHOW CLIENTS", "client connections")
{
    protected override AdminTable<SocketRow> Table { get; } = SocketRow.PgBouncerColumns()
        .Int4("node_id", r => r.NodeId)
        .Text("pinned", r => r.Pinned)
        .UtcText("pinned_since", r => r.PinnedSince)
        .Int8("query_count", r => r.Count);

    protected override async ValueTask<IEnumerable<SocketRow>> RowsAsync(AdminCall call)
    {
        var clients = await call.Services.Snapshots.ClientsAsync().ConfigureAwait(false);
        var servers = await call.Services.Snapshots.ServersAsync().ConfigureAwait(false);
        var held = servers.Where(s => s.ClientPid != 0).ToLookup(s => s.ClientPid);
        return clients.OrderBy(c => c.Pid).Select(c => Row(c, held[c.Pid].FirstOrDefault()));
    }

    private static SocketRow Row(ClientSnapshot client, ServerSnapshot? server) => new()
    {
        Type = "C",
        User = client.User,
        Database = client.Database,
        Replication = client.Replication,
        State = BouncerWords.ClientState(client.State),
        Address = client.Address,
        Port = client.Port,
        LocalAddress = client.LocalAddress,
        LocalPort = client.LocalPort,
        ConnectTime = client.ConnectTime,
        RequestTime = client.RequestTime,
        Wait = client.Wait,
        Pointer = SocketRow.ClientPointer(client.Pid),
        Link = server is null ? "" : SocketRow.ServerPointer(server.Id),
        RemotePid = client.PeerPid,
        Tls = client.IsTls && client.TlsDescription.Length == 0 ? "TLS" : client.TlsDescription,
        ApplicationName = client.ApplicationName,
        PreparedStatements = client.PreparedStatements,
        Id = client.Pid,
        NodeId = client.NodeId < 0 ? null : client.NodeId,
        Pinned = client.Pinned,
        PinnedSince = client.PinnedSince,
        Count = client.QueryCount,
    };
}
