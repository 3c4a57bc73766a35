using System.Text;
using PgRouter.Sql;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>
/// Calls every function that PostgreSQL comes with: on the primary, on a standby where the table of functions says that it runs anywhere, and
/// through the router.
/// </summary>
[TestFixture]
public sealed class FunctionCallTests
{
    private const string Client = "calls";

    /// <summary>Not called, and why.</summary>
    private static readonly Dictionary<string, string> NotCalled = new()
    {
        ["pg_promote"] = "would make a standby a primary if the table were wrong",
        ["pg_wal_replay_pause"] = "would stop a standby if the table were wrong",
        ["pg_wal_replay_resume"] = "the same, for those that another test has stopped",
        ["pg_terminate_backend"] = "ends processes by their number; Wire/BackendSignalTests does",
        ["pg_cancel_backend"] = "the same",
        ["pg_stop_making_pinned_objects"] = "cannot be taken back, and changes what new objects get as their OID",
    };

    /// <summary>Volatile or stable: two calls on the same server differ, too.</summary>
    private static readonly string[] DifferByCall =
    [
        "clock_timestamp", "now", "statement_timestamp", "transaction_timestamp", "timeofday", "random", "gen_random_uuid",
    ];

    private readonly Dictionary<string, Outcome> _outcomes = [];
    private List<ServerRoutine> _routines = [];
    private List<string> _onStandbys = [];

    [OneTimeSetUp]
    public async Task CallAsync()
    {
        await StatementsBed.Cluster.ExecuteAsync(0, Schema, StatementsBed.Database);
        await StatementsBed.Cluster.WaitForReplayAsync();
        _routines = await ServerRoutine.ReadAsync(StatementsBed.Cluster.ConnectionString(0, StatementsBed.Database));
        var logs = StatementsBed.Cluster.Nodes.Skip(1).Select(node => new NodeLog(node.LogFile)).ToArray();
        var arguments = new FunctionArguments();
        await using var sessions = new Sessions();
        foreach (var routine in _routines.Where(routine => !NotCalled.ContainsKey(routine.Name)))
        {
            foreach (var sql in arguments.CallsOf(routine))
                _outcomes[sql] = await sessions.CallAsync(routine, sql);
        }

        _onStandbys = [.. logs.SelectMany(log => log.Read(Client))];
    }

    /// <summary>What the arguments name.</summary>
    private const string Schema = """
        CREATE TABLE fc (id int PRIMARY KEY, serial serial, t text, n numeric, j jsonb);
        INSERT INTO fc SELECT i, i, 'row ' || i, i * 1.5, jsonb_build_object('a', i) FROM generate_series(1, 5) i;
        CREATE INDEX fc_brin ON fc USING brin (n);
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
        CREATE SEQUENCE fs;
        CREATE VIEW fv AS SELECT id, t FROM fc;
        CREATE FUNCTION double_it(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
        CREATE PUBLICATION fp FOR TABLE fc;
        """;

    [Test]
    public void Every_function_is_called_but_for_those_that_are_listed()
    {
        var called = _outcomes.Values.Select(outcome => outcome.Routine).ToHashSet();
        Assert.That(_routines.Where(routine => !called.Contains(routine)).Select(routine => routine.Name).Distinct(), Is.EquivalentTo(NotCalled.Keys));
    }

    /// <summary>The others take arguments that SQL cannot give (internal), or are triggers, and answer with an error that says so.</summary>
    [Test]
    public void Most_of_them_have_an_answer()
    {
        var answered = _outcomes.Values.Where(outcome => !outcome.Primary.IsError).Select(outcome => outcome.Routine).Distinct().Count();
        Assert.That(answered, Is.GreaterThan(2450));
    }

    [Test]
    public void Functions_that_run_anywhere_answer_alike_on_the_primary_and_on_a_standby() =>
        Assert.That(
            _outcomes.Where(call => call.Value.Standby is not null && call.Value.Standby != call.Value.Primary && !Differs(call.Value))
                .Select(call => $"{call.Key}\n  {call.Value.Primary}\n  {call.Value.Standby}"),
            Is.Empty);

    [Test]
    public void Functions_that_run_anywhere_answer_alike_through_the_router() =>
        Assert.That(
            _outcomes.Where(call => call.Value.Standby is not null && call.Value.Routed != call.Value.Primary && !Differs(call.Value))
                .Select(call => $"{call.Key}\n  {call.Value.Primary}\n  {call.Value.Routed}"),
            Is.Empty);

