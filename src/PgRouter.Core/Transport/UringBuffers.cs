using System.Runtime.InteropServices;

namespace PgRouter.Core.Transport;

/// <summary>
/// Memory that the kernel receives into: buffers of one size, of which some are with the kernel, in a ring that it takes them from, and the
/// others here. Few are given out, and the one that came back last goes out first, so that they stay in the processor's cache; when the
/// kernel finds none, more are given out from then on.
/// </summary>
internal sealed unsafe class UringBuffers : IDisposable
{
    public const int Size = 4096;
    private const int Count = 2048;
    private const int FirstWithKernel = 64;
    private const nuint PageSize = 4096;
    private const ushort Group = 0;

    private readonly byte* _memory;
    private readonly Uring.Buffer* _ring;
    private readonly ushort[] _free = new ushort[Count];
    private int _freeCount;
    private int _withKernel;
    private int _wanted = FirstWithKernel;
    private ushort _tail;

    public UringBuffers(UringQueues queues)
    {
        _memory = (byte*)NativeMemory.AlignedAlloc(Count * Size, PageSize);
        _ring = (Uring.Buffer*)NativeMemory.AlignedAlloc((nuint)(Count * sizeof(Uring.Buffer)), PageSize);
        NativeMemory.Clear(_ring, (nuint)(Count * sizeof(Uring.Buffer)));
        for (var id = Count - 1; id >= 0; id--)
            _free[_freeCount++] = (ushort)id;
        var registration = new Uring.BufferRingRegistration { RingAddress = (ulong)_ring, RingEntries = Count, Group = Group };
        try
        {
            queues.Register(Uring.RegisterBufferRing, &registration, 1, "IORING_REGISTER_PBUF_RING");
        }
        catch (IOException)
        {
            Dispose();
            throw;
        }
        Refill();
    }

    /// <summary>How many there are.</summary>
    public static int Total => Count;

    /// <summary>What the kernel has put into a buffer.</summary>
    public byte* At(int id) => _memory + (id * (nint)Size);

    /// <summary>The kernel has given a buffer out.</summary>
    public void NoteTaken() => _withKernel--;

    /// <summary>The kernel found none: from now on it has more.</summary>
    public void NoteShortage() => _wanted = Math.Min(_wanted * 2, Count);

    /// <summary>A buffer has been read.</summary>
    public void Return(int id) => _free[_freeCount++] = (ushort)id;

    /// <summary>Gives the kernel as many as it is to have.</summary>
    public void Refill()
    {
        if (_withKernel >= _wanted || _freeCount == 0)
            return;
        while (_withKernel < _wanted && _freeCount > 0)
        {
            var id = _free[--_freeCount];
            var entry = _ring + (_tail & (Count - 1));
            entry->Address = (ulong)At(id);
            entry->Length = Size;
            entry->Id = id;
            _tail++;
            _withKernel++;
        }
        Volatile.Write(ref _ring->Tail, _tail);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.AlignedFree(_ring);
    }
}
