using System.Text.Json;

namespace PgRouter.Sql;

/// <summary>
/// Turns libpg_query's JSON tree of a text into its <see cref="Statement"/>s. Stateless; the judging of each kind is in
/// <see cref="StatementReader"/>.
/// </summary>
internal static class Classifier
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = int.MaxValue };

    /// <param name="tree">The whole JSON document.</param>
    /// <param name="sql">The text that was parsed, for what the tree leaves out.</param>
    public static StatementInfo Classify(ReadOnlySpan<byte> tree, ReadOnlySpan<byte> sql)
    {
        var statements = new List<Statement>(1);
        var literalsMatter = false;
        List<(PidCallFound Call, int Statement)>? pidCalls = null;
        var json = new Utf8JsonReader(tree, Options);
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals("stmt"u8))
                continue;
            json.Read();
            var facts = new StatementFacts();
            StatementReader.Read(ref json, sql, facts);
            literalsMatter |= facts.LiteralsMatter;
            foreach (var call in facts.PidCalls())
                (pidCalls ??= []).Add((call, statements.Count));
            statements.Add(facts.ToStatement());
        }

        return Combine(statements, literalsMatter, pidCalls is null ? null : PidCalls.Settle(sql, pidCalls));
    }

    private static StatementInfo Combine(List<Statement> statements, bool literalsMatter, IReadOnlyList<PidCall>? pidCalls)
    {
        if (statements.Count == 0)
            return KnownTexts.Empty;
        var strictest = statements[0];
        foreach (var statement in statements)
        {
            if (statement.Class > strictest.Class)
                strictest = statement;
        }

        return new StatementInfo(strictest.Class, strictest.Cause, statements.ToArray()) { LiteralsMatter = literalsMatter, PidCalls = pidCalls };
    }
}
