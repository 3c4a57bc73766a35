using System.Text;

namespace PgRouter.Core.Configuration;

/// <summary>What a line turned out to be.</summary>
internal enum ConfigLineKind
{
    Blank,
    Assignment,
    Wrong,
}

/// <summary>
/// Takes one line of pgpool.conf apart. A quoted value follows PostgreSQL's rules ('' and backslash escapes); a value without quotes
/// runs to the comment or the end of the line, so that PgBouncer's <c>server_reset_query = DISCARD ALL</c> can be pasted as it is. In a quoted
/// value of patterns a backslash escapes nothing but the quote, as in pgpool.
/// </summary>
internal ref struct ConfigLineScanner(string line)
{
    private readonly ReadOnlySpan<char> _line = line.AsSpan().Trim();
    private int _at;

    /// <summary>Name and value of an assignment; for a wrong line the name as far as it was read, and the problem.</summary>
    public ConfigLineKind Scan(out string name, out string value, out string problem)
    {
        (name, value, problem) = ("", "", "");
        if (_line.IsEmpty || _line[0] == '#')
            return ConfigLineKind.Blank;
        if (!ScanName(out name))
        {
            problem = NoNameProblem();
            return ConfigLineKind.Wrong;
        }
        SkipSpace();
        if (Peek() == '=')
        {
            _at++;
            SkipSpace();
        }
        var keepsBackslashes = SettingTable.TryFind(name, out var setting, out _) && setting.KeepsBackslashes;
        problem = Peek() == '\'' ? ScanQuoted(keepsBackslashes, out value) : ScanBare(out value);
        return problem.Length == 0 ? ConfigLineKind.Assignment : ConfigLineKind.Wrong;
    }

    private readonly string NoNameProblem() => _line[0] switch
    {
        '[' => $"found the section heading {_line}; pgpool.conf has no sections, remove the line",
        ';' => "comments begin with '#', not with ';'",
        _ => $"found \"{_line}\", expected: name = value",
    };

    private bool ScanName(out string name)
    {
        if (char.IsAsciiLetter(_line[0]) || _line[0] == '_')
        {
            while (char.IsAsciiLetterOrDigit(Peek()) || Peek() is '_')
                _at++;
            while (Peek() == '.')
                ScanNamePart();
        }
        name = _line[.._at].ToString();
        return _at > 0 && (_at == _line.Length || char.IsWhiteSpace(Peek()) || Peek() is '=' or '\'' or '#');
    }

    /// <summary>Behind a dot: a part of the setting's name, or the name of a database or user, quoted or not.</summary>
    private void ScanNamePart()
    {
        _at++;
        if (Peek() == '"')
        {
            // A doubled quote ends one quoted text and begins the next: their bounds do not matter here.
            for (_at++; _at < _line.Length && !(_line[_at] == '"' && (_at + 1 == _line.Length || _line[_at + 1] is '.')); _at++)
                continue;
            if (_at < _line.Length)
                _at++;
            return;
        }
        while (Peek() == '*' || (Peek() != '.' && ScopedName.IsPlain(Peek())))
            _at++;
    }

    private string ScanBare(out string value)
    {
        var rest = _line[_at..];
        var comment = rest.IndexOf('#');
        value = (comment < 0 ? rest : rest[..comment]).TrimEnd().ToString();
        return value.Length == 0 ? "no value is given; an empty text is written ''" : "";
    }

    private string ScanQuoted(bool keepsBackslashes, out string value)
    {
        value = "";
        var text = new StringBuilder();
        for (_at++; _at < _line.Length; _at++)
        {
            if (_line[_at] == '\\' && _at + 1 < _line.Length && (!keepsBackslashes || _line[_at + 1] == '\''))
            {
                text.Append(ScanEscape());
            }
            else if (_line[_at] == '\\' && _at + 1 < _line.Length)
            {
                text.Append(_line[_at++]).Append(_line[_at]);
            }
            else if (_line[_at] == '\'' && _at + 1 < _line.Length && _line[_at + 1] == '\'')
            {
                text.Append('\'');
                _at++;
            }
            else if (_line[_at] == '\'')
            {
                _at++;
                value = text.ToString();
                return ScanEnd();
            }
            else
            {
                text.Append(_line[_at]);
            }
        }
        return "the quote is not closed on this line; a quote inside a value is written ''";
    }

    /// <summary>The escapes of PostgreSQL's configuration file: \b \f \n \r \t \ooo, and any other character for itself.</summary>
    private char ScanEscape()
    {
        var escape = _line[++_at];
        if (escape is >= '0' and <= '7')
        {
            var code = escape - '0';
            for (var digits = 1; digits < 3 && _at + 1 < _line.Length && _line[_at + 1] is >= '0' and <= '7'; digits++)
                code = (code << 3) + (_line[++_at] - '0');
            return (char)code;
        }
        return escape switch
        {
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => escape,
        };
    }

    private string ScanEnd()
    {
        SkipSpace();
        return _at == _line.Length || Peek() == '#' ? "" : $"found \"{_line[_at..]}\" after the closing quote";
    }

    private void SkipSpace()
    {
        while (_at < _line.Length && char.IsWhiteSpace(_line[_at]))
            _at++;
    }

    private readonly char Peek() => _at < _line.Length ? _line[_at] : '\0';
}
