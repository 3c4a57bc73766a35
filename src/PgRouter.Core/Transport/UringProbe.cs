using System.Net.Sockets;

namespace PgRouter.Core.Transport;

/// <summary>
/// Asks the kernel whether it has the io_uring that <see cref="UringDriver"/> needs, by using it: versions lie where operations were taken
/// back, and containers forbid the calls.
/// </summary>
internal static unsafe class UringProbe
{
    private const ulong OfReceive = 1;
    private const ulong OfSend = 2;
    private const int Piece = 4096;
    private const int MostPieces = 4096;

    /// <summary>Null when it can be used, else why not.</summary>
    public static string? Failure()
    {
        try
        {
            using var queues = new UringQueues(8, 64);
            using var buffers = new UringBuffers(queues);
            queues.Enable();
            using var first = Connected(out var second);
            using (second)
                return ReceivesByItself(queues, first, second) ? SaysWhatWasNotSent(queues, first) : "it does not receive by itself (multishot)";
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    /// <summary>Two sends, two completions of one receive.</summary>
    private static bool ReceivesByItself(UringQueues queues, Descriptor first, Descriptor second)
    {
        var entry = queues.Next();
        entry->Operation = Uring.ReceiveOperation;
        entry->Fd = second.Number;
        entry->Flags = Uring.EntryBufferSelect;
        entry->Priority = Uring.ReceiveMultishot;
        entry->UserData = OfReceive;
        for (var i = 0; i < 2; i++)
        {
            Send(queues, first, 1);
            queues.Wait(timeoutMs: 1000);
            if (!queues.TryTake(out var received) || received.UserData != OfReceive || received.Result != 1)
                return false;
            if ((received.Flags & (Uring.CompletionHasBuffer | Uring.CompletionHasMore)) != (Uring.CompletionHasBuffer | Uring.CompletionHasMore))
                return false;
        }
        return true;
    }

    /// <summary>Nobody reads: in the end a send must fail, and say how much of it went.</summary>
    private static string? SaysWhatWasNotSent(UringQueues queues, Descriptor socket)
    {
        for (var i = 0; i < MostPieces; i++)
        {
            Send(queues, socket, Piece);
            queues.Wait(timeoutMs: 0);
            while (queues.TryTake(out var completion))
            {
                if (completion.UserData == OfSend)
                    return completion.Result is -Native.EAGAIN or (> 0 and < Piece) ? null : $"a send without room ended with {completion.Result}";
            }
        }
        return "a send without room did not fail";
    }

    private static void Send(UringQueues queues, Descriptor socket, int length)
    {
        var bytes = stackalloc byte[Piece];
        var entry = queues.Next();
        entry->Operation = Uring.SendOperation;
        entry->Flags = Uring.EntrySkipSuccess;
        entry->Fd = socket.Number;
        entry->Address = (ulong)bytes;
        entry->Length = (uint)length;
        entry->OperationFlags = Native.MSG_NOSIGNAL | Native.MSG_DONTWAIT | Native.MSG_WAITALL;
        entry->UserData = OfSend;
        queues.Submit();
    }

    private static Descriptor Connected(out Descriptor other)
    {
        var pair = stackalloc int[2];
        Native.Check(
            Native.socketpair(LoopSocket.NativeFamily(AddressFamily.Unix), Native.SOCK_STREAM | Native.SOCK_NONBLOCK | Native.SOCK_CLOEXEC, 0, pair),
            "socketpair");
        other = new Descriptor(pair[1]);
        return new Descriptor(pair[0]);
    }
}
