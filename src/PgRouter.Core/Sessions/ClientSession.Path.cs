using PgRouter.Core.Catalog;
using PgRouter.Core.Servers;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What this session's names mean, what its transactions are like and what it says to the router when nothing is said: by its settings, else by those of
/// its role and database, which the catalog knows.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>After these a name may mean another object.</summary>
    private const SessionEffects ChangesPath = SessionEffects.SetsParameter | SessionEffects.ResetsParameter | SessionEffects.SetsRole
        | SessionEffects.DiscardsAll | SessionEffects.ChangesSessionOpaquely;

    private SettingsSet? _boundSettings;
    private DatabaseCatalog? _boundCatalog;
    private SearchPath _path = SearchPath.Any;
    private TransactionModes _defaultModes;
    private string?[]? _begunOwn;

    /// <summary>The search_path may be another than the journal says, until the transaction ends: SET LOCAL, a function.</summary>
    private bool _pathIsOpen;

    /// <summary>Temporary objects were made in this transaction, or may have been.</summary>
    private bool _madeTemporary;

    private bool MayHaveTemporary => _madeTemporary || ((_pins | _doubts) & PinReasons.TemporaryObjects) != 0;

    /// <summary>The modes of a transaction that says nothing of them.</summary>
    private TransactionModes DefaultModes
    {
        get
        {
            Bind(_catalog?.Current);
            return _defaultModes;
        }
    }

    private SearchPath PathNow(DatabaseCatalog catalog)
    {
        if (_pathIsOpen || (_pins & PinReasons.Settings) != 0 || SettingsAreUnderWay())
            return SearchPath.Any;
        Bind(catalog);
        return _path;
    }

    private void Bind(DatabaseCatalog? catalog)
    {
        var settings = _settings.Client;
        if (ReferenceEquals(settings, _boundSettings) && ReferenceEquals(catalog, _boundCatalog))
            return;
        (_boundSettings, _boundCatalog) = (settings, catalog);
        var defaults = catalog?.Defaults;
        _path = (settings.TextOf(SessionDefaults.SearchPath) ?? defaults?.ValueFor(Identity.User, SessionDefaults.SearchPath)) is { } value
            ? SearchPath.Parse(value, RoleOf(settings))
            : SearchPath.Any;
        var isReadOnly = settings.DefaultsToReadOnly
            ?? (defaults?.ValueFor(Identity.User, SessionDefaults.ReadOnly) is { } readOnly && SettingsSet.IsOn(readOnly.ToLowerInvariant()));
        var isolation = settings.DefaultIsolation ?? defaults?.ValueFor(Identity.User, SessionDefaults.Isolation)?.ToLowerInvariant();
        _defaultModes = new TransactionModes(isReadOnly, isolation);
        if (catalog is { IsKnown: true })
            BeginOwn(catalog.Defaults);
    }

    /// <summary>The router's own settings that ALTER ROLE and ALTER DATABASE give to sessions like this one. One that is none is left out, and logged.</summary>
    private void BeginOwn(SessionDefaults defaults)
    {
        if (!defaults.HasOwn && _begunOwn is null)
            return;
        string?[] texts = [.. OwnSetting.Rows.Select(setting => defaults.ValueFor(Identity.User, setting.Name))];
        if (_begunOwn is not null && texts.AsSpan().SequenceEqual(_begunOwn))
            return;
        _begunOwn = texts;
        _settings.BeginOwn([.. texts.Select((text, row) => text is null ? null : OwnSetting.Rows[row].Read(text))]);
        for (var row = 0; row < texts.Length; row++)
        {
            var setting = OwnSetting.Rows[row];
            if (texts[row] is { } text && setting.Read(text) is null)
                SessionLog.NoValue(_services.Logger, setting.Name, text, Identity.User, Identity.Database, setting.Allowed);
        }
    }

    /// <summary>current_user; null when the settings do not say it.</summary>
    private string? RoleOf(SettingsSet settings)
    {
        var role = settings.TextOf(SettingsSet.Role) is { } set ? SearchPath.NameIn(set) : "none";
        if (role != "none")
            return role;
        return settings.TextOf(SettingsSet.SessionAuthorization) is { } user ? SearchPath.NameIn(user) : Identity.User;
    }

    /// <summary>A request in front of this one, not answered yet, may change what its names mean.</summary>
    private bool SettingsAreUnderWay()
    {
        if (_lease is not { Server.Owed: { Count: > 0 } owed })
            return false;
        for (var i = 0; i < owed.Count; i++)
        {
            if (owed[i].Subject is StatementInfo info && (info.Effects & ChangesPath) != 0)
                return true;
        }
        return false;
    }
}
