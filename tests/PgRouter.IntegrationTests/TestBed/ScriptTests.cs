using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.TestBed;

[TestFixture]
public sealed class ScriptTests
{
    private const string Everything = """
        # simple and extended protocol, COPY, an error, two connections, a function call
        Q "SELECT 1 AS n, NULL, 'ä\\\"'"
        > Z
        P "s" "SELECT $1::int4 + 1" {int4}
        B "p" "s" ["41"] {text} {binary}
        D S "s"
        D P "p"
        E "p" 0
        C S "s"
        S
        > Z
        Q "CREATE TEMP TABLE t (a text)"
        > Z
        Q "COPY t FROM STDIN"
        > G
        d "x\n\\N\n"
        c
        > Z
        Q "SELECT pg_backend_pid()"
        Q "SELECT broken"
        > Z 2
        connect other application_name=second
        other: Q "SHOW application_name"
        other: > Z
        other: X
        other: > end
        F 1606 ["4"]
        > Z
        """;

    private static async Task<Endpoint> PrimaryAsync()
    {
        var cluster = await SharedCluster.GetAsync();
        return new Endpoint(cluster.Nodes[0].Host, cluster.Nodes[0].Port);
    }

    [Test]
    public async Task A_script_gets_the_replies_it_waits_for()
    {
        var transcript = await ScriptPlayer.PlayAsync("Q \"SELECT 7\"\n> Z\nX\n> end", await PrimaryAsync());

        Assert.That(transcript.Types, Is.EqualTo("TDCZ."));
        Assert.That(transcript.Messages.ElementAt(1)!.TextColumns(), Is.EqualTo(new[] { "7" }));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Direct_and_direct_answer_the_same(bool splitEveryByte)
    {
        var primary = await PrimaryAsync();
        var options = new ComparisonOptions { Play = new PlayOptions { SplitEveryByte = splitEveryByte } };

        var result = await Comparison.RunAsync(Everything, primary, primary, options);

        Assert.That(result.Difference, Is.Null);
        Assert.That(result.Direct.Types, Does.StartWith("TDCZ1").And.Contain("G").And.Contain("."));
    }

    [Test]
    public async Task A_different_answer_is_shown_with_both_sides()
    {
        await using var fake = FakePostgres.Start();
        fake.ByDefault(script => script.AcceptLogin().AnswerQueries(_ => Backend.Rows("n", "2")));
        await using var other = FakePostgres.Start();
        other.ByDefault(script => script.AcceptLogin().AnswerQueries(_ => Backend.Rows("n", "3")));

        var result = await Comparison.RunAsync("Q \"SELECT n\"\n> Z", fake.Endpoint, other.Endpoint);

        Assert.That(result.Difference, Does.Contain("- main, line 2: D \"2\"").And.Contain("+ main, line 2: D \"3\""));
    }

    [TestCase("Q SELECT", "line 1, column 3: expected a text in double quotes")]
    [TestCase("Q \"SELECT", "expected the closing quote")]
    [TestCase("\nZ", "line 2, column 2: expected one of Q P B")]
    [TestCase("S \"x\"", "expected the end of the line")]
    [TestCase("B \"\" \"\" [\"1\"", "expected ']'")]
    public void A_wrong_line_is_named_with_what_was_expected(string script, string expected)
    {
        Assert.That(() => ProtocolScript.Parse(script), Throws.TypeOf<FormatException>().With.Message.Contains(expected));
    }

    [Test]
    public async Task Cancel_ends_a_running_query()
    {
        var transcript = await ScriptPlayer.PlayAsync("Q \"DO $$ BEGIN RAISE NOTICE 'on'; PERFORM pg_sleep(60); END $$\"\n> N\ncancel\n> Z", await PrimaryAsync());

        Assert.That(transcript.Messages.Single(message => message?.Type == 'E')!.Field('C'), Is.EqualTo("57014"));
    }

    [Test]
    public void A_failing_step_names_its_line()
    {
        Assert.That(
            async () => await ScriptPlayer.PlayAsync("X\n> Z", await PrimaryAsync()),
            Throws.TypeOf<TestBedException>().With.Message.Contains("line 2 of the script"));
    }
}
