using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static PgRouter.Core.Transport.Native;

namespace PgRouter.Core.Transport;

/// <summary>
/// One io_uring instance: its two queues, shared with the kernel. Made on any thread, and from <see cref="Enable"/> on used by one only.
/// Throws IOException when the kernel does not have what is needed (Linux 6.1), or does not allow it.
/// </summary>
internal sealed unsafe class UringQueues : IDisposable
{
    private const uint Needed = Uring.FeatureSingleMap | Uring.FeatureNoDrop | Uring.FeatureExtendedArgument;

    private readonly Descriptor _ring;
    private readonly byte* _rings;
    private readonly nuint _ringsLength;
    private readonly Uring.SubmissionEntry* _entries;
    private readonly nuint _entriesLength;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint _submissionMask;
    private readonly uint _submissionCount;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly Uring.CompletionEntry* _completions;
    private uint _tail;
    private uint _head;

    /// <param name="submissions">Entries that can be written before the kernel must be called.</param>
    /// <param name="completions">Completions that fit; more are kept by the kernel.</param>
    public UringQueues(uint submissions, uint completions)
    {
        var parameters = new Uring.Parameters
        {
            CompletionEntries = completions,
            Flags = Uring.SetupClamp | Uring.SetupCompletionSize | Uring.SetupDisabled | Uring.SetupSubmitAll | Uring.SetupSingleIssuer
                | Uring.SetupDeferTaskRun,
        };
        _ring = new Descriptor(Check((int)syscall(Uring.SetupCall, (nint)submissions, (nint)(&parameters), 0, 0, 0, 0), "io_uring_setup"));
        if ((parameters.Features & Needed) != Needed)
        {
            _ring.Dispose();
            throw new IOException("this kernel's io_uring is too old");
        }
        ref readonly var sq = ref parameters.Submission;
        ref readonly var cq = ref parameters.Completion;
        _ringsLength = Math.Max(
            sq.Array + (parameters.SubmissionEntries * sizeof(uint)),
            cq.Entries + (parameters.CompletionEntries * (uint)sizeof(Uring.CompletionEntry)));
        _entriesLength = parameters.SubmissionEntries * (uint)sizeof(Uring.SubmissionEntry);
        _rings = Map(_ringsLength, Uring.OffsetOfRings);
        _entries = (Uring.SubmissionEntry*)Map(_entriesLength, Uring.OffsetOfEntries);
        _submissionHead = (uint*)(_rings + sq.Head);
        _submissionTail = (uint*)(_rings + sq.Tail);
        _submissionMask = *(uint*)(_rings + sq.RingMask);
        _submissionCount = parameters.SubmissionEntries;
        _completionHead = (uint*)(_rings + cq.Head);
        _completionTail = (uint*)(_rings + cq.Tail);
        _completionMask = *(uint*)(_rings + cq.RingMask);
        _completions = (Uring.CompletionEntry*)(_rings + cq.Entries);
        var array = (uint*)(_rings + sq.Array);
        for (uint i = 0; i < parameters.SubmissionEntries; i++)
            array[i] = i; // The order of the entries is the order of the queue.
    }

    /// <summary>Entries written and not yet given to the kernel.</summary>
    public uint Unsubmitted => _tail - Volatile.Read(ref *_submissionHead);

    /// <summary>The number of the entry written next; grows by one with each.</summary>
    public uint NextNumber => _tail;

    /// <summary>Is there a completion that was not taken?</summary>
    public bool HasCompletion => _head != Volatile.Read(ref *_completionTail);

    /// <summary>Says which thread uses it from now on: the one that calls this.</summary>
    public void Enable() => Register(Uring.RegisterEnableRings, null, 0, "IORING_REGISTER_ENABLE_RINGS");

    public void Register(uint what, void* argument, uint count, string name) =>
        Check((int)syscall(Uring.RegisterCall, _ring.Number, (nint)what, (nint)argument, (nint)count, 0, 0), $"io_uring_register({name})");

    /// <summary>The next entry, all zero; it counts from the next call of the kernel on.</summary>
    public Uring.SubmissionEntry* Next()
    {
        if (Unsubmitted == _submissionCount)
            Submit();
        var entry = _entries + (_tail & _submissionMask);
        *entry = default;
        _tail++;
        return entry;
    }

    /// <summary>An entry that was written and not given to the kernel yet, by its number; null when the kernel has it.</summary>
    public Uring.SubmissionEntry* Pending(uint number) =>
        number - Volatile.Read(ref *_submissionHead) < Unsubmitted ? _entries + (number & _submissionMask) : null;

    /// <summary>Gives the kernel what was written, and waits for nothing.</summary>
    public void Submit()
    {
        while (Unsubmitted > 0)
            Enter(Unsubmitted, 0, 0, null, 0);
    }

    /// <summary>Gives the kernel what was written, lets it do what is due, and waits for a completion up to a time (-1 = as long as it takes).</summary>
    public void Wait(int timeoutMs)
    {
        // What the kernel has done already is taken first: it does not wait then.
        if (timeoutMs == 0 || HasCompletion)
        {
            Enter(Unsubmitted, 0, Uring.EnterGetEvents, null, 0);
        }
        else if (timeoutMs < 0)
        {
            Enter(Unsubmitted, 1, Uring.EnterGetEvents, null, 0);
        }
        else
        {
            var time = new Uring.TimeSpec { Seconds = timeoutMs / 1000, Nanoseconds = timeoutMs % 1000 * 1_000_000L };
            var argument = new Uring.GetEventsArgument { Time = (ulong)&time };
            Enter(Unsubmitted, 1, Uring.EnterGetEvents | Uring.EnterExtendedArgument, &argument, sizeof(Uring.GetEventsArgument));
        }
        if (Unsubmitted > 0)
            Submit(); // It was interrupted.
    }

    /// <summary>Takes the next completion.</summary>
    public bool TryTake(out Uring.CompletionEntry completion)
    {
        if (!HasCompletion)
        {
            completion = default;
            return false;
        }
        completion = _completions[_head & _completionMask];
        Volatile.Write(ref *_completionHead, ++_head);
        return true;
    }

    /// <summary>Is there a completion with this user data that was not taken?</summary>
    public bool Holds(ulong userData)
    {
        var end = Volatile.Read(ref *_completionTail);
        for (var i = _head; i != end; i++)
        {
            if (_completions[i & _completionMask].UserData == userData)
                return true;
        }
        return false;
    }

    public void Dispose()
    {
        _ring.Dispose();
        munmap(_rings, _ringsLength);
        munmap(_entries, _entriesLength);
    }

    private void Enter(uint submit, uint wait, uint flags, void* argument, nint argumentSize)
    {
        Volatile.Write(ref *_submissionTail, _tail);
        if (syscall(Uring.EnterCall, _ring.Number, (nint)submit, (nint)wait, (nint)flags, (nint)argument, argumentSize) >= 0)
            return;
        // Interrupted, timed out, or out of memory for the moment: whoever called looks at the queues again.
        var errno = Marshal.GetLastPInvokeError();
        if (errno is not (EINTR or EAGAIN or EBUSY or ETIME))
            throw new IOException($"io_uring_enter failed: {Describe(errno)}");
    }

    private byte* Map(nuint length, long offset)
    {
        var memory = mmap(null, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, _ring.Number, offset);
        if ((nint)memory != -1)
            return (byte*)memory;
        var reason = Describe(Marshal.GetLastPInvokeError());
        _ring.Dispose();
        throw new IOException($"mmap of io_uring's queues failed: {reason}");
    }
}
