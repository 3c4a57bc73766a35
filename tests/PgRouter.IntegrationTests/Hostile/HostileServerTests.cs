using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Hostile;

/// <summary>A server that breaks the protocol: the client gets an error or the end, other clients and the router live.</summary>
[TestFixture]
public sealed class HostileServerTests
{
    private static readonly Dictionary<string, byte[]> Answers = new()
    {
        ["garbage"] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3],
        ["negative length"] = [(byte)'D', 0xff, 0xff, 0xff, 0xff],
        ["length zero"] = [(byte)'T', 0, 0, 0, 0],
        ["length 2^31-1"] = [(byte)'D', 0x7f, 0xff, 0xff, 0xff, 0, 0],
        ["error of length 2^31-1"] = [(byte)'E', 0x7f, 0xff, 0xff, 0xff, 0, 0],
        ["empty ready for query"] = [(byte)'Z', 0, 0, 0, 4],
        ["long ready for query"] = [(byte)'Z', 0, 0, 0, 9, (byte)'I', 0, 0, 0, 0],
        ["unknown transaction status"] = [(byte)'Z', 0, 0, 0, 5, (byte)'?'],
        ["parse complete nobody asked for"] = [.. Backend.ParseComplete().ToBytes(), .. Backend.ReadyForQuery().ToBytes()],
        ["close complete nobody asked for"] = [.. Backend.CloseComplete().ToBytes(), .. Backend.ReadyForQuery().ToBytes()],
        ["ready for query too many"] = [.. Backend.Rows("n", "1").SelectMany(one => one.ToBytes()), .. Backend.ReadyForQuery().ToBytes()],
        ["answer too many"] = [.. Backend.Rows("n", "1").SelectMany(one => one.ToBytes()), .. Backend.Rows("n", "2").SelectMany(one => one.ToBytes())],
        ["cut in a message"] = [.. Backend.RowDescription("n").ToBytes(), (byte)'D', 0, 0],
        ["cut in a body"] = [.. Backend.RowDescription("n").ToBytes(), (byte)'D', 0, 0, 0, 100, 1, 2],
        ["fatal error"] = Backend.ErrorResponse("57P01", "terminating connection", "FATAL").ToBytes(),
        ["error without fields"] = [(byte)'E', 0, 0, 0, 5, 0, .. Backend.ReadyForQuery().ToBytes()],
        ["empty error"] = [(byte)'E', 0, 0, 0, 4, .. Backend.ReadyForQuery().ToBytes()],
        ["half a parameter"] = [(byte)'S', 0, 0, 0, 7, (byte)'a', (byte)'b', (byte)'c', .. Backend.ReadyForQuery().ToBytes()],
        ["parameter of 1 MB"] = [.. Backend.ParameterStatus("long", new string('x', 1 << 20)).ToBytes(), .. Backend.ReadyForQuery().ToBytes()],
    };

    private FakePostgres _fake = null!;
    private RouterProcessFixture _router = null!;

    private static IEnumerable<string> Names => Answers.Keys;

    [OneTimeSetUp]
    public async Task StartRouter()
    {
        _fake = FakePostgres.Start();
        _fake.ByDefault(script => script.AcceptLogin().Then(AnswerAsync));
        _router = await RouterProcessFixture.StartAsync(
            [_fake.Endpoint],
            WireBed.SmallPool.With(("backend_flag0", "ALWAYS_PRIMARY"), ("sr_check_period", "0"), ("health_check_period", "0"), ("default_pool_size", "20")));
    }

    [OneTimeTearDown]
    public async Task StopRouter()
    {
        await _router.DisposeAsync();
        await _fake.DisposeAsync();
    }

    [TestCaseSource(nameof(Names))]
    public async Task A_server_out_of_step_costs_one_answer_at_most(string name)
    {
        await using var bystander = await RawClient.LoginAsync(_router.Endpoint);
        for (var round = 0; round < 3; round++)
        {
            await using var client = await RawClient.LoginAsync(_router.Endpoint);
            client.ReadDeadline = TimeSpan.FromSeconds(30);
            await client.SendAsync(Frontend.Query($"INSERT INTO t VALUES ('{name}')"));
            if (name is "length 2^31-1" or "cut in a body")
                await ReadWhatComesAsync(client);
            else
                Assert.That((await ReadWhatComesAsync(client))?.Type, Is.EqualTo('Z').Or.Null);
            Assert.That(await bystander.ScalarAsync("INSERT INTO t VALUES ('well') RETURNING 1"), Is.EqualTo("well"));
        }

        await using var next = await RawClient.LoginAsync(_router.Endpoint);
        Assert.That(await next.ScalarAsync("INSERT INTO t VALUES ('well') RETURNING 1"), Is.EqualTo("well"));
    }

    [TestCase("garbage")]
    [TestCase("end")]
    [TestCase("error")]
    [TestCase("unknown request")]
    [TestCase("endless")]
    public async Task A_server_that_fails_at_login_costs_that_login_only(string failure)
    {
        await using var fake = FakePostgres.Start();
        fake.ByDefault(script => script.AcceptLogin().Then(AnswerAsync));
        fake.OnNextConnection(script => _ = failure switch
        {
            "garbage" => script.ReplyBytes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).Drop(),
            "end" => script.Drop(),
            "error" => script.Reply(Backend.ErrorResponse("53300", "sorry, too many clients already", "FATAL")).Drop(),
            "unknown request" => script.Reply(Backend.Authentication(99)).Drop(),
            _ => script.Reply(Backend.AuthenticationOk(), Backend.ReadyForQuery('?')).Drop(),
        });
        await using var router = await RouterProcessFixture.StartAsync(
            [fake.Endpoint], WireBed.SmallPool.With(("backend_flag0", "ALWAYS_PRIMARY"), ("sr_check_period", "0"), ("health_check_period", "0")));

        await Eventually.PassesAsync(
            async () =>
            {
                await using var client = await RawClient.LoginAsync(router.Endpoint);
                Assert.That(await client.ScalarAsync("INSERT INTO t VALUES ('well') RETURNING 1"), Is.EqualTo("well"));
            },
            "a login after the one that failed");
    }

    private static async Task<RawMessage?> ReadWhatComesAsync(RawClient client)
    {
        try
        {
            RawMessage? last = null;
            while (await client.ReadOrEndAsync() is { } message)
            {
                last = message;
                if (message.Type == 'Z')
                    break;
            }

            return last?.Type == 'Z' ? last : null;
        }
        catch (Exception broken) when (broken is EndOfStreamException or InvalidDataException or InvalidOperationException)
        {
            return null;
        }
    }

    private static async Task AnswerAsync(FakeConnection connection)
    {
        while (await connection.ReadAsync() is { Type: 'Q' } message)
        {
            var sql = message.Text();
            var name = sql.Contains('\'') ? sql.Split('\'')[1] : "";
            if (!Answers.TryGetValue(name, out var bytes))
            {
                await connection.SendAsync(Backend.Rows("n", name));
                continue;
            }

            await connection.SendBytesAsync(bytes);
            if (name.StartsWith("cut", StringComparison.Ordinal) || name.Contains("2^31", StringComparison.Ordinal) || name == "fatal error")
                return;
        }
    }
}
