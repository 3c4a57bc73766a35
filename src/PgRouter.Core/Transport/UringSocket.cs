namespace PgRouter.Core.Transport;

/// <summary>
/// What <see cref="UringDriver"/> keeps about one socket: what is under way in the kernel, what it has received, what could not be sent. It goes
/// with the socket from loop to loop.
/// </summary>
internal sealed class UringSocket(LoopSocket socket)
{
    /// <summary>Bytes of a send that the kernel had no room for; they go when it has.</summary>
    public IncomingBytes Rest;

    /// <summary>Bytes that were received on another loop, in front of everything.</summary>
    public IncomingBytes Carried;

    public LoopSocket Socket { get; } = socket;

    /// <summary>Closed: completions are only counted, and the descriptor is closed behind the last one.</summary>
    public bool IsClosing { get; set; }

    /// <summary>Operations in the kernel that will have a last completion.</summary>
    public int UnderWay { get; set; }

    public ReceiveMode Mode { get; set; }

    /// <summary>Buffers with received bytes, in order: the first, the last, their number, and how much of the first has been read.</summary>
    public int FirstBuffer { get; set; } = -1;

    public int LastBuffer { get; set; } = -1;

    public int BufferCount { get; set; }

    public int Consumed { get; set; }

    /// <summary>What comes behind the received bytes: an errno, 0 = the end of the stream, -1 = nothing yet.</summary>
    public int End { get; set; } = -1;

    /// <summary>Bytes read by ordinary calls since the kernel last waited for some: much means that much will follow.</summary>
    public int ReadDirectly { get; set; }

    /// <summary>Its last send: in which turn, the number of its entry, where its bytes are and how many.</summary>
    public long SendTurn { get; set; } = -1;

    public uint SendNumber { get; set; }

    public nint SendAddress { get; set; }

    public int SendLength { get; set; }

    /// <summary>A poll for room to write is under way.</summary>
    public bool PollsForRoom { get; set; }

    /// <summary>No more will be written once <see cref="Rest"/> is sent.</summary>
    public bool ShutsDown { get; set; }

    /// <summary>It is among those whose owners are to be told.</summary>
    public bool IsToBeTold { get; set; }

    /// <summary>Accepted descriptors that nobody has asked for yet; null for a socket that does not listen.</summary>
    public Queue<int>? Accepted { get; set; }
}

/// <summary>How a socket's bytes come.</summary>
internal enum ReceiveMode : byte
{
    /// <summary>Nothing is under way: reads are ordinary calls, until one finds nothing.</summary>
    Direct,

    /// <summary>The kernel receives by itself, into the loop's buffers.</summary>
    Armed,

    /// <summary>It has been told to stop that.</summary>
    Stopping,

    /// <summary>The kernel tells when there is something to read.</summary>
    Polling,
}
