namespace PgRouter.Sql;

/// <summary>What the keywords of a body mean where they stand.</summary>
internal static class BodyWords
{
    private const SessionTraits TemporaryDdl = SessionTraits.RunsDdl | SessionTraits.Writes;
    private const SessionTraits Ddl = TemporaryDdl | SessionTraits.ChangesSchema;

    public static void Read(BodyScan scan, BodyLanguage language, BodyTokens tokens, int i, int depth)
    {
        var word = tokens[i].Text;
        switch (word)
        {
            case "show" when Starts(tokens, i):
                scan.Add(SessionTraits.ReadsNode);
                return;
            case "insert" or "update" or "delete" or "merge": // FOR UPDATE among them.
            case "share" when tokens[i - 1].Is("for") || tokens[i - 1].Is("key"):
                scan.Add(SessionTraits.Writes);
                return;
            case "hold" when tokens[i - 1].Is("with"):
                scan.Add(SessionTraits.HoldsCursor);
                return;
            case "execute" when language == BodyLanguage.Plpgsql || Starts(tokens, i) || tokens[i - 1].Is("as"):
                Execute(scan, language, tokens, i, depth);
                return;
            case "temp" or "temporary" when language == BodyLanguage.Sql && IsInto(tokens, i):
                scan.Add(TemporaryDdl | SessionTraits.CreatesTemporary);
                return;
        }

        if (Starts(tokens, i) && !IsAssigned(tokens[i + 1]))
            Statement(scan, tokens, i, depth);
    }

    private static void Statement(BodyScan scan, BodyTokens tokens, int i, int depth)
    {
        var next = tokens[i + 1];
        switch (tokens[i].Text)
        {
            case "set" when !(next.Is("local") || next.Is("constraints") || next.Is("transaction")):
            case "reset" or "load":
                scan.Add(SessionTraits.ChangesSettings);
                break;
            case "listen" or "unlisten":
                scan.Add(SessionTraits.Listens | SessionTraits.Writes);
                break;
            case "notify":
                scan.Add(SessionTraits.Notifies | SessionTraits.Writes);
                break;
            case "prepare" when next.Is("transaction"):
            case "commit" or "rollback" or "abort" or "savepoint" or "release" or "start":
                scan.Add(SessionTraits.ControlsTransaction);
                break;
            case "prepare" or "deallocate":
                scan.Add(SessionTraits.Prepares);
                break;
            case "discard":
                scan.Add(SessionTraits.Anything);
                break;
            case "create":
                scan.Add(TraitsOfCreate(tokens, i));
                break;
            case "do":
                Block(scan, tokens, i, depth);
                break;
            case "truncate" or "copy" or "lock" or "vacuum" or "analyze" or "analyse" or "reindex" or "cluster" or "checkpoint":
                scan.Add(SessionTraits.Writes);
                break;
            case "alter" or "drop" or "grant" or "revoke" or "comment" or "refresh" or "security" or "import" or "reassign":
                scan.Add(Ddl);
                break;
        }
    }

    /// <summary>Can a statement begin at this token? Rather once too often.</summary>
    private static bool Starts(BodyTokens tokens, int i)
    {
        var before = tokens[i - 1];
        return before.Kind switch
        {
            TokenKind.End => true,
            TokenKind.Punctuation => before.Text is ";" or "(",
            TokenKind.Operator => before.Text.EndsWith(">>", StringComparison.Ordinal),
            TokenKind.Word => before.Text is "begin" or "then" or "else" or "loop" or "atomic" or "also" or "instead" or "do" or "analyze"
                or "analyse" or "verbose" or "explain",
            _ => false,
        };
    }

    /// <summary>A variable of that name.</summary>
    private static bool IsAssigned(BodyToken next) =>
        next.IsSign(":=") || next.IsSign("=") || next.IsSign(".") || next.IsSign("[");

    /// <summary>SELECT .. INTO TEMP; in plpgsql INTO names a variable.</summary>
    private static bool IsInto(BodyTokens tokens, int i) =>
        tokens[i - 1].Is("into") || (tokens[i - 2].Is("into") && (tokens[i - 1].Is("local") || tokens[i - 1].Is("global")));

    /// <summary>CREATE .. TEMP leaves nothing when it is dropped at the end of the transaction.</summary>
    private static SessionTraits TraitsOfCreate(BodyTokens tokens, int i)
    {
        var isTemporary = false;
        var isDropped = false;
        for (var at = i + 1; at < tokens.Count && !tokens[at].IsSign(";"); at++)
        {
            isTemporary |= at <= i + 4 && (tokens[at].Is("temp") || tokens[at].Is("temporary"));
            isDropped |= tokens[at].Is("drop") && tokens[at - 1].Is("commit");
        }

        if (!isTemporary)
            return Ddl;
        return isDropped ? TemporaryDdl : TemporaryDdl | SessionTraits.CreatesTemporary;
    }

    /// <summary>DO in any language: its code is read like a body.</summary>
    private static void Block(BodyScan scan, BodyTokens tokens, int i, int depth)
    {
        var language = "plpgsql";
        string? code = null;
        for (var at = i + 1; at < tokens.Count && !tokens[at].IsSign(";"); at++)
        {
            if (tokens[at].Is("language"))
                language = tokens[++at].Kind == TokenKind.String ? LiteralText.Read(tokens[at].Text) ?? "" : tokens[at].Text;
            else if (tokens[at].Kind == TokenKind.String)
                code = LiteralText.Read(tokens[at].Text);
        }

        if (code is not null && BodyReader.LanguageOf(language) is { } known)
            BodyReader.ReadInto(scan, known, code, depth + 1);
        else
            scan.Add(SessionTraits.Anything);
    }

    /// <summary>
    /// EXECUTE of plpgsql runs a text; of SQL it runs a prepared statement, which may be anything.
    /// </summary>
    private static void Execute(BodyScan scan, BodyLanguage language, BodyTokens tokens, int i, int depth)
    {
        var next = tokens[i + 1];
        if (IsAssigned(next) || next.Is("on") || ((next.Is("function") || next.Is("procedure")) && tokens[i + 2].IsName))
            return; // A variable; GRANT EXECUTE ON; CREATE TRIGGER .. EXECUTE FUNCTION.
        var stop = i + 1;
        for (var parentheses = 0; stop < tokens.Count; stop++)
        {
            parentheses += tokens[stop].IsSign("(") ? 1 : tokens[stop].IsSign(")") ? -1 : 0;
            if (parentheses == 0 && (tokens[stop].IsSign(";") || tokens[stop].Is("into") || tokens[stop].Is("using") || tokens[stop].Is("loop")))
                break;
        }

        var text = language == BodyLanguage.Plpgsql ? DynamicText.Read(tokens, i + 1, stop) : null;
        if (text is null)
            scan.Add(SessionTraits.Anything);
        else
            BodyReader.ReadInto(scan, BodyLanguage.Sql, text, depth + 1);
    }
}
