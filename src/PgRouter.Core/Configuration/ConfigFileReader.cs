using System.Text;

namespace PgRouter.Core.Configuration;

/// <summary>
/// Reads pgpool.conf syntax: <c>name = value</c> or <c>name value</c>, '#' comments, single quotes, include, include_if_exists and
/// include_dir. It knows the syntax only; which names exist and what their values mean is the table's business. Mistakes are
/// collected, never thrown.
/// </summary>
internal sealed class ConfigFileReader
{
    /// <summary>Largest file read; guards against being pointed at a device.</summary>
    private const int MaxFileChars = 4 * 1024 * 1024;

    private readonly List<ConfigEntry> _entries = [];
    private readonly List<ConfigMistake> _mistakes = [];
    private readonly Stack<string> _open = new();

    private ConfigFileReader()
    {
    }

    /// <summary>Reads a file and everything it includes; entries come in the order in which they take effect.</summary>
    public static (IReadOnlyList<ConfigEntry> Entries, IReadOnlyList<ConfigMistake> Mistakes) Read(string path)
    {
        var reader = new ConfigFileReader();
        reader.ReadFile(path, new ConfigSource(path));
        return (reader._entries, reader._mistakes);
    }

    private void ReadFile(string path, ConfigSource askedBy)
    {
        var fullPath = Path.GetFullPath(path);
        if (_open.Contains(fullPath))
        {
            Mistake(askedBy, "include", $"\"{path}\" includes itself; remove one of the include lines");
            return;
        }
        if (ReadText(path, askedBy) is not { } text)
            return;
        _open.Push(fullPath);
        var line = 0;
        foreach (var content in text.Split('\n'))
            ReadLine(content, new ConfigSource(path, ++line));
        _open.Pop();
    }

    private string? ReadText(string path, ConfigSource askedBy)
    {
        try
        {
            using var reader = new StreamReader(path, Encoding.UTF8);
            var buffer = new char[MaxFileChars + 1];
            var length = reader.ReadBlock(buffer);
            if (length <= MaxFileChars)
                return new string(buffer, 0, length);
            Mistake(askedBy, "", $"\"{path}\" is larger than 4 MB: this is not a configuration file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Mistake(askedBy, "", $"cannot read \"{path}\": {e.Message}");
        }
        return null;
    }

    private void ReadLine(string content, ConfigSource source)
    {
        var scanner = new ConfigLineScanner(content);
        switch (scanner.Scan(out var name, out var value, out var problem))
        {
            case ConfigLineKind.Blank:
                return;
            case ConfigLineKind.Wrong:
                Mistake(source, name, problem);
                return;
            case ConfigLineKind.Assignment when IsInclude(name):
                Include(name.ToLowerInvariant(), value, source);
                return;
            default:
                _entries.Add(new ConfigEntry(name, value, source));
                return;
        }
    }

    private static bool IsInclude(string name) =>
        name.Equals("include", StringComparison.OrdinalIgnoreCase)
        || name.Equals("include_if_exists", StringComparison.OrdinalIgnoreCase)
        || name.Equals("include_dir", StringComparison.OrdinalIgnoreCase);

    private void Include(string kind, string value, ConfigSource source)
    {
        if (value.Length == 0)
        {
            Mistake(source, kind, "no file is named");
            return;
        }
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(source.Name)) ?? "", value);
        if (kind == "include_dir")
            IncludeDirectory(path, source);
        else if (kind == "include" || File.Exists(path))
            ReadFile(path, source);
    }

    /// <summary>Only *.conf, in the order of their names' bytes, no hidden files: as in PostgreSQL.</summary>
    private void IncludeDirectory(string path, ConfigSource source)
    {
        string[] files;
        try
        {
            files = Directory.GetFiles(path, "*.conf");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Mistake(source, "include_dir", $"cannot read the directory \"{path}\": {e.Message}");
            return;
        }
        Array.Sort(files, StringComparer.Ordinal);
        foreach (var file in files.Where(file => Path.GetFileName(file)[0] != '.'))
            ReadFile(file, source);
    }

    private void Mistake(ConfigSource source, string setting, string message) => _mistakes.Add(new ConfigMistake(source, setting, message));
}
