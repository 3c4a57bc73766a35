using System.Text;
using BenchmarkDotNet.Attributes;
using PgRouter.Core.Relay;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Benchmarks;

/// <summary>
/// The relay's walk over one read of a server: RowDescription, 100 DataRows, CommandComplete, ReadyForQuery. Headers are read and the
/// messages forwarded as one piece; nothing is sent.
/// </summary>
[MemoryDiagnoser]
public class ReplyWalkBenchmarks
{
    private const int Rows = 100;

    private readonly byte[] _scratch = new byte[16 * 1024];
    private byte[] _reply = [];
    private OutgoingBytes _pending;

    [GlobalSetup]
    public void BuildReply()
    {
        using var reply = new MemoryStream();
        Add(reply, BackendMessage.RowDescription, new byte[40]);
        for (var i = 0; i < Rows; i++)
            Add(reply, BackendMessage.DataRow, new byte[40]);
        Add(reply, BackendMessage.CommandComplete, Encoding.ASCII.GetBytes("SELECT 100\0"));
        Add(reply, BackendMessage.ReadyForQuery, "I"u8);
        _reply = reply.ToArray();
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public long Walk()
    {
        // The client is asked for nothing before Complete.
        var output = new ReplyOutput(_reply, _scratch, client: null!, ref _pending);
        var position = 0;
        while (MessageHeader.TryRead(_reply.AsSpan(position), out _, out var length))
        {
            output.Forward(position, length + 1);
            position += length + 1;
        }
        return output.Forwarded;
    }

    private static void Add(MemoryStream reply, byte type, ReadOnlySpan<byte> body)
    {
        Span<byte> header = stackalloc byte[MessageHeader.Size];
        MessageHeader.Write(header, type, body.Length + MessageHeader.MinLength);
        reply.Write(header);
        reply.Write(body);
    }
}
