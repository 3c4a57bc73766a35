using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// Writes the shape of a text: its tokens in one canonical spelling with constants replaced by marks. Two texts with equal shapes have the
/// same tokens but for the values of constants, so the grammar reads them alike. White space, comments, letter case outside quotes and a
/// closing semicolon go; lists of constants in IN (..) and rows of VALUES shrink to one; hint comments in front stay. Not thread-safe.
/// </summary>
internal sealed class ShapeFolder(int maxText)
{
    // Control bytes outside quotes make a text irregular, so none of these marks can come from the text itself.
    private const byte IntegerMark = 1;
    private const byte FloatMark = 2;
    private const byte StringMark = 3;
    private const byte BitStringMark = 4;
    private const byte AfterHints = 5;
    private const byte FoldedStandard = 6;
    private const byte FoldedEscaping = 7;
    private const byte ExactStandard = 14;
    private const byte ExactEscaping = 15;
    private const int LongestAppend = 32;

    private readonly byte[] _shape = new byte[2 * maxText + 2 * LongestAppend];
    private int _length;
    private Spacing _last;

    /// <summary>What the last token was, as far as the space in front of the next depends on it.</summary>
    private enum Spacing : byte
    {
        Bracket,
        Word,
        Operator,
    }

    /// <summary>The list of constants the text is in, if any.</summary>
    private enum ListKind : byte
    {
        None,
        In,
        Values,
    }

    /// <summary>The last result; valid until the next call.</summary>
    public ReadOnlySpan<byte> Shape => _shape.AsSpan(0, _length);

    /// <summary>True when the last result is the text as it stands.</summary>
    public bool IsExact => _shape[0] is ExactStandard or ExactEscaping;

    /// <summary>Folds a text of at most the maximum length. Texts that cannot be folded safely come out as they stand.</summary>
    public void Fold(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        _shape[0] = standardConformingStrings ? FoldedStandard : FoldedEscaping;
        _length = 1;
        _last = Spacing.Bracket;
        if (sql.Length > 0 && (uint)(sql[0] | 0x20) - 'a' > 'z' - 'a')
            CopyHints(sql);
        if (sql.Contains((byte)0) || !TryFold(sql, standardConformingStrings))
        {
            UseExactText(sql, standardConformingStrings);
            return;
        }

        while (_shape[_length - 1] == ';')
            _length--;
    }

    /// <summary>A shape for people, with a question mark for each constant, also where the shape itself is the text as it stands.</summary>
    public string Readable(ReadOnlySpan<byte> shape)
    {
        if (shape[0] is ExactStandard or ExactEscaping)
        {
            Fold(shape[1..], shape[0] == ExactStandard);
            shape = Shape;
        }
        if (shape[0] is ExactStandard or ExactEscaping)
            return "(a text with odd characters)";
        var text = new StringBuilder(Encoding.UTF8.GetString(shape[1..]));
        for (var mark = IntegerMark; mark <= BitStringMark; mark++)
            text.Replace((char)mark, '?');
        return text.Replace((char)AfterHints, ' ').ToString();
    }

    /// <summary>Takes the text as it stands.</summary>
    public void UseExactText(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        _shape[0] = standardConformingStrings ? ExactStandard : ExactEscaping;
        sql.CopyTo(_shape.AsSpan(1));
        _length = 1 + sql.Length;
    }

    private void CopyHints(ReadOnlySpan<byte> sql)
    {
        var written = TextHead.CopyHints(sql, _shape.AsSpan(_length));
        if (written == 0)
            return;
        _length += written;
        _shape[_length++] = AfterHints;
    }

    private bool TryFold(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var lexer = new SqlLexer(sql, standardConformingStrings);
        var list = default(ConstantList);
        var opensList = ListKind.None;
        while (true)
        {
            var kind = lexer.Next();
            var before = opensList;
            opensList = ListKind.None;
            switch (kind)
            {
                case TokenKind.Word:
                    var isQualified = _shape[_length - 1] == '.'; // s.in(1, 2) calls a function.
                    AppendWord(sql, lexer.Start, lexer.Stop);
                    opensList = isQualified ? ListKind.None : ListAfter(lexer.Stop - lexer.Start);
                    if (list.Kind != ListKind.None && !(list.IsOpen && IsConstantWord(lexer.Text)))
                        list = default;
                    break;
                case TokenKind.Punctuation:
                    AppendPunctuation(sql, ref lexer, ref list, before);
                    break;
                case TokenKind.Operator:
                    if (list.IsOpen && IsSignOfConstant(sql, ref lexer))
                        break;
                    list = default;
                    AppendToken(lexer.Text, Spacing.Operator);
                    break;
                case TokenKind.Integer:
                    if (IsReadByGrammar())
                        return false;
                    AppendConstant(IntegerMark, ref list);
                    break;
                case TokenKind.Float:
                    AppendConstant(FloatMark, ref list);
                    break;
                case TokenKind.String:
                    AppendConstant(StringMark, ref list);
                    break;
                case TokenKind.BitString:
                    AppendConstant(BitStringMark, ref list);
                    break;
                case TokenKind.NationalString:
                    list = default;
                    AppendToken([(byte)'n', StringMark], Spacing.Word);
                    break;
                case TokenKind.Parameter or TokenKind.QuotedIdentifier:
                    list = default;
                    AppendToken(lexer.Text, Spacing.Word);
                    break;
                default:
                    return !lexer.Irregular;
            }
        }
    }

