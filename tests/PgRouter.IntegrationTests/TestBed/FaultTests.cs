using PgRouter.Testing;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.TestBed;

[TestFixture]
public sealed class FaultTests
{
    private static FakePostgres Answering() =>
        FakePostgres.Start().ByDefault(script => script.AcceptLogin().AnswerQueries(sql => Backend.Rows("echo", sql)));

    [Test]
    public async Task The_fake_server_answers_byte_by_byte()
    {
        await using var fake = FakePostgres.Start();
        fake.OnNextConnection(script => script.SplitEveryByte().AcceptLogin().ExpectAll("PBES").Reply(Backend.ReadyForQuery('T')).Expect('X'));
        await using var client = await RawClient.LoginAsync(fake.Endpoint);

        await client.SendAsync(Frontend.Parse("", "SELECT 1"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());

        Assert.That((await client.ReadUntilAsync('Z'))[0].Body, Is.EqualTo("T"u8.ToArray()));
        await client.SendAsync(Frontend.Terminate());
        Assert.That(await client.ReadOrEndAsync(), Is.Null);
        fake.AssertPlayedAsWritten();
        Assert.That(client.Parameters["server_version"], Is.EqualTo("15.0"));
    }

    [Test]
    public async Task The_fake_server_reports_what_it_did_not_expect()
    {
        await using var fake = FakePostgres.Start();
        fake.OnNextConnection(script => script.AcceptLogin().Expect('P'));
        await using var client = await RawClient.LoginAsync(fake.Endpoint);

        await client.SendAsync(Frontend.Query("SELECT 1"));

        Assert.That(await client.ReadOrEndAsync(), Is.Null);
        Assert.That(fake.AssertPlayedAsWritten, Throws.TypeOf<TestBedException>().With.Message.Contains("expected a message P"));
    }

    [Test]
    public async Task The_fake_server_holds_a_reply_and_drops_after_half_a_message()
    {
        var go = new TaskCompletionSource();
        await using var fake = FakePostgres.Start();
        fake.OnNextConnection(script => script.AcceptLogin().Expect('Q').WaitFor(go.Task).ReplyBytes([(byte)'D', 0, 0]).Drop());
        await using var client = await RawClient.LoginAsync(fake.Endpoint);
        await client.SendAsync(Frontend.Query("SELECT 1"));
        var reply = client.ReadOrEndAsync();
        Assert.That(reply.IsCompleted, Is.False);

        go.SetResult();

        Assert.That(() => reply, Throws.TypeOf<EndOfStreamException>());
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task The_proxy_cuts_open_connections(bool reset)
    {
        await using var fake = Answering();
        await using var proxy = FaultProxy.Start(fake.Endpoint);
        await using var client = await RawClient.LoginAsync(proxy.Endpoint);
        Assert.That(await client.ScalarAsync("a"), Is.EqualTo("a"));

        proxy.Cut(reset);

        Assert.That(await client.ReadOrEndAsync(), Is.Null);
        await Eventually.TrueAsync(() => proxy.OpenConnections == 0, "the proxy to forget the cut connection");
    }

    [Test]
    public async Task The_proxy_stalls_one_direction_and_goes_on()
    {
        await using var fake = Answering();
        await using var proxy = FaultProxy.Start(fake.Endpoint);
        await using var client = await RawClient.LoginAsync(proxy.Endpoint);
        proxy.ToClient.Stall();
        await client.SendAsync(Frontend.Query("held"));
        await Eventually.TrueAsync(() => fake.Connections.Single().Received.Count == 1, "the query at the server");
        var reply = client.ReadUntilAsync('Z');
        Assert.That(reply.IsCompleted, Is.False);

        proxy.ToClient.Resume();

        Assert.That((await reply)[1].TextColumns(), Is.EqualTo(new[] { "held" }));
    }

    [Test]
    public async Task The_proxy_splits_at_every_byte_in_both_directions()
    {
        await using var fake = Answering();
        await using var proxy = FaultProxy.Start(fake.Endpoint);
        proxy.ToServer.SplitEveryByte = proxy.ToClient.SplitEveryByte = true;

        await using var client = await RawClient.LoginAsync(proxy.Endpoint);

        Assert.That(await client.ScalarAsync("split"), Is.EqualTo("split"));
    }

    [Test]
    public async Task The_proxy_cuts_after_a_number_of_bytes()
    {
        await using var fake = Answering();
        await using var proxy = FaultProxy.Start(fake.Endpoint);
        await using var client = await RawClient.LoginAsync(proxy.Endpoint);

        proxy.ToServer.CutAfterBytes = 3;
        await client.SendAsync(Frontend.Query("lost"));

        Assert.That(await client.ReadOrEndAsync(), Is.Null);
        Assert.That(fake.Connections.Single().Received, Is.Empty);
    }

    [Test]
    public void A_wait_in_vain_names_what_it_waited_for()
    {
        Assert.That(
            () => Eventually.TrueAsync(() => false, "pigs to fly", TimeSpan.FromMilliseconds(50)),
            Throws.TypeOf<TimeoutException>().With.Message.Contains("pigs to fly"));
    }
}
