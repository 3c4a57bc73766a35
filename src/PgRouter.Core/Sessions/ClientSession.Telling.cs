using System.Diagnostics;
using System.Globalization;
using PgRouter.Core.Configuration;
using PgRouter.Core.Relay;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What is told of each request that is sent: to the log (log_statement, log_per_node_statement) and to the client, by a NOTICE in front of its
/// ReadyForQuery (notice_per_node_statement, pgrouter.notice_route). Costs one look at a field when nothing is to be told.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>Requests under way of which the client will be told, in their order; null as long as there never was one.</summary>
    private Queue<ToldRequest>? _told;
    private const int LongestText = 8192;

    private long _poolWaitTicks;
    private long _serverTicks;

    /// <summary>A request is sent. <see cref="_reason"/> is why here.</summary>
    private void TellOf(ServerConnection server, ReadOnlySpan<byte> bytes, StatementInfo info)
    {
        var config = _services.Config();
        if (config.LogsStatements)
            LogRequest(server, bytes, info, config);
        if (!_requestEndsInReadyForQuery)
            return;
        var noticesRoute = Own.NoticesRoute;
        if (config.NoticePerNodeStatement || noticesRoute)
        {
            var text = config.NoticePerNodeStatement ? TextOf(bytes, info, LongestText) : "";
            (_told ??= []).Enqueue(new ToldRequest(server.Node.Id, _reason, _poolWaitTicks, text, noticesRoute));
        }
        else
        {
            TellNothing();
        }
        _poolWaitTicks = 0;
    }

    /// <summary>Keeps the place of a request of which nothing is told, behind others.</summary>
    private void TellNothing()
    {
        if (_told is { Count: > 0 })
            _told.Enqueue(default);
    }

    private void LogRequest(ServerConnection server, ReadOnlySpan<byte> bytes, StatementInfo info, RouterConfig config)
    {
        var text = TextOf(bytes, info, LongestText);
        if (config.LogStatement)
            SessionLog.Statement(_services.Logger, text);
        if (config.LogPerNodeStatement)
            SessionLog.NodeStatement(_services.Logger, server.Node.Id, server.Pid, text, _reason.Word());
    }

    /// <summary>A statement that the router answers itself.</summary>
    private void LogLocal(ReadOnlySpan<byte> bytes)
    {
        if (_services.Config().LogStatement)
            SessionLog.Statement(_services.Logger, StatementText.Of(bytes));
    }

    /// <summary>In front of a request's ReadyForQuery.</summary>
    private void TellClient(ref ReplyOutput output)
    {
        if (_told is null || !_told.TryDequeue(out var request) || request.Reason == default)
            return;
        var writer = new MessageWriter();
        if (request.Text.Length > 0)
            Notice(string.Create(CultureInfo.InvariantCulture, $"DB node id: {request.NodeId} statement: {request.Text}"), writer);
        if (request.TellsRoute)
            Notice(Route(request, Stopwatch.GetElapsedTime(0, _serverTicks)), writer);
        output.Insert(writer.WrittenSpan);
    }

    private static string Route(in ToldRequest request, TimeSpan serverTime) => string.Create(
        CultureInfo.InvariantCulture,
        $"routed to node {request.NodeId}, reason: {request.Reason.Word()}, pool wait: {Stopwatch.GetElapsedTime(0, request.WaitTicks).TotalMilliseconds:0.000} ms, server time: {serverTime.TotalMilliseconds:0.000} ms");

    /// <summary>The text in a request, for people: of a Query, or of that statement among those of a batch which is meant.</summary>
    private string TextOf(ReadOnlySpan<byte> request, StatementInfo info, int longest)
    {
        for (var rest = request; MessageHeader.TryRead(rest, out var type, out var length) && length >= MessageHeader.MinLength;)
        {
            var end = Math.Min(rest.Length, length + 1);
            var definition = DefinitionIn(type, rest[MessageHeader.Size..end], info);
            if (!definition.IsEmpty)
                return StatementText.Head(definition, longest);
            rest = rest[end..];
        }
        return info.Cause;
    }

    private ReadOnlySpan<byte> DefinitionIn(byte type, ReadOnlySpan<byte> body, StatementInfo info)
    {
        if (type == FrontendMessage.Query)
            return body;
        var reader = new MessageReader(body);
        reader.TryReadCString(out _);
        var rest = reader.Rest;
        if (type == FrontendMessage.Parse && reader.TryReadCString(out var sql))
            return ReferenceEquals(_host.Shapes.Find(sql, _conformingStrings), info) ? rest : default;
        if (type != FrontendMessage.Bind || !reader.TryReadCString(out var name))
            return default;
        if (name.IsEmpty)
            return ReferenceEquals(_unnamed.Info, info) && !_unnamed.Body.IsEmpty ? _unnamed.Body[1..] : default;
        return _statements?.Find(name) is { } statement && ReferenceEquals(statement.Info, info) ? statement.Definition : default;
    }

    private static void Notice(string message, MessageWriter writer) =>
        new ErrorMessage { Severity = ErrorMessage.SeverityNotice, Code = SqlStates.SuccessfulCompletion, Message = message }.WriteNoticeResponse(writer);

    private readonly record struct ToldRequest(int NodeId, RouteReason Reason, long WaitTicks, string Text, bool TellsRoute);
}
