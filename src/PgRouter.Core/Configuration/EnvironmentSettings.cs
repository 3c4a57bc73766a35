namespace PgRouter.Core.Configuration;

/// <summary>
/// Settings from environment variables, for containers. In rising order of weight: the variables of the known pgpool images
/// (PGPOOL_BACKEND_NODES, PGPOOL_SR_CHECK_USER ...), PGPOOL_PARAMS_NAME, PGROUTER__name. Values are never quoted in messages,
/// they may be passwords.
/// </summary>
internal sealed class EnvironmentSettings
{
    private const string OwnPrefix = "PGROUTER__";
    private const string ParameterPrefix = "PGPOOL_PARAMS_";
    private const string ImagePrefix = "PGPOOL_";
    private const string FileSuffix = "_FILE";

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly List<ConfigEntry> _entries = [];
    private readonly List<ConfigMistake> _mistakes = [];
    private readonly List<string> _warnings = [];

    private EnvironmentSettings(IReadOnlyDictionary<string, string> environment) => _environment = environment;

    /// <summary>The entries in the order in which they take effect.</summary>
    public static (IReadOnlyList<ConfigEntry> Entries, IReadOnlyList<ConfigMistake> Mistakes, IReadOnlyList<string> Warnings) Read(
        IReadOnlyDictionary<string, string> environment)
    {
        var reader = new EnvironmentSettings(environment);
        reader.ReadImageVariables();
        reader.ReadPrefixed(ParameterPrefix, name => name.ToLowerInvariant());
        reader.ReadPrefixed(OwnPrefix, OwnName);
        return (reader._entries, reader._mistakes, reader._warnings);
    }

    /// <summary>A variable's name cannot hold a dot in most shells: pgrouter.loops is PGROUTER__pgrouter__loops.</summary>
    private static string OwnName(string name) => name.Replace("__", ".", StringComparison.Ordinal).ToLowerInvariant();

    private void ReadPrefixed(string prefix, Func<string, string> settingName)
    {
        foreach (var (variable, value) in _environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && variable.Length > prefix.Length)
                Add(variable, settingName(variable[prefix.Length..]), value);
        }
    }

    private void ReadImageVariables()
    {
        if (Find("PGPOOL_BACKEND_NODES") is { } nodes)
            ReadNodes(nodes);
        if (Find("PGPOOL_BACKEND_APPLICATION_NAMES") is { } names)
            ReadApplicationNames(names);
        foreach (var (variable, setting) in ImageVariables.Settings)
            ReadImageVariable(ImagePrefix + variable, setting);
        foreach (var variable in ImageVariables.Unused.Where(name => Find(ImagePrefix + name) is not null))
            _warnings.Add($"environment variable {ImagePrefix}{variable} is not used; {ImageVariables.UnusedAdvice}");
    }

    private void ReadImageVariable(string variable, string setting)
    {
        if (Find(variable) is { } value)
        {
            Add(variable, setting, value);
            return;
        }
        var hasOwnMeaning = ImageVariables.Settings.ContainsKey((variable + FileSuffix)[ImagePrefix.Length..]);
        if (hasOwnMeaning || Find(variable + FileSuffix) is not { } path)
            return;
        try
        {
            Add(variable + FileSuffix, setting, File.ReadAllText(path).TrimEnd('\r', '\n'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            _mistakes.Add(new ConfigMistake(Source(variable + FileSuffix), setting, $"cannot read \"{path}\": {e.Message}"));
        }
    }

    /// <summary>PGPOOL_BACKEND_NODES: what a node's text leaves out stays as the file says.</summary>
    private void ReadNodes(string nodes)
    {
        foreach (var node in nodes.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var parts = SplitNode(node);
            if (parts.Count < 2 || parts.Count > BackendParts.Length + 1 || parts[1].Length == 0 || !parts[0].All(char.IsAsciiDigit))
            {
                _mistakes.Add(new ConfigMistake(
                    Source("PGPOOL_BACKEND_NODES"), "", $"found \"{node}\", expected: number:host[:port[:weight[:directory[:flag]]]]"));
                continue;
            }
            for (var i = 1; i < parts.Count; i++)
            {
                if (parts[i].Length > 0)
                    Add("PGPOOL_BACKEND_NODES", BackendParts[i - 1] + parts[0], parts[i]);
            }
        }
    }

    private static readonly string[] BackendParts =
        ["backend_hostname", "backend_port", "backend_weight", "backend_data_directory", "backend_flag"];

    /// <summary>Splits at colons, save in an IPv6 address in brackets.</summary>
    private static List<string> SplitNode(string node)
    {
        var parts = new List<string>();
        var start = 0;
        var depth = 0;
        for (var i = 0; i <= node.Length; i++)
        {
            if (i == node.Length || node[i] == ':' && depth == 0)
            {
                parts.Add(node[start..i].Trim('[', ']'));
                start = i + 1;
            }
            else if (node[i] is '[' or ']')
            {
                depth += node[i] == '[' ? 1 : -1;
            }
        }
        return parts;
    }

    private void ReadApplicationNames(string names)
    {
        var list = names.Split([',', ';'], StringSplitOptions.TrimEntries);
        for (var i = 0; i < list.Length; i++)
            Add("PGPOOL_BACKEND_APPLICATION_NAMES", $"backend_application_name{i}", list[i]);
    }

    private string? Find(string variable) => _environment.TryGetValue(variable, out var value) && value.Length > 0 ? value : null;

    private void Add(string variable, string setting, string value) => _entries.Add(new ConfigEntry(setting, value, Source(variable)));

    private static ConfigSource Source(string variable) => new($"environment variable {variable}");
}
