using System.Text;
using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>
/// Judges one top-level statement by its node type. What is not read here in a way of its own is a write, see <see cref="StatementTypes"/>.
/// </summary>
internal static class StatementReader
{
    /// <summary>Reads the object {"SelectStmt":{..}} the reader stands on, to its end.</summary>
    public static void Read(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, StatementFacts facts)
    {
        json.Read();
        var type = Encoding.UTF8.GetString(json.ValueSpan);
        json.Read();
        Body(ref json, type, sql, facts);
        json.Read();
    }

    /// <summary>Reads the node the reader stands on, of a known type.</summary>
    private static void Body(ref Utf8JsonReader json, string type, ReadOnlySpan<byte> sql, StatementFacts facts)
    {
        var walker = new TreeWalker(facts);
        switch (type)
        {
            case "SelectStmt":
                facts.Kind = StatementKind.Select;
                facts.BareCallDepth = BareSelect.CallDepth(json);
                walker.Query(ref json, writes: false);
                if (facts.HasSettings && facts.Class == StatementClass.Read)
                    facts.Assign(StatementClass.State, "set_config()");
                return;
            case "InsertStmt":
                Modify(ref json, walker, facts, StatementKind.Insert, "INSERT");
                return;
            case "UpdateStmt":
                Modify(ref json, walker, facts, StatementKind.Update, "UPDATE");
                return;
            case "DeleteStmt":
                Modify(ref json, walker, facts, StatementKind.Delete, "DELETE");
                return;
            case "MergeStmt":
                Modify(ref json, walker, facts, StatementKind.Merge, "MERGE");
                return;
            case "TransactionStmt":
                TransactionStatements.Read(ref json, facts);
                return;
            case "VariableSetStmt":
                SetStatements.Set(ref json, sql, facts);
                return;
            case "VariableShowStmt":
                facts.Kind = StatementKind.Show;
                facts.Name = Fields(ref json, walker, "name")?.ToLowerInvariant();
                facts.Assign(OwnSettingNames.IsOwn(facts.Name) ? StatementClass.State : StatementClass.PrimaryRead, "SHOW");
                return;
            case "DiscardStmt":
                SetStatements.Discard(Fields(ref json, walker, "target"), facts);
                return;
            case "ConstraintsSetStmt":
                facts.Kind = StatementKind.Set;
                facts.Name = "constraints";
                facts.Effects |= SessionEffects.SetsTransaction;
                facts.Assign(StatementClass.Transaction, "SET CONSTRAINTS");
                json.Skip();
                return;
            case "CopyStmt":
                Copy(ref json, facts);
                return;
            case "ExplainStmt":
                ExplainStatements.Read(ref json, sql, facts);
                return;
            case "PrepareStmt":
                Inner(ref json, sql, facts, StatementKind.Prepare, "name");
                facts.Effects |= SessionEffects.PreparesStatement;
                return;
            case "ExecuteStmt":
                facts.Kind = StatementKind.Execute;
                facts.Name = Fields(ref json, walker, "name");
                facts.Effects |= SessionEffects.ExecutesPrepared;
                facts.HasPlainArguments = facts.Class == StatementClass.Read;
                facts.Raise(StatementClass.PrimaryRead, "EXECUTE");
                return;
            case "DeallocateStmt":
                facts.Kind = StatementKind.Deallocate;
                facts.Name = Fields(ref json, walker, "name");
                facts.Effects |= SessionEffects.DeallocatesPrepared;
                facts.Assign(StatementClass.State, "DEALLOCATE");
                return;
            case "DeclareCursorStmt":
                DeclareCursor(ref json, sql, facts);
                return;
            case "FetchStmt":
                facts.Kind = StatementKind.Fetch;
                facts.Name = Fields(ref json, walker, "portalname");
                facts.Assign(StatementClass.PrimaryRead, "FETCH");
                return;
            case "ClosePortalStmt":
                facts.Kind = StatementKind.ClosePortal;
                facts.Name = Fields(ref json, walker, "portalname");
                facts.Effects |= SessionEffects.ClosesCursor;
                facts.Assign(StatementClass.PrimaryRead, "CLOSE");
                return;
            default:
                Write(ref json, type, walker, facts);
                return;
        }
    }

    private static void Modify(ref Utf8JsonReader json, TreeWalker walker, StatementFacts facts, StatementKind kind, string verb)
    {
        facts.Kind = kind;
        facts.Raise(StatementClass.Write, verb);
        walker.Query(ref json, writes: true);
    }

    /// <summary>Everything that writes or must run on the primary by its verb alone.</summary>
    private static void Write(ref Utf8JsonReader json, string type, TreeWalker walker, StatementFacts facts)
    {
        var known = StatementTypes.Of(type);
        facts.Kind = known.Kind;
        facts.Effects |= known.Effects;
        facts.ChangesSchema = known.Kind == StatementKind.Ddl;
        facts.Raise(StatementClass.Write, type == "VacuumStmt" && !HasField(json, "is_vacuumcmd"u8) ? "ANALYZE" : known.Cause);
        facts.WritesAllTables = type != "CreateTableAsStmt";
        facts.ExecutesFunctions = known.Reading != StatementReading.Definition;
        if (known.Kind == StatementKind.Ddl)
            Ddl(ref json, type, walker, facts);
        else if (known.Kind == StatementKind.Call)
            CodeStatements.Call(ref json, walker, facts);
        else if (known.Kind == StatementKind.Do)
            CodeStatements.Do(ref json, facts);
        else if (known.NameField is { } nameField)
            facts.Name = Fields(ref json, walker, nameField);
        else
            walker.Value(ref json);
    }

