using System.Buffers.Binary;

namespace PgRouter.Core.Sessions;

/// <summary>The fast-path function call (message FunctionCall), which names its function by OID.</summary>
internal static class FastPath
{
    /// <summary>lo_open and its kind, by which libpq and its like work on large objects (pg_proc.dat): they leave nothing in the session.</summary>
    private static readonly HashSet<int> LargeObjectFunctions = [715, 764, 765, 767, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172];

    /// <param name="body">The message behind its header, or its beginning.</param>
    public static bool IsLargeObjectCall(ReadOnlySpan<byte> body) =>
        BinaryPrimitives.TryReadInt32BigEndian(body, out var oid) && LargeObjectFunctions.Contains(oid);
}
