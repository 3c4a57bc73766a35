using PgRouter.Core.Servers;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// The texts with which one client opens its blocks: they are nearly always the same few, so what is sent for them is made once. Loop thread only.
/// </summary>
internal sealed class InjectedTexts(PreparedStatementCache statements)
{
    private const int Most = 4;
    private static readonly byte[] End = [0, 0, 0];

    private readonly List<(byte[] Text, InjectedStatement Statement)> _kept = new(1);

    public InjectedStatement Get(ReadOnlySpan<byte> sql, StatementInfo info)
    {
        foreach (var (text, known) in _kept)
        {
            if (sql.SequenceEqual(text))
                return known;
        }
        if (_kept.Count == Most)
        {
            statements.Release(_kept[0].Statement.Statement);
            _kept.RemoveAt(0);
        }
        var made = new InjectedStatement(statements.Acquire([.. sql, .. End], info, ""), "pgrouter_begin");
        _kept.Add((sql.ToArray(), made));
        return made;
    }

    public void Clear()
    {
        foreach (var (_, statement) in _kept)
            statements.Release(statement.Statement);
        _kept.Clear();
    }
}
