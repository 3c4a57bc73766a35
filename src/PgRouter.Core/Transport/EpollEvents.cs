using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PgRouter.Core.Transport;

/// <summary>
/// struct epoll_event as the kernel lays it out: packed to 12 bytes on x86-64, 16 bytes elsewhere.
/// </summary>
internal static unsafe class EpollEvents
{
    public static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Size - 8;

    public static void Write(byte* target, uint events, ulong data)
    {
        Unsafe.WriteUnaligned(target, events);
        Unsafe.WriteUnaligned(target + DataOffset, data);
    }

    public static uint Events(byte* source) => Unsafe.ReadUnaligned<uint>(source);

    public static ulong Data(byte* source) => Unsafe.ReadUnaligned<ulong>(source + DataOffset);
}
