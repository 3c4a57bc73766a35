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
        if (info.IsOwnSetting)
            return IsOwnAnsweredHere;
        if ((statement.Effects & SessionEffects.DiscardsAll) != 0)
            return Status == TransactionStatus.Idle;
        if (statement.Kind == StatementKind.Reset)
            return Status != TransactionStatus.Failed && _block == Block.None && ResetsStartup(statement.Name);
        if (statement.Kind != StatementKind.Deallocate || Status == TransactionStatus.Failed)
            return false;
        return statement.Name is { } name
            ? _statements?.Find(System.Text.Encoding.UTF8.GetBytes(name)) is not null
            : (_pins & PinReasons.PreparedStatement) == 0;
    }

    private async ValueTask CarryOutAsync(StatementInfo info, MessageWriter writer)
    {
        var statement = info.Statements[0];
        if (info.IsOwnSetting)
        {
            (await CarryOutOwnAsync(statement, writer))?.WriteErrorResponse(writer);
        }
        else if (statement.Kind == StatementKind.Deallocate)
        {
            Deallocate(statement.Name);
            WriteCommandComplete(writer, statement.Name is null ? "DEALLOCATE ALL" : "DEALLOCATE");
        }
        else if ((statement.Kind == StatementKind.Reset ? await ResetAsync(statement.Name, writer) : await DiscardAllAsync(writer)) is { } error)
        {
            error.WriteErrorResponse(writer);
        }
        WriteReadyForQuery(writer);
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
                return Told(server, failure);
            after = server.Parameters;
            ReleaseIfIdle(server);
        }
        else
        {
            _settings.DiscardAll(); // What was said to the router alone.
        }
        _statements?.Clear();
        _unnamed.Forget();
        ForgetChannels();
        _sequenceOwner = Interlocked.Increment(ref _lastSequenceOwner);
        WriteCommandComplete(writer, "DISCARD ALL");
        WriteChanges(writer, before, after);
        return null;
    }

    private static void WriteChanges(MessageWriter writer, Dictionary<string, string> before, Dictionary<string, string> after)
    {
        foreach (var (name, value) in after)
        {
            if (name != "in_hot_standby" && before.GetValueOrDefault(name) != value)
                BackendStartupMessages.WriteParameterStatus(writer, name, value);
        }
    }

    /// <summary>Settings of the start-up packet are the session's defaults: on a server, RESET goes to those of its database and user.</summary>
    private bool ResetsStartup(string? name) => _settings.Startup.Count > 0 && (name is null || _settings.Startup.Contains(name));

    /// <summary>RESET where the start-up packet has a say: carried out, then the start-up values are set; the client is told the outcome of both.</summary>
    private async ValueTask<ErrorMessage?> ResetAsync(string? name, MessageWriter writer)
    {
        if (await HoldForDiscardAsync() is { } error)
            return error;
        var server = _lease!.Server;
        var before = new Dictionary<string, string>(server.Parameters);
        var failure = await server.ExecuteAsync($"RESET {(name is null ? "ALL" : SettingsSet.QuoteName(name))}", _signal, SynchronizeTimeout);
        if (failure is null)
        {
            if (name is null)
                _settings.ResetAll();
            else
                _settings.Reset(name);
            server.Settings = _settings.OnServer;
            failure = await PrepareServerAsync(server);
        }
        if (failure is not null && server.IsLost)
            return Told(server, failure);
        var after = server.Parameters;
        ReleaseIfIdle(server);
        if (failure is not null)
            return AsError(failure);
        WriteCommandComplete(writer, "RESET");
        WriteChanges(writer, before, after);
        return null;
    }

    private async ValueTask<ErrorMessage?> HoldForDiscardAsync()
    {
        if (_lease is not null)
            return null;
        _pending = new PendingRequest(StatementClass.State, null, BeginsReadOnly: false, SessionEffects.None);
        var (lease, error) = await WaitForLeaseAsync();
        if (lease is null)
            return error ?? NoPrimary();
        return await HoldPreparedAsync(lease);
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
