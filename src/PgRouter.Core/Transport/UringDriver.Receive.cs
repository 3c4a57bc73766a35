using System.Runtime.InteropServices;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>Receiving and accepting.</summary>
internal sealed unsafe partial class UringDriver
{
    public override int Receive(LoopSocket socket, Span<byte> into)
    {
        var state = socket.Ring!;
        if (CopyReceived(state, into) is > 0 and var copied)
        {
            socket.IsReadable = state.FirstBuffer >= 0 || !state.Carried.IsEmpty || state.End >= 0 || state.Mode == ReceiveMode.Direct;
            return copied;
        }
        if (state.End > 0)
        {
            socket.IsReadable = false;
            return socket.NoteBroken(state.End);
        }
        if (state.End == 0)
            return socket.NoteEnd();
        if (state.Mode == ReceiveMode.Direct)
            return ReceiveDirectly(state, into);
        socket.IsReadable = false;
        return LoopSocket.WouldBlock;
    }

    public override int Accept(LoopSocket socket)
    {
        var state = socket.Ring!;
        if (state.Accepted!.TryDequeue(out var fd))
            return fd;
        var errno = state.End;
        state.End = -1;
        if (state.Mode == ReceiveMode.Direct)
            AcceptFor(state);
        return errno is <= 0 or ECONNABORTED or EINTR ? LoopSocket.WouldBlock : -1000 - errno;
    }

    /// <summary>Bytes that are here already: how many.</summary>
    private int CopyReceived(UringSocket state, Span<byte> into)
    {
        if (!state.Carried.IsEmpty)
        {
            var carried = Math.Min(state.Carried.Count, into.Length);
            state.Carried.Span[..carried].CopyTo(into);
            state.Carried.Consume(carried);
            return carried;
        }
        var copied = 0;
        while (state.FirstBuffer >= 0 && copied < into.Length)
        {
            var first = FirstReceived(state);
            var count = Math.Min(first.Length, into.Length - copied);
            first[..count].CopyTo(into[copied..]);
            copied += count;
            state.Consumed += count;
            if (count == first.Length)
                DropFirstBuffer(state);
        }
        return copied;
    }

    /// <summary>What is left of the first buffer.</summary>
    private ReadOnlySpan<byte> FirstReceived(UringSocket state) =>
        new(_buffers.At(state.FirstBuffer) + state.Consumed, _lengthOf[state.FirstBuffer] - state.Consumed);

    private void DropFirstBuffer(UringSocket state)
    {
        var first = state.FirstBuffer;
        state.FirstBuffer = state.BufferCount == 1 ? -1 : _nextBuffer[first];
        state.BufferCount--;
        state.Consumed = 0;
        _buffers.Return(first);
    }

    private int ReceiveDirectly(UringSocket state, Span<byte> into)
    {
        var socket = state.Socket;
        while (true)
        {
            nint count;
            fixed (byte* buffer = into)
                count = recv(socket.Number, buffer, (nuint)into.Length, MSG_DONTWAIT);
            if (count > 0)
            {
                state.ReadDirectly += (int)count;
                if (count < into.Length)
                    WaitForBytes(state); // It is empty.
                return (int)count;
            }
            if (count == 0)
            {
                state.End = 0;
                return socket.NoteEnd();
            }
            var errno = Marshal.GetLastPInvokeError();
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN)
            {
                WaitForBytes(state);
                return LoopSocket.WouldBlock;
            }
            state.End = errno;
            socket.IsReadable = false;
            return socket.NoteBroken(errno);
        }
    }

    private void WaitForBytes(UringSocket state)
    {
        state.Socket.IsReadable = false;
        if (state.ReadDirectly >= MuchAtOnce)
            PollForBytes(state);
        else
            Arm(state);
        state.ReadDirectly = 0;
    }

    /// <summary>From here on the kernel receives by itself.</summary>
    private void Arm(UringSocket state)
    {
        var entry = Entry(state, Operation.Receive, Uring.ReceiveOperation);
        entry->Flags = Uring.EntryBufferSelect;
        entry->Priority = Uring.ReceiveMultishot;
        state.Mode = ReceiveMode.Armed;
        state.UnderWay++;
    }

    private void PollForBytes(UringSocket state)
    {
        var entry = Entry(state, Operation.PollForBytes, Uring.PollAdd);
        entry->OperationFlags = POLLIN | EPOLLRDHUP;
        state.Mode = ReceiveMode.Polling;
        state.UnderWay++;
    }

    private void StopReceiving(UringSocket state)
    {
        Cancel(state, Operation.Receive);
        state.Mode = ReceiveMode.Stopping;
    }

    private void AcceptFor(UringSocket state)
    {
        var entry = Entry(state, Operation.Accept, Uring.AcceptOperation);
        entry->Priority = Uring.AcceptMultishot;
        entry->OperationFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
        state.Mode = ReceiveMode.Armed;
        state.UnderWay++;
    }

    private void NoteReceived(UringSocket state, in Uring.CompletionEntry completion, bool isLast)
    {
        if ((completion.Flags & Uring.CompletionHasBuffer) != 0)
            NoteBuffer(state, (int)(completion.Flags >> Uring.BufferShift), completion.Result);
        if (completion.Result == -ENOBUFS)
            _buffers.NoteShortage();
        else if (completion.Result <= 0 && completion.Result != -ECANCELED)
            state.End = -completion.Result;
        if (isLast)
            state.Mode = ReceiveMode.Direct;
        if (state.IsClosing)
            return;
        state.Socket.PeerClosed |= state.End >= 0;
        state.Socket.IsReset |= state.End > 0;
        state.Socket.IsReadable = true;
        Tell(state);
    }

    private void NoteBuffer(UringSocket state, int id, int length)
    {
        _buffers.NoteTaken();
        if (length <= 0 || state.IsClosing)
        {
            _buffers.Return(id);
            return;
        }
        _lengthOf[id] = length;
        if (state.FirstBuffer < 0)
            state.FirstBuffer = id;
        else
            _nextBuffer[state.LastBuffer] = id;
        state.LastBuffer = id;
        state.BufferCount++;
        if (state.BufferCount > MostBuffers && state.Mode == ReceiveMode.Armed)
            StopReceiving(state); // Its reader is slow, or gets much: nobody else shall want for buffers.
    }

    private void NoteBytes(UringSocket state, uint events)
    {
        if (state.IsClosing)
            return;
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            state.Socket.PeerClosed = true;
        if ((events & EPOLLERR) != 0)
            state.Socket.IsReset = true;
        state.Socket.IsReadable = true;
        Tell(state);
    }

    private void NoteAccepted(UringSocket state, int result, bool isLast)
    {
        if (isLast)
            state.Mode = ReceiveMode.Direct;
        if (state.IsClosing)
        {
            if (result >= 0)
                close(result);
            return;
        }
        if (result >= 0)
            state.Accepted!.Enqueue(result);
        else
            state.End = -result;
        state.Socket.IsReadable = true;
        Tell(state);
    }
}
