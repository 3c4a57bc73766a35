using PgRouter.Core.Notifications;
using PgRouter.Core.Servers;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The settings of one client as PostgreSQL would keep them: SET in a transaction counts if it commits, ROLLBACK TO takes back what came after
/// its savepoint. Beside the client's own set it follows what its server has, which differs after RESET of a setting that the client gave at
/// start-up. Loop thread only. Source: SET, "Description", on transactions.
/// </summary>
internal sealed class SettingsJournal
{
    private List<Mark>? _marks;
    private OwnSettings _ownOfSession;

    public SettingsJournal(SettingsSet startup, OwnSettings? ownStartup = null)
    {
        Startup = startup;
        Client = OnServer = startup;
        OwnStartup = _ownOfSession = Own = ownStartup ?? OwnSettings.Default;
    }

    /// <summary>What the client asked for in its start-up packet: RESET goes back to it.</summary>
    public SettingsSet Startup { get; }

    /// <summary>What it asked of the router there.</summary>
    public OwnSettings OwnStartup { get; private set; }

    /// <summary>What the session says to the router now; SET LOCAL of it ends with the transaction.</summary>
    public OwnSettings Own { get; private set; }

    /// <summary>What the session must have.</summary>
    public SettingsSet Client { get; private set; }

    /// <summary>What the server of the lease has.</summary>
    public SettingsSet OnServer { get; private set; }

    /// <summary>What the session listens to: LISTEN and UNLISTEN count if their transaction commits, as settings do.</summary>
    public ChannelSet Channels { get; private set; } = ChannelSet.Empty;

    public bool InTransaction => _marks is { Count: > 0 };

    /// <summary>A server has been brought up to date for this client.</summary>
    public void Synchronized() => OnServer = Client;

    public void Set(string name, string expression)
    {
        EndRole(name);
        Client = Client.With(name, expression);
        OnServer = OnServer.With(name, expression);
    }

    /// <summary>The same with the value as the server reports it, for a setting whose new value depends on the old one (DateStyle).</summary>
    public void SetReported(string name, string value)
    {
        Client = Client.WithText(name, value);
        OnServer = OnServer.WithText(name, value);
    }

    public void Reset(string name)
    {
        EndRole(name);
        Client = Client.WithFrom(name, Startup);
        OnServer = OnServer.WithFrom(name, SettingsSet.Empty);
    }

    /// <summary>SET and RESET SESSION AUTHORIZATION end a role that was set before.</summary>
    private void EndRole(string name)
    {
        if (name != SettingsSet.SessionAuthorization)
            return;
        Client = Client.WithFrom(SettingsSet.Role, SettingsSet.Empty);
        OnServer = OnServer.WithFrom(SettingsSet.Role, SettingsSet.Empty);
    }

    public void ResetAll()
    {
        // RESET ALL leaves role and session authorization alone.
        Client = Client.OnlyIdentity(Startup);
        OnServer = OnServer.OnlyIdentity(SettingsSet.Empty);
        _ownOfSession = Own = OwnStartup;
    }

    /// <summary>SET and SET LOCAL of a setting of the router's own, null = RESET.</summary>
    public void SetOwn(int row, string? value, bool isLocal)
    {
        value ??= OwnStartup.Said(row);
        Own = Own.With(row, value);
        // What SET LOCAL does outside of a transaction lasts for no statement.
        if (isLocal && !InTransaction)
            Own = _ownOfSession;
        else if (!isLocal)
            _ownOfSession = _ownOfSession.With(row, value);
    }

    /// <summary>What sessions of this role and database begin with is another now; what the session has said itself stays.</summary>
    public void BeginOwn(IReadOnlyList<string?> values)
    {
        (OwnStartup, _ownOfSession, Own) = (OwnStartup.Begun(values), _ownOfSession.Begun(values), Own.Begun(values));
        for (var i = 0; i < (_marks?.Count ?? 0); i++)
            _marks![i] = _marks[i] with { OwnOfSession = _marks[i].OwnOfSession.Begun(values), Own = _marks[i].Own.Begun(values) };
    }

    /// <summary>A server was given such a setting with other statements: it must not stay there.</summary>
    public void NoteOwnOnServer(string name, string expression) => OnServer = OnServer.With(name, expression);

    public void DiscardAll()
    {
        Client = Startup;
        OnServer = SettingsSet.Empty;
        Channels = ChannelSet.Empty;
        _ownOfSession = Own = OwnStartup;
    }

    public void Listen(string channel) => Channels = Channels.With(channel);

    /// <summary>UNLISTEN; null = all of them.</summary>
    public void Unlisten(string? channel) => Channels = channel is null ? ChannelSet.Empty : Channels.Without(channel);

    /// <summary>BEGIN; inside a transaction it is only a warning.</summary>
    public void Begin()
    {
        if (!InTransaction)
            (_marks ??= []).Add(new Mark(null, Client, OnServer, Channels, _ownOfSession, Own));
    }

    public void Commit()
    {
        _marks?.Clear();
        Own = _ownOfSession;
    }

    /// <summary>ROLLBACK, the end of a failed transaction, or the loss of its server.</summary>
    public void Rollback()
    {
        if (_marks is not [var first, ..])
            return;
        Restore(first);
        _marks.Clear();
    }

    public void Savepoint(string name) => _marks?.Add(new Mark(name, Client, OnServer, Channels, _ownOfSession, Own));

    /// <summary>ROLLBACK TO: the savepoint stays, those after it are gone.</summary>
    public void RollbackTo(string name)
    {
        if (Find(name) is not (> 0 and var index))
            return;
        Restore(_marks![index]);
        _marks.RemoveRange(index + 1, _marks.Count - index - 1);
    }

    public void Release(string name)
    {
        if (Find(name) is > 0 and var index)
            _marks!.RemoveRange(index, _marks.Count - index);
    }

    private int Find(string name) => _marks?.FindLastIndex(m => m.Name == name) ?? -1;

    private void Restore(Mark mark)
    {
        Client = mark.Client;
        OnServer = mark.OnServer;
        Channels = mark.Channels;
        (_ownOfSession, Own) = (mark.OwnOfSession, mark.Own);
    }

    private readonly record struct Mark(string? Name, SettingsSet Client, SettingsSet OnServer, ChannelSet Channels, OwnSettings OwnOfSession, OwnSettings Own);
}
