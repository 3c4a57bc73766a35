namespace PgRouter.Sql;

/// <summary>
/// Pieces of a text that were replaced, so that a place in the new text can be told in the old one. Places are counted in characters, as in the
/// field P of an ErrorResponse. Immutable once <see cref="Apply"/> was called.
/// </summary>
public sealed class TextEdits
{
    private readonly List<(int Start, int Stop, byte[] Replacement)> _edits = [];
    private readonly List<(int NewStart, int NewLength, int OldStart, int OldLength)> _places = [];

    public bool IsEmpty => _edits.Count == 0;

    /// <summary>Replaces the bytes from <paramref name="start"/> to before <paramref name="stop"/>; edits come in the order of the text.</summary>
    public void Replace(int start, int stop, byte[] replacement) => _edits.Add((start, stop, replacement));

    /// <summary>The new text.</summary>
    public byte[] Apply(ReadOnlySpan<byte> sql)
    {
        var text = new List<byte>(sql.Length + 64);
        var (copied, oldCharacters, newCharacters) = (0, 0, 0);
        foreach (var (start, stop, replacement) in _edits)
        {
            var between = CharactersIn(sql[copied..start]);
            text.AddRange(sql[copied..start]);
            text.AddRange(replacement);
            oldCharacters += between;
            newCharacters += between;
            var (oldLength, newLength) = (CharactersIn(sql[start..stop]), CharactersIn(replacement));
            _places.Add((newCharacters, newLength, oldCharacters, oldLength));
            oldCharacters += oldLength;
            newCharacters += newLength;
            copied = stop;
        }

        text.AddRange(sql[copied..]);
        return text.ToArray();
    }

    /// <summary>The place in the old text, counted from 1, of one in the new; inside a replaced piece its beginning.</summary>
    public int OldPosition(int newPosition)
    {
        var index = newPosition - 1;
        var shift = 0;
        foreach (var (newStart, newLength, oldStart, oldLength) in _places)
        {
            if (index < newStart)
                break;
            if (index < newStart + newLength)
                return oldStart + 1;
            shift = oldStart + oldLength - newStart - newLength;
        }

        return newPosition + shift;
    }

    /// <summary>Characters of UTF-8: the bytes that begin one.</summary>
    private static int CharactersIn(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var b in text)
            count += (b & 0xC0) == 0x80 ? 0 : 1;
        return count;
    }
}

/// <summary>A client that a statement stops, once it has succeeded.</summary>
/// <param name="Statement">Index of the statement in its text.</param>
/// <param name="Pid">The pid of the client.</param>
/// <param name="Terminates">Its session ends; else only what it runs.</param>
public readonly record struct ClientSignal(int Statement, int Pid, bool Terminates);
