using System.Net;
using System.Net.Sockets;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Servers;

/// <summary>
/// A cancel request for what a server runs now, on a connection of its own. Until PostgreSQL has closed that connection, which it does after
/// it has sent the signal, the server is not given to another client, so that a late cancel never hits the next one; when it does not close it
/// in time, the server is not used again. However many are asked for, one is under way at a time. The server's loop.
/// Source: "Canceling Requests in Progress".
/// </summary>
internal static class ServerCancel
{
    /// <summary>The task ends when PostgreSQL has sent its signal, or cannot be reached.</summary>
    public static Task SendAsync(ServerConnection server, TimeSpan timeout)
    {
        if (server.CancelsUnderWay == 0)
            return server.CancelUnderWay = SendOneByOneAsync(server, timeout);
        server.CancelAgainFor = server.Owed.Settled;
        return server.CancelUnderWay;
    }

    private static async Task SendOneByOneAsync(ServerConnection server, TimeSpan timeout)
    {
        server.CancelsUnderWay++;
        try
        {
            do
            {
                server.CancelAgainFor = -1;
                await ExchangeAsync(server, timeout);
            }
            while (server.Owed.Count > 0 && server.CancelAgainFor == server.Owed.Settled);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The node cannot be reached: then there is nothing to cancel there, and the session learns that by itself.
        }
        finally
        {
            if (--server.CancelsUnderWay == 0 && server.AfterCancels is { } after)
            {
                server.AfterCancels = null;
                after();
            }
        }
    }

    private static async Task ExchangeAsync(ServerConnection server, TimeSpan timeout)
    {
        var loop = server.Socket.Loop;
        var address = server.Socket.RemoteEndPoint ?? await ResolveAsync(server);
        var signal = new Signal(loop);
        using var deadline = new Deadline(signal);
        deadline.Start(timeout);
        var socket = LoopSocket.BeginConnect(loop, address);
        try
        {
            socket.Owner = signal;
            while (!socket.IsWritable && !deadline.HasPassed)
                await signal;
            var writer = new MessageWriter();
            StartupPacket.WriteCancelRequest(writer, server.Pid, server.CancelKey);
            if (deadline.HasPassed || socket.FinishConnect() != 0)
                return;
            // As encrypted as the connection it is for: the key must not be seen on the way.
            if (server.Encryption is { } encryption && (await encryption.AskAsync(socket, signal, deadline)).Layer is null)
                return;
            if (socket.TrySend(writer.WrittenSpan) < 0)
                return;
            while (!deadline.HasPassed && !socket.PeerClosed)
                await signal;
            server.HasUncertainCancel |= !socket.PeerClosed;
        }
        finally
        {
            socket.Close();
        }
    }

    private static async Task<EndPoint> ResolveAsync(ServerConnection server) =>
        (await ServerAddress.ResolveAsync(server.Node.Host, server.Node.Port))[0];
}