    /// <summary>Copies a word in lower case, 16 bytes at a time where the text has them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AppendWord(ReadOnlySpan<byte> sql, int start, int stop)
    {
        if (_last == Spacing.Word)
            _shape[_length++] = (byte)' ';
        _last = Spacing.Word;
        var length = stop - start;
        var target = _shape.AsSpan(_length, length + Vector128<byte>.Count);
        var i = 0;
        for (; i < length && start + i + Vector128<byte>.Count <= sql.Length; i += Vector128<byte>.Count)
        {
            var bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(sql), (nuint)(start + i));
            var isUpper = Vector128.LessThanOrEqual(bytes - Vector128.Create((byte)'A'), Vector128.Create((byte)('Z' - 'A')));
            (bytes | (isUpper & Vector128.Create((byte)0x20))).StoreUnsafe(ref MemoryMarshal.GetReference(target), (nuint)i);
        }

        for (; i < length; i++)
            target[i] = SqlBytes.Lower(sql[start + i]);
        _length += length;
    }

    /// <summary>An integer here may be refused for its value: float(99), ALTER INDEX i ALTER COLUMN 99999.</summary>
    private bool IsReadByGrammar() => _shape[_length - 1] switch
    {
        (byte)'(' => Shape.EndsWith("float("u8),
        (byte)'n' => Shape.EndsWith("column"u8),
        (byte)'r' => Shape.EndsWith("alter"u8),
        _ => false,
    };

    /// <summary>Whether the word just written, of this length, is IN or VALUES.</summary>
    private ListKind ListAfter(int length) => length switch
    {
        2 when _shape[_length - 2] == 'i' && _shape[_length - 1] == 'n' => ListKind.In,
        6 when Shape.EndsWith("values"u8) => ListKind.Values,
        _ => ListKind.None,
    };

    private static bool IsConstantWord(ReadOnlySpan<byte> word) =>
        SqlBytes.EqualsIgnoreCase(word, "null"u8) || SqlBytes.EqualsIgnoreCase(word, "true"u8)
        || SqlBytes.EqualsIgnoreCase(word, "false"u8) || SqlBytes.EqualsIgnoreCase(word, "default"u8);

    /// <summary>True for the sign right in front of a number that is an element of a list.</summary>
    private bool IsSignOfConstant(ReadOnlySpan<byte> sql, ref SqlLexer lexer) =>
        lexer.Stop - lexer.Start == 1 && sql[lexer.Start] is (byte)'-' or (byte)'+'
        && _shape[_length - 1] is (byte)'(' or (byte)','
        && lexer.Stop < sql.Length && SqlBytes.ClassOf(sql[lexer.Stop]) == ByteClass.Digit;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AppendToken(ReadOnlySpan<byte> token, Spacing spacing)
    {
        if (_last == spacing)
            _shape[_length++] = (byte)' ';
        _last = spacing;
        token.CopyTo(_shape.AsSpan(_length));
        _length += token.Length;
    }

    private void AppendConstant(byte mark, ref ConstantList list)
    {
        if (list.Kind != ListKind.None && !list.IsOpen)
            list = default;
        if (list.IsOpen && _shape[_length - 1] == ',' && _shape[_length - 2] == mark)
        {
            _length--; // one of a run of like constants
            _last = Spacing.Word;
            return;
        }

        if (_last == Spacing.Word)
            _shape[_length++] = (byte)' ';
        _last = Spacing.Word;
        _shape[_length++] = mark;
    }

    private void AppendPunctuation(ReadOnlySpan<byte> sql, ref SqlLexer lexer, ref ConstantList list, ListKind opensList)
    {
        var first = sql[lexer.Start];
        if (first is (byte)'.' or (byte)':')
        {
            list = default;
            AppendToken(lexer.Text, Spacing.Operator);
            return;
        }

        if (first == '(')
            list = list.Open(_length, opensList);
        _last = Spacing.Bracket;
        _shape[_length++] = first;
        if (first == ')')
            CloseRow(ref list);
        else if (first == ',' && list.Kind == ListKind.Values)
            list.ExpectsRow = !list.IsOpen;
        else if (first != ',' && first != '(')
            list = default;
    }

    /// <summary>Ends a row of constants; one equal to the row before it goes.</summary>
    private void CloseRow(ref ConstantList list)
    {
        if (!list.IsOpen || list.Kind == ListKind.In)
        {
            list = default;
            return;
        }

        var row = _shape.AsSpan(list.Start, _length - list.Start);
        if (list.HasPrevious && row.SequenceEqual(_shape.AsSpan(list.PreviousStart, list.PreviousStop - list.PreviousStart)))
            _length = list.PreviousStop;
        else
            (list.PreviousStart, list.PreviousStop) = (list.Start, _length);
        list.IsOpen = false;
    }

    /// <summary>Where a list of constants stands in the shape.</summary>
    private struct ConstantList
    {
        public ListKind Kind;

        /// <summary>Inside the brackets of a row that has only constants so far.</summary>
        public bool IsOpen;

        /// <summary>After the comma behind a closed row of VALUES.</summary>
        public bool ExpectsRow;
        public int Start;
        public int PreviousStart;
        public int PreviousStop;

        public readonly bool HasPrevious => PreviousStop != 0;

        /// <summary>The state after an opening bracket at <paramref name="position"/>.</summary>
        public readonly ConstantList Open(int position, ListKind opened)
        {
            if (opened != ListKind.None)
                return new ConstantList { Kind = opened, IsOpen = true, Start = position };
            if (Kind == ListKind.Values && ExpectsRow)
                return this with { IsOpen = true, ExpectsRow = false, Start = position };
            return default;
        }
    }
}
