using System.Diagnostics;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Core.Transport;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>The wait for a server: how long it took, and what the client is told meanwhile.</summary>
internal sealed partial class ClientSession
{
    private long _waitSince;
    private Deadline? _waitNotice;

    /// <summary>
    /// Gets a server for the pending request within query_wait_timeout, and counts the time it took. After query_wait_notify the client
    /// gets a notice, once, unless it is still logging in: libpq takes none then.
    /// </summary>
    private async Task<(ServerLease? Lease, ErrorMessage? Error)> WaitForLeaseAsync()
    {
        var started = Stopwatch.GetTimestamp();
        _waitSince = Loop.NowMs;
        var limits = _limits.Current;
        using var deadline = new Deadline(_signal);
        deadline.Start(limits.QueryWaitTimeout);
        if (Pid != 0)
            (_waitNotice ??= new Deadline(_signal)).Start(limits.QueryWaitNotify);
        var result = await FindLeaseAsync(deadline);
        _waitNotice?.Stop();
        _counters.WaitTicks += Stopwatch.GetTimestamp() - started;
        return result;
    }

    /// <summary>After query_wait_notify, called each time the wait is interrupted; null as pool = the database is paused.</summary>
    private void TellOfWait(ServerPool? pool)
    {
        if (_waitNotice is not { HasPassed: true } notice)
            return;
        notice.Stop();
        var waited = TimeSpan.FromMilliseconds(Loop.NowMs - _waitSince);
        var message = pool is null ? PausedNotice(Identity.Database, waited) : PoolShortage.Notice(pool, waited);
        var writer = new MessageWriter();
        message.WriteNoticeResponse(writer);
        SendToClient(writer.WrittenSpan);
    }

    private static ErrorMessage PausedNotice(string database, TimeSpan waited) => new()
    {
        Severity = ErrorMessage.SeverityNotice,
        Code = SqlStates.SuccessfulCompletion,
        Message = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"waiting for database \"{database}\" for {waited.TotalSeconds:0} s: it is paused"),
    };
}
