using System.Text;
using PgRouter.Core.Relay;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// ParameterStatus: what the client was told of its settings. What a transaction had told is taken back when its server is lost, as PostgreSQL does
/// at ROLLBACK: in front of the next ReadyForQuery outside a transaction. Source: PostgreSQL, "Asynchronous Operations" of the message flow.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>What the client was told since the transaction began.</summary>
    private List<ReportedParameter>? _reported;

    /// <summary>What does not hold any more of that, by name; null = nothing.</summary>
    private List<ReportedParameter>? _takenBack;

    private ReplyVerdict OnParameterStatus(ServerConnection server, ReadOnlySpan<byte> body)
    {
        var reader = new MessageReader(body);
        if (!reader.TryReadCString(out var name) || !reader.TryReadCString(out var value))
            return ReplyVerdict.Forward;
        var parameter = Encoding.UTF8.GetString(name);
        var before = server.Parameters.GetValueOrDefault(parameter, "");
        server.NoteParameter(body);
        // The client speaks to the cluster, which is never in recovery.
        if (parameter == "in_hot_standby")
            return ReplyVerdict.Swallow;
        var told = new ReportedParameter(parameter, before, server.Parameters[parameter]);
        Heed(told.Name, told.Now);
        NoteReported(told);
        return ReplyVerdict.Forward;
    }

    /// <summary>What the router itself must read differently under it.</summary>
    private void Heed(string parameter, string value)
    {
        if (parameter == "standard_conforming_strings")
            _conformingStrings = value == "on";
        else if (parameter == "client_encoding")
            (_readsUtf8, _hidesAscii) = (value == "UTF8", HiddenAscii.IsIn(value));
    }

    private void NoteReported(ReportedParameter told)
    {
        _reported ??= [];
        var index = _reported.FindIndex(earlier => earlier.Name == told.Name);
        if (index < 0)
            _reported.Add(told);
        else
            _reported[index] = told with { Before = _reported[index].Before };
    }

    /// <summary>The server is lost, and with it the transaction, or the statement, that had told this.</summary>
    private void TakeBackReported()
    {
        if (_reported is not { Count: > 0 } reported)
            return;
        (_takenBack ??= []).AddRange(reported.Where(told => told.Now != told.Before));
        reported.Clear();
    }

    /// <summary>ReadyForQuery behind an answer of the router's own.</summary>
    private void WriteReadyForQuery(MessageWriter writer)
    {
        WriteTakenBack(writer);
        BackendStartupMessages.WriteReadyForQuery(writer, Status);
    }

    private void WriteTakenBack(MessageWriter writer)
    {
        if (_takenBack is not { } parameters || Status != TransactionStatus.Idle)
            return;
        _takenBack = null;
        // The order is that of PostgreSQL's table of settings.
        foreach (var parameter in parameters.OrderBy(parameter => parameter.Name, StringComparer.OrdinalIgnoreCase))
        {
            Heed(parameter.Name, parameter.Before);
            BackendStartupMessages.WriteParameterStatus(writer, parameter.Name, parameter.Before);
        }
    }

    /// <summary>The same in front of a server's ReadyForQuery.</summary>
    private void InsertTakenBack(ref ReplyOutput output)
    {
        if (_takenBack is null)
            return;
        var writer = new MessageWriter();
        WriteTakenBack(writer);
        output.Insert(writer.WrittenSpan);
    }

    private readonly record struct ReportedParameter(string Name, string Before, string Now);
}
