using Microsoft.Win32.SafeHandles;

namespace PgRouter.Core.Transport;

/// <summary>Owns one file descriptor: closed exactly once, by Dispose or by the finaliser of a lost owner.</summary>
internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>The number, for system calls made while this object is reachable and open.</summary>
    public int Number => (int)handle;

    protected override bool ReleaseHandle() => Native.close((int)handle) == 0;
}
