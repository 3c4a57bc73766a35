using PgRouter.Core.Pooling;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Servers;

/// <summary>
/// Lets a server finish what a client that has gone had asked for, as PostgreSQL does, throws the answer away, and gives the server back.
/// The server's loop.
/// </summary>
internal static class ServerDrain
{
    public static async Task FinishAsync(ServerLease lease, IReadOnlyList<string> resetQueries)
    {
        var server = lease.Server;
        var signal = new Signal(server.Socket.Loop);
        server.Socket.Owner = signal;
        while (server.Owed.ReadyForQueryCount > 0)
        {
            var count = server.Socket.TryReceive(server.Socket.Loop.ReceiveBuffer.AsSpan());
            if (count > 0 && Discard(server, server.Socket.Loop.ReceiveBuffer.AsSpan(0, count)))
                continue;
            if (count > 0)
            {
                lease.Break("it waits for its client, or is not understood, and its client had gone");
                return;
            }
            if (count != LoopSocket.WouldBlock || !server.Output.Flush(server.Socket))
            {
                lease.Break("lost while it finished for a client that had gone");
                return;
            }
            await signal;
        }
        server.Owed.Clear();
        lease.Recycle(resetQueries);
    }

    /// <summary>False when the server waits for the client that has gone, or is out of step.</summary>
    private static bool Discard(ServerConnection server, ReadOnlySpan<byte> bytes)
    {
        if (!server.Partial.IsEmpty)
        {
            server.Partial.Append(bytes);
            bytes = server.Partial.Span.ToArray();
            server.Partial.Release();
        }
        while (!bytes.IsEmpty)
        {
            if (server.BodyRemaining > 0)
            {
                var part = Math.Min(server.BodyRemaining, bytes.Length);
                server.BodyRemaining -= part;
                bytes = bytes[part..];
                continue;
            }
            if (!MessageHeader.TryRead(bytes, out var type, out var length) || (type == BackendMessage.ReadyForQuery && bytes.Length <= length))
            {
                server.Partial.Append(bytes);
                return true;
            }
            if (length < MessageHeader.MinLength || type is BackendMessage.CopyInResponse or BackendMessage.CopyBothResponse)
                return false;
            if (type == BackendMessage.ErrorResponse && SkipsToSync(server))
                return false;
            if (type == BackendMessage.ReadyForQuery)
                OnReadyForQuery(server, bytes[MessageHeader.Size]);
            server.BodyRemaining = length + 1;
        }
        return true;
    }

    /// <summary>
    /// After an error in the extended protocol PostgreSQL passes over everything up to a Sync. When what ends the batch is no Sync, the client would
    /// have had to send one, and nothing more is ever answered.
    /// </summary>
    private static bool SkipsToSync(ServerConnection server)
    {
        for (var i = 0; i < server.Owed.Count; i++)
        {
            if (server.Owed[i].Kind is ReplyKind.Query or ReplyKind.FunctionCall)
                return i > 0;
            if (server.Owed[i].Kind == ReplyKind.Sync)
                return false;
        }
        return true;
    }

    private static void OnReadyForQuery(ServerConnection server, byte status)
    {
        server.Status = (TransactionStatus)status;
        while (server.Owed.Count > 0 && server.Owed.Dequeue().Kind is not (ReplyKind.Query or ReplyKind.Sync or ReplyKind.FunctionCall))
        {
            // What stood before it was answered, or skipped after an error: nobody asks which.
        }
    }
}
