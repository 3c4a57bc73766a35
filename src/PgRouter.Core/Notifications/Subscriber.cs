using System.Text;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Notifications;

/// <summary>
/// One client that listens: the channels it is subscribed to and the notifications that wait until it is idle (LISTEN, "Description": they are
/// delivered between transactions only). Lives on its client's loop; what it asks of the <see cref="ListeningConnection"/> is posted to that
/// one's loop and answered by a post back, so that notifications and answers arrive in the order in which PostgreSQL gave them.
/// </summary>
internal sealed class Subscriber(ListeningConnection connection, EventLoop loop, string user, Action wake)
{
    /// <summary>Bytes of notifications that wait for one client. What is beyond them is dropped, and the client is told.</summary>
    public const int WaitingLimit = 4 * 1024 * 1024;

    private const int NoticeLimit = 16;

    private readonly Queue<(string Channel, byte[] Message)> _waiting = new();
    private readonly List<ErrorMessage> _notices = [];
    private int _waitingBytes;
    private int _dropped;
    private bool _isClosed;

    public EventLoop Loop { get; } = loop;

    /// <summary>Whom the connection may be opened as.</summary>
    public string User { get; } = user;

    /// <summary>What the client listens to: committed LISTENs.</summary>
    public ChannelSet Channels { get; private set; } = ChannelSet.Empty;

    /// <summary>Something is to be told when the client is idle.</summary>
    public bool HasWaiting => _waiting.Count > 0 || _notices.Count > 0 || _dropped > 0;

    /// <summary>For the connection, on its loop: what this client wants or may want.</summary>
    internal HashSet<string> Claims { get; } = new(StringComparer.Ordinal);

    /// <summary>For the connection, on its loop: those of the claims that the server has confirmed since this client made them.</summary>
    internal HashSet<string> Live { get; } = new(StringComparer.Ordinal);

    /// <summary>For the connection, on its loop: since when notifications may have passed this client by.</summary>
    internal DateTimeOffset? MissedSince { get; set; }

    /// <summary>
    /// Notifications of these channels are kept from here on, for a LISTEN that may be about to be committed. <paramref name="done"/> runs on
    /// this loop: null, or why the connection cannot listen.
    /// </summary>
    public void Prepare(IReadOnlyList<string> channels, Action<ErrorMessage?> done) => connection.Prepare(this, channels, done);

    /// <summary>A transaction of the client has ended: this is what it listens to now. What waits of other channels is not for it any more.</summary>
    public void Settle(ChannelSet channels)
    {
        Channels = channels;
        connection.Settle(this, channels);
        for (var count = _waiting.Count; count > 0; count--)
        {
            var entry = _waiting.Dequeue();
            if (channels.Contains(entry.Channel))
                _waiting.Enqueue(entry);
            else
                _waitingBytes -= entry.Message.Length;
        }
    }

    /// <summary>Every notification that was committed before this call has arrived when <paramref name="done"/> runs, on this loop.</summary>
    public void Synchronize(Action done) => connection.Synchronize(Loop, done);

    /// <summary>The client has gone.</summary>
    public void Close()
    {
        _isClosed = true;
        _waiting.Clear();
        connection.Leave(this);
    }

    /// <summary>A notification from the server.</summary>
    public void Offer(string channel, byte[] message)
    {
        if (_isClosed)
            return;
        if (_waitingBytes + message.Length > WaitingLimit)
        {
            _dropped++;
            return;
        }
        _waitingBytes += message.Length;
        _waiting.Enqueue((channel, message));
        wake();
    }

    /// <summary>Something the client should know, at its next idle moment.</summary>
    public void Tell(ErrorMessage notice)
    {
        if (_isClosed)
            return;
        if (_notices.Count == NoticeLimit)
            _notices.RemoveAt(0); // The later ones say what it must know.
        _notices.Add(notice);
        wake();
    }

    /// <summary>Takes out everything that waits, in order, as messages for the client. Only while it is outside a transaction block.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="readsUtf8">The client's encoding is UTF-8; else only what is plain ASCII can be given to it.</param>
    public void WriteTo(MessageWriter writer, bool readsUtf8)
    {
        foreach (var notice in _notices)
            notice.WriteNoticeResponse(writer);
        _notices.Clear();
        while (_waiting.TryDequeue(out var entry))
        {
            if (readsUtf8 || Ascii.IsValid(entry.Message.AsSpan(MessageHeader.Size + sizeof(int))))
                writer.WriteBytes(entry.Message);
            else
                ListenNotices.NotInEncoding(entry.Channel).WriteNoticeResponse(writer);
        }
        _waitingBytes = 0;
        if (_dropped == 0)
            return;
        ListenNotices.Dropped(_dropped, Channels).WriteNoticeResponse(writer);
        _dropped = 0;
    }
}
