namespace PgRouter.Core.Configuration;

/// <summary>
/// Holds the configuration in force. Readers take <see cref="Current"/> without a lock and keep it for one unit of work; a reload
/// swaps it whole or, when anything is wrong, not at all. Reloads are serialised.
/// </summary>
internal sealed class ConfigStore
{
    private readonly Lock _lock = new();
    private readonly string? _path;
    private readonly Func<ConfigResult> _load;
    private volatile ConfigResult _result;

    /// <summary>Begins with a result without mistakes.</summary>
    /// <param name="path">The file; null = the environment alone.</param>
    /// <param name="initial">What was loaded at the start.</param>
    /// <param name="load">Loads it again.</param>
    public ConfigStore(string? path, ConfigResult initial, Func<ConfigResult> load)
    {
        if (initial.Config is null)
            throw new ArgumentException("The configuration has mistakes.", nameof(initial));
        (_path, _result, _load) = (path, initial, load);
    }

    /// <summary>Raised after a swap, on the thread that asked for the reload and outside the lock: (before, after).</summary>
    public event Action<RouterConfig, RouterConfig>? Changed;

    public RouterConfig Current => _result.Config!;

    /// <summary>The configuration in force with the source of each value, for SHOW.</summary>
    public ConfigResult CurrentResult => _result;

    /// <summary>Loads again and swaps.</summary>
    public ReloadReport Reload()
    {
        ReloadReport report;
        RouterConfig before, after;
        lock (_lock)
        {
            before = Current;
            var loaded = _load();
            if (loaded.Config is null)
                return new ReloadReport { Mistakes = loaded.Mistakes, Warnings = loaded.Warnings };
            report = Swap(_result, loaded);
            after = Current;
        }
        if (report.Changed.Count > 0)
            Changed?.Invoke(before, after);
        return report;
    }

    private ReloadReport Swap(ConfigResult old, ConfigResult loaded)
    {
        var differing = old.Values.Keys.Union(loaded.Values.Keys).Where(name => Differs(old, loaded, name))
            .Order(StringComparer.Ordinal).ToList();
        var needRestart = differing.Where(name => Row(old, loaded, name).Effect == SettingEffect.Restart).ToList();
        var values = loaded.Values.ToDictionary();
        foreach (var name in needRestart)
        {
            values.Remove(name);
            if (old.Values.TryGetValue(name, out var kept))
                values[name] = kept;
        }
        _result = loaded with { Values = values, Config = ConfigLoader.Build(values, _path) };
        return new ReloadReport { Warnings = loaded.Warnings, Changed = [.. differing.Except(needRestart)], NeedRestart = needRestart };
    }

    private static Setting Row(ConfigResult old, ConfigResult loaded, string name) =>
        loaded.Values.TryGetValue(name, out var given) ? given.Setting : old.Values[name].Setting;

    /// <summary>A value that was left out is its default: writing the default down changes nothing.</summary>
    private static bool Differs(ConfigResult old, ConfigResult loaded, string name)
    {
        var setting = Row(old, loaded, name);
        return TextOf(old) != TextOf(loaded);

        string? TextOf(ConfigResult result)
        {
            if (result.Values.TryGetValue(name, out var given))
                return given.Value.Text;
            // Left out is not the default for these: the pool size rule asks which were given, and a number, a
            // database or a user falls back to the common row.
            var depends = setting.Suffix != SettingSuffix.None
                || setting.Scopes != 0
                || setting.InForce is not null
                || setting.Name is "num_init_children" or "max_pool" or "child_life_time";
            return depends ? null : SettingParser.Parse(setting, setting.Default).Value?.Text;
        }
    }
}
