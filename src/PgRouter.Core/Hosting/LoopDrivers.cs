using Microsoft.Extensions.Logging;
using PgRouter.Core.Configuration;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Hosting;

/// <summary>Makes the drivers of the loops as pgrouter.io says; io_uring is tried first, and epoll taken where it does not work.</summary>
internal sealed class LoopDrivers
{
    private readonly ILogger _logger;
    private IoMethod _method;

    public LoopDrivers(IoChoice choice, ILogger logger)
    {
        _logger = logger;
        _method = choice == IoChoice.IoUring ? IoMethod.IoUring : IoMethod.Epoll;
        if (_method == IoMethod.IoUring && UringProbe.Failure() is { } reason)
            FallBack(reason);
    }

    public LoopDriver Create()
    {
        if (_method == IoMethod.IoUring)
        {
            try
            {
                return LoopDriver.Create(_method);
            }
            catch (IOException e)
            {
                FallBack(e.Message); // Out of memory that may be locked, or of descriptors.
            }
        }
        return LoopDriver.Create(_method);
    }

    private void FallBack(string reason)
    {
        _method = IoMethod.Epoll;
        HostingLog.NoUring(_logger, reason);
    }
}
