using System.Buffers.Binary;
using System.Text;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Notifications;

/// <summary>
/// The one connection to the primary that listens for all clients of a database: open while somebody listens, opened again when it was lost.
/// It works in rounds: one simple query with the LISTENs and UNLISTENs that are due, or an empty one, on behalf of everybody who asked since
/// the last. PostgreSQL signals a listener before the notifying transaction's COMMIT is answered, and a listener sends what it was signalled
/// before its next ReadyForQuery (async.c, AtCommit_Notify and ProcessNotifyInterrupt); so a round that began after a commit brings its
/// notifications. Members are for its loop unless they say otherwise.
/// </summary>
internal sealed class ListeningConnection
{
    /// <summary>
    /// Settings of the role or the database that would end or trouble a connection that only listens, and the encoding the router reads.
    /// </summary>
    private const string Preparation =
        "SET application_name = 'pgrouter listener'; SET client_encoding = 'UTF8'; SET statement_timeout = 0;"
        + "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

    private const int ReadsPerTurn = 16;
    private const int FirstPauseMs = 100;
    private const int LongestPauseMs = 5000;
    private static readonly TimeSpan RoundTimeout = TimeSpan.FromSeconds(10);

    private readonly HubContext _context;
    private readonly Signal _signal;
    private readonly Dictionary<string, HashSet<Subscriber>> _channels = new(StringComparer.Ordinal);
    private readonly HashSet<Subscriber> _members = [];
    private readonly HashSet<string> _listened = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private List<Request> _waiting = [];
    private List<Request> _underWay = [];
    private ServerConnection? _server;
    private ErrorMessage? _roundError;
    private bool _roundIsUnderWay;
    private bool _isRunning;
    private bool _mustMove;
    private bool _wasTold;
    private bool _hasWorked;
    private bool _someMissed;
    private int _pauseMs = FirstPauseMs;
    private int _userTurn;
    private long _delivered;
    private DateTimeOffset _since;
    private volatile int _memberCount;

    public ListeningConnection(HubContext context, EventLoop loop, string database)
    {
        _context = context;
        _signal = new Signal(loop);
        Loop = loop;
        Database = database;
    }

    public EventLoop Loop { get; }

    public string Database { get; }

    /// <summary>Does any client of the database listen? Any thread; a moment old.</summary>
    public bool IsInUse => _memberCount > 0;

    /// <summary>See <see cref="Subscriber.Prepare"/>. Any thread.</summary>
    public void Prepare(Subscriber subscriber, IReadOnlyList<string> channels, Action<ErrorMessage?> done) => Loop.Post(
        _ =>
        {
            foreach (var channel in channels)
                Claim(subscriber, channel);
            Ask(new Request(subscriber, subscriber.Loop, done) { Channels = channels, SinceMs = Loop.NowMs });
        },
        null);

    /// <summary>See <see cref="Subscriber.Settle"/>. Any thread.</summary>
    public void Settle(Subscriber subscriber, ChannelSet channels) => Loop.Post(
        _ =>
        {
            foreach (var channel in subscriber.Claims.Where(claim => !channels.Contains(claim)).ToList())
                Unclaim(subscriber, channel);
            foreach (var channel in channels.Names)
                Claim(subscriber, channel);
            // Committed although it could not be prepared: it listens as soon as the connection does, and is told so.
            if (!subscriber.Live.IsSupersetOf(channels.Names) && subscriber.MissedSince is null)
            {
                subscriber.MissedSince = DateTimeOffset.UtcNow;
                _someMissed = true;
                Ask(new Request(subscriber, subscriber.Loop, static _ => { }) { SinceMs = Loop.NowMs });
            }
            Wake();
        },
        null);

    /// <summary>Runs something on a loop when what was committed before has been delivered; at once when there is no connection. Any thread.</summary>
    public void Synchronize(EventLoop loop, Action done) => Loop.Post(
        _ =>
        {
            var request = new Request(null, loop, _ => done());
            if (_server is null)
                request.Finish(null);
            else
                Ask(request);
        },
        null);

    /// <summary>A client has gone. Any thread.</summary>
    public void Leave(Subscriber subscriber) => Settle(subscriber, ChannelSet.Empty);

    /// <summary>The cluster has changed: another node may be the primary, or the one that was may be down. Any thread.</summary>
    public void Reconsider() => Loop.Post(
        _ =>
        {
            _pauseMs = FirstPauseMs;
            _mustMove |= _server is { } server && _context.MustLeave(server.Node);
            if (_isRunning)
                _signal.Set();
        },
        null);

