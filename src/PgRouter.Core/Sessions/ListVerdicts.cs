using System.Runtime.CompilerServices;
using PgRouter.Core.Configuration;
using PgRouter.Core.Routing;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What pgpool's lists said lately: of functions by the shape of a text, of whole statements by the text itself, because their patterns may ask for
/// white space and literals. An answer holds for the very lists that gave it. Of one loop; loop thread only. A text that is known costs a hash
/// and a comparison, nothing is allocated for any.
/// </summary>
internal sealed class ListVerdicts
{
    private const int ShapeCount = 512;
    private const int TextCount = 256;

    /// <summary>Longer texts are matched each time.</summary>
    private const int LongestText = 1024;

    private readonly ShapeAnswer[] _shapes = new ShapeAnswer[ShapeCount];
    private TextAnswer[] _texts = [];

    /// <inheritdoc cref="FunctionLists.Judge"/>
    public (StatementInfo Judged, bool IsForPrimary) OfFunctions(StatementInfo info, RoutingLists lists)
    {
        ref var answer = ref _shapes[RuntimeHelpers.GetHashCode(info) & (ShapeCount - 1)];
        if (!ReferenceEquals(answer.Info, info) || !ReferenceEquals(answer.Lists, lists))
        {
            var (judged, isForPrimary) = FunctionLists.Judge(info, lists);
            answer = new ShapeAnswer(info, lists, judged, isForPrimary);
        }
        return (answer.Judged, answer.IsForPrimary);
    }

    /// <summary>Does primary_routing_query_pattern_list name this text?</summary>
    public bool NamesStatement(ReadOnlySpan<byte> sql, RoutingLists lists)
    {
        if (sql.Length > LongestText)
            return lists.PrimaryStatements.MatchesStatement(sql);
        if (_texts.Length == 0)
            _texts = new TextAnswer[TextCount];
        var hash = new HashCode();
        hash.AddBytes(sql);
        ref var answer = ref _texts[hash.ToHashCode() & (TextCount - 1)];
        if (!ReferenceEquals(answer.Lists, lists) || !sql.SequenceEqual(answer.Text.AsSpan(0, answer.Length)))
        {
            answer.Text ??= new byte[LongestText];
            sql.CopyTo(answer.Text);
            (answer.Length, answer.Lists, answer.IsNamed) = (sql.Length, lists, lists.PrimaryStatements.MatchesStatement(sql));
        }
        return answer.IsNamed;
    }

    private readonly record struct ShapeAnswer(StatementInfo Info, RoutingLists Lists, StatementInfo Judged, bool IsForPrimary);

    private struct TextAnswer
    {
        public RoutingLists? Lists;
        public byte[]? Text;
        public int Length;
        public bool IsNamed;
    }
}
