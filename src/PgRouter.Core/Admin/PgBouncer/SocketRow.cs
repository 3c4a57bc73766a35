namespace PgRouter.Core.Admin.PgBouncer;

/// <summary>
/// One row of SHOW CLIENTS or SHOW SERVERS, which share their columns. A client and the server it holds name each other in ptr and link.
/// </summary>
internal sealed record SocketRow
{
    public required string Type { get; init; }

    public required string User { get; init; }

    public required string Database { get; init; }

    public required string State { get; init; }

    public string Replication { get; init; } = "none";

    public string Address { get; init; } = "";

    public int Port { get; init; }

    public string LocalAddress { get; init; } = "";

    public int LocalPort { get; init; }

    public DateTimeOffset ConnectTime { get; init; }

    public DateTimeOffset RequestTime { get; init; }

    public TimeSpan Wait { get; init; }

    public bool CloseNeeded { get; init; }

    public required string Pointer { get; init; }

    public string Link { get; init; } = "";

    public int RemotePid { get; init; }

    public string Tls { get; init; } = "";

    public string ApplicationName { get; init; } = "";

    public int PreparedStatements { get; init; }

    public int Id { get; init; }

    /// <summary>Node of the server, or of the server the client holds; null when it holds none.</summary>
    public int? NodeId { get; init; }

    /// <summary>Why the client keeps its server between transactions; empty when it does not.</summary>
    public string Pinned { get; init; } = "";

    public DateTimeOffset? PinnedSince { get; init; }

    /// <summary>Statements of the client, or clients the server has served.</summary>
    public long Count { get; init; }

    /// <summary>PostgreSQL's version on a server; empty for a client.</summary>
    public string ServerVersion { get; init; } = "";

    /// <summary>PgBouncer's 21 columns with its types.</summary>
    public static AdminTable<SocketRow> PgBouncerColumns() => new AdminTable<SocketRow>()
        .Text("type", r => r.Type)
        .Text("user", r => r.User)
        .Text("database", r => r.Database)
        .Text("replication", r => r.Replication)
        .Text("state", r => r.State)
        .Text("addr", r => r.Address)
        .Int4("port", r => r.Port)
        .Text("local_addr", r => r.LocalAddress)
        .Int4("local_port", r => r.LocalPort)
        .UtcText("connect_time", r => r.ConnectTime)
        .UtcText("request_time", r => r.RequestTime)
        .Int4("wait", r => (int)r.Wait.TotalSeconds)
        .Int4("wait_us", r => MicrosecondsOfSecond(r.Wait))
        .Int4("close_needed", r => r.CloseNeeded ? 1 : 0)
        .Text("ptr", r => r.Pointer)
        .Text("link", r => r.Link)
        .Int4("remote_pid", r => r.RemotePid)
        .Text("tls", r => r.Tls)
        .Text("application_name", r => r.ApplicationName)
        .Int4("prepared_statements", r => r.PreparedStatements)
        .Int4("id", r => r.Id);

    /// <summary>What is left of a duration beyond whole seconds, in microseconds.</summary>
    public static int MicrosecondsOfSecond(TimeSpan value) => (int)(value.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);

    public static string ClientPointer(int pid) => $"C{pid}";

    public static string ServerPointer(long id) => $"S{id}";
}
