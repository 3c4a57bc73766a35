using System.Net.Security;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>The first bytes of a TLS handshake, as a real client sends them.</summary>
internal static class ClientHello
{
    public static byte[] Make()
    {
        using var caught = new CaughtBytes();
        using var tls = new SslStream(caught);
        try
        {
            tls.AuthenticateAsClient("router");
        }
        catch (IOException)
        {
            // Nobody answers.
        }
        return caught.Sent;
    }

    /// <summary>Takes what is written and has nothing to read.</summary>
    private sealed class CaughtBytes : MemoryStream
    {
        public byte[] Sent { get; private set; } = [];

        public override int Read(Span<byte> buffer) => End();

        public override int Read(byte[] buffer, int offset, int count) => End();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(End());

        private int End()
        {
            Sent = ToArray();
            return 0;
        }
    }
}
