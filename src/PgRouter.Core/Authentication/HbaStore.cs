namespace PgRouter.Core.Authentication;

/// <summary>The HBA file in force. Any thread reads <see cref="Current"/> without a lock; <see cref="Reload"/> swaps it whole.</summary>
internal sealed class HbaStore
{
    private volatile HbaFile _current = HbaFile.Empty;

    /// <summary>Before the first successful reload it has no rule, so it rejects everyone.</summary>
    public HbaFile Current => _current;

    /// <summary>Reads the file again. With any mistake the file in force stays and the mistakes are returned.</summary>
    /// <param name="path">The file.</param>
    /// <param name="check">Finds mistakes that the file alone does not show.</param>
    public IReadOnlyList<string> Reload(string path, Func<HbaFile, IReadOnlyList<string>>? check = null)
    {
        var (file, mistakes) = HbaFile.Load(path);
        if (mistakes.Count == 0 && check is not null)
            mistakes = check(file);
        if (mistakes.Count == 0)
            _current = file;
        return mistakes;
    }
}
