using System.Diagnostics;
using System.Net;
using System.Text;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;
using PgRouter.Core.Pooling;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Servers;

/// <summary>
/// One logged-in connection to PostgreSQL: what is set and prepared on it, what it still owes, what is not sent yet. Belongs to one loop at
/// a time and to one holder at a time (a session through its lease, or the pool). Loop thread only.
/// </summary>
internal sealed class ServerConnection
{
    private static long _lastId;
    private int _senderPid;

    /// <summary>What a server may say in one message that the router reads whole; answers to clients pass through in pieces, however long.</summary>
    private const int LongestWhole = 16 * 1024 * 1024;

    public ServerConnection(LoopSocket socket, NodeConfig node, string database, string user)
    {
        Id = Interlocked.Increment(ref _lastId);
        Socket = socket;
        Node = node;
        Database = database;
        User = user;
        ConnectTime = DateTimeOffset.UtcNow;
        ConnectedAtMs = socket.Loop.NowMs;
    }

    /// <summary>The id of the server that was opened last. Any thread.</summary>
    public static long LastId => Volatile.Read(ref _lastId);

    /// <summary>Unique in the process, growing.</summary>
    public long Id { get; }

    public LoopSocket Socket { get; }

    public NodeConfig Node { get; }

    public string Database { get; }

    public string User { get; }

    public DateTimeOffset ConnectTime { get; }

    /// <summary>The same moment by <see cref="Stopwatch"/>.</summary>
    public long ConnectedStamp { get; } = Stopwatch.GetTimestamp();

    /// <summary>Loop clock, for lifetimes.</summary>
    public long ConnectedAtMs { get; }

    /// <summary>Loop clock, when it was last given back.</summary>
    public long IdleSinceMs { get; set; }

    /// <summary>Stopwatch ticks when the request under way was sent.</summary>
    public long RequestStarted { get; set; }

    /// <summary>PostgreSQL's pid and cancel key of this connection.</summary>
    public int Pid { get; set; }

    public byte[] CancelKey { get; set; } = [];

    /// <summary>How it is encrypted; null = in clear text.</summary>
    public ServerEncryption? Encryption { get; init; }

    /// <summary>What the server reported by ParameterStatus.</summary>
    public Dictionary<string, string> Parameters { get; } = [];

    /// <summary>Status of the last ReadyForQuery.</summary>
    public TransactionStatus Status { get; set; } = TransactionStatus.Idle;

    public OwedReplies Owed { get; } = new();

    public PreparedSet Prepared { get; } = new();

    /// <summary>The settings this session has beyond its user's and database's defaults.</summary>
    public SettingsSet Settings { get; set; } = SettingsSet.Empty;

    /// <summary>The session whose sequence values (currval, lastval) it may have; 0 = none's, -1 = several sessions'.</summary>
    public long SequenceOwner { get; set; }

    /// <summary>Has statements prepared under names of its client's, which nobody else may see: DISCARD ALL runs before it is given back.</summary>
    public bool HasClientsNames { get; set; }

    /// <summary>Which use of which client made the unnamed statement on it; 0 = nobody's.</summary>
    public long UnnamedStatementOwner { get; set; }

    /// <summary>The one lease object of this server; set by its pool.</summary>
    public ServerLease? Lease { get; set; }

    /// <summary>Times it was given to a client.</summary>
    public long UseCount { get; set; }

    /// <summary>What it is for, besides the statements of sessions: none, physical or logical replication.</summary>
    public string Replication { get; set; } = "none";

    /// <summary>Pid of the client that holds it, 0 when none.</summary>
    public int ClientPid { get; set; }

    /// <summary>Pid of the client that wrote on it last: what it notifies is shown as that client's. Read by any thread.</summary>
    public int SenderPid
    {
        get => Volatile.Read(ref _senderPid);
        set => Volatile.Write(ref _senderPid, value);
    }

    /// <summary>It has run LISTEN; <see cref="TidyUp"/> ends that.</summary>
    public bool Listens { get; set; }

    /// <summary>The set of channels it was made to listen to so that it can be asked for them; null = none.</summary>
    public object? ListensAs { get; set; }

    /// <summary>What must be done before the pool gives it to another client. Its answer: null, or why the server must be closed.</summary>
    public Func<ServerConnection, Task<string?>>? TidyUp { get; set; }

    /// <summary>Cancel requests under way for it: it is not given to another client until they have ended.</summary>
    public int CancelsUnderWay { get; set; }

    /// <summary>Ends with the last of them.</summary>
    public Task CancelUnderWay { get; set; } = Task.CompletedTask;

