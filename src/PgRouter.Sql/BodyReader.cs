namespace PgRouter.Sql;

/// <summary>What kind of text a body is.</summary>
public enum BodyLanguage : byte
{
    /// <summary>Statements separated by semicolons.</summary>
    Sql,

    /// <summary>A block of plpgsql.</summary>
    Plpgsql,

    /// <summary>An expression, or a definition around expressions (CHECK, CREATE TRIGGER .. WHEN): what it calls counts, its verbs do not.</summary>
    Expression,
}

/// <summary>
/// Reads code for its traits by its tokens: every word that could start a statement of note and every name before a parenthesis counts, wherever it
/// stands. That finds too much now and then, never too little, needs no parse tree, and works for texts that the grammar alone cannot read. Pure;
/// any thread.
/// </summary>
public static class BodyReader
{
    /// <summary>Longer bodies are not read.</summary>
    public const int MaxChars = 1024 * 1024;

    private const int MaxDepth = 8;

    /// <summary>The language of a function by its name in pg_language; null for one that is not looked into.</summary>
    public static BodyLanguage? LanguageOf(string name) => name switch
    {
        "sql" => BodyLanguage.Sql,
        "plpgsql" => BodyLanguage.Plpgsql,
        _ => null,
    };

    public static RoutineBody Read(BodyLanguage language, string text)
    {
        var scan = new BodyScan();
        ReadInto(scan, language, text, depth: 0);
        return scan.ToBody();
    }

    internal static void ReadInto(BodyScan scan, BodyLanguage language, string text, int depth)
    {
        if (text.Length > MaxChars || depth > MaxDepth)
        {
            scan.Add(SessionTraits.Anything);
            return;
        }

        ReadTokens(scan, language, new BodyTokens(text, standardConformingStrings: true), depth);
        // The setting of the session that calls it decides where such a string ends.
        if (text.Contains('\\'))
            ReadTokens(scan, language, new BodyTokens(text, standardConformingStrings: false), depth);
    }

    private static void ReadTokens(BodyScan scan, BodyLanguage language, BodyTokens tokens, int depth)
    {
        if (tokens.IsIrregular)
        {
            scan.Add(SessionTraits.Anything);
            return;
        }

        for (var i = 0; i < tokens.Count; i++)
        {
            if (!tokens[i].IsName)
                continue;
            scan.AddName(tokens[i].Text, isCall: tokens[i + 1].IsSign("("));
            Call(scan, tokens, i);
            if (language != BodyLanguage.Expression && tokens[i].Kind == TokenKind.Word && !tokens[i - 1].IsSign("."))
                BodyWords.Read(scan, language, tokens, i, depth);
        }
    }

    private static void Call(BodyScan scan, BodyTokens tokens, int i)
    {
        if (!tokens[i + 1].IsSign("("))
            return;
        var name = tokens[i].Text;
        var schema = tokens[i - 1].IsSign(".") && tokens[i - 2].IsName ? tokens[i - 2].Text : null;
        if (name == RoutineBody.UnknownName)
            scan.AddUnknownCall(tokens, i);
        else if (name == "set_config" && schema is null or "pg_catalog")
            SetConfig(scan, tokens, i);
        else if (name != "current_setting" || !IsCustomSetting(tokens, i + 2))
            scan.AddCall(schema, name);
    }

    /// <summary>It may set the search_path, unless its first argument says another name.</summary>
    private static void SetConfig(BodyScan scan, BodyTokens tokens, int i)
    {
        scan.Add(IsLocalSetConfig(tokens, i + 1) ? SessionTraits.None : SessionTraits.ChangesSettings);
        if (tokens[i + 2].Kind != TokenKind.String || !tokens[i + 3].IsSign(",") || LiteralText.Read(tokens[i + 2].Text) is not { } setting)
            scan.AddName(RoutineBody.SearchPath, isCall: false);
        else if (setting.ToLowerInvariant() is RoutineBody.SearchPath or "role" or "session_authorization")
            scan.AddName(setting.ToLowerInvariant(), isCall: false);
    }

    /// <summary>A custom setting (app.user_id) lives in the session and follows it.</summary>
    private static bool IsCustomSetting(BodyTokens tokens, int i) =>
        tokens[i].Kind == TokenKind.String && LiteralText.Read(tokens[i].Text) is { } setting && setting.Contains('.');

    /// <summary>Is the third argument the literal true?</summary>
    private static bool IsLocalSetConfig(BodyTokens tokens, int open)
    {
        var behind = tokens.Behind(open);
        var depth = 0;
        var argument = 1;
        var start = 0;
        for (var i = open; i < behind; i++)
        {
            if (tokens[i].IsSign("(") || tokens[i].IsSign("["))
                depth++;
            else if (tokens[i].IsSign(")") || tokens[i].IsSign("]"))
                depth--;
            else if (depth == 1 && tokens[i].IsSign(",") && ++argument == 3)
                start = i + 1;
        }

        if (argument != 3 || !tokens[behind - 1].IsSign(")"))
            return false;
        var value = tokens[start];
        var isTrue = value.Is("true")
            || (value.Kind == TokenKind.String && LiteralText.Read(value.Text) is "t" or "true" or "on" or "yes" or "1");
        return isTrue && (start + 2 == behind || tokens[start + 1].IsSign("::"));
    }
}
