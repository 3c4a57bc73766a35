using System.Text;
using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>
/// Reads one statement of libpg_query's JSON tree front to back, without building it again, and gathers <see cref="StatementFacts"/>.
/// Every method is called with the reader on the first token of a value and leaves it on the last. Recursion is as deep as the tree,
/// which the caps of <see cref="TextLimits"/> bound.
/// </summary>
internal ref struct TreeWalker
{
    private readonly StatementFacts _facts;

    public TreeWalker(StatementFacts facts) => _facts = facts;

    /// <summary>Walks any value: nodes are judged by their type, everything else is passed through.</summary>
    public readonly void Value(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.StartObject)
            Object(ref json);
        else if (json.TokenType == JsonTokenType.StartArray)
            Array(ref json);
    }

    public readonly void Array(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            Value(ref json);
    }

    /// <summary>The fields of SELECT, INSERT, UPDATE, DELETE and MERGE, with the names that its WITH hides.</summary>
    public readonly void Query(ref Utf8JsonReader json, bool writes)
    {
        var scope = new CteScope(_facts.TableCount);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("withClause"u8))
                With(ref json, ref scope);
            else if (json.ValueTextEquals("intoClause"u8))
                Into(ref json);
            else if (json.ValueTextEquals("larg"u8) || json.ValueTextEquals("rarg"u8))
            {
                json.Read();
                Query(ref json, writes: false);
            }
            else if (writes && json.ValueTextEquals("relation"u8))
            {
                json.Read();
                Relation(ref json, isWritten: true);
            }
            else if (json.ValueTextEquals("sortClause"u8) || json.ValueTextEquals("groupClause"u8) || json.ValueTextEquals("distinctClause"u8))
                OutputColumn(ref json, isNamed: false);
            else
            {
                json.Read();
                Value(ref json);
            }
        }

        scope.Close(_facts);
    }

    /// <summary>INTO of SELECT INTO and CREATE TABLE AS.</summary>
    public readonly void Into(ref Utf8JsonReader json)
    {
        json.Read();
        _facts.Raise(StatementClass.Write, "SELECT INTO");
        var probe = json;
        if (TemporaryTarget.Read(ref probe, out var isTemporary))
            _facts.Effects |= SessionEffects.CreatesTemporary;
        _facts.IsTemporary = isTemporary;
        _facts.ChangesSchema = true;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isTarget = json.ValueTextEquals("rel"u8);
            json.Read();
            if (isTarget)
                Relation(ref json, isWritten: true);
            else
                Value(ref json);
        }
    }

    /// <summary>A RangeVar. Anything with a relname is one; other objects pass through here unharmed.</summary>
    public readonly void Relation(ref Utf8JsonReader json, bool isWritten)
    {
        string? schema = null;
        string? name = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("relname"u8))
                name = JsonText.ReadString(ref json);
            else if (json.ValueTextEquals("schemaname"u8))
                schema = JsonText.ReadString(ref json);
            else
                Field(ref json);
        }

        if (name is not null)
            _facts.AddTable(new TableUse(schema, name, isWritten));
    }

    private readonly void Object(ref Utf8JsonReader json) => Relation(ref json, isWritten: false);

    /// <summary>One property: a field, or the type of a node in front of the node itself.</summary>
    private readonly void Field(ref Utf8JsonReader json)
    {
        var name = json.ValueSpan;
        if (name.IsEmpty || (uint)(name[0] - 'A') > 'Z' - 'A')
        {
            var isTypeName = name.SequenceEqual("typeName"u8);
            var isIndirection = name.SequenceEqual("indirection"u8);
            json.Read();
            if (isIndirection)
                Attributes.OfIndirection(in json, _facts);
            if (isTypeName)
                json.Skip();
            else
                Value(ref json);
            return;
        }

        Node(ref json, name);
    }

    private readonly void Node(ref Utf8JsonReader json, ReadOnlySpan<byte> type)
    {
        switch (NodeTypes.DecisionOf(type))
        {
            case NodeDecision.Leaf:
                json.Read();
                json.Skip();
                return;
            case NodeDecision.Walk:
                _facts.Computes = true;
                json.Read();
                Value(ref json);
                return;
            case NodeDecision.Column:
                json.Read();
                Attributes.OfColumn(ref json, _facts);
                return;
            case NodeDecision.Function:
                json.Read();
                FunctionCall.Read(ref json, this, _facts);
                return;
            case NodeDecision.OutputColumn:
                OutputColumn(ref json, BeginsWith(json, "name"u8));
                return;
            case NodeDecision.FromItem:
                _facts.Computes = true;
                FromItem(ref json);
                return;
            case NodeDecision.Query:
                json.Read();
                Query(ref json, writes: false);
                return;
            case NodeDecision.Locking:
                json.Read();
                Locking(ref json);
                return;
            case NodeDecision.Sample:
                json.Read();
                Sample(ref json);
                return;
            case NodeDecision.Modification:
                RaiseTo(type);
                json.Read();
                Query(ref json, writes: true);
                return;
            default:
                RaiseTo(type);
                json.Read();
                Value(ref json);
                return;
        }
    }

    private readonly void RaiseTo(ReadOnlySpan<byte> type) =>
        _facts.Raise(StatementClass.Write, StatementTypes.Of(Encoding.UTF8.GetString(type)).Cause);

    /// <summary>The value of the property the reader stands on.</summary>
    private readonly void OutputColumn(ref Utf8JsonReader json, bool isNamed)
    {
        var before = _facts.IsInOutputColumn;
        _facts.IsInOutputColumn = !isNamed;
        json.Read();
        Value(ref json);
        _facts.IsInOutputColumn = before;
    }

    /// <summary>A function in FROM. How its columns are named stands behind it.</summary>
    private readonly void FromItem(ref Utf8JsonReader json)
    {
        const int FunctionDepth = 6; // functions, its element, List, items, its element, FuncCall
        var (depth, column) = (_facts.FromItemDepth, _facts.IsInOutputColumn);
        var place = PidCallPlace.FromItem;
        var first = _facts.PidCallCount;
        json.Read();
        var own = json.CurrentDepth + FunctionDepth;
        (_facts.FromItemDepth, _facts.IsInOutputColumn) = (own, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            // An alias names the columns of ROWS FROM only when it lists them.
            if (json.ValueTextEquals("alias"u8) && (place != PidCallPlace.RowsFrom || ListsColumns(json)))
                place = PidCallPlace.FromItemWithAlias;
            else if (json.ValueTextEquals("is_rowsfrom"u8))
                place = PidCallPlace.RowsFrom;
            json.Read();
            Value(ref json);
        }

        _facts.PlaceFromItems(first, own, place);
        (_facts.FromItemDepth, _facts.IsInOutputColumn) = (depth, column);
    }

    /// <summary>{"aliasname":..,"colnames":[..]}</summary>
    private static bool ListsColumns(Utf8JsonReader json)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("colnames"u8))
                return true;
            json.Read();
        }

        return false;
    }

    /// <summary>Whether the object in the value of this property begins with a field.</summary>
    private static bool BeginsWith(Utf8JsonReader json, ReadOnlySpan<byte> field) =>
        json.Read() && json.Read() && json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals(field);

    private readonly void Locking(ref Utf8JsonReader json)
    {
        var cause = "FOR UPDATE";
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("strength"u8))
            {
                cause = JsonText.ReadString(ref json) switch
                {
                    "LCS_FORKEYSHARE" => "FOR KEY SHARE",
                    "LCS_FORSHARE" => "FOR SHARE",
                    "LCS_FORNOKEYUPDATE" => "FOR NO KEY UPDATE",
                    _ => "FOR UPDATE",
                };
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }

        _facts.Raise(StatementClass.Write, cause);
    }

    /// <summary>TABLESAMPLE calls a function of type tsm_handler: the two built-in ones run anywhere.</summary>
    private readonly void Sample(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isMethod = json.ValueTextEquals("method"u8);
            json.Read();
            if (isMethod)
                FunctionCall.Judge(JsonText.ReadQualifiedName(ref json), 1, _facts);
            else
                Value(ref json);
        }
    }

    private readonly void With(ref Utf8JsonReader json, ref CteScope scope)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("recursive"u8))
            {
                json.Read();
                scope.IsRecursive = json.TokenType == JsonTokenType.True;
                continue;
            }

            json.Read();
            if (json.TokenType != JsonTokenType.StartArray)
                continue;
            while (json.Read() && json.TokenType == JsonTokenType.StartObject)
                CommonTable(ref json, ref scope);
        }
    }

    /// <summary>{"CommonTableExpr":{"ctename":..,"ctequery":{..}}}</summary>
    private readonly void CommonTable(ref Utf8JsonReader json, ref CteScope scope)
    {
        json.Read();
        json.Read();
        var first = _facts.TableCount;
        string? name = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("ctename"u8))
                name = JsonText.ReadString(ref json);
            else
                Field(ref json);
        }

        json.Read();
        if (name is not null)
            scope.Add(name, first, _facts.TableCount);
    }
}
