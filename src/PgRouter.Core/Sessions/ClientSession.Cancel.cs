using System.Diagnostics;
using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Cancel requests. They stop what this client runs at that moment: on a server, by a cancel request to it; in the router, where a statement
/// is being parsed, waits for a server or has its server brought up to date, by the error PostgreSQL would give. When nothing runs, they are
/// for nothing. Source: "Canceling Requests in Progress".
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly ErrorMessage CanceledByUser = ErrorMessage.Error(SqlStates.QueryCanceled, "canceling statement due to user request");

    private bool _cancelRequested;

    /// <summary>The request that has no server yet, or has sent nothing to the one it holds, is to end with an error.</summary>
    private bool _cancelsPending;

    /// <summary>Those who wait until the cancel has been dealt with.</summary>
    private List<TaskCompletionSource>? _cancelWaiters;

    /// <summary>
    /// Asks the session to stop what it runs. The task ends when that has been said to the server, so that nothing the client sends afterwards can
    /// be hit: clients wait for it, by the end of the connection that brought the cancel. Any thread.
    /// </summary>
    public Task CancelAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(
            _ =>
            {
                if (_ended)
                {
                    done.SetResult();
                    return;
                }
                _cancelRequested = true;
                (_cancelWaiters ??= []).Add(done);
                _signal.Set();
            },
            null);
        return done.Task;
    }

    /// <summary>Between requests: to the server, if it still has something of this client's to do.</summary>
    private void ForwardCancel()
    {
        if (_lease is { Server.Owed.Count: > 0 } lease)
            _ = ForwardCancelAsync(lease.Server, TakeCancel());
        else
            DropCancel();
    }

    private async Task ForwardCancelAsync(ServerConnection server, List<TaskCompletionSource>? waiters)
    {
        await ServerCancel.SendAsync(server, _services.Config().ServerConnectTimeout);
        waiters?.ForEach(static waiter => waiter.SetResult());
    }

    /// <summary>A cancel has been heeded in the router, or is for nothing.</summary>
    private void DropCancel() => TakeCancel()?.ForEach(static waiter => waiter.SetResult());

    private List<TaskCompletionSource>? TakeCancel()
    {
        var waiters = _cancelWaiters;
        _cancelWaiters = null;
        _cancelRequested = false;
        return waiters;
    }

    /// <summary>A request has been parsed: a cancel that came meanwhile is for it, unless the server still works on one before it.</summary>
    private void NoteCancelOfPending()
    {
        if (!_cancelRequested || _lease is { Server.Owed.Count: > 0 })
            return;
        DropCancel();
        _cancelsPending = true;
    }

    /// <summary>A request has a server that is up to date: true when a cancel came meanwhile, and the request has been answered with the error.</summary>
    private bool CancelIfAsked()
    {
        if (!_cancelRequested)
            return false;
        DropCancel();
        CancelPending();
        if (_lease is { } lease)
            ReleaseIfIdle(lease.Server);
        return true;
    }

    /// <summary>Answers the pending request with 57014.</summary>
    private void CancelPending()
    {
        _cancelsPending = false;
        FailPending(CanceledByUser);
    }

    /// <summary>Answers the pending request with an error. In a transaction, or behind requests under way, the server is made to fail with it.</summary>
    private void FailPending(ErrorMessage error)
    {
        if (_lease is { } lease && (_unsynced || lease.Server.Owed.Count > 0 || lease.Server.Status != TransactionStatus.Idle))
            FailOnServer(lease.Server, error);
        else
            FailRequest(error);
    }

    /// <summary>The pending request is not sent; in its place goes a message that fails, whose error the client sees as <paramref name="error"/>.</summary>
    private void FailOnServer(ServerConnection server, ErrorMessage error)
    {
        var here = Math.Min(_requestLength, _input.Count);
        ConsumeInput(here);
        _discarding = _requestLength - here;
        EndRequest();
        if (server.Owed.Count == 0)
            server.RequestStarted = Stopwatch.GetTimestamp();
        server.Retained.Forget();
        var writer = new MessageWriter();
        error.WriteErrorResponse(writer);
        var output = new BatchOutput(server, Loop.ScratchBuffer);
        Fail(server, new LocalReply(writer.WrittenSpan.ToArray()) { IsError = true }, ref output);
        if (_requestEndsInReadyForQuery)
        {
            output.Message(FrontendMessage.Sync, []);
            server.Owed.Enqueue(new OwedReply(ReplyKind.Sync));
            TellNothing();
        }
        _unsynced = !_requestEndsInReadyForQuery;
        _skipToSync = _unsynced;
        output.Complete();
        _signal.Set();
    }
}
