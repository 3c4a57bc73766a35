using System.Globalization;
using System.Text;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Writes a client's text for a server, where process ids are others: what stands for pg_backend_pid() is the pid that the client was given; a
/// call of pg_cancel_backend or pg_terminate_backend that names a client becomes the question whether this user may, with the answer true, or an
/// error that the session exchanges for PostgreSQL's. Pure: who a pid is is asked of a function.
/// </summary>
internal sealed class BackendPidText(int ownPid, Func<long, string?> userOf)
{
    private const string Marker = "pgrouter denies ";

    private readonly TextEdits _edits = new();
    private readonly List<ClientSignal> _signals = [];
    private readonly List<PidCall> _remaining = [];

    /// <summary>A call that cannot be written so that the client sees no difference.</summary>
    public bool IsUnsupported { get; private set; }

    /// <summary>The text for the server, null when it is the client's own; and what is to be known of it.</summary>
    /// <param name="sql">The client's text.</param>
    /// <param name="standardConformingStrings">The setting of the session.</param>
    /// <param name="info">What is known of its shape.</param>
    /// <param name="calls">The calls to look at: those of the shape, or those left for Bind.</param>
    /// <param name="parameter">The value of a parameter at Bind; null at Parse.</param>
    public (byte[]? Text, StatementInfo Info) Write(
        ReadOnlySpan<byte> sql, bool standardConformingStrings, StatementInfo info, IReadOnlyList<PidCall> calls, Func<int, long?>? parameter)
    {
        foreach (var site in PidCallSite.Locate(sql, standardConformingStrings, calls))
            Write(sql, site, parameter);
        var text = _edits.IsEmpty ? null : _edits.Apply(sql);
        var bound = parameter is null && _remaining.Exists(call => call.Place != PidCallPlace.Untouched) ? _remaining : null;
        return (text, info.WithPids(bound, text is null ? null : _edits, _signals.Count == 0 ? null : _signals));
    }

    /// <summary>The kind of refusal in the message of a server's error, null when it is another error.</summary>
    public static (bool Terminates, bool OfSuperuser)? ReadDenial(ReadOnlySpan<byte> errorBody)
    {
        var start = errorBody.IndexOf(Encoding.ASCII.GetBytes(Marker));
        return start < 0 || errorBody.Length < start + Marker.Length + 2
            ? null
            : (errorBody[start + Marker.Length] == 't', errorBody[start + Marker.Length + 1] == 's');
    }

    private void Write(ReadOnlySpan<byte> sql, PidCallSite site, Func<int, long?>? parameter)
    {
        if (site.Call.Function == PidFunction.OwnPid)
            WriteOwnPid(site);
        else if (site.IsSignal)
            WriteSignal(sql, site, parameter);
        else
            _remaining.Add(site.Call with { Place = PidCallPlace.Untouched });
    }

    private void WriteOwnPid(PidCallSite site)
    {
        switch (site.Call.Place)
        {
            case PidCallPlace.Expression:
                // Not longer than the shortest way to write the call, so that no place in the text moves.
                Replace(site, Invariant($"{ownPid}::int").PadRight(site.Stop - site.Start));
                break;
            case PidCallPlace.OutputColumn:
                Replace(site, Invariant($"(SELECT {ownPid} AS pg_backend_pid)"));
                break;
            case PidCallPlace.FromItem or PidCallPlace.FromItemWithAlias:
                var ordinality = site.WithOrdinality ? " WITH ORDINALITY" : "";
                var alias = site.Call.Place == PidCallPlace.FromItem ? " AS pg_backend_pid" : "";
                Replace(site, Invariant($"pg_catalog.abs({ownPid}){ordinality}{alias} "));
                break;
            case PidCallPlace.RowsFrom:
                IsUnsupported = true;
                break;
            default:
                _remaining.Add(site.Call);
                break;
        }
    }

