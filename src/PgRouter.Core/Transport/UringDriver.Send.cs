using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// Sending. A send is written down, carried out by the next call of the kernel, and never waits in it: with MSG_DONTWAIT it fails when there is
/// no room, with MSG_WAITALL a part of it counts as a failure too, and only failures have a completion.
/// </summary>
internal sealed unsafe partial class UringDriver
{
    public override int Send(LoopSocket socket, ReadOnlySpan<byte> from)
    {
        var state = socket.Ring!;
        if (socket.Error != 0 || state.End > 0)
            return socket.NoteBroken(socket.Error != 0 ? socket.Error : state.End);
        if (from.IsEmpty)
            return 0;
        if (state.SendTurn == _turn)
        {
            if (TryAppend(state, from))
                return from.Length;
            _queues.Submit();
            if (HasFailedSend(state))
            {
                socket.IsWritable = false; // Its completion waits to be looked at: nothing may overtake what is left of it.
                return LoopSocket.WouldBlock;
            }
        }
        return from.Length <= MostGathered ? WriteDown(state, from) : SendDirectly(state, from);
    }

    private int WriteDown(UringSocket state, ReadOnlySpan<byte> from)
    {
        var memory = _sends.Take(from.Length);
        from.CopyTo(new Span<byte>(memory, from.Length));
        var entry = Entry(state, Operation.Send, Uring.SendOperation);
        entry->Flags = Uring.EntrySkipSuccess;
        entry->Address = (ulong)memory;
        entry->Length = (uint)from.Length;
        entry->OperationFlags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
        state.SendTurn = _turn;
        state.SendNumber = _queues.NextNumber - 1;
        state.SendAddress = (nint)memory;
        state.SendLength = from.Length;
        return from.Length;
    }

    /// <summary>Behind what the same socket sends in this turn, when the kernel does not have it yet.</summary>
    private bool TryAppend(UringSocket state, ReadOnlySpan<byte> from)
    {
        if (state.SendLength + from.Length > MostGathered)
            return false;
        var entry = _queues.Pending(state.SendNumber);
        var end = (byte*)state.SendAddress + state.SendLength;
        if (entry is null || !_sends.TryExtend(end, from.Length))
            return false;
        from.CopyTo(new Span<byte>(end, from.Length));
        state.SendLength += from.Length;
        entry->Length = (uint)state.SendLength;
        return true;
    }

    private int SendDirectly(UringSocket state, ReadOnlySpan<byte> from)
    {
        var count = SendNow(state.Socket.Number, from);
        if (count == from.Length)
            return count;
        state.Socket.IsWritable = false;
        if (count < 0 && count != -EAGAIN)
            return state.Socket.NoteBroken(-count);
        PollForRoom(state);
        return count < 0 ? LoopSocket.WouldBlock : count;
    }

    /// <summary>Is there a completion of this socket's send that was not looked at?</summary>
    private bool HasFailedSend(UringSocket state) => _queues.Holds(UserData(state, Operation.Send));

    /// <summary>A send could not be carried out, or not all of it: what is left goes as soon as there is room.</summary>
    /// <param name="state">The socket.</param>
    /// <param name="result">How many bytes went, or minus an errno.</param>
    private void NoteUnsent(UringSocket state, int result)
    {
        if (state.IsClosing || result == state.SendLength)
            return;
        state.Socket.IsWritable = false;
        if (result < 0 && result is not (-EAGAIN or -EINTR))
        {
            state.Socket.NoteBroken(-result);
            Tell(state);
            return;
        }
        var sent = Math.Max(0, result);
        state.Rest.Append(new ReadOnlySpan<byte>((byte*)state.SendAddress + sent, state.SendLength - sent));
        PollForRoom(state);
    }

    private void PollForRoom(UringSocket state)
    {
        if (state.PollsForRoom)
            return;
        var entry = Entry(state, Operation.PollForRoom, Uring.PollAdd);
        entry->OperationFlags = POLLOUT;
        state.PollsForRoom = true;
        state.UnderWay++;
    }

    private void NoteRoom(UringSocket state, int result)
    {
        if (state.IsClosing || result == -ECANCELED)
            return;
        var socket = state.Socket;
        while (!state.Rest.IsEmpty)
        {
            var count = SendNow(socket.Number, state.Rest.Span);
            if (count == -EAGAIN)
            {
                PollForRoom(state);
                return;
            }
            if (count < 0)
            {
                state.Rest.Release();
                socket.NoteBroken(-count);
                break;
            }
            state.Rest.Consume(count);
        }
        if (state.ShutsDown)
            shutdown(socket.Number, SHUT_WR);
        socket.IsWritable = true;
        if (state.Mode == ReceiveMode.Direct && !socket.IsReadable && state.End < 0 && ((uint)result & (EPOLLERR | EPOLLHUP)) == 0)
            Arm(state); // It is connected.
        Tell(state);
    }
}
