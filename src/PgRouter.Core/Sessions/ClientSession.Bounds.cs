using System.Globalization;
using PgRouter.Core.Servers;
using PgRouter.Protocol;

namespace PgRouter.Core.Sessions;

/// <summary>
/// How much one client may ask for: the length of its messages and statements, what it makes the router keep, and how long it may hold a message or an
/// answer up. What is beyond a limit is an error that names the setting; nothing is measured per statement but a length against a field.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>Bytes by which a client must come on within pgrouter.client_stall_timeout, in either direction, not to count as stalled.</summary>
    private const int LeastProgress = 1024;

    private int _longestMessage = int.MaxValue;
    private long _received;
    private StallMark _stallMark;

    /// <summary>What has to be looked at: the shortest of the limits on messages.</summary>
    private void ReadBounds()
    {
        var config = _services.Config();
        _longestMessage = config.MaxStatementSize > 0 ? (int)Math.Min(config.MaxPacketSize, config.MaxStatementSize) : config.MaxPacketSize;
    }

    /// <summary>A message is longer than <see cref="_longestMessage"/>: null when that is allowed for its type.</summary>
    private Step? TooLong(byte type, int length)
    {
        var config = _services.Config();
        if (length > config.MaxPacketSize)
            return EndFor(SqlStates.ProtocolViolation, $"message of {length} bytes is too long", $"max_packet_size of the router is {config.MaxPacketSize}.");
        return type is FrontendMessage.Query or FrontendMessage.Parse && config.MaxStatementSize > 0
            ? EndFor(
                SqlStates.ProgramLimitExceeded, $"statement of {length} bytes is too long",
                $"pgrouter.max_statement_size of the router is {config.MaxStatementSize}.")
            : null;
    }

    /// <summary>Why a name cannot be given to one more prepared statement: it is taken, or there are too many. Null when it can.</summary>
    private LocalReply? RefusalOf(ReadOnlySpan<byte> name, int length)
    {
        if (IsNameTaken(name))
            return LocalReply.DuplicateStatement(name);
        if (name.IsEmpty || _statements is not { } statements)
            return null;
        var config = _services.Config();
        if (config.MaxClientStatements > 0 && statements.Count >= config.MaxClientStatements)
        {
            return LocalReply.Error(
                SqlStates.ConfigurationLimitExceeded, "too many prepared statements",
                $"pgrouter.max_client_statements of the router is {config.MaxClientStatements}.");
        }
        return config.MaxClientMemory > 0 && statements.Bytes + name.Length + length > config.MaxClientMemory
            ? LocalReply.Error(
                SqlStates.ConfigurationLimitExceeded, "prepared statements of this session take too much memory",
                $"pgrouter.max_client_memory of the router is {config.MaxClientMemory} bytes.")
            : null;
    }

    /// <summary>Settings are kept for each client as text; what is beyond all measure ends the session, for the server has it already.</summary>
    private void BoundSettings()
    {
        var most = _services.Config().MaxClientMemory;
        if (most > 0 && _settings.Client.Length > most)
            EndFor(SqlStates.ConfigurationLimitExceeded, "settings of this session take too much memory", $"pgrouter.max_client_memory of the router is {most} bytes.");
    }

    private Step EndFor(string sqlState, string message, string detail)
    {
        SendNow(ErrorMessage.Fatal(sqlState, message, detail));
        Finish(message);
        return Step.Wait;
    }

    private TimeSpan StallLimit => _services.Config().ClientStallTimeout;

    /// <summary>Looked at from time to time. A client that comes on, however slowly, by <see cref="LeastProgress"/> is not stalled.</summary>
    private void CheckStall()
    {
        var limit = StallLimit;
        if (_ended || limit <= TimeSpan.Zero || !IsHoldingUp)
        {
            _stallMark = default;
            return;
        }
        var hasComeOn = _stallMark.SinceMs == 0 || _queryCount != _stallMark.Queries || _received - _stallMark.Received >= LeastProgress
            || Math.Abs(_stallMark.Unsent - _output.Count) >= LeastProgress;
        if (hasComeOn)
            _stallMark = new StallMark(Loop.NowMs, _received, _output.Count, _queryCount);
        else if (Loop.NowMs - _stallMark.SinceMs >= limit.TotalMilliseconds)
            EndFor(SqlStates.IdleSessionTimeout, "terminating connection because the client has stalled", "pgrouter.client_stall_timeout", limit);
    }

    /// <summary>The client has an answer to take, or a message to finish, and it is not the router or a server that keeps it from that.</summary>
    private bool IsHoldingUp
    {
        get
        {
            if (!_output.IsEmpty)
                return true;
            if (IsServerBehind || _waitSince != 0 || _isCommandRunning || _gate.IsPaused || _gate.IsSuspended)
                return false;
            return _streaming > 0 || (!_input.IsEmpty && (!IsBusy || _copyingIn));
        }
    }

    /// <summary>How far a client was when it was last seen to come on; 0 = it was not holding anything up.</summary>
    private readonly record struct StallMark(long SinceMs, long Received, int Unsent, long Queries);
}
