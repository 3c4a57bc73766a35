using System.Runtime.InteropServices;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// io_uring: one call of the kernel per turn of the loop gives it everything that is to be sent and brings everything that was received. The
/// kernel receives by itself, into buffers that all sockets of the loop share; a send is carried out within the call, and only one that finds
/// no room has a completion. Large transfers, of which batching saves little, are read and written by ordinary calls.
/// See docs/data-path.md. Source: io_uring(7), io_uring_enter(2).
/// </summary>
internal sealed unsafe partial class UringDriver : LoopDriver
{
    private const uint Submissions = 1024;
    private const uint Completions = 8192;

    /// <summary>Sends of one socket in one turn are gathered up to this size; larger ones are ordinary calls.</summary>
    private const int MostGathered = 8 * 1024;

    /// <summary>Buffers that wait for one reader; then the kernel stops receiving for it.</summary>
    private const int MostBuffers = 4;

    /// <summary>A reader that takes so much at once goes on with ordinary calls.</summary>
    private const int MuchAtOnce = MostBuffers * UringBuffers.Size;

    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly UringQueues _queues = new(Submissions, Completions);
    private readonly UringBuffers _buffers;
    private readonly UringSendMemory _sends = new();
    private readonly int[] _nextBuffer = new int[UringBuffers.Total];
    private readonly int[] _lengthOf = new int[UringBuffers.Total];
    private readonly Descriptor _wakeup;
    private readonly Stack<int> _freeSlots = new();
    private readonly List<UringSocket?> _toBeTold = [];
    private readonly List<UringSocket> _closing = [];
    private UringSocket?[] _sockets = new UringSocket?[1024];
    private int _usedSlots;
    private long _turn;

