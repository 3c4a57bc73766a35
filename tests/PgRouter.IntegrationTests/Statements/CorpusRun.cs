using System.Globalization;
using System.Text;
using PgRouter.Sql;
using PgRouter.Testing;
using PgRouter.Testing.Corpus;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>What became of one statement of the corpus.</summary>
/// <param name="Statement">The statement.</param>
/// <param name="Protocol">Simple or extended.</param>
/// <param name="Nodes">The nodes whose logs show it, as 0 for the primary.</param>
/// <param name="Answer">What the client got through the router.</param>
/// <param name="OnPrimary">What a session on the primary got, for reads.</param>
/// <param name="OnStandby">What a session on a standby got, for reads.</param>
internal sealed record CorpusResult(
    CorpusStatement Statement, string Protocol, IReadOnlyList<int> Nodes, CorpusAnswer Answer, CorpusAnswer? OnPrimary, CorpusAnswer? OnStandby)
{
    public override string ToString() => $"{Statement} ({Protocol})";
}

/// <summary>Rows, COPY data and tags, or the error.</summary>
internal sealed record CorpusAnswer(string Text, string? SqlState)
{
    public static CorpusAnswer Of(IReadOnlyList<RawMessage> messages)
    {
        var text = new StringBuilder();
        string? state = null;
        foreach (var message in messages)
        {
            if (message.Type == 'E')
                text.Append(CultureInfo.InvariantCulture, $"error {state = message.Field('C')} {message.Field('M')}\n");
            else if (message.Type is 'T' or 'D' or 'd' or 'C' or 'H')
                text.Append(message.Type).Append(Encoding.Latin1.GetString(message.Body)).Append('\n');
        }

        return new CorpusAnswer(text.ToString(), state);
    }

    /// <summary>The same without the values of rows.</summary>
    public string Shape => string.Join('\n', Text.Split('\n').Where(line => line.Length > 0 && line[0] is 'T' or 'C' or 'e'));
}

/// <summary>
/// Runs the corpus: first what may run on a standby, then what reads on the primary, then what writes, each in the order of the files. Every
/// statement has a session of its own, by whose name the logs of the nodes tell where it ran.
/// </summary>
internal sealed class CorpusRun : IAsyncDisposable
{
    public const string Database = "corpus";

    private readonly NodeLog[] _logs = [.. StatementsBed.Cluster.Nodes.Select(node => new NodeLog(node.LogFile))];
    private readonly RawClient?[] _direct = new RawClient?[2];
    private int _sessions;

