using System.Globalization;
using System.Text;

namespace PgRouter.Testing.Scripts;

/// <summary>Reads the words, quoted texts and lists of one line of a script.</summary>
internal sealed class LineScanner(string line, int number)
{
    private int _at;

    public bool AtEnd
    {
        get
        {
            SkipBlanks();
            return _at == line.Length || line[_at] == '#';
        }
    }

    /// <summary>Whether a quoted text begins here.</summary>
    public bool AtQuote => _at < line.Length && line[_at] == '"';

    public FormatException Wrong(string expected) => new($"line {number}, column {_at + 1}: expected {expected} in: {line}");

    public void RequireEnd()
    {
        if (!AtEnd)
            throw Wrong("the end of the line");
    }

    /// <summary>Characters up to a blank or bracket.</summary>
    public string Word()
    {
        SkipBlanks();
        var start = _at;
        while (_at < line.Length && !char.IsWhiteSpace(line[_at]) && !"[]{}\"".Contains(line[_at]))
            _at++;
        return _at > start ? line[start.._at] : throw Wrong("a word");
    }

    public int Number() => int.TryParse(Word(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw Wrong("a number before this column");

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>A text in double quotes with \n, \t, \r, \0, \\, \" and \xHH.</summary>
    public byte[] Bytes()
    {
        SkipBlanks();
        Take('"');
        var bytes = new MemoryStream();
        while (Next() is var found && found != '"')
        {
            if (found == '\\')
                bytes.WriteByte(Escaped());
            else
                bytes.Write(Encoding.UTF8.GetBytes(RuneFrom(found)));
        }

        return bytes.ToArray();
    }

    /// <summary>Values in square brackets: quoted texts or null.</summary>
    public List<byte[]?> Values()
    {
        var values = new List<byte[]?>();
        if (!Opens('['))
            return values;
        while (!Closes(']'))
        {
            if (line[_at] == '"')
                values.Add(Bytes());
            else if (Word().Equals("null", StringComparison.OrdinalIgnoreCase))
                values.Add(null);
            else
                throw Wrong("null or a quoted text before this column");
        }

        return values;
    }

    /// <summary>Words in braces.</summary>
    public List<string> Words()
    {
        var words = new List<string>();
        if (!Opens('{'))
            return words;
        while (!Closes('}'))
            words.Add(Word());
        return words;
    }

    /// <summary>If the line begins with <c>name:</c>, takes it.</summary>
    public bool TryTakeLabel(out string label)
    {
        SkipBlanks();
        var colon = line.IndexOf(':', _at);
        label = colon < 0 ? "" : line[_at..colon];
        if (label.Length == 0 || !label.All(letter => char.IsLetterOrDigit(letter) || letter is '_' or '-'))
            return false;
        _at = colon + 1;
        return true;
    }

    private bool Opens(char bracket)
    {
        SkipBlanks();
        if (_at == line.Length || line[_at] != bracket)
            return false;
        _at++;
        return true;
    }

    private bool Closes(char bracket)
    {
        SkipBlanks();
        if (_at == line.Length)
            throw Wrong($"'{bracket}'");
        if (line[_at] != bracket)
            return false;
        _at++;
        return true;
    }

    private string RuneFrom(char found) => char.IsHighSurrogate(found) ? string.Concat(found.ToString(), Next().ToString()) : found.ToString();

    private byte Escaped() => Next() switch
    {
        'n' => (byte)'\n',
        't' => (byte)'\t',
        'r' => (byte)'\r',
        '0' => 0,
        '\\' => (byte)'\\',
        '"' => (byte)'"',
        'x' => byte.TryParse($"{Next()}{Next()}", NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Wrong("two hexadecimal digits before this column"),
        _ => throw Wrong("one of \\n \\t \\r \\0 \\\\ \\\" \\xHH before this column"),
    };

    private char Next() => _at < line.Length ? line[_at++] : throw Wrong("the closing quote");

    private void Take(char wanted)
    {
        if (_at == line.Length || line[_at] != wanted)
            throw Wrong(wanted == '"' ? "a text in double quotes" : $"'{wanted}'");
        _at++;
    }

    private void SkipBlanks()
    {
        while (_at < line.Length && char.IsWhiteSpace(line[_at]))
            _at++;
    }
}
