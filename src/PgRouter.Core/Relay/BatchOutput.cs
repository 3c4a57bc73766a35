using System.Buffers.Binary;
using PgRouter.Core.Servers;

namespace PgRouter.Core.Relay;

/// <summary>Gathers the rewritten messages of a batch in the loop's scratch buffer, so that they leave in one send.</summary>
internal ref struct BatchOutput(ServerConnection server, byte[] scratch)
{
    private readonly ServerConnection _server = server;
    private readonly byte[] _scratch = scratch;
    private int _length;

    /// <summary>A message whose body is these pieces one after the other.</summary>
    public void Message(byte type, scoped ReadOnlySpan<byte> first, scoped ReadOnlySpan<byte> second = default, scoped ReadOnlySpan<byte> third = default)
    {
        Header(type, first.Length + second.Length + third.Length);
        Append(first);
        Append(second);
        Append(third);
    }

    /// <summary>Only the header, for a body that follows by <see cref="Append"/> or streams.</summary>
    public void Header(byte type, int bodyLength)
    {
        Span<byte> header = stackalloc byte[5];
        header[0] = type;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], bodyLength + 4);
        Append(header);
    }

    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _scratch.Length - _length)
            Complete();
        if (bytes.Length > _scratch.Length)
        {
            Send(bytes);
            return;
        }
        bytes.CopyTo(_scratch.AsSpan(_length));
        _length += bytes.Length;
    }

    public void Complete()
    {
        if (_length > 0)
            Send(_scratch.AsSpan(0, _length));
        _length = 0;
    }

    /// <summary>A broken connection is found, and said once, by the side that reads from it.</summary>
    private readonly void Send(scoped ReadOnlySpan<byte> bytes) => _server.Output.Send(_server.Socket, bytes);
}
