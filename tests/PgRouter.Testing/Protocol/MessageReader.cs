using System.Buffers.Binary;

namespace PgRouter.Testing.Protocol;

/// <summary>Cuts a stream into messages. One reader at a time.</summary>
internal sealed class MessageReader(Stream stream)
{
    private const int LargestLength = 1 << 30;

    /// <summary>The next typed message; null when the other side closed between two messages.</summary>
    /// <exception cref="EndOfStreamException">The other side closed in the middle of a message.</exception>
    public async Task<RawMessage?> ReadAsync(CancellationToken cancel)
    {
        var type = new byte[1];
        if (await stream.ReadAsync(type, cancel) == 0)
            return null;
        return new RawMessage((char)type[0], await ReadBodyAsync(cancel));
    }

    /// <summary>The type of the next message and the bytes of its body, which are thrown away.</summary>
    public async Task<(char Type, int Length)> SkipAsync(CancellationToken cancel)
    {
        var head = new byte[5];
        await stream.ReadExactlyAsync(head, cancel);
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4;
        var part = new byte[64 * 1024];
        for (var left = length; left > 0;)
        {
            var count = Math.Min(left, part.Length);
            await stream.ReadExactlyAsync(part.AsMemory(0, count), cancel);
            left -= count;
        }

        return ((char)head[0], length);
    }

    /// <summary>A message of the startup phase, which has no type byte; null when the other side closed before it.</summary>
    public async Task<RawMessage?> ReadUntypedAsync(CancellationToken cancel)
    {
        var head = new byte[4];
        var first = await stream.ReadAsync(head.AsMemory(0, 1), cancel);
        if (first == 0)
            return null;
        await stream.ReadExactlyAsync(head.AsMemory(1), cancel);
        return new RawMessage('\0', await ReadRestAsync(head, cancel));
    }

    private async Task<byte[]> ReadBodyAsync(CancellationToken cancel)
    {
        var head = new byte[4];
        await stream.ReadExactlyAsync(head, cancel);
        return await ReadRestAsync(head, cancel);
    }

    private async Task<byte[]> ReadRestAsync(byte[] head, CancellationToken cancel)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(head);
        if (length is < 4 or > LargestLength)
            throw new InvalidDataException($"A message cannot be {length} bytes long: the stream is out of step.");
        var body = new byte[length - 4];
        await stream.ReadExactlyAsync(body, cancel);
        return body;
    }
}
