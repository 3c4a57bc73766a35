using PgRouter.Core.Configuration;
using PgRouter.Core.Consistency;
using PgRouter.Core.Transport;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// SHOW pgrouter.lsn_token: a position of the log behind everything that was committed before it. Another session, also of another router, says it by
/// SET pgrouter.min_lsn and reads at least that (docs/consistency.md, "Tokens").
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly TimeSpan TokenLimit = TimeSpan.FromSeconds(5);

    /// <summary>For the answer to the SHOW that is carried out now.</summary>
    private string? _lsnToken;

    /// <summary>Asks the primary, if a statement is that SHOW. Returns why it cannot be answered.</summary>
    private async ValueTask<ErrorMessage?> TakeTokenAsync(Statement statement)
    {
        if (!IsShowOfToken(statement))
            return null;
        var stamp = ConsistencyBook.Now;
        Book.Want();
        using var deadline = new Deadline(_signal);
        deadline.Start(TokenLimit);
        Action wake = WakeFromAnywhere;
        Book.AddWaiter(wake);
        while (Book.Ticks.PositionAfter(stamp) is null && !deadline.HasPassed && !_ended && !_terminateRequested)
            await _signal;
        Book.RemoveWaiter(wake);
        _lsnToken = Book.Ticks.PositionAfter(stamp)?.ToToken();
        return _lsnToken is not null
            ? null
            : ErrorMessage.Error(
                SqlStates.ObjectNotInPrerequisiteState, "the position of the primary is not known",
                hint: "The log says why node and account cannot be asked; see also SHOW POOL_NODES.");
    }

    private static bool IsShowOfToken(Statement statement) => statement is { Kind: StatementKind.Show, Name: OwnSetting.LsnToken };

    /// <summary>Among other statements nothing may wait.</summary>
    private static ErrorMessage TokenAmongOthers() => ErrorMessage.Error(
        SqlStates.FeatureNotSupported, $"SHOW {OwnSetting.LsnToken} cannot stand in one batch with other statements", hint: "Send it by itself.");

    private string? ShownValue(string name, OwnSettings own) => name switch
    {
        StartupPoolMode.Name => _poolMode.ToString().ToLowerInvariant(),
        OwnSetting.LsnToken => _lsnToken,
        _ when OwnSetting.Find(name) is var row and >= 0 => own[row] is { Length: > 0 } said ? said : ConfiguredValue(name),
        _ => null,
    };

    /// <summary>Of a setting that the session has not said and whose value the configuration has.</summary>
    private string ConfiguredValue(string name) => name switch
    {
        OwnSetting.Consistency => _limits.Current.ReadConsistency.Name(),
        OwnSetting.ConsistencyWait => OwnSetting.Written(_limits.Current.ConsistencyWait),
        _ => "",
    };
}
