using PgRouter.Core.Configuration.Settings;

namespace PgRouter.Core.Configuration;

/// <summary>
/// Reads a configuration: file, then environment, then the command line's HBA file. All mistakes are reported at once; nothing is
/// thrown for what a user wrote.
/// </summary>
internal sealed class ConfigLoader
{
    private const string DefaultHbaFile = "pool_hba.conf";

    private readonly Dictionary<string, ConfiguredValue> _values = [];
    private readonly List<ConfigMistake> _mistakes = [];
    private readonly List<string> _warnings = [];

    private ConfigLoader()
    {
    }

    /// <summary>Loads a file.</summary>
    /// <param name="path">The file; null = the environment alone.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="hbaFile">HBA file of the command line; it has the last word. Null = none.</param>
    /// <param name="keyFile">Key file of the command line, the same.</param>
    public static ConfigResult Load(string? path, IReadOnlyDictionary<string, string> environment, string? hbaFile = null, string? keyFile = null)
    {
        var loader = new ConfigLoader();
        if (path is not null)
            loader.Take(ConfigFileReader.Read(path));
        var (entries, mistakes, warnings) = EnvironmentSettings.Read(environment);
        loader.Take((entries, mistakes));
        loader._warnings.AddRange(warnings);
        if (hbaFile is not null)
            loader.Take(([new ConfigEntry("auth_hba_file", Path.GetFullPath(hbaFile), new ConfigSource("command line"))], []));
        if ((keyFile ?? loader.DefaultKeyFile(environment)) is { } key)
            loader.Take(([new ConfigEntry("pgrouter.key_file", Path.GetFullPath(key), new ConfigSource(keyFile is null ? "environment" : "command line"))], []));
        return loader.Finish(path);
    }

    /// <summary>As pgpool finds it: PGPOOLKEYFILE, else .pgpoolkey in the home directory, if it is there.</summary>
    private string? DefaultKeyFile(IReadOnlyDictionary<string, string> environment)
    {
        if (_values.ContainsKey("pgrouter.key_file"))
            return null;
        if (environment.TryGetValue("PGPOOLKEYFILE", out var named) && named.Length > 0)
            return named;
        var own = environment.TryGetValue("HOME", out var home) ? Path.Combine(home, ".pgpoolkey") : "";
        return File.Exists(own) ? own : null;
    }

    /// <summary>The configuration that a set of checked values comes to.</summary>
    /// <param name="values">The values by canonical name.</param>
    /// <param name="path">The file they are from; relative paths begin beside it.</param>
    public static RouterConfig Build(IReadOnlyDictionary<string, ConfiguredValue> values, string? path)
    {
        var draft = new ConfigDraft();
        foreach (var value in values.Values.OrderBy(value => value.Name, StringComparer.Ordinal))
            Apply(draft, value);
        var config = draft.Finish();
        var directory = Path.GetDirectoryName(Path.GetFullPath(path ?? DefaultHbaFile))!;
        return config with
        {
            ClientTls = InDirectory(config.ClientTls, directory),
            ServerTls = InDirectory(config.ServerTls, directory),
            Nodes = [.. config.Nodes.Select(node => node with { Tls = InDirectory(node.Tls, directory) })],
            PoolHbaFile = Path.Combine(directory, config.PoolHbaFile.Length > 0 ? config.PoolHbaFile : DefaultHbaFile),
            PoolPasswdFile = PasswdFile(values, directory),
            IdentFile = IdentFile(config.IdentFile, directory),
            PoolKeyFile = InDirectory(config.PoolKeyFile, directory),
        };
    }

    private static void Apply(ConfigDraft draft, ConfiguredValue given)
    {
        var setting = given.Setting;
        if (given.Scope is { } scope && setting.ApplyToLimits is { } toLimits)
            draft.ChangeLimits(scope, limits => toLimits(limits, given.Value));
        if (given.Index is { } id && setting.ApplyToNode is { } toNode)
            draft.ChangeNode(id, node => toNode(node, given.Value));
        if (setting.ApplyToHealth is { } toHealth)
            draft.ChangeHealth(given.Index, health => toHealth(health, given.Value));
        if (setting.ApplyToServerTls is { } toTls)
            draft.ChangeServerTls(given.Index, tls => toTls(tls, given.Value));
        if (given.Index is null)
            setting.Apply?.Invoke(draft, given.Value);
    }

    private static ClientTlsConfig InDirectory(ClientTlsConfig tls, string directory) => tls with
    {
        CertificateFile = InDirectory(tls.CertificateFile, directory),
        KeyFile = InDirectory(tls.KeyFile, directory),
        AuthorityFile = InDirectory(tls.AuthorityFile, directory),
        AuthorityDirectory = InDirectory(tls.AuthorityDirectory, directory),
        RevocationFile = InDirectory(tls.RevocationFile, directory),
    };

    private static ServerTlsConfig InDirectory(ServerTlsConfig tls, string directory) => tls with
    {
        CertificateFile = InDirectory(tls.CertificateFile, directory),
        KeyFile = InDirectory(tls.KeyFile, directory),
        AuthorityFile = tls.AuthorityFile == ServerTlsConfig.SystemAuthorities ? tls.AuthorityFile : InDirectory(tls.AuthorityFile, directory),
        RevocationFile = InDirectory(tls.RevocationFile, directory),
    };