    /// <summary>The request (<see cref="OwedReplies.Settled"/>) that another cancel was asked for while one was under way; -1 = none.</summary>
    public long CancelAgainFor { get; set; } = -1;

    /// <summary>PostgreSQL did not say that a cancel has been carried out: it may still come, so that no other client may have this server.</summary>
    public bool HasUncertainCancel { get; set; }

    /// <summary>What to do when the last of them has ended.</summary>
    public Action? AfterCancels { get; set; }

    /// <summary>Bytes for the server that its socket did not take yet.</summary>
    public OutgoingBytes Output;

    /// <summary>Bytes of a message that has not wholly come.</summary>
    public IncomingBytes Partial;

    /// <summary>Bytes still to come of a message that is being passed through, and whether they are swallowed.</summary>
    public int BodyRemaining { get; set; }

    public bool BodySwallowed { get; set; }

    /// <summary>True when a session could take it now: nothing owed, no transaction, nothing half read or half sent.</summary>
    public bool IsClean =>
        Owed.Count == 0 && Status == TransactionStatus.Idle && BodyRemaining == 0 && Partial.IsEmpty && Output.IsEmpty && !Socket.PeerClosed
        && !Socket.IsClosed && !HasUncertainCancel;

    /// <summary>A query of the router's own found the connection gone, or got no answer: nothing more will tell of it.</summary>
    public bool IsLost { get; private set; }

    public bool IsIdle => Owed.Count == 0 && Status == TransactionStatus.Idle;

    /// <summary>The requests under way, kept so that they can run once elsewhere.</summary>
    public RetainedRequests Retained { get; } = new();

    /// <summary>
    /// Sends one simple query of the router's own and waits for all of its answer. Only while nothing else is under way and the caller is the
    /// socket's owner through <paramref name="signal"/>. Returns null, or what went wrong; after a broken connection the error says so.
    /// </summary>
    public async Task<ErrorMessage?> ExecuteAsync(string sql, Signal signal, TimeSpan timeout)
    {
        UnnamedStatementOwner = 0; // A simple query destroys the unnamed statement, also one of the router's own.
        return await RunAsync(QueryMessage(Encoding.UTF8.GetBytes(sql)), sql, signal, timeout);
    }

    /// <summary>Runs a query of the router's own and returns its last row, each column as text; rules as for <see cref="ExecuteAsync"/>.</summary>
    public async Task<(string?[] Row, ErrorMessage? Error)> QueryRowAsync(string sql, Signal signal, TimeSpan timeout)
    {
        UnnamedStatementOwner = 0;
        string?[] row = [];
        var error = await RunAsync(QueryMessage(Encoding.UTF8.GetBytes(sql)), sql, signal, timeout, body => row = DataRowText.Read(body));
        return (row, error);
    }

    /// <summary>Prepares a statement under its shared name; rules and result as for <see cref="ExecuteAsync"/>.</summary>
    /// <returns>What its result looks like (<see cref="PreparedStatement.ShapeOf"/>), 0 for one made by PREPARE; or the error.</returns>
    public async Task<(ulong Shape, ErrorMessage? Error)> PrepareAsync(PreparedStatement statement, Signal signal, TimeSpan timeout)
    {
        if (statement.IsSql)
        {
            UnnamedStatementOwner = 0;
            return (0, await RunAsync(QueryMessage(statement.SqlText()), "PREPARE", signal, timeout));
        }
        var shape = 0UL;
        var error = await RunAsync(statement.ParseDescribeAndSync(), "PREPARE", signal, timeout, onDescribed: body => shape = PreparedStatement.ShapeOf(body));
        return (shape, error);
    }

    /// <summary>Prepares a statement under a client's name for it; rules and result as for <see cref="ExecuteAsync"/>.</summary>
    public Task<ErrorMessage?> PrepareAsAsync(byte[] name, PreparedStatement statement, Signal signal, TimeSpan timeout)
    {
        UnnamedStatementOwner = 0;
        return RunAsync(statement.IsSql ? QueryMessage(statement.SqlText(name)) : statement.ParseAndSync(name), "PREPARE", signal, timeout);
    }

    private static byte[] QueryMessage(ReadOnlySpan<byte> sql)
    {
        var message = new byte[MessageHeader.Size + sql.Length + 1];
        MessageHeader.Write(message, FrontendMessage.Query, message.Length - 1);
        sql.CopyTo(message.AsSpan(MessageHeader.Size));
        return message;
    }

