using System.Text;
using PgRouter.Core.Servers;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A text with the client's names of prepared statements exchanged for the servers' (<see cref="PreparedStatement.ServerName"/>), the statements it
/// uses, and how far places in it have moved, so that an error of the server's points at the client's text.
/// </summary>
internal sealed class NamedText
{
    private readonly List<(int Position, int Moved)> _shifts = [];
    private readonly List<PreparedStatement> _uses = [];

    private NamedText(byte[] text) => Text = text;

    public byte[] Text { get; private set; }

    /// <summary>Statements that must be prepared on the server before the text runs there.</summary>
    public IReadOnlyList<PreparedStatement> Uses => _uses;

    /// <param name="sql">The client's text.</param>
    /// <param name="names">The places of names in it.</param>
    /// <param name="find">What a name stands for; null = leave it as it is.</param>
    public static NamedText Exchange(ReadOnlySpan<byte> sql, IReadOnlyList<PreparedName> names, Func<PreparedName, PreparedStatement?> find)
    {
        var result = new NamedText([]);
        var text = new List<byte>(sql.Length + 32);
        var position = 0;
        foreach (var name in names)
        {
            if (find(name) is not { } statement)
                continue;
            text.AddRange(sql[position..name.Start]);
            result._shifts.Add((Encoding.UTF8.GetCharCount(sql[..(name.Start + name.Length)]), statement.ServerName.Length - name.Length));
            text.AddRange(statement.ServerName);
            position = name.Start + name.Length;
            result._uses.Add(statement);
        }
        text.AddRange(sql[position..]);
        result.Text = [.. text];
        return result;
    }

    /// <summary>
    /// The place in the client's text of a place that an error of the server names; both count characters from 1, as field P does. An EXECUTE fails
    /// at a place of its own arguments, or of the text that PREPARE has stored.
    /// </summary>
    public int OriginalPosition(int position)
    {
        var original = position;
        var isInPrepared = _uses is [{ IsSql: true }] && (position > Text.Length || !Text.AsSpan().Contains((byte)'('));
        if (isInPrepared)
            return position - _shifts[0].Moved;
        foreach (var (end, moved) in _shifts)
        {
            if (original - moved <= end)
                break;
            original -= moved;
        }
        return original;
    }
}