    private void WriteSignal(ReadOnlySpan<byte> sql, PidCallSite site, Func<int, long?>? parameter)
    {
        var pid = site.Pid!.Value;
        var timeout = site.Timeout;
        if (parameter is null && (pid.Parameter > 0 || timeout is { Parameter: > 0 }))
        {
            _remaining.Add(site.Call); // Bind decides.
            return;
        }

        var value = pid.Parameter > 0 ? parameter!(pid.Parameter) : pid.Constant;
        var wait = timeout is { } given ? given.Parameter > 0 ? parameter!(given.Parameter) : given.Constant : 0;
        if (value == ownPid || pid.IsOwnPid)
            WriteSignalToItself(sql, site, pid, wait is >= 0);
        else if (value is { } named && wait is >= 0 && userOf(named) is { } user)
            WriteSignalToClient(sql, site, (int)named, user);
        else
            _remaining.Add(site.Call with { Place = PidCallPlace.Untouched });
    }

    /// <summary>The server's process stops itself, as PostgreSQL's would.</summary>
    private void WriteSignalToItself(ReadOnlySpan<byte> sql, PidCallSite site, PidArgument pid, bool isCarriedOut)
    {
        if (!pid.IsOwnPid)
        {
            var used = pid.Parameter == 0 ? "" : $"{TextOf(sql, pid)}::pg_catalog.int4 IS NOT NULL AND ";
            _edits.Replace(
                pid.Start, pid.Stop, Encoding.UTF8.GetBytes($"CASE WHEN {used}true THEN pg_catalog.pg_backend_pid() END"));
        }

        _remaining.Add(site.Call with { Place = PidCallPlace.Untouched });
        _remaining.Add(new PidCall(PidFunction.OwnPid, PidCallPlace.Untouched, site.Call.Statement));
        if (isCarriedOut && site.Call.Function == PidFunction.Terminate)
            _signals.Add(new ClientSignal(site.Call.Statement, ownPid, Terminates: true));
    }

    /// <summary>Source of the two conditions: pg_signal_backend() in PostgreSQL's signalfuncs.c.</summary>
    private void WriteSignalToClient(ReadOnlySpan<byte> sql, PidCallSite site, int pid, string user)
    {
        var terminates = site.Call.Function == PidFunction.Terminate;
        var role = Literal(user);
        var kind = terminates ? 't' : 'c';
        var name = terminates ? "pg_terminate_backend" : "pg_cancel_backend";
        var used = new StringBuilder();
        if (site.Pid is { Parameter: > 0 } number)
            used.Append("WHEN ").Append(TextOf(sql, number)).Append("::pg_catalog.int4 IS NULL THEN NULL ");
        if (site.Timeout is { Parameter: > 0 } time)
            used.Append("WHEN ").Append(TextOf(sql, time)).Append("::pg_catalog.int8 IS NULL THEN NULL ");
        Replace(
            site,
            Invariant($"""
                CAST(CASE {used}WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = {role})
                 AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN '{Marker}{kind}s {pid}'
                 WHEN NOT pg_catalog.pg_has_role({role}, 'USAGE') AND NOT pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
                 THEN '{Marker}{kind}r {pid}' ELSE 't' END AS pg_catalog.bool)
                """) + (site.Call.Place == PidCallPlace.BareColumn ? $" AS {name} " : " "));
        _signals.Add(new ClientSignal(site.Call.Statement, pid, terminates));
    }

    private void Replace(PidCallSite site, string text) => _edits.Replace(site.Start, site.Stop, Encoding.UTF8.GetBytes(text));

    private static string TextOf(ReadOnlySpan<byte> sql, PidArgument argument) => Encoding.UTF8.GetString(sql[argument.Start..argument.Stop]);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Reads the same whatever standard_conforming_strings says.</summary>
    private static string Literal(string text)
    {
        var quoted = text.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\') ? $"E'{quoted.Replace("\\", "\\\\", StringComparison.Ordinal)}'" : $"'{quoted}'";
    }
}
