using System.Runtime.InteropServices;

namespace PgRouter.Core.Transport;

/// <summary>Memory for what is sent in one turn of a loop: taken piece by piece, given back all at once.</summary>
internal sealed unsafe class UringSendMemory : IDisposable
{
    private const int BlockSize = 256 * 1024;

    private readonly List<nint> _blocks = [(nint)NativeMemory.Alloc(BlockSize)];
    private int _block;
    private int _used;

    public byte* Take(int length)
    {
        if (length > BlockSize - _used)
        {
            if (++_block == _blocks.Count)
                _blocks.Add((nint)NativeMemory.Alloc(BlockSize));
            _used = 0;
        }
        var memory = (byte*)_blocks[_block] + _used;
        _used += length;
        return memory;
    }

    /// <summary>Makes the piece that was taken last longer, if <paramref name="end"/> is its end and there is room.</summary>
    public bool TryExtend(byte* end, int length)
    {
        if (end != (byte*)_blocks[_block] + _used || length > BlockSize - _used)
            return false;
        _used += length;
        return true;
    }

    public void Reset() => _block = _used = 0;

    public void Dispose()
    {
        foreach (var block in _blocks)
            NativeMemory.Free((void*)block);
    }
}
