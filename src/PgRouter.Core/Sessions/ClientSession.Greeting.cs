using System.Text;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>The end of the login: what PostgreSQL tells a new session, as a server with this client's settings says it.</summary>
internal sealed partial class ClientSession
{
    /// <summary>Registers the session and greets the client. Returns why it cannot be served; the caller tells the client.</summary>
    public async Task<ErrorMessage?> GreetAsync(byte[] cancelSecret, Deadline deadline)
    {
        var greeting = Identity.IsConsole ? ConsoleGreeting() : _services.Logins.Greeting(Identity.Database, Identity.User, Identity.Settings);
        if (greeting is null)
        {
            _loginDeadline = deadline;
            var (messages, error) = await AskServerAsync();
            if (error is not null)
                return error;
            if (messages is null && _gate.IsPaused)
                return PausedTooLong(Identity.Database);
            if (messages is null || deadline.HasPassed)
                return ErrorMessage.Fatal(SqlStates.CannotConnectNow, "no server could be asked for its parameters in time (authentication_timeout)");
            _services.Logins.NoteGreeting(Identity.Database, Identity.User, Identity.Settings, greeting = messages);
        }
        Register(cancelSecret);
        NoteConformingStrings(greeting);
        var writer = new MessageWriter(1024);
        WriteAuthenticationOk(writer);
        writer.WriteBytes(greeting);
        BackendStartupMessages.WriteBackendKeyData(writer, Pid, cancelSecret);
        BackendStartupMessages.WriteReadyForQuery(writer, TransactionStatus.Idle);
        SendToClient(writer.WrittenSpan);
        return null;
    }

    /// <summary>Ends a session that was never served.</summary>
    public void Abandon()
    {
        _ended = true;
        GiveUpServers();
    }

    private async Task<(byte[]? Messages, ErrorMessage? Error)> AskServerAsync()
    {
        _pending = new PendingRequest(StatementClass.State, null, BeginsReadOnly: false, SessionEffects.None);
        var (lease, error) = await WaitForLeaseAsync();
        if (lease is null)
            return (null, error);
        Hold(lease);
        error = await PrepareServerAsync(lease.Server);
        _lease = null;
        if (error is not null)
        {
            lease.Break($"start-up settings refused: {error.Message}");
            return (null, error);
        }
        var messages = Greeting(lease.Server);
        lease.Release();
        return (messages, null);
    }

    private static byte[] Greeting(ServerConnection server)
    {
        var writer = new MessageWriter(1024);
        foreach (var (name, value) in server.Parameters)
            BackendStartupMessages.WriteParameterStatus(writer, name, name == "in_hot_standby" ? "off" : value);
        return writer.WrittenSpan.ToArray();
    }

    private byte[] ConsoleGreeting()
    {
        var writer = new MessageWriter();
        foreach (var (name, value) in _services.Commands.LoginParameters())
            BackendStartupMessages.WriteParameterStatus(writer, name, value);
        return writer.WrittenSpan.ToArray();
    }

    private void NoteConformingStrings(ReadOnlySpan<byte> greeting)
    {
        _conformingStrings = greeting.IndexOf("standard_conforming_strings\0off\0"u8) < 0;
        var name = greeting.IndexOf("client_encoding\0"u8);
        var value = name < 0 ? [] : greeting[(name + "client_encoding\0"u8.Length)..];
        Heed("client_encoding", Encoding.ASCII.GetString(value[..Math.Max(0, value.IndexOf((byte)0))]));
    }

    private static void WriteAuthenticationOk(MessageWriter writer)
    {
        writer.Begin(BackendMessage.Authentication);
        writer.WriteInt32(0);
        writer.End();
    }
}
