using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PgRouter.Testing.Processes;

/// <summary>Hands out TCP ports nobody listens on. Safe for parallel test runs on one machine; all members are thread-safe.</summary>
/// <remarks>
/// The ports lie below the kernel's ephemeral range, so that an outgoing connection cannot take one between the probe and the
/// server's bind. A locked file per port keeps a second test process from handing out the same one; the kernel drops the lock
/// when the process ends, however it ends.
/// </remarks>
public static class FreePorts
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static readonly List<FileStream> Held = [];

    /// <summary>A free port, reserved for this process until it ends.</summary>
    /// <exception cref="TestBedException">No port in the range is free.</exception>
    public static int Take()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"pgrouter-ports-{Environment.UserName}"));
        var start = Random.Shared.Next(Count);
        for (var step = 0; step < Count; step++)
        {
            var port = First + (start + step) % Count;
            if (TryLock(directory.FullName, port, out var file))
            {
                if (IsFree(port))
                {
                    lock (Held)
                        Held.Add(file);
                    return port;
                }

                file.Dispose();
            }
        }

        throw new TestBedException($"No free TCP port between {First} and {First + Count - 1}.");
    }

    private static bool TryLock(string directory, int port, out FileStream file)
    {
        try
        {
            var path = Path.Combine(directory, port.ToString(CultureInfo.InvariantCulture));
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            file = null!;
            return false;
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