    public UringDriver()
    {
        try
        {
            _buffers = new UringBuffers(_queues);
            _wakeup = new Descriptor(Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
        }
        catch (IOException)
        {
            _queues.Dispose();
            _buffers?.Dispose();
            throw;
        }
    }

    /// <summary>What a completion is about: the upper half of its user data; the lower half is the socket's slot.</summary>
    private enum Operation : uint
    {
        Wakeup,
        Receive,
        Send,
        PollForBytes,
        PollForRoom,
        Accept,
        Cancel,
    }

    public override string Name => "io_uring";

    public override void Start()
    {
        _queues.Enable();
        PollForWakeup();
    }

    public override void Wait(int timeoutMs)
    {
        _buffers.Refill();
        _queues.Wait(timeoutMs);
    }

    public override void Wake()
    {
        ulong one = 1;
        write(_wakeup.Number, &one, sizeof(ulong));
    }

    public override void Dispatch()
    {
        Reap();
        CloseFinished();
        _sends.Reset(); // All of them have been carried out, and what was left of them has been kept.
        _turn++;
        for (var i = 0; i < _toBeTold.Count; i++)
        {
            if (_toBeTold[i] is not { } state)
                continue; // It has gone to another loop.
            state.IsToBeTold = false;
            if (!state.IsClosing)
                state.Socket.TellOwner();
        }
        _toBeTold.Clear();
    }

    public override void Add(LoopSocket socket)
    {
        var state = Take(socket);
        if (!socket.IsWritable || !state.Rest.IsEmpty)
            PollForRoom(state);
        if (!socket.IsWritable && state.Rest.IsEmpty)
            return; // It connects: there is nothing to read before it has.
        socket.IsReadable = !state.Carried.IsEmpty || state.End >= 0;
        if (state.End < 0)
            Arm(state);
    }

    public override void AddListening(LoopSocket socket)
    {
        var state = Take(socket);
        state.Accepted = new Queue<int>();
        AcceptFor(state);
    }

    public override void Remove(LoopSocket socket)
    {
        var state = socket.Ring!;
        Cancel(state);
        _queues.Submit();
        Reap();
        while (state.UnderWay > 0)
        {
            _queues.Wait(timeoutMs: 10);
            Reap();
        }
        if (state.IsToBeTold)
            _toBeTold[_toBeTold.IndexOf(state)] = null;
        state.IsToBeTold = false;
        while (state.FirstBuffer >= 0)
        {
            state.Carried.Append(FirstReceived(state));
            DropFirstBuffer(state);
        }
        state.Mode = ReceiveMode.Direct;
        Free(state);
    }

    public override void Close(LoopSocket socket)
    {
        var state = socket.Ring!;
        state.IsClosing = true;
        Cancel(state);
        Drop(state);
        _closing.Add(state);
    }

    public override void Shutdown(LoopSocket socket, int how)
    {
        _queues.Submit();
        var state = socket.Ring!;
        if (how == SHUT_WR && (!state.Rest.IsEmpty || HasFailedSend(state)))
            state.ShutsDown = true;
        else
            shutdown(socket.Number, how);
    }

    public override void CloseAll()
    {
        foreach (var state in _sockets.AsSpan(0, _usedSlots))
            state?.Socket.Close();
        var giveUp = Environment.TickCount64 + (long)CloseLimit.TotalMilliseconds;
        while (_freeSlots.Count < _usedSlots && Environment.TickCount64 < giveUp)
        {
            _queues.Wait(timeoutMs: 10);
            Reap();
            CloseFinished();
        }
        _queues.Dispose(); // Not the wake-up descriptor: others may still post, and its number must not be somebody else's by then.
        if (_freeSlots.Count < _usedSlots)
            return; // The kernel may still write into the buffers.
        _buffers.Dispose();
        _sends.Dispose();
    }

    private UringSocket Take(LoopSocket socket)
    {
        var state = socket.Ring ??= new UringSocket(socket);
        if (!_freeSlots.TryPop(out var slot))
            slot = NewSlot();
        _sockets[slot] = state;
        socket.Slot = slot;
        return state;
    }

    private int NewSlot()
    {
        if (_usedSlots == _sockets.Length)
            Array.Resize(ref _sockets, _sockets.Length * 2);
        return _usedSlots++;
    }

    private void Free(UringSocket state)
    {
        _sockets[state.Socket.Slot] = null;
        _freeSlots.Push(state.Socket.Slot);
        state.Socket.Slot = -1;
    }

    /// <summary>Closes the descriptors of closed sockets of which nothing is in the kernel any more. Right after a wait, when all is submitted.</summary>
    private void CloseFinished()
    {
        for (var i = _closing.Count - 1; i >= 0; i--)
        {
            var state = _closing[i];
            if (state.UnderWay > 0)
                continue;
            _closing[i] = _closing[^1];
            _closing.RemoveAt(_closing.Count - 1);
            state.Socket.CloseDescriptor();
            Free(state);
        }
    }

    /// <summary>Forgets what was received and not read, and what could not be sent.</summary>
    private void Drop(UringSocket state)
    {
        while (state.FirstBuffer >= 0)
            DropFirstBuffer(state);
        state.Carried.Release();
        state.Rest.Release();
        while (state.Accepted is { Count: > 0 } accepted)
            close(accepted.Dequeue());
    }

    private void Reap()
    {
        while (_queues.TryTake(out var completion))
        {
            var operation = (Operation)(completion.UserData >> 32);
            if (operation == Operation.Wakeup)
            {
                if ((completion.Flags & Uring.CompletionHasMore) == 0)
                    PollForWakeup();
            }
            else if (operation != Operation.Cancel)
            {
                Note(_sockets[(int)(uint)completion.UserData]!, operation, completion);
            }
        }
    }

    private void Note(UringSocket state, Operation operation, in Uring.CompletionEntry completion)
    {
        var isLast = (completion.Flags & Uring.CompletionHasMore) == 0;
        if (isLast && operation != Operation.Send)
            state.UnderWay--;
        switch (operation)
        {
            case Operation.Receive:
                NoteReceived(state, completion, isLast);
                break;
            case Operation.Send:
                NoteUnsent(state, completion.Result);
                break;
            case Operation.PollForBytes:
                state.Mode = ReceiveMode.Direct;
                NoteBytes(state, (uint)Math.Max(0, completion.Result));
                break;
            case Operation.PollForRoom:
                state.PollsForRoom = false;
                NoteRoom(state, completion.Result);
                break;
            case Operation.Accept:
                NoteAccepted(state, completion.Result, isLast);
                break;
        }
    }

    private void Tell(UringSocket state)
    {
        if (state.IsToBeTold)
            return;
        state.IsToBeTold = true;
        _toBeTold.Add(state);
    }

    private Uring.SubmissionEntry* Entry(UringSocket state, Operation operation, byte code)
    {
        var entry = _queues.Next();
        entry->Operation = code;
        entry->Fd = state.Socket.Number;
        entry->UserData = UserData(state, operation);
        return entry;
    }

    private static ulong UserData(UringSocket state, Operation operation) => ((ulong)operation << 32) | (uint)state.Socket.Slot;

    private void PollForWakeup()
    {
        var entry = _queues.Next();
        entry->Operation = Uring.PollAdd;
        entry->Fd = _wakeup.Number;
        entry->Length = Uring.PollMultishot; // One completion per write: nobody has to read it.
        entry->OperationFlags = POLLIN;
        entry->UserData = (ulong)Operation.Wakeup << 32;
    }

    /// <summary>Ends what is under way; its last completions come within the next call of the kernel.</summary>
    private void Cancel(UringSocket state)
    {
        if (state.UnderWay == 0)
            return;
        if (state.Accepted is not null)
            Cancel(state, Operation.Accept);
        if (state.PollsForRoom)
            Cancel(state, Operation.PollForRoom);
        if (state.Mode == ReceiveMode.Polling)
            Cancel(state, Operation.PollForBytes);
        if (state.Mode == ReceiveMode.Armed)
            StopReceiving(state);
    }

    private void Cancel(UringSocket state, Operation operation)
    {
        var entry = _queues.Next();
        entry->Operation = Uring.CancelOperation;
        entry->Flags = Uring.EntrySkipSuccess;
        entry->Address = UserData(state, operation);
        entry->UserData = (ulong)Operation.Cancel << 32;
    }
}
