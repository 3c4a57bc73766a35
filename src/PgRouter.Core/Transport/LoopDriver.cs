namespace PgRouter.Core.Transport;

/// <summary>
/// How a loop waits for its sockets and moves their bytes: the few operations that <see cref="EpollDriver"/> and <see cref="UringDriver"/> do
/// each in its own way. What is ready is noted in the <see cref="LoopSocket"/>, and its owner told, by <see cref="Dispatch"/>. The loop's own
/// thread, but for <see cref="Wake"/>.
/// </summary>
internal abstract class LoopDriver
{
    /// <summary>A driver of a kind; throws IOException when the kernel does not have it.</summary>
    public static LoopDriver Create(IoMethod method) => method == IoMethod.IoUring ? new UringDriver() : new EpollDriver();

    /// <summary>Its name, for people.</summary>
    public abstract string Name { get; }

    /// <summary>Called once, first, on the loop's thread.</summary>
    public abstract void Start();

    /// <summary>Gives the kernel what is to be done and waits until something is ready, up to a time.</summary>
    /// <param name="timeoutMs">0 = look only, -1 = until something happens.</param>
    public abstract void Wait(int timeoutMs);

    /// <summary>Tells the owners of what the wait has brought.</summary>
    public abstract void Dispatch();

    /// <summary>Ends the wait, or the next one. Any thread.</summary>
    public abstract void Wake();

    /// <summary>Takes a connected or connecting socket over; from here on its owner is told what is ready.</summary>
    public abstract void Add(LoopSocket socket);

    /// <summary>Takes a listening socket over: readable = clients wait to be accepted.</summary>
    public abstract void AddListening(LoopSocket socket);

    /// <summary>Gives a socket up, open, for another loop; bytes that were read ahead go with it.</summary>
    public abstract void Remove(LoopSocket socket);

    /// <summary>Gives a socket up and closes its descriptor, after what was sent before has been given to the kernel.</summary>
    public abstract void Close(LoopSocket socket);

    /// <summary>As <see cref="LoopSocket.TryReceive"/>, of bytes on the wire.</summary>
    public abstract int Receive(LoopSocket socket, Span<byte> into);

    /// <summary>As <see cref="LoopSocket.TrySend"/>, of bytes on the wire.</summary>
    public abstract int Send(LoopSocket socket, ReadOnlySpan<byte> from);

    /// <summary>The descriptor of a client that waited at a listening socket, <see cref="LoopSocket.WouldBlock"/>, or minus the errno minus 1000.</summary>
    public abstract int Accept(LoopSocket socket);

    /// <summary>Says that no more will be written (SHUT_WR), or ends both directions (SHUT_RDWR), behind what was sent before.</summary>
    public abstract void Shutdown(LoopSocket socket, int how);

    /// <summary>Closes all sockets and frees everything but what <see cref="Wake"/> needs. The last call.</summary>
    public abstract void CloseAll();
}

/// <summary>How the kernel is asked.</summary>
internal enum IoMethod
{
    Epoll,
    IoUring,
}
