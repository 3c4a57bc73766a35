using System.Net;
using PgRouter.Core.Admin;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>What SHOW CLIENTS may know of a session. Loop thread.</summary>
internal sealed partial class ClientSession
{
    public ClientSnapshot Snapshot()
    {
        var remote = _client.RemoteEndPoint as IPEndPoint;
        var local = _client.LocalEndPoint as IPEndPoint;
        var server = _lease?.Server;
        var now = DateTimeOffset.UtcNow;
        var lastRequest = _lastActivityMs == 0 ? ConnectTime : now - TimeSpan.FromMilliseconds(Loop.NowMs - _lastActivityMs);
        return new ClientSnapshot
        {
            Pid = Pid,
            User = Identity.User,
            Database = Identity.Database,
            State = StateName(),
            Address = remote?.Address.ToString() ?? "unix",
            Port = remote?.Port ?? 0,
            LocalAddress = local?.Address.ToString() ?? "unix",
            LocalPort = local?.Port ?? 0,
            IsTls = _client.Tls is not null,
            TlsDescription = _client.Tls?.Description ?? "",
            ApplicationName = Identity.ApplicationName,
            ConnectTime = ConnectTime,
            RequestTime = lastRequest,
            IdleSince = _waitSince == 0 && !IsBusy ? lastRequest : null,
            Wait = _waitSince == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Loop.NowMs - _waitSince),
            Pinned = _pins == PinReasons.None ? "" : _pins.ToString(),
            PinnedSince = _pinnedSince,
            NodeId = server?.Node.Id ?? -1,
            ServerPid = server?.Pid ?? 0,
            PreparedStatements = _statements?.Count ?? 0,
            QueryCount = _queryCount,
            LoadBalanceNodeId = _lastReadNodeId,
        };
    }

    private string StateName()
    {
        if (_waitSince != 0)
            return "waiting";
        if (IsBusy)
            return "active";
        return Status == TransactionStatus.Idle ? "idle" : "idle_in_transaction";
    }
}
