using System.Text;
using PgRouter.Core.Relay;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// When a standby refuses because it is one what the router took for a read (docs/routing.md, "The safety net"): outside a transaction, and with no
/// byte of its answer sent, the request runs once more, on the primary, and the client notices nothing. What is sent together with it and not
/// answered yet goes along.
/// </summary>
internal sealed partial class ClientSession
{
    private const int LongestLoggedText = 200;

    private Rerun _rerun;
    private StatementInfo? _refused;
    private byte[] _refusedCode = [];
    private string _refusedMessage = "";
    private string _refusedText = "";
    private int _refusingNode;
    private RouteReason _refusedReason;
    private bool _isRefusedAgain;

    private enum Rerun : byte
    {
        None,

        /// <summary>The standby has said its error, and ReadyForQuery is to come.</summary>
        Draining,

        /// <summary>That has come.</summary>
        Drained,

        /// <summary>The standby has other requests of the client's to answer: it is given up.</summary>
        Abandoning,

        /// <summary>The request stands in front of the client's input again.</summary>
        Pending,

        /// <summary>The primary has it.</summary>
        Sent,
    }

    /// <summary>
    /// What was sent may be kept, to run once more elsewhere. A standby writes nothing, so that what the catalog alone calls a read may be asked twice
    /// there.
    /// </summary>
    private bool MayRunAgain(ServerConnection server, StatementInfo info) =>
        _rerun == Rerun.None && _block == Block.None && server.Status == TransactionStatus.Idle && _pins == PinReasons.None
        && (info.Class <= StatementClass.Read || IsOnStandby(server));

    private bool IsOnStandby(ServerConnection server) =>
        _services.Cluster.View is { PrimaryIndex: >= 0 } view && view.Nodes[view.PrimaryIndex].Id != server.Node.Id;

    /// <summary>Where the catalog and the grammar say a text may run, unless a standby has refused it.</summary>
    private string? RefusalOf(StatementInfo info) =>
        _host.Refused.IsEmpty || _catalog is null ? null : _host.Refused.Find(info, _catalog, Loop.NowMs);

    /// <summary>An error of a server: null when it is the client's, else what becomes of it.</summary>
    private ReplyVerdict? OnRefused(ServerConnection server, ReadOnlySpan<byte> body, ReadOnlySpan<byte> code, ref ReplyOutput output)
    {
        if (!RecoveryErrors.Contains(code) || server.Owed.Count == 0 || server.Owed.Head is not { Swallow: false, Subject: StatementInfo info } head)
            return null;
        if (_rerun == Rerun.Sent)
            _isRefusedAgain = code.SequenceEqual(_refusedCode);
        if (!IsOnStandby(server))
            return null;
        ErrorMessage.TryGetField(body, (byte)'M', out var message);
        _refusedMessage = Encoding.UTF8.GetString(message);
        _refusedText = TextOf(server.Retained.First, info, LongestLoggedText);
        _refusingNode = server.Node.Id;
        _refusedReason = _reason;
        if (_answerStarted || !output.MayCutBack || server.Retained.IsEmpty || ClosesName(server.Retained.First))
        {
            if (!RecoveryErrors.IsReadOnly(code) || !IsReadOnlyByItself(server))
                Remember(info, code, ranOnPrimary: false);
            return null;
        }
        (_refused, _refusedCode, _isRefusedAgain) = (info, code.ToArray(), false);
        output.CutBack();
        if (head.Kind != ReplyKind.Query)
            SkipToSync(server);
        if (server.Owed.Count > 1)
        {
            _rerun = Rerun.Abandoning;
            return ReplyVerdict.Lost;
        }
        server.Owed.SwallowHead();
        _rerun = Rerun.Draining;
        return ReplyVerdict.Swallow;
    }

    /// <summary>The client has said that its transaction is to write nothing: the primary would refuse as well.</summary>
    private bool IsReadOnlyByItself(ServerConnection server) =>
        server.Status != TransactionStatus.Idle || DefaultModes.IsReadOnly;

    /// <summary>A Close of a statement cannot be taken back once it has been carried out.</summary>
    private static bool ClosesName(ReadOnlySpan<byte> batch)
    {
        for (; MessageHeader.TryRead(batch, out var type, out var length); batch = batch[(length + 1)..])
        {
            if (type == FrontendMessage.Close && batch[MessageHeader.Size] == (byte)'S' && batch[MessageHeader.Size + 1] != 0)
                return true;
        }
        return false;
    }

    /// <summary>The standby is idle, or has been given up: what it refused, and what came behind it, goes in front of the input again.</summary>
    private void RunOnPrimary(ServerConnection server)
    {
        var isAbandoned = _rerun == Rerun.Abandoning;
        EndFlight();
        ForgetTables();
        TakeBackAll(server);
        TakeBackNames(server.Retained.Bytes);
        _input.Prepend(server.Retained.Bytes);
        server.Retained.Forget();
        _rerun = Rerun.Pending;
        ForgetRequest();
        if (isAbandoned)
            GiveUpPipeline();
        else
            ReleaseIfIdle(server);
        _signal.Set();
    }

    private void GiveUpPipeline()
    {
        var lease = _lease!;
        _lease = null;
        lease.Break("its pipeline runs again on the primary");
    }

    /// <summary>The names that these batches have given are free again; they will be given once more.</summary>
    private void TakeBackNames(ReadOnlySpan<byte> batches)
    {
        for (; MessageHeader.TryRead(batches, out var type, out var length); batches = batches[(length + 1)..])
        {
            var name = batches[MessageHeader.Size..(length + 1)];
            if (type == FrontendMessage.Parse && name[0] != 0)
                _statements?.Remove(name[..name.IndexOf((byte)0)]);
        }
    }

    /// <summary>Nothing of what the standby has done so far has happened.</summary>
    private void ForgetRequest()
    {
        _requestFailed = false;
        _completed = 0;
        _executed?.Clear();
        _copyingIn = _awaitsReady = _definesNames = _isFlushing = false;
        _skipToSync = _unsynced = false;
        _namedText = null;
        _portal = null;
        _portals?.Clear();
        _told?.Clear();
    }

    /// <summary>What a request needs that a standby has refused: a write's place, which no hint changes.</summary>
    private StatementClass ClassOfRerun(StatementClass statementClass) =>
        _rerun == Rerun.Pending && statementClass < StatementClass.Write ? StatementClass.Write : statementClass;

    /// <summary>The primary has answered: only when it did not refuse as well was it the standby's fault.</summary>
    private void SettleRerun()
    {
        if (_rerun == Rerun.None)
            return;
        _rerun = Rerun.None;
        if (_refused is { } info && !(_requestFailed && _isRefusedAgain))
            Remember(info, _refusedCode, ranOnPrimary: true);
        _refused = null;
    }

    private void Remember(StatementInfo info, ReadOnlySpan<byte> code, bool ranOnPrimary)
    {
        var sqlState = Encoding.ASCII.GetString(code);
        _host.Statistics.Node(_refusingNode).Refused[(int)_refusedReason]++;
        RouterMeter.CountRefusal(sqlState, ranOnPrimary);
        var consequence = ranOnPrimary ? "it ran on the primary instead" : "the client got the error";
        SessionLog.RefusedByStandby(
            _services.Logger, _refusingNode, _refusedMessage, sqlState, consequence, Identity.Database, _refusedText);
        if (_catalog is null || RecoveryErrors.IsConflict(code))
            return;
        _host.Refused.Add(info, _catalog, _refusedMessage, Loop.NowMs);
        _catalog.NoteRefusal();
    }
}