    /// <summary>For SHOW LISTENERS.</summary>
    public IReadOnlyList<ListenerState> States() =>
    [
        .. _channels.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new ListenerState(
            Database, entry.Key, entry.Value.Count, _server is null ? "lost" : _listened.Contains(entry.Key) ? "listening" : "opening",
            _server?.Node.Id ?? -1, _server?.Pid ?? 0, _server?.User ?? "", _delivered, _since)),
    ];

    private bool Claim(Subscriber subscriber, string channel)
    {
        if (!subscriber.Claims.Add(channel))
            return false;
        if (!_channels.TryGetValue(channel, out var subscribers))
        {
            _channels.Add(channel, subscribers = []);
            _changed.Add(channel);
        }
        subscribers.Add(subscriber);
        _members.Add(subscriber);
        _memberCount = _members.Count;
        return true;
    }

    private void Unclaim(Subscriber subscriber, string channel)
    {
        subscriber.Claims.Remove(channel);
        subscriber.Live.Remove(channel);
        var subscribers = _channels[channel];
        subscribers.Remove(subscriber);
        if (subscribers.Count == 0)
        {
            _channels.Remove(channel);
            _changed.Add(channel);
        }
        if (subscriber.Claims.Count == 0)
            _members.Remove(subscriber);
        _memberCount = _members.Count;
    }

    private void Ask(Request request)
    {
        _waiting.Add(request);
        Wake();
    }

    private void Wake()
    {
        if (_isRunning)
            _signal.Set();
        else if (HasWork)
            _ = RunAsync();
    }

    private bool HasWork => _members.Count > 0 || _waiting.Count > 0 || _roundIsUnderWay;

    private async Task RunAsync()
    {
        _isRunning = true;
        try
        {
            while (HasWork)
            {
                if (_server is null && await OpenAsync() is { } error)
                    await PauseAfterAsync(error);
                else if (await ServeAsync(_server!) is { } reason && !_hasWorked)
                    await PauseAfterAsync(ErrorMessage.Error(SqlStates.ConnectionFailure, reason));
            }
            if (_server is not null)
                NotificationLog.Closed(_context.Logger, Database);
        }
        catch (Exception e)
        {
            NotificationLog.Failed(_context.Logger, e, Database);
        }
        finally
        {
            _isRunning = false;
            Drop();
            FinishAll(ErrorMessage.Error(SqlStates.ConnectionFailure, "the connection that listens was closed"));
        }
    }

    private async Task<ErrorMessage?> OpenAsync()
    {
        if (_context.Primary is not { } node)
            return ErrorMessage.Error(SqlStates.CannotConnectNow, "no primary is available");
        var user = NextUser();
        var opened = await _context.Connector.ConnectAsync(Loop, node, Database, user);
        if (opened.Server is not { } server)
        {
            _userTurn++; // What one client's user may not, another's may.
            return opened.Error!.Message;
        }
        server.Socket.Owner = _signal;
        if (await server.ExecuteAsync(Preparation, _signal, RoundTimeout) is { } error)
        {
            server.Close();
            return error;
        }
        _server = server;
        _since = DateTimeOffset.UtcNow;
        _mustMove = _context.MustLeave(node);
        _wasTold = _hasWorked = false;
        _changed.UnionWith(_channels.Keys);
        NotificationLog.Opened(_context.Logger, Database, node.Id, server.Pid, user);
        return null;
    }

    private string NextUser()
    {
        var users = _members.Select(member => member.User).Concat(_waiting.Select(request => request.Subscriber?.User).OfType<string>())
            .Distinct().ToList();
        return users[_userTurn % users.Count];
    }

    /// <summary>Tells those who wait that there is no connection, and waits before the next attempt: the longer the more have failed.</summary>
    private async Task PauseAfterAsync(ErrorMessage error)
    {
        NotificationLog.CannotOpen(_context.Logger, Database, error.Message);
        var hold = _context.Primary is null ? (long)_context.Config().FailoverHold.TotalMilliseconds : 0;
        foreach (var request in TakeWaiting(request => Loop.NowMs - request.SinceMs >= hold))
            request.Finish(error);
        if (!_wasTold)
        {
            foreach (var member in _members.Where(member => member.MissedSince is not null))
                Tell(member, ListenNotices.NotListening([.. member.Claims], error.Message));
            _wasTold = true;
        }
        using var pause = new Deadline(_signal);
        pause.Start(TimeSpan.FromMilliseconds(_pauseMs));
        _pauseMs = Math.Min(LongestPauseMs, _pauseMs * 2);
        var before = _pauseMs;
        // Ended early by a change of the cluster, or when nobody is left.
        while (!pause.HasPassed && HasWork && _pauseMs == before)
            await _signal;
    }

    private List<Request> TakeWaiting(Predicate<Request> which)
    {
        var taken = _waiting.FindAll(which);
        _waiting.RemoveAll(which);
        return taken;
    }

    /// <summary>Rounds and notifications until the connection is lost (why) or nobody needs it (null).</summary>
    private async Task<string?> ServeAsync(ServerConnection server)
    {
        using var deadline = new Deadline(_signal);
        for (var reads = 1; HasWork; reads++)
        {
            if (BeginRound(server))
                deadline.Start(RoundTimeout);
            var count = server.Partial.Receive(server.Socket);
            var reason = count is 0 or LoopSocket.Broken || !server.Output.Flush(server.Socket) ? "the connection was closed"
                : _mustMove ? "the node is not the primary any more"
                : count > 0 ? TakeAll(server)
                : deadline.HasPassed ? $"no answer within {RoundTimeout.TotalSeconds} s"
                : null;
            if (reason is not null)
            {
                Lose(reason);
                return reason;
            }
            if (!_roundIsUnderWay)
                deadline.Stop();
            else if (count > 0)
                deadline.Start(RoundTimeout); // A flood of notifications in front of the answer is life, too.
            if (count > 0 && reads % ReadsPerTurn != 0)
                continue;
            if (count > 0)
                Loop.Post(static signal => ((Signal)signal!).Set(), _signal); // Others get their turn.
            if (_roundIsUnderWay || !IsRoundDue)
                await _signal;
        }
        return null;
    }

    private string? TakeAll(ServerConnection server)
    {
        string? reason = null;
        while (reason is null && server.TakeMessage(out var type, out var body))
            reason = Take(server, type, body);
        return reason ?? (server.IsLost ? "the server sent a message of impossible length" : null);
    }

    private bool IsRoundDue => _waiting.Count > 0 || _changed.Count > 0;

    /// <summary>Sends what is due, when anything is and the round before has ended.</summary>
    private bool BeginRound(ServerConnection server)
    {
        if (_roundIsUnderWay || !IsRoundDue)
            return false;
        var script = new StringBuilder();
        foreach (var channel in _changed)
        {
            var isWanted = _channels.ContainsKey(channel);
            if (isWanted && _listened.Add(channel))
                script.Append("LISTEN ").Append(ChannelSet.Quote(channel)).Append(';');
            else if (!isWanted && _listened.Remove(channel))
                script.Append("UNLISTEN ").Append(ChannelSet.Quote(channel)).Append(';');
        }
        _changed.Clear();
        (_waiting, _underWay) = (_underWay, _waiting);
        if (script.Length == 0 && _underWay.Count == 0)
            return false;
        var writer = new MessageWriter();
        writer.Begin(FrontendMessage.Query);
        writer.WriteCString(script.ToString());
        writer.End();
        _roundIsUnderWay = true;
        _roundError = null;
        server.Output.Send(server.Socket, writer.WrittenSpan); // A broken connection is found by the side that reads.
        return true;
    }

    /// <summary>One message of the server; not null = why it cannot be used any more.</summary>
    private string? Take(ServerConnection server, byte type, byte[] body)
    {
        switch (type)
        {
            case BackendMessage.NotificationResponse:
                Deliver(server, body);
                return null;
            case BackendMessage.ErrorResponse:
                ErrorMessage.TryParse(body, out var error);
                _roundError = error;
                return error.EndsSession ? error.Message : null;
            case BackendMessage.ReadyForQuery:
                return EndRound();
            default:
                return null;
        }
    }

    private string? EndRound()
    {
        if (_roundError is { } error)
            return error.Message;
        _roundIsUnderWay = false;
        _hasWorked = true;
        _pauseMs = FirstPauseMs;
        if (_someMissed)
            TellWhoMissed();
        foreach (var request in _underWay)
        {
            if (request.Subscriber is { } subscriber)
                subscriber.Live.UnionWith(request.Channels.Where(subscriber.Claims.Contains));
            request.Finish(null);
        }
        _underWay.Clear();
        return null;
    }

    /// <summary>After the first round of a new connection: it listens to everything again, save what was asked for during that round.</summary>
    private void TellWhoMissed()
    {
        _someMissed = false;
        foreach (var member in _members)
        {
            if (member.MissedSince is not { } since)
                continue;
            if (_changed.Overlaps(member.Claims))
            {
                _someMissed = true;
                continue;
            }
            Tell(member, ListenNotices.Missed([.. member.Claims], since));
            member.MissedSince = null;
            member.Live.UnionWith(member.Claims);
        }
    }

    private void Deliver(ServerConnection server, byte[] body)
    {
        var reader = new MessageReader(body);
        if (!reader.TryReadInt32(out var pid) || !reader.TryReadCString(out var name))
            return;
        var channel = Encoding.UTF8.GetString(name);
        if (!_channels.TryGetValue(channel, out var subscribers))
            return;
        var message = new byte[MessageHeader.Size + body.Length];
        MessageHeader.Write(message, BackendMessage.NotificationResponse, message.Length - 1);
        body.CopyTo(message.AsSpan(MessageHeader.Size));
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(MessageHeader.Size), _context.SenderOf(server.Node.Id, pid));
        foreach (var subscriber in subscribers)
        {
            if (!subscriber.Live.Contains(channel))
                continue;
            _delivered++;
            subscriber.Loop.Post(static state => ((Delivery)state!).Run(), new Delivery(subscriber, channel, message));
        }
    }

    private void Lose(string reason)
    {
        var missing = 0;
        foreach (var member in _members)
        {
            if (member.Live.Count == 0)
                continue;
            member.MissedSince ??= DateTimeOffset.UtcNow;
            member.Live.Clear();
            _someMissed = true;
            missing++;
        }
        NotificationLog.Lost(_context.Logger, Database, _server!.Node.Id, reason, missing);
        Drop();
        var error = _roundError ?? ErrorMessage.Error(SqlStates.ConnectionFailure, $"the connection that listens was lost: {reason}");
        // Those who only wanted to be up to date cannot wait for a connection that is not there. A LISTEN that failed by itself has its error.
        foreach (var request in _underWay.Where(request => request.Subscriber is null || _roundError is not null))
            request.Finish(request.Subscriber is null ? null : error);
        _waiting.InsertRange(0, _underWay.Where(request => request.Subscriber is not null && _roundError is null));
        _underWay.Clear();
        foreach (var request in TakeWaiting(request => request.Subscriber is null))
            request.Finish(null);
        _roundError = null;
    }

    private void Drop()
    {
        _server?.Close();
        _server = null;
        _roundIsUnderWay = false;
        _mustMove = false;
        _listened.Clear();
        _changed.Clear();
        _since = DateTimeOffset.UtcNow;
    }

    private void FinishAll(ErrorMessage error)
    {
        foreach (var request in _underWay.Concat(_waiting))
            request.Finish(request.Subscriber is null ? null : error);
        _underWay.Clear();
        _waiting.Clear();
    }

    private static void Tell(Subscriber subscriber, ErrorMessage notice) => subscriber.Loop.Post(_ => subscriber.Tell(notice), null);

    /// <summary>Somebody who waits for the end of a round; without a subscriber only for that.</summary>
    private sealed record Request(Subscriber? Subscriber, EventLoop Loop, Action<ErrorMessage?> Done)
    {
        public IReadOnlyList<string> Channels { get; init; } = [];

        public long SinceMs { get; init; }

        public void Finish(ErrorMessage? error) => Loop.Post(_ => Done(error), null);
    }

    private sealed record Delivery(Subscriber Subscriber, string Channel, byte[] Message)
    {
        public void Run() => Subscriber.Offer(Channel, Message);
    }
}

/// <summary>One channel that somebody listens to, as SHOW LISTENERS has it.</summary>
/// <param name="Database">The database.</param>
/// <param name="Channel">Its name, not quoted.</param>
/// <param name="Subscribers">Clients.</param>
/// <param name="State">listening, opening or lost.</param>
/// <param name="NodeId">Where the connection goes, -1 when there is none.</param>
/// <param name="ServerPid">PostgreSQL's pid of it.</param>
/// <param name="User">As whom it is logged in.</param>
/// <param name="Delivered">Notifications given to clients of the database since the start, each counted once for each client.</param>
/// <param name="Since">Since when the connection is open, or lost.</param>
internal readonly record struct ListenerState(
    string Database, string Channel, int Subscribers, string State, int NodeId, int ServerPid, string User, long Delivered, DateTimeOffset Since);