    [Test]
    public void No_error_of_recovery_reaches_a_client() =>
        Assert.That(
            _outcomes.Where(call => call.Value.Routed.TellsOfRecovery && !call.Value.Primary.TellsOfRecovery)
                .Select(call => $"{call.Key}: {call.Value.Routed}"),
            Is.Empty);

    [Test]
    public void What_the_primary_answers_the_router_answers_too() =>
        Assert.That(
            _outcomes.Where(call => call.Value.Standby is null && call.Value.Routed.IsError != call.Value.Primary.IsError && !IsOnce(call.Value))
                .Select(call => $"{call.Key}\n  {call.Value.Primary}\n  {call.Value.Routed}"),
            Is.Empty);

    [Test]
    public void A_standby_has_seen_only_what_runs_anywhere_and_most_of_it()
    {
        var statements = _onStandbys.Select(entry => entry.Split(": ", 2)[1].TrimStart()["statement: ".Length..]).Where(_outcomes.ContainsKey).ToList();
        Assert.That(statements.Where(sql => KindOf(_outcomes[sql].Routine) is not (FunctionKind.Anywhere or FunctionKind.NodeLocal) && !IsSet(sql)), Is.Empty);
        Assert.That(statements.Distinct().Count(), Is.GreaterThan(0.95 * _outcomes.Values.Count(outcome => outcome.Standby is not null)));
    }

    private static bool Differs(Outcome outcome) => DifferByCall.Contains(outcome.Routine.Name);

    /// <summary>Makes or drops something, so that the second call of two with the same arguments meets another state.</summary>
    private static bool IsOnce(Outcome outcome) =>
        outcome.Routine.Name.StartsWith("lo_", StringComparison.Ordinal) || outcome.Routine.Name.Contains("replication");

    /// <summary>With constants it is a SET.</summary>
    private static bool IsSet(string sql) => sql.Contains("\"set_config\"('", StringComparison.Ordinal);

    private static FunctionKind? KindOf(ServerRoutine routine) =>
        BuiltinFunctions.TryGetKind(routine.Schema, routine.Name, routine.ArgumentTypes.Length, out var kind) ? kind : null;

    /// <summary>The sessions that call. Functions that may leave something behind get a new one each.</summary>
    private sealed class Sessions : IAsyncDisposable
    {
        private static readonly (string, string) Timeout = ("options", "-c statement_timeout=10s");

        private RawClient? _primary;
        private RawClient? _standby;
        private RawClient? _routed;

        public async Task<Outcome> CallAsync(ServerRoutine routine, string sql)
        {
            _primary ??= await StatementsBed.DirectAsync(0, Timeout);
            _standby ??= await StatementsBed.DirectAsync(1, Timeout);
            _routed ??= await StatementsBed.ClientAsync(Client, Timeout);
            if (KindOf(routine) == FunctionKind.Anywhere)
                return new Outcome(routine, await AnswerAsync(_primary, sql), await AnswerAsync(_standby, sql), await AnswerAsync(_routed, sql));
            var primary = await AnswerAsync(_primary, sql);
            await _primary.DisposeAsync(); // With the locks that it holds, before the other takes them.
            var routed = await AnswerAsync(_routed, sql);
            await _routed.DisposeAsync();
            _primary = _routed = null;
            return new Outcome(routine, primary, null, routed);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var session in new[] { _primary, _standby, _routed })
                await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        private static async Task<Answer> AnswerAsync(RawClient session, string sql)
        {
            var messages = await session.QueryAsync(sql);
            var text = new StringBuilder();
            var error = messages.FirstOrDefault(message => message.Type == 'E');
            foreach (var message in messages.Where(message => message.Type is 'T' or 'D'))
                text.Append(message.Type).Append(Encoding.UTF8.GetString(message.Body));
            return new Answer(error is null ? text.ToString() : $"{error.Field('C')} {error.Field('M')}", error is not null);
        }
    }

    private sealed record Answer(string Text, bool IsError)
    {
        public bool TellsOfRecovery =>
            IsError && (Text.StartsWith("25006", StringComparison.Ordinal) || Text.Contains("recovery", StringComparison.Ordinal));

        public override string ToString() => Text.Length > 200 ? Text[..200] : Text;
    }

    private sealed record Outcome(ServerRoutine Routine, Answer Primary, Answer? Standby, Answer Routed);
}
