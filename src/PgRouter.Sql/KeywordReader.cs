using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// What can be said of a text the grammar does not know or cannot be given: Unknown, hence the primary, with the effects its words may
/// have. Rather too many than too few: a wrong guess pins a session, a missed one would lose its state.
/// </summary>
internal static class KeywordReader
{
    /// <param name="sql">The text.</param>
    /// <param name="standardConformingStrings">The setting of the session that sent it.</param>
    /// <param name="cause">Why it was not parsed.</param>
    /// <param name="literalsMatter">False when every text of the same shape has the same trouble.</param>
    public static StatementInfo Read(ReadOnlySpan<byte> sql, bool standardConformingStrings, string cause, bool literalsMatter = true)
    {
        var statements = new List<Statement>();
        var lexer = new SqlLexer(sql, standardConformingStrings);
        var words = default(StatementWords);
        for (var kind = lexer.Next(); ; kind = lexer.Next())
        {
            if (kind == TokenKind.End || (kind == TokenKind.Punctuation && lexer.Text is [(byte)';']))
            {
                if (words.HasTokens)
                    statements.Add(words.ToStatement(cause));
                words = default;
                if (kind == TokenKind.End)
                    break;
            }
            else if (kind is TokenKind.Word or TokenKind.QuotedIdentifier)
                words.Add(kind == TokenKind.Word ? lexer.Text : lexer.Text.Trim((byte)'"'));
            else
                words.AddOther();
        }

        return new StatementInfo(StatementClass.Unknown, cause, statements.ToArray()) { LiteralsMatter = literalsMatter };
    }

    /// <summary>The words of one statement that matter.</summary>
    private struct StatementWords
    {
        private const int LongestWord = 32;

        private string? _first;
        private string? _second;
        private string? _third;
        private SessionEffects _effects;

        public bool HasTokens { get; private set; }

        public void AddOther() => HasTokens = true;

        public void Add(ReadOnlySpan<byte> word)
        {
            HasTokens = true;
            if (word.Length > LongestWord)
                return;
            Span<byte> lower = stackalloc byte[word.Length];
            for (var i = 0; i < word.Length; i++)
                lower[i] = SqlBytes.Lower(word[i]);
            if (_first is null)
                _first = Encoding.Latin1.GetString(lower);
            else if (_second is null)
                _second = Encoding.Latin1.GetString(lower);
            else
                _third ??= Encoding.Latin1.GetString(lower);
            _effects |= EffectsAnywhere(lower);
        }

        public readonly Statement ToStatement(string cause) => new()
        {
            Kind = KindOf(_first),
            ChangesSchema = KindOf(_first) == StatementKind.Ddl,
            Class = StatementClass.Unknown,
            Cause = cause,
            Effects = _effects | EffectsAtStart(),
            Verb = VerbOf(),
        };

        private static SessionEffects EffectsAnywhere(ReadOnlySpan<byte> word)
        {
            if (word.SequenceEqual("temp"u8) || word.SequenceEqual("temporary"u8) || word.SequenceEqual("pg_temp"u8))
                return SessionEffects.CreatesTemporary;
            if (word.SequenceEqual("set_config"u8) || word.SequenceEqual("setseed"u8))
                return SessionEffects.ChangesSessionOpaquely;
            if (word.SequenceEqual("nextval"u8) || word.SequenceEqual("setval"u8))
                return SessionEffects.WritesSequenceState;
            if (word.SequenceEqual("currval"u8) || word.SequenceEqual("lastval"u8))
                return SessionEffects.ReadsSequenceState;
            if (word.SequenceEqual("hold"u8))
                return SessionEffects.DeclaresHoldCursor;
            if (word.StartsWith("pg_advisory_unlock"u8))
                return SessionEffects.UnlocksAdvisory;
            return word.StartsWith("pg_advisory_lock"u8) || word.StartsWith("pg_try_advisory_lock"u8)
                ? SessionEffects.LocksAdvisory
                : SessionEffects.None;
        }

        private readonly SessionEffects EffectsAtStart() => (_first, _second) switch
        {
            ("set", "role" or "session_authorization") => SessionEffects.SetsRole | SessionEffects.ChangesSessionOpaquely,
            ("set", "transaction" or "constraints") => SessionEffects.SetsTransaction,
            ("set", _) => SessionEffects.SetsParameter | SessionEffects.ChangesSessionOpaquely,
            ("reset", _) => SessionEffects.ResetsParameter | SessionEffects.ChangesSessionOpaquely,
            ("discard", "all") => SessionEffects.DiscardsAll,
            ("discard", "plans") => SessionEffects.DiscardsPlans,
            ("discard", "sequences") => SessionEffects.DiscardsSequences,
            ("discard", _) => SessionEffects.DiscardsTemp,
            ("listen", _) => SessionEffects.Listens,
            ("unlisten", _) => SessionEffects.Unlistens,
            ("prepare", not "transaction") => SessionEffects.PreparesStatement,
            ("execute", _) => SessionEffects.ExecutesPrepared,
            ("deallocate", _) => SessionEffects.DeallocatesPrepared,
            ("close", _) => SessionEffects.ClosesCursor,
            ("load", _) => SessionEffects.ChangesSessionOpaquely,
            ("do" or "call", _) => SessionEffects.RunsOpaqueCode,
            _ => SessionEffects.None,
        };

        private readonly TransactionVerb VerbOf() => (_first, _second) switch
        {
            ("begin", _) or ("start", "transaction") => TransactionVerb.Begin,
            ("commit", "prepared") => TransactionVerb.CommitPrepared,
            ("commit" or "end", _) => TransactionVerb.Commit,
            ("rollback", "prepared") => TransactionVerb.RollbackPrepared,
            ("rollback", "to") => TransactionVerb.RollbackTo,
            ("rollback", "work" or "transaction") when _third == "to" => TransactionVerb.RollbackTo,
            ("rollback" or "abort", _) => TransactionVerb.Rollback,
            ("savepoint", _) => TransactionVerb.Savepoint,
            ("release", _) => TransactionVerb.Release,
            ("prepare", "transaction") => TransactionVerb.PrepareTransaction,
            _ => TransactionVerb.None,
        };

        private static StatementKind KindOf(string? first) => first switch
        {
            "select" or "with" or "values" or "table" => StatementKind.Select,
            "insert" => StatementKind.Insert,
            "update" => StatementKind.Update,
            "delete" => StatementKind.Delete,
            "merge" => StatementKind.Merge,
            "truncate" => StatementKind.Truncate,
            "copy" => StatementKind.Copy,
            "explain" => StatementKind.Explain,
            "create" or "alter" or "drop" or "grant" or "revoke" or "comment" or "import" or "reassign" or "refresh" or "security" => StatementKind.Ddl,
            "begin" or "start" or "commit" or "end" or "rollback" or "abort" or "savepoint" or "release" => StatementKind.Transaction,
            "set" => StatementKind.Set,
            "reset" => StatementKind.Reset,
            "prepare" => StatementKind.Prepare,
            "listen" => StatementKind.Listen,
            _ => StatementKind.Other,
        };
    }
}
