using NUnit.Framework;
using PgRouter.Core.Relay;

namespace PgRouter.Tests.Relay;

[TestFixture]
internal sealed class MessageBoundaryTests
{
    private static readonly byte[] Stream = [(byte)'d', 0, 0, 0, 7, 1, 2, 3, (byte)'H', 0, 0, 0, 4, (byte)'Z', 0, 0, 0, 5, (byte)'I'];

    [Test]
    public void A_boundary_is_where_a_message_ends_however_the_bytes_come([Range(1, 19)] int size)
    {
        var boundary = default(MessageBoundary);
        var seen = 0;
        foreach (var part in Stream.Chunk(size))
        {
            boundary.Pass(part);
            seen += part.Length;
            Assert.That(boundary.IsReached, Is.EqualTo(seen is 8 or 13 or 19), $"after {seen} bytes");
        }
    }
}