    private static void Ddl(ref Utf8JsonReader json, string type, TreeWalker walker, StatementFacts facts)
    {
        if (type == "CreateTableAsStmt")
        {
            CreateTableAs(ref json, walker, facts);
            return;
        }
        if (type == "DropStmt")
        {
            DropTargets.Read(ref json, facts);
            return;
        }
        var probe = json;
        var isTemporary = false;
        if (!type.StartsWith("Drop", StringComparison.Ordinal) && TemporaryTarget.Read(ref probe, out isTemporary))
            facts.Effects |= SessionEffects.CreatesTemporary;
        facts.IsTemporary = isTemporary && type is ("CreateStmt" or "CreateSeqStmt" or "ViewStmt");
        walker.Value(ref json);
    }

    private static void CreateTableAs(ref Utf8JsonReader json, TreeWalker walker, StatementFacts facts)
    {
        facts.CarriesOutQuery = true;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("into"u8))
                walker.Into(ref json);
            else if (json.ValueTextEquals("objtype"u8))
                facts.CarriesOutQuery = JsonText.ReadString(ref json) != "OBJECT_MATVIEW"; // Which stores it.
            else
            {
                json.Read();
                var probe = json;
                if (probe.TokenType == JsonTokenType.StartObject && probe.Read() && probe.ValueTextEquals("ExecuteStmt"u8))
                    facts.Effects |= SessionEffects.ExecutesPrepared;
                walker.Value(ref json);
            }
        }
    }

    private static void Copy(ref Utf8JsonReader json, StatementFacts facts)
    {
        facts.Kind = StatementKind.Copy;
        var isWritten = HasField(json, "is_from"u8);
        if (isWritten)
            facts.Raise(StatementClass.Write, "COPY FROM");
        else if (HasField(json, "is_program"u8) || HasField(json, "filename"u8))
            facts.Raise(StatementClass.Write, "COPY TO a file or program");
        var walker = new TreeWalker(facts);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isRelation = json.ValueTextEquals("relation"u8);
            json.Read();
            if (isRelation)
                walker.Relation(ref json, isWritten);
            else
                walker.Value(ref json);
        }
    }

    private static void DeclareCursor(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, StatementFacts facts)
    {
        const int Hold = 0x20; // CURSOR_OPT_HOLD of parsenodes.h
        var probe = json;
        while (probe.Read() && probe.TokenType == JsonTokenType.PropertyName)
        {
            var isOptions = probe.ValueTextEquals("options"u8);
            probe.Read();
            if (isOptions && (probe.GetInt32() & Hold) != 0)
                facts.Effects |= SessionEffects.DeclaresHoldCursor;
            probe.Skip();
        }

        Inner(ref json, sql, facts, StatementKind.DeclareCursor, "portalname");
        if ((facts.Effects & SessionEffects.DeclaresHoldCursor) != 0)
            facts.Raise(StatementClass.PrimaryRead, "DECLARE CURSOR"); // It stays on its node, where the session may want to write next.
    }

    /// <summary>A statement that carries another in its field <c>query</c> and is judged as that one is.</summary>
    private static void Inner(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, StatementFacts facts, StatementKind kind, string nameField)
    {
        string? name = null;
        var walker = new TreeWalker(facts);
        facts.ExecutesFunctions = kind != StatementKind.Prepare;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(nameField))
                name = JsonText.ReadString(ref json);
            else
            {
                var isQuery = json.ValueTextEquals("query"u8);
                json.Read();
                if (isQuery)
                    Nested(ref json, sql, facts);
                else
                    walker.Value(ref json);
            }
        }

        facts.Kind = kind;
        facts.Name = name;
    }

    /// <summary>Judges a statement inside another; calls of set_config in it are not certain to run once.</summary>
    public static void Nested(ref Utf8JsonReader json, ReadOnlySpan<byte> sql, StatementFacts facts)
    {
        json.Read();
        var isSelect = json.ValueTextEquals("SelectStmt"u8);
        var type = isSelect ? "" : Encoding.UTF8.GetString(json.ValueSpan);
        json.Read();
        if (isSelect)
            new TreeWalker(facts).Query(ref json, writes: false);
        else
            Body(ref json, type, sql, facts);
        json.Read();
    }

    /// <summary>Walks every field and returns the string field asked for.</summary>
    private static string? Fields(ref Utf8JsonReader json, TreeWalker walker, string stringField)
    {
        string? value = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(stringField))
                value = JsonText.ReadString(ref json);
            else
            {
                json.Read();
                walker.Value(ref json);
            }
        }

        return value;
    }

    private static bool HasField(Utf8JsonReader json, ReadOnlySpan<byte> field)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(field))
                return true;
            json.Read();
            json.Skip();
        }

        return false;
    }
}
