using PgRouter.Core.Admin;
using PgRouter.Core.Explaining;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Sessions;

/// <summary>Running one command of the router for a client. Some wait for others (PAUSE, WAIT_CLOSE): the client can cancel them, or leave.</summary>
internal sealed partial class ClientSession
{
    private bool _isCommandRunning;

    private async ValueTask<AdminResult> RunCommandAsync(string command)
    {
        if (ExplainedBy(command) is { } sql)
            return await ExplainAsync(sql);
        using var source = new CancellationTokenSource();
        var running = _services.Commands.ExecuteAsync(command, AdminContext, source.Token).AsTask();
        if (!running.IsCompleted)
        {
            _isCommandRunning = true;
            _ = running.ContinueWith(
                static (_, state) => ((ClientSession)state!).Wake(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            while (!running.IsCompleted)
            {
                await _signal;
                if (_cancelRequested || _terminateRequested || _client.PeerClosed)
                    source.Cancel();
            }
            _isCommandRunning = false;
        }
        DropCancel();
        if (!running.IsCanceled)
        {
            var result = await running;
            NoteCommand(command, result);
            return result;
        }
        if (_client.PeerClosed)
            Finish("client went away");
        return AdminErrors.Refuse(AdminErrors.QueryCanceled, "canceling statement due to user request");
    }

    /// <summary>What changes something, or was not allowed, is for the audit. Values behind SET may be anything and are left out.</summary>
    private void NoteCommand(string command, AdminResult result)
    {
        if (_services.Commands.AuditOf(command, AdminContext, result) is { } words)
        {
            AuditLog.Command(
                _services.Audit, Identity.User, Pid, RemoteEndPoint?.ToString() ?? "[local]", words,
                result.Error is { } error ? $"{error.SqlState} {error.Message}" : "done");
        }
    }

    /// <summary>Columns of the answer, without running the command.</summary>
    private IReadOnlyList<AdminColumn>? DescribeCommand(string command) =>
        ExplainedBy(command) is null ? _services.Commands.Describe(command, AdminContext) : ExplanationRow.Columns;

    /// <summary>As in PgBouncer, nobody is left suspended when the last console has gone.</summary>
    private void OnConsoleClosed()
    {
        if (Identity.IsConsole && _services.Pools.Context.Gates.IsSuspended && !_services.Clients.Clients.Any(c => c.Identity.IsConsole))
        {
            _services.Pools.Context.Gates.Resume(null);
            _services.Clients.Wake();
        }
    }
}
