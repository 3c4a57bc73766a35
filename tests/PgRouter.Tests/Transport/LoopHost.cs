using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using PgRouter.Core.Transport;
using PgRouter.Testing.Routers;

namespace PgRouter.Tests.Transport;

/// <summary>A running loop for tests: runs code on it and waits for its result, with a deadline. Disposing stops the loop.</summary>
internal sealed class LoopHost : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>What the tests of loops and sockets run on: epoll, and io_uring where the kernel has it.</summary>
    public static readonly IoMethod[] Methods = UringProbe.Failure() is null ? [IoMethod.Epoll, IoMethod.IoUring] : [IoMethod.Epoll];

    public LoopHost(int index = 0)
        : this(TestIo.IsUring ? IoMethod.IoUring : IoMethod.Epoll, index)
    {
    }

    public LoopHost(IoMethod method, int index = 0)
    {
        Loop = new EventLoop(index, NullLogger.Instance, LoopDriver.Create(method));
        Loop.Start();
    }

    public EventLoop Loop { get; }

    /// <summary>Runs something on the loop.</summary>
    public async Task<T> On<T>(Func<T> run) => await Loop.InvokeAsync(run).WaitAsync(Deadline);

    /// <summary>Runs something on the loop.</summary>
    public Task On(Action run) => On(() =>
    {
        run();
        return 0;
    });

    /// <summary>Runs a handler on the loop to its end.</summary>
    public async Task<T> Run<T>(Func<Task<T>> handler) => await (await On(handler)).WaitAsync(Deadline);

    /// <summary>A connected pair over loopback: one end on the loop, the other blocking with a deadline, for the test.</summary>
    public async Task<(LoopSocket Socket, Socket Peer)> Connect(int? bufferBytes = null)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (bufferBytes is { } size)
            listener.ReceiveBufferSize = size;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var socket = await Run(() => Open(listener.LocalEndPoint!));
        var peer = await listener.AcceptAsync().WaitAsync(Deadline);
        peer.NoDelay = true;
        peer.ReceiveTimeout = peer.SendTimeout = (int)Deadline.TotalMilliseconds;
        return (socket, peer);
    }

    /// <summary>Reads until a count of bytes has come, or the end, or a break: what the last read said, and the bytes.</summary>
    public static async Task<(int Last, byte[] Bytes)> Read(LoopSocket socket, Signal signal, int atLeast)
    {
        var bytes = new List<byte>();
        var buffer = new byte[4096];
        while (true)
        {
            var count = socket.TryReceive(buffer);
            if (count > 0)
                bytes.AddRange(buffer.AsSpan(0, count));
            if (count is 0 or LoopSocket.Broken || bytes.Count >= atLeast)
                return (count, [.. bytes]);
            if (count == LoopSocket.WouldBlock)
                await signal;
        }
    }

    public void Dispose() => Loop.Dispose();

    private async Task<LoopSocket> Open(EndPoint address)
    {
        var signal = new Signal(Loop);
        var socket = LoopSocket.BeginConnect(Loop, address);
        socket.Owner = signal;
        while (!socket.IsWritable)
            await signal;
        var errno = socket.FinishConnect();
        return errno == 0 ? socket : throw new IOException(Native.Describe(errno));
    }
}
