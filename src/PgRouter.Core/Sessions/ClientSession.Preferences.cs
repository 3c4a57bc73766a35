using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>What the lists of the configuration say of this client and of its statements, and the node it was given (docs/routing.md).</summary>
internal sealed partial class ClientSession
{
    private RoutingLists? _preferenceOf;
    private NodePreference? _preference;
    private int _balancedNodeId = -1;
    private NodeGauge? _flight;

    /// <summary>Does a list name this text for the primary? Those that run there anyway are not asked about.</summary>
    private bool IsListed(StatementInfo info, ReadOnlySpan<byte> sql)
    {
        var lists = _services.Config().Lists;
        if (!lists.NamesStatements || info.Class is not (StatementClass.Read or StatementClass.State or StatementClass.NeedsCatalog))
            return false;
        return (lists.ListsFunctions && _host.Lists.OfFunctions(info, lists).IsForPrimary)
            || (!lists.PrimaryStatements.IsEmpty && _host.Lists.NamesStatement(sql, lists));
    }

    /// <summary>The same for what was prepared, by its text without PREPARE.</summary>
    private bool IsListed(PreparedStatement statement)
    {
        if (!_services.Config().Lists.NamesStatements)
            return false;
        ReadOnlySpan<byte> definition = statement.Definition;
        return statement.IsSql
            ? IsListed(statement.Info, definition[PreparedNames.FindQuery(definition, default, _conformingStrings)..])
            : IsListed(statement.Info, UpToZero(definition));
    }

    private RequestMarks MarksOf(StatementInfo info, ReadOnlySpan<byte> sql) => IsListed(info, sql) ? RequestMarks.Listed : RequestMarks.None;

    private RequestMarks MarksOf(PreparedStatement statement) => IsListed(statement) ? RequestMarks.Listed : RequestMarks.None;

    private static ReadOnlySpan<byte> UpToZero(ReadOnlySpan<byte> text) => text.IndexOf((byte)0) is var end and >= 0 ? text[..end] : text;

    /// <summary>What the redirect lists prefer for this client; asked once for each reading of the configuration.</summary>
    private NodePreference? PreferenceIn(RoutingLists lists)
    {
        if (!ReferenceEquals(_preferenceOf, lists))
        {
            _preferenceOf = lists;
            _preference = lists.PreferenceOf(Identity.ApplicationName, Identity.Database, Identity.User);
        }
        return _preference;
    }

    /// <summary>statement_level_load_balance = off: the index of the node that serves this session's reads.</summary>
    private int? KeptNode(ClusterView cluster, RouterConfig config) =>
        config.StatementLevelLoadBalance || _balancedNodeId < 0 ? null : cluster.Find(_balancedNodeId)?.Index;

    /// <summary>From the first request that a server of this session has to answer to the last.</summary>
    private void BeginFlight()
    {
        if (_flight is not null)
            return;
        _flight = _nodeCounters!.Gauge;
        _flight.InFlight++;
    }

    private void EndFlight()
    {
        if (_flight is null)
            return;
        _flight.InFlight--;
        _flight = null;
    }

    /// <summary>A read by itself, sent where the balance had it, says how fast that node answers.</summary>
    private void NoteLatency(double milliseconds, bool wasAlone)
    {
        if (wasAlone && _decision.Reason is RouteReason.Balanced or RouteReason.List && _pending.Class <= StatementClass.Read)
            _nodeCounters!.Gauge.Observe(milliseconds, Loop.NowMs);
    }

    private void NoteDecision(int nodeId)
    {
        if (_decision.Reason is RouteReason.Balanced or RouteReason.List or RouteReason.NoStandby)
            _lastReadNodeId = nodeId;
        if (_decision.Reason == RouteReason.Balanced || (_decision.Reason == RouteReason.List && (_pending.Marks & RequestMarks.Listed) == 0))
            _balancedNodeId = nodeId;
    }
}