    /// <summary>Sends a message of the router's own that ends in ReadyForQuery, and waits for it.</summary>
    private async Task<ErrorMessage?> RunAsync(byte[] message, string subject, Signal signal, TimeSpan timeout, Action<byte[]>? onRow = null, Action<byte[]>? onDescribed = null)
    {
        if (IsLost || !Output.Send(Socket, message))
            return Lost(null);
        using var deadline = new Deadline(signal);
        deadline.Start(timeout);
        ErrorMessage? error = null;
        while (true)
        {
            while (TakeMessage(out var type, out var body))
            {
                if (type == BackendMessage.ReadyForQuery)
                {
                    Status = (TransactionStatus)body[0];
                    return error;
                }
                if (type == BackendMessage.ErrorResponse && error is null)
                    ErrorMessage.TryParse(body, out error);
                else if (type == BackendMessage.ParameterStatus)
                    NoteParameter(body);
                else if (type == BackendMessage.DataRow)
                    onRow?.Invoke(body);
                else if (type is BackendMessage.RowDescription or BackendMessage.NoData)
                    onDescribed?.Invoke(body);
            }
            var count = Partial.Receive(Socket);
            if (IsLost || count is 0 or LoopSocket.Broken || !Output.Flush(Socket))
                return Lost(error);
            if (count > 0)
                continue;
            if (deadline.HasPassed)
            {
                IsLost = true;
                return ErrorMessage.Error(SqlStates.ConnectionFailure, $"{Node} did not answer \"{subject}\" within {timeout.TotalSeconds} s");
            }
            await signal;
        }
    }

    /// <summary>
    /// Cuts one complete message off <see cref="Partial"/>; the body is valid until the next call. A message that cannot be one loses the connection.
    /// </summary>
    public bool TakeMessage(out byte type, out byte[] body)
    {
        body = [];
        if (!MessageHeader.TryRead(Partial.Span, out type, out var length))
            return false;
        if (length is < MessageHeader.MinLength or > LongestWhole || (type == BackendMessage.ReadyForQuery && length != MessageHeader.MinLength + 1))
            IsLost = true;
        if (IsLost || Partial.Count < length + 1)
            return false;
        body = Partial.Span.Slice(MessageHeader.Size, length - 4).ToArray();
        Partial.Consume(length + 1);
        return true;
    }

    public void NoteParameter(ReadOnlySpan<byte> body)
    {
        var reader = new MessageReader(body);
        if (reader.TryReadCString(out var name) && reader.TryReadCString(out var value))
            Parameters[Encoding.UTF8.GetString(name)] = Encoding.UTF8.GetString(value);
    }

    /// <summary>Closes the connection and gives its buffers back. Nothing more is read or sent.</summary>
    public void Close()
    {
        if (Socket.IsClosed)
            return;
        if (Socket.IsWritable && Output.IsEmpty && Owed.Count == 0)
            Socket.TrySend([FrontendMessage.Terminate, 0, 0, 0, 4]);
        Socket.Close();
        Output.Release();
        Partial.Release();
        Owed.Clear();
    }

    /// <summary>What SHOW SERVERS may know. Loop thread.</summary>
    public ServerSnapshot Snapshot()
    {
        var local = Socket.LocalEndPoint as IPEndPoint;
        var isActive = ClientPid != 0 && RequestStarted != 0;
        return new ServerSnapshot
        {
            Id = Id,
            NodeId = Node.Id,
            Host = Node.Host,
            Port = Node.Port,
            User = User,
            Database = Database,
            Replication = Replication,
            State = CancelsUnderWay > 0 ? "being_canceled" : ClientPid != 0 ? "active" : "idle",
            LocalAddress = local?.Address.ToString() ?? "unix",
            LocalPort = local?.Port ?? 0,
            TlsDescription = Socket.Tls?.Description ?? "",
            ConnectTime = ConnectTime,
            RequestTime = isActive ? DateTimeOffset.UtcNow - Stopwatch.GetElapsedTime(RequestStarted) : ConnectTime,
            ReleaseTime = ClientPid == 0 && UseCount > 0
                ? DateTimeOffset.UtcNow - TimeSpan.FromMilliseconds(Socket.Loop.NowMs - IdleSinceMs)
                : null,
            Pid = Pid,
            ClientPid = ClientPid,
            PreparedStatements = Prepared.Count,
            UseCount = UseCount,
            CloseNeeded = Lease?.Pool.IsOutdated(this) ?? false,
            ServerVersion = Parameters.GetValueOrDefault("server_version", ""),
            ApplicationName = Parameters.GetValueOrDefault("application_name", ""),
        };
    }

    public override string ToString() => $"server {Id} pid {Pid} on {Node}";

    /// <param name="error">What the server said before it went.</param>
    private ErrorMessage Lost(ErrorMessage? error)
    {
        IsLost = true;
        return error ?? ErrorMessage.Fatal(SqlStates.ConnectionFailure, $"the connection to {Node} was lost");
    }
}
