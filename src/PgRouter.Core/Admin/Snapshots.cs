using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;

namespace PgRouter.Core.Admin;

/// <summary>
/// What the consoles may read: copies taken at one moment. The data plane implements it by asking each loop and adding up;
/// nothing in Admin ever touches a live session, pool or server. Safe to call from any thread.
/// </summary>
internal interface IRouterSnapshots
{
    ClusterView Cluster { get; }

    RouterConfig Config { get; }

    DateTimeOffset StartTime { get; }

    ValueTask<IReadOnlyList<ClientSnapshot>> ClientsAsync();

    ValueTask<IReadOnlyList<ServerSnapshot>> ServersAsync();

    ValueTask<IReadOnlyList<PoolSnapshot>> PoolsAsync();

    ValueTask<IReadOnlyList<ListenerSnapshot>> ListenersAsync();

    /// <summary>Totals since start, one per database.</summary>
    ValueTask<IReadOnlyList<DatabaseStatistics>> DatabasesAsync();

    /// <summary>Totals since start, one per node.</summary>
    ValueTask<IReadOnlyList<NodeStatistics>> NodesAsync();

    /// <summary>Requests since start by node and reason, and the busiest shapes.</summary>
    ValueTask<RouteStatistics> RoutesAsync();

    IReadOnlyList<HealthStatistics> HealthChecks();

    /// <summary>What operators have stopped: the router as a whole, and each database that was named or used.</summary>
    StopSnapshot Stops();
}

/// <summary>PAUSE, SUSPEND and DISABLE as they hold now.</summary>
internal sealed record StopSnapshot(bool IsPaused, bool IsSuspended, IReadOnlyList<DatabaseStop> Databases)
{
    public static StopSnapshot None { get; } = new(false, false, []);
}

/// <summary>One database: paused by its own name or with all others; new clients refused.</summary>
internal sealed record DatabaseStop(string Database, bool IsPaused, bool IsDisabled);

/// <summary>One client session.</summary>
internal sealed record ClientSnapshot
{
    /// <summary>The pid the client was given in BackendKeyData; unique in the process.</summary>
    public required int Pid { get; init; }

    public required string User { get; init; }

    public required string Database { get; init; }

    /// <summary>active, waiting, idle, idle_in_transaction, login.</summary>
    public required string State { get; init; }

    /// <summary>Remote address, "unix" for a Unix-domain socket.</summary>
    public string Address { get; init; } = "";

    public int Port { get; init; }

    public string LocalAddress { get; init; } = "";

    public int LocalPort { get; init; }

    public string ApplicationName { get; init; } = "";

    public DateTimeOffset ConnectTime { get; init; }

    /// <summary>Start of the last request.</summary>
    public DateTimeOffset RequestTime { get; init; }

    /// <summary>How long it has waited for a server, zero when it does not wait.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Why it keeps its server between transactions; empty when it does not.</summary>
    public string Pinned { get; init; } = "";

    public DateTimeOffset? PinnedSince { get; init; }

    /// <summary>Node of the lease held, -1 when none.</summary>
    public int NodeId { get; init; } = -1;

    /// <summary>PostgreSQL's backend pid of the lease held, 0 when none.</summary>
    public int ServerPid { get; init; }

    public int PreparedStatements { get; init; }

    public long QueryCount { get; init; }

    public bool IsTls { get; init; }

    /// <summary>Protocol and cipher of the client's TLS connection, for people; empty without TLS.</summary>
    public string TlsDescription { get; init; } = "";

    /// <summary>Moment the last answer was complete while the client asks for nothing; null while a request is under way.</summary>
    public DateTimeOffset? IdleSince { get; init; }

    /// <summary>Node that the session last used for a balanced read, -1 when none.</summary>
    public int LoadBalanceNodeId { get; init; } = -1;

    /// <summary>Pid of the process at the other end of a Unix-domain socket, 0 over TCP or when unknown.</summary>
    public int PeerPid { get; init; }

    /// <summary>none, logical or physical: the startup packet's <c>replication</c>.</summary>
    public string Replication { get; init; } = "none";
}

/// <summary>One connection to PostgreSQL.</summary>
internal sealed record ServerSnapshot
{
    /// <summary>Unique in the process.</summary>
    public required long Id { get; init; }

