using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// DISCARD ALL and DEALLOCATE of statements whose names are the router's: what they clear lives here more than in a server, so they are
/// carried out here. Drivers send DISCARD ALL each time they reuse a connection; most of them have nothing to discard and cost no server.
/// </summary>
internal sealed partial class ClientSession
{
    private StatementInfo? _ownCommand;

    /// <summary>Is this simple query carried out by the router for the server?</summary>
    private bool IsCarriedOutHere(StatementInfo info)
    {
        if (info.Statements is not [var statement] || _unsynced)
            return false;
        if ((statement.Effects & SessionEffects.DiscardsAll) != 0)
            return Status == TransactionStatus.Idle;
        if (statement.Kind != StatementKind.Deallocate || Status == TransactionStatus.Failed)
            return false;
        return statement.Name is { } name
            ? _statements?.Find(System.Text.Encoding.UTF8.GetBytes(name)) is not null
            : (_pins & PinReasons.PreparedStatement) == 0;
    }

    private async ValueTask CarryOutAsync(StatementInfo info, MessageWriter writer)
    {
        var statement = info.Statements[0];
        if (statement.Kind == StatementKind.Deallocate)
        {
            Deallocate(statement.Name);
            WriteCommandComplete(writer, statement.Name is null ? "DEALLOCATE ALL" : "DEALLOCATE");
        }
        else if (await DiscardAllAsync(writer) is { } error)
        {
            error.WriteErrorResponse(writer);
        }
        BackendStartupMessages.WriteReadyForQuery(writer, Status);
    }

    private void Deallocate(string? name)
    {
        if (name is null)
            _statements?.Clear();
        else
            _statements?.Remove(System.Text.Encoding.UTF8.GetBytes(name));
    }

    private async ValueTask<ErrorMessage?> DiscardAllAsync(MessageWriter writer)
    {
        Dictionary<string, string> before = [], after = [];
        if (_lease is not null || !_settings.Client.SameAs(_settings.Startup))
        {
            if (await HoldForDiscardAsync() is { } error)
                return error;
            var server = _lease!.Server;
            before = new Dictionary<string, string>(server.Parameters);
            if (await DiscardOnServerAsync(server) is { } failure)
                return failure;
            after = server.Parameters;
            ReleaseIfIdle(server);
        }
        _statements?.Clear();
        _unnamed.Forget();
        ForgetChannels();
        WriteCommandComplete(writer, "DISCARD ALL");
        foreach (var (name, value) in after)
        {
            if (name != "in_hot_standby" && before.GetValueOrDefault(name) != value)
                BackendStartupMessages.WriteParameterStatus(writer, name, value);
        }
        return null;
    }

    private async ValueTask<ErrorMessage?> HoldForDiscardAsync()
    {
        if (_lease is not null)
            return null;
        _pending = new PendingRequest(StatementClass.State, null, BeginsReadOnly: false, SessionEffects.None);
        var (lease, error) = await WaitForLeaseAsync();
        _waitSince = 0;
        if (lease is null)
            return error ?? NoPrimary();
        Hold(lease);
        return await PrepareServerAsync(lease.Server);
    }

    /// <summary>A server this client was tied to is cleared of everything; any other only gets the start-up settings back.</summary>
    private async ValueTask<ErrorMessage?> DiscardOnServerAsync(ServerConnection server)
    {
        if (_pins != PinReasons.None)
        {
            if (await server.ExecuteAsync("DISCARD ALL", _signal, SynchronizeTimeout) is { } error)
                return AsError(error);
            server.Settings = SettingsSet.Empty;
            OnDiscardAll(server);
        }
        _settings.DiscardAll();
        return await PrepareServerAsync(server);
    }

    private static void WriteCommandComplete(MessageWriter writer, string tag)
    {
        writer.Begin(BackendMessage.CommandComplete);
        writer.WriteCString(tag);
        writer.End();
    }
}
