namespace PgRouter.Core.Authentication;

/// <summary>The HBA file in force. Any thread reads <see cref="Current"/> without a lock; <see cref="Reload"/> swaps it whole.</summary>
internal sealed class HbaStore
{
    private volatile HbaFile _current = HbaFile.Empty;

    /// <summary>Before the first successful reload it has no rule, so it rejects everyone.</summary>
    public HbaFile Current => _current;

    /// <summary>Reads the file again. With any mistake the file in force stays and the mistakes are returned.</summary>
    public IReadOnlyList<string> Reload(string path)
    {
        var (file, mistakes) = HbaFile.Load(path);
        if (mistakes.Count == 0)
            _current = file;
        return mistakes;
    }
}