    private static string InDirectory(string file, string directory) => file.Length == 0 ? "" : Path.Combine(directory, file);

    private static string IdentFile(string given, string directory)
    {
        var file = Path.Combine(directory, given.Length > 0 ? given : "pg_ident.conf");
        return given.Length > 0 || File.Exists(file) ? file : "";
    }

    /// <summary>pool_passwd as given; the default name only where such a file is, as pgpool needs none for trust either.</summary>
    private static string PasswdFile(IReadOnlyDictionary<string, ConfiguredValue> values, string directory)
    {
        if (values.TryGetValue("pool_passwd", out var given))
            return given.Value.Text.Length == 0 ? "" : Path.Combine(directory, given.Value.Text);
        var file = Path.Combine(directory, "pool_passwd");
        return File.Exists(file) ? file : "";
    }

    private void Take((IReadOnlyList<ConfigEntry> Entries, IReadOnlyList<ConfigMistake> Mistakes) source)
    {
        _mistakes.AddRange(source.Mistakes);
        foreach (var entry in source.Entries)
            Take(entry);
    }

    private void Take(ConfigEntry entry)
    {
        if (ScopedName.Read(entry.Name) is { } scoped)
        {
            TakeScoped(entry, scoped);
            return;
        }
        if (!SettingTable.TryFind(entry.Name, out var setting, out var index))
        {
            _mistakes.Add(new ConfigMistake(entry.Source, entry.Name, UnknownName(entry.Name)));
            return;
        }
        var name = setting.Name + index;
        if (setting.OldNames.Any(old => (old + index).Equals(entry.Name, StringComparison.OrdinalIgnoreCase)))
            _warnings.Add($"{entry.Source}: {entry.Name} is an old name; write {name}");
        if (Parse(entry, setting) is { } value)
            _values[name] = new ConfiguredValue(name, setting, index, value, entry.Source);
    }

    private void TakeScoped(ConfigEntry entry, ScopedName scoped)
    {
        var (setting, problem) = ScopedSettings.Find(scoped);
        if (setting is null)
        {
            _mistakes.Add(new ConfigMistake(entry.Source, entry.Name, problem));
            return;
        }
        var name = (scoped with { Setting = setting.Name }).ToString();
        if (Parse(entry, setting) is { } value)
            _values[name] = new ConfiguredValue(name, setting, null, value, entry.Source, scoped.Scope);
    }

    private SettingValue? Parse(ConfigEntry entry, Setting setting)
    {
        var (value, problem) = SettingParser.Parse(setting, entry.Value);
        if (problem.Length > 0)
            _mistakes.Add(new ConfigMistake(entry.Source, entry.Name, problem));
        return value;
    }

    private static string UnknownName(string name)
    {
        var isNumbered = SettingTable.TryFind(name.TrimEnd("0123456789".ToCharArray()) + "0", out _, out var index) && index is not null;
        if (isNumbered && char.IsDigit(name[^1]))
            return $"the number behind the name goes from 0 to {BackendSettings.MaxNodeId}";
        return (ScopedName.Suggest(name) ?? SettingTable.Suggest(name)) is { } near ? $"no such setting; did you mean {near}?" : "no such setting; remove the line";
    }

    private ConfigResult Finish(string? path)
    {
        WarnOfSettingsWithoutEffect();
        var config = Build(_values, path);
        var checks = new ConfigChecks(config, _values, new ConfigSource(path ?? "environment"));
        checks.Run();
        _mistakes.AddRange(checks.Mistakes);
        _warnings.AddRange(checks.Warnings);
        return new ConfigResult
        {
            Config = _mistakes.Count == 0 ? config : null,
            Mistakes = InOrderOfTheFiles(),
            Warnings = _warnings,
            Values = _values,
        };
    }

    /// <summary>As someone would mend them: file by file, line by line, what concerns a file as a whole last.</summary>
    private List<ConfigMistake> InOrderOfTheFiles()
    {
        var files = _mistakes.Select(mistake => mistake.Source.Name).Distinct().ToList();
        return
        [
            .. _mistakes
                .OrderBy(mistake => files.IndexOf(mistake.Source.Name))
                .ThenBy(mistake => mistake.Source.Line == 0 ? int.MaxValue : mistake.Source.Line),
        ];
    }

    /// <summary>
    /// What a pgpool file only needs while use_watchdog or ssl is on has no effect anywhere else either: not worth a warning.
    /// </summary>
    private void WarnOfSettingsWithoutEffect()
    {
        foreach (var given in _values.Values.Where(given => given.Setting.Support == SettingSupport.Accepted))
        {
            if (given.Setting.Group is SettingGroup.Watchdog or SettingGroup.Heartbeat or SettingGroup.Tls)
                continue;
            if (given.Value.Text != SettingParser.Parse(given.Setting, given.Setting.Default).Value?.Text)
                _warnings.Add($"{given.Source}: {given.Name} has no effect: {given.Setting.AcceptedBecause}");
        }
    }
}
