using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>BEGIN, COMMIT, SAVEPOINT and their kind, and the list of transaction modes they share with SET TRANSACTION.</summary>
internal static class TransactionStatements
{
    public static void Read(ref Utf8JsonReader json, StatementFacts facts)
    {
        facts.Kind = StatementKind.Transaction;
        var isStart = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("kind"u8))
            {
                var kind = JsonText.ReadString(ref json);
                facts.Verb = VerbOf(kind);
                isStart = kind == "TRANS_STMT_START";
            }
            else if (json.ValueTextEquals("savepoint_name"u8))
                facts.Name = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("gid"u8))
            {
                facts.Name = JsonText.ReadString(ref json);
                facts.LiteralsMatter = true;
            }
            else if (json.ValueTextEquals("chain"u8))
            {
                json.Read();
                facts.Chains = json.TokenType == JsonTokenType.True;
            }
            else if (json.ValueTextEquals("options"u8))
                ReadModes(ref json, facts);
            else
            {
                json.Read();
                json.Skip();
            }
        }

        var isTwoPhase = facts.Verb
            is TransactionVerb.PrepareTransaction or TransactionVerb.CommitPrepared or TransactionVerb.RollbackPrepared;
        facts.Assign(isTwoPhase ? StatementClass.Write : StatementClass.Transaction, isStart ? "START TRANSACTION" : CauseOf(facts.Verb));
    }

    /// <summary>Reads the list of DefElem nodes that follows the property the reader stands on; returns them by name.</summary>
    public static List<(string Name, Constant Value)> ReadModes(ref Utf8JsonReader json, StatementFacts facts)
    {
        var modes = new List<(string, Constant)>(2);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var element = json;
            json.Skip();
            element.Read();
            if (!element.ValueTextEquals("DefElem"u8))
                continue;
            element.Read();
            var (name, value) = ReadMode(ref element);
            modes.Add((name, value));
            if (name == "transaction_read_only")
                facts.ReadOnly = value.Text is "1" or "true" or "on";
            else if (name == "transaction_isolation")
                facts.Isolation = value.Text;
        }

        return modes;
    }

    private static (string Name, Constant Value) ReadMode(ref Utf8JsonReader element)
    {
        var name = "";
        var value = default(Constant);
        while (element.Read() && element.TokenType == JsonTokenType.PropertyName)
        {
            if (element.ValueTextEquals("defname"u8))
                name = JsonText.ReadString(ref element);
            else if (element.ValueTextEquals("arg"u8))
            {
                element.Read();
                var probe = element;
                value = Constant.Read(ref probe, []);
                element.Skip();
            }
            else
            {
                element.Read();
                element.Skip();
            }
        }

        return (name, value);
    }

    private static TransactionVerb VerbOf(string kind) => kind switch
    {
        "TRANS_STMT_BEGIN" or "TRANS_STMT_START" => TransactionVerb.Begin,
        "TRANS_STMT_COMMIT" => TransactionVerb.Commit,
        "TRANS_STMT_ROLLBACK" => TransactionVerb.Rollback,
        "TRANS_STMT_SAVEPOINT" => TransactionVerb.Savepoint,
        "TRANS_STMT_RELEASE" => TransactionVerb.Release,
        "TRANS_STMT_ROLLBACK_TO" => TransactionVerb.RollbackTo,
        "TRANS_STMT_PREPARE" => TransactionVerb.PrepareTransaction,
        "TRANS_STMT_COMMIT_PREPARED" => TransactionVerb.CommitPrepared,
        "TRANS_STMT_ROLLBACK_PREPARED" => TransactionVerb.RollbackPrepared,
        _ => TransactionVerb.None,
    };

    private static string CauseOf(TransactionVerb verb) => verb switch
    {
        TransactionVerb.RollbackTo => "ROLLBACK TO",
        TransactionVerb.PrepareTransaction => "PREPARE TRANSACTION",
        TransactionVerb.CommitPrepared => "COMMIT PREPARED",
        TransactionVerb.RollbackPrepared => "ROLLBACK PREPARED",
        _ => verb.ToString().ToUpperInvariant(),
    };
}