    public required int NodeId { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string User { get; init; }

    public required string Database { get; init; }

    /// <summary>active, idle, login, active_cancel, being_canceled.</summary>
    public required string State { get; init; }

    /// <summary>none, physical, logical.</summary>
    public string Replication { get; init; } = "none";

    public string LocalAddress { get; init; } = "";

    public int LocalPort { get; init; }

    public DateTimeOffset ConnectTime { get; init; }

    public DateTimeOffset RequestTime { get; init; }

    /// <summary>PostgreSQL's backend pid.</summary>
    public int Pid { get; init; }

    /// <summary>Pid of the client that holds it, 0 when idle.</summary>
    public int ClientPid { get; init; }

    public int PreparedStatements { get; init; }

    public long UseCount { get; init; }

    public string ServerVersion { get; init; } = "";

    /// <summary>Moment the last client gave it back; null while a client holds it and before the first.</summary>
    public DateTimeOffset? ReleaseTime { get; init; }

    /// <summary>It is closed instead of going back to its pool.</summary>
    public bool CloseNeeded { get; init; }

    /// <summary>Protocol and cipher of the TLS connection to the node, for people; empty without TLS.</summary>
    public string TlsDescription { get; init; } = "";

    /// <summary>application_name as last set on the server.</summary>
    public string ApplicationName { get; init; } = "";

    /// <summary>Minor number of the protocol version agreed with the node: 0 for 3.0, 2 for 3.2.</summary>
    public int ProtocolMinor { get; init; }
}

/// <summary>One pool: (node, database, user).</summary>
internal sealed record PoolSnapshot
{
    public required int NodeId { get; init; }

    public required string Database { get; init; }

    public required string User { get; init; }

    public required PoolMode Mode { get; init; }

    public int Size { get; init; }

    /// <summary>Servers beyond <see cref="Size"/> for clients that have waited long.</summary>
    public int ReserveSize { get; init; }

    public int ServersActive { get; init; }

    public int ServersIdle { get; init; }

    public int ServersLogin { get; init; }

    public int ServersBeingCanceled { get; init; }

    /// <summary>Servers that carry a cancel request right now.</summary>
    public int ServersActiveCancel { get; init; }

    /// <summary>Servers that run reset_query_list or a check and belong to no client meanwhile.</summary>
    public int ServersTested { get; init; }

    /// <summary>Cancel requests of clients that were forwarded and are not yet done.</summary>
    public int CancelRequestsActive { get; init; }

    /// <summary>Cancel requests of clients that wait for a connection to carry them.</summary>
    public int CancelRequestsWaiting { get; init; }

    public int ClientsWaiting { get; init; }

    /// <summary>Age of the oldest waiter.</summary>
    public TimeSpan MaxWait { get; init; }
}

/// <summary>Totals of one database since start.</summary>
internal sealed record DatabaseStatistics
{
    public required string Database { get; init; }

    public long ServerAssignments { get; init; }

    public long Transactions { get; init; }

    public long Queries { get; init; }

    /// <summary>Bytes from clients.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes to clients.</summary>
    public long BytesSent { get; init; }

    public TimeSpan TransactionTime { get; init; }

    public TimeSpan QueryTime { get; init; }

    public TimeSpan WaitTime { get; init; }

    public long ClientParses { get; init; }

    public long ServerParses { get; init; }

    public long Binds { get; init; }

    public long ClientLogins { get; init; }

    /// <summary>How often a client began to keep its server between transactions, by reason.</summary>
    public IReadOnlyDictionary<string, long> Pins { get; init; } = new Dictionary<string, long>();
}

/// <summary>Totals of one node since start; counted when a statement is sent to it.</summary>
internal sealed record NodeStatistics
{
    public required int NodeId { get; init; }

    public long Selects { get; init; }

    public long Inserts { get; init; }

    public long Updates { get; init; }

    public long Deletes { get; init; }

    public long Ddls { get; init; }

    public long Others { get; init; }

    public long Panics { get; init; }

    public long Fatals { get; init; }

    public long Errors { get; init; }
}

/// <summary>Where requests went since start, and why.</summary>
internal sealed record RouteStatistics(IReadOnlyList<RouteCount> Counts, IReadOnlyList<ShapeStatistics> Shapes);

/// <summary>Requests that one rule sent to one node (-1 = to none), and how many of them it refused as a standby.</summary>
internal sealed record RouteCount(int NodeId, string Reason, long Statements, long Refused);

/// <summary>One shape: about how often it was sent, where to and why the last time. The text has no constants; null when it is not remembered.</summary>
internal sealed record ShapeStatistics(string? Text, long Statements, int NodeId, string Reason);

/// <summary>Health checks of one node since start.</summary>
internal sealed record HealthStatistics
{
    public required int NodeId { get; init; }

    public long Total { get; init; }

    public long Success { get; init; }

    public long Fail { get; init; }

    public long Skip { get; init; }

    public long Retry { get; init; }

    public double AverageRetry { get; init; }

    public long MaxRetry { get; init; }

    public TimeSpan MaxDuration { get; init; }

    public TimeSpan MinDuration { get; init; }

    public TimeSpan AverageDuration { get; init; }

    public DateTimeOffset? LastCheck { get; init; }

    public DateTimeOffset? LastSuccess { get; init; }

    public DateTimeOffset? LastSkip { get; init; }

    public DateTimeOffset? LastFail { get; init; }
}