    /// <summary>Makes the database, and has the router read its catalog.</summary>
    public static async Task PrepareAsync()
    {
        var cluster = StatementsBed.Cluster;
        await cluster.ExecuteAsync(0, "CREATE ROLE corpus_reader");
        await cluster.ExecuteAsync(0, $"CREATE DATABASE {Database}");
        await cluster.ExecuteAsync(0, CorpusBook.Schema + "; GRANT SELECT ON guarded, scratch TO corpus_reader", Database);
        await cluster.ExecuteAsync(0, "VACUUM ANALYZE", Database);
        await cluster.WaitForReplayAsync();
        await using var client = await RawClient.LoginAsync(StatementsBed.Router.Endpoint, database: Database);
        await client.QueryAsync("SELECT 1");
        await StatementsBed.Router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    public async Task<IReadOnlyList<CorpusResult>> RunAsync()
    {
        var results = new List<CorpusResult>();
        foreach (var statement in CorpusBook.All.OrderBy(Turn))
        {
            if (statement.Parameters is null)
                results.Add(await RunAsync(statement, "simple", session => session.SendAsync(Simple(statement))));
            if (statement.Parameters is not null || MayRunTwice(statement))
                results.Add(await RunAsync(statement, "extended", session => session.SendAsync(Extended(statement))));
        }

        return results;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _direct)
            await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static int Turn(CorpusStatement statement) => statement.Node switch
    {
        CorpusNode.None or CorpusNode.Standby => 0,
        _ when statement.Class < StatementClass.Write => 1,
        _ => 2,
    };

    /// <summary>A read is played by both protocols when that is one statement. PREPARE by the extended protocol is another matter (docs/pooling.md).</summary>
    private static bool MayRunTwice(CorpusStatement statement) =>
        statement is { Class: StatementClass.Read or StatementClass.NeedsCatalog or StatementClass.PrimaryRead, Node: not CorpusNode.None }
        && !statement.Sql.AsSpan().TrimEnd(" ;\n\r\t"u8).Contains((byte)';') && statement.Before.Count == 0 && statement.SqlState != "42P02" && statement.Group != "PREPARE";

    private async Task<CorpusResult> RunAsync(CorpusStatement statement, string protocol, Func<RawClient, Task> send)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"c{++_sessions}");
        await using var session = await RawClient.LoginAsync(
            StatementsBed.Router.Endpoint, database: Database, parameters: [("application_name", name), .. statement.Settings]);
        foreach (var sql in statement.Before)
            await MustSucceedAsync(session, sql, statement);
        foreach (var log in _logs)
            log.Skip();
        await send(session);
        var answer = CorpusAnswer.Of(await session.ReadUntilAsync('Z'));
        var nodes = Enumerable.Range(0, _logs.Length).Where(node => Ran(_logs[node].Read(name), statement)).ToArray();
        var isRead = statement is { Class: StatementClass.Read or StatementClass.NeedsCatalog, Node: CorpusNode.Standby };
        return new CorpusResult(
            statement, protocol, nodes, answer,
            isRead ? await DirectAsync(0, statement, send) : null,
            isRead && statement.Before.Count == 0 ? await DirectAsync(1, statement, send) : null);
    }

    private static async Task MustSucceedAsync(RawClient session, string sql, CorpusStatement statement)
    {
        if ((await session.QueryAsync(sql)).FirstOrDefault(message => message.Type == 'E') is { } error)
            throw new TestBedException($"{statement}: {sql}: {error.Field('C')} {error.Field('M')}");
    }

    /// <summary>The router's own questions and settings aside, is there anything of this session?</summary>
    private static bool Ran(List<string> entries, CorpusStatement statement)
    {
        var sql = Squeeze(Encoding.Latin1.GetString(statement.Sql));
        return entries.Any(entry => Squeeze(entry).Contains(sql, StringComparison.Ordinal))
            || entries.Any(entry => !entry.Contains("pg_my_temp_schema()") && !entry.StartsWith("LOG:  statement: SET ", StringComparison.Ordinal)
                && !entry.StartsWith("LOG:  statement: RESET ", StringComparison.Ordinal) && !entry.StartsWith("LOG:  statement: DISCARD ", StringComparison.Ordinal));
    }

    /// <summary>A log indents the lines of a statement.</summary>
    private static string Squeeze(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private async Task<CorpusAnswer> DirectAsync(int node, CorpusStatement statement, Func<RawClient, Task> send)
    {
        var endpoint = new Endpoint(StatementsBed.Cluster.Nodes[node].Host, StatementsBed.Cluster.Nodes[node].Port);
        if (statement.Before.Count == 0 && statement.Settings.Count == 0 && statement.Group != "PREPARE")
        {
            var shared = _direct[node] ??= await RawClient.LoginAsync(endpoint, database: Database);
            await send(shared);
            return CorpusAnswer.Of(await shared.ReadUntilAsync('Z'));
        }

        await using var session = await RawClient.LoginAsync(endpoint, database: Database, parameters: [.. statement.Settings]);
        foreach (var sql in statement.Before)
            await MustSucceedAsync(session, sql, statement);
        await send(session);
        return CorpusAnswer.Of(await session.ReadUntilAsync('Z'));
    }

    private static RawMessage Simple(CorpusStatement statement) => new('Q', [.. statement.Sql, 0]);

    private static RawMessage[] Extended(CorpusStatement statement) =>
    [
        new('P', [0, .. statement.Sql, 0, 0, 0]),
        Frontend.Bind("", "", [.. statement.Parameters ?? []]),
        Frontend.Describe('P', ""),
        Frontend.Execute(""),
        Frontend.Sync(),
    ];
}
