namespace PgRouter.Core.Authentication;

/// <summary>
/// The password file in force. Any thread reads <see cref="Current"/> without a lock; <see cref="Reload"/> swaps it whole.
/// </summary>
internal sealed class PasswordStore
{
    private volatile PasswordFile _current = PasswordFile.Empty;

    public PasswordFile Current => _current;

    /// <summary>
    /// Reads the file again. With any mistake the file in force stays and the mistakes are returned, so that an edit half done
    /// locks nobody out. An empty path means no file.
    /// </summary>
    public IReadOnlyList<string> Reload(string path, PoolKey? key = null)
    {
        if (path.Length == 0)
        {
            _current = PasswordFile.Empty;
            return [];
        }
        var (file, mistakes) = PasswordFile.Load(path, key);
        if (mistakes.Count == 0)
            _current = file;
        return mistakes;
    }
}
