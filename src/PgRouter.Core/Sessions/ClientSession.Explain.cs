using System.Globalization;
using PgRouter.Core.Admin;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Explaining;
using PgRouter.Core.Routing;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// EXPLAIN ROUTE: where a statement of this very session would run now, and why, without a server and without running it. What it costs is a parse,
/// if the shape is new.
/// </summary>
internal sealed partial class ClientSession
{
    private const int TextTypeOid = 25;

    /// <summary>The statement that a command of the router is to explain; null when it is another command.</summary>
    private byte[]? ExplainedBy(string command) => Identity.IsConsole ? null : ExplainedStatement.In(command);

    private async ValueTask<AdminResult> ExplainAsync(byte[] sql)
    {
        if (_services.Commands.CheckConsoleLogin(Identity.User) is { } denied)
            return AdminErrors.Refuse(denied);
        if (sql.Length == 0)
            return AdminErrors.Refuse(AdminErrors.SyntaxError, "EXPLAIN ROUTE needs a statement", "For example: EXPLAIN ROUTE SELECT 1.");
        var info = _host.Shapes.Find(sql, _conformingStrings) ?? await AnalyzeAsync(sql);
        var rows = Explain(sql, info).Select(row => row.ToRow()).ToList();
        return new AdminResult
        {
            Columns = ExplanationRow.Columns,
            Rows = rows,
            Tag = string.Create(CultureInfo.InvariantCulture, $"SELECT {rows.Count}"),
        };
    }

    private List<ExplanationRow> Explain(byte[] sql, StatementInfo info)
    {
        var session = Situation(info);
        var marks = MarksOf(info, sql);
        if (HasNames(info) && Executed(info, PreparedNames.Find(sql, _conformingStrings)) is { } executed)
            (info, marks) = (executed.Info, marks | MarksOf(executed));
        var verdict = Judge(info);
        var statementClass = verdict.Class;
        marks |= verdict.Marks;
        var blocks = BlocksOfRequest();
        blocks.Add(info, verdict.ClassForBlock);
        var request = new PendingRequest(statementClass, info.Hint, blocks.FitStandby, info.Effects, marks) { Reads = verdict.Reads };
        var cluster = _services.Cluster.View;
        var held = _lease is { } lease && cluster.Find(lease.Server.Node.Id) is { } node ? node.Index : -1;
        if (_blockOnStandby && held >= 0 && blocks.NeedsPrimary)
        {
            session.Add(new ExplanationRow("session", "block", "begins again on the primary", "a standby cannot go on with it, see docs/routing.md"));
            (held, request) = (-1, request with { Class = StatementClass.Write, BeginsReadOnly = false });
        }
        var need = held < 0 ? NeedOf(request) : request;
        var loads = new NodeLoad[cluster.Nodes.Length];
        _host.ReadLoads(cluster, loads);
        var input = InputOf(need, cluster, _services.Config(), held, loads);
        return RouteExplanation.Of(input, new ExplainedText(info, WhyOtherClass(info, statementClass, need.Class)), NamesNow, session);
    }

    /// <summary>What the names in a statement mean now; null when the catalog cannot tell.</summary>
    private BoundNames? NamesNow => KnownCatalog is { } catalog ? new BoundNames(catalog, PathNow(catalog)) : null;

    /// <summary>Why a statement counts for another class than its grammar says.</summary>
    private string WhyOtherClass(StatementInfo info, StatementClass ofText, StatementClass ofNeed)
    {
        var reasons = new List<string>();
        if (RefusalOf(info) is { } message)
            reasons.Add($"a standby has refused it: {message}");
        else if (ofText != info.Class)
            reasons.Add($"{ofText} by the catalog{WhyOfCatalog(info)}");
        if (ofNeed == ofText)
            return string.Join("; ", reasons);
        if (_block != Block.None)
            reasons.Add("it is in a transaction block that has no server yet");
        else if (IsListening)
            reasons.Add("the session listens, and may have been told of what a standby does not have yet");
        else
            reasons.Add("every transaction of the session is serializable, which a standby refuses");
        return string.Join("; ", reasons);
    }

    private string WhyOfCatalog(StatementInfo info) =>
        NamesNow is { } names && names.Catalog.Judge(info, names.Path, MayHaveTemporary).Why is { Length: > 0 } why ? $" ({why})" : "";

    /// <summary>What of the session counts, beside the statement.</summary>
    private List<ExplanationRow> Situation(StatementInfo info)
    {
        var rows = new List<ExplanationRow>
        {
            new("session", "transaction", Status switch
            {
                TransactionStatus.Idle => "none",
                TransactionStatus.Failed => "failed",
                _ => _lease is null ? "begun, and no server has been asked yet" : "open",
            }),
            new("session", "server", _lease is { } lease ? $"held on {lease.Server.Node}" : "none is held", _pins == PinReasons.None ? null : $"pinned: {_pins}"),
            new("session", "catalog", _catalog?.State switch
            {
                CatalogState.Loaded => _catalogChanged ? "not asked: the open transaction has changed the schema" : "known",
                CatalogState.Stale => "has changed, and is being read again",
                _ => "unknown",
            }),
        };
        if (NamesNow is { } names)
            rows.Add(new ExplanationRow("session", "search_path", names.Path.IsAny ? "any schema" : string.Join(", ", names.Path.Schemas)));
        if (info.Hint is { } hint)
            rows.Add(new ExplanationRow("session", "hint", $"{hint}"));
        if (SessionHint is { } said)
            rows.Add(new ExplanationRow("session", "settings", $"{said}"));
        return rows;
    }

    /// <summary>Parameters of a statement to be explained: of any type, and not looked at.</summary>
    private static void WriteParameters(MessageWriter writer, int count)
    {
        writer.Begin(BackendMessage.ParameterDescription);
        writer.WriteInt16((short)count);
        for (var i = 0; i < count; i++)
            writer.WriteInt32(TextTypeOid);
        writer.End();
    }
}
