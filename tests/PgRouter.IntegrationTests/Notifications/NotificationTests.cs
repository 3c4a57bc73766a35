using PgRouter.IntegrationTests.Wire;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Notifications;

/// <summary>LISTEN and NOTIFY of many clients that share two servers and one connection that listens.</summary>
[TestFixture]
public sealed class NotificationTests
{
    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;

    [SetUp]
    public async Task StartRouter()
    {
        _cluster = await WireBed.ClusterAsync();
        _router = await WireBed.RouterAsync();
    }

    [TearDown]
    public async Task StopRouter() => await _router.DisposeAsync();

    [Test]
    public async Task The_sender_is_the_client_as_it_knows_itself()
    {
        await using var listener = await _router.LoginAsync();
        await using var other = await _router.LoginAsync();
        await using var direct = await RawClient.LoginAsync(WireBed.EndpointOf(_cluster.Nodes[0]));
        await listener.QueryAsync("LISTEN note_sender");

        var own = (await listener.QueryAsync("NOTIFY note_sender, 'own'")).Single(message => message.Type == 'A');
        await other.QueryAsync("NOTIFY note_sender, 'other'");
        var others = await listener.NotificationAsync();
        await direct.QueryAsync("NOTIFY note_sender, 'direct'");
        var directs = await listener.NotificationAsync();

        Assert.That((own.Note(), own.Sender()), Is.EqualTo(("note_sender=own", listener.ProcessId)));
        Assert.That((others.Note(), others.Sender()), Is.EqualTo(("note_sender=other", other.ProcessId)));
        Assert.That((directs.Note(), directs.Sender()), Is.EqualTo(("note_sender=direct", direct.ProcessId)));
    }

    [Test]
    public async Task Every_listener_hears_every_sender_once_and_in_order_and_by_its_name()
    {
        const int Listeners = 20;
        const int Senders = 6;
        const int Notes = 40;
        var listeners = await LoginManyAsync(Listeners);
        var senders = await LoginManyAsync(Senders);
        await Task.WhenAll(listeners.Select(listener => listener.QueryAsync("LISTEN note_crowd")));

        var sending = Task.WhenAll(senders.Select(async sender =>
        {
            for (var n = 0; n < Notes; n++)
            {
                await sender.QueryAsync(n % 2 == 0 ? $"NOTIFY note_crowd, '{sender.ProcessId} {n}'" : $"SELECT pg_notify('note_crowd', '{sender.ProcessId} {n}')");
                await sender.QueryAsync("UPDATE wire_rows SET name = name WHERE id = 3");
            }
        }));
        var heard = await Task.WhenAll(listeners.Select(async listener =>
        {
            var notes = new List<RawMessage>();
            while (notes.Count < Senders * Notes)
                notes.Add(await listener.NotificationAsync());
            return notes;
        }));
        await sending;

        foreach (var notes in heard)
        {
            Assert.That(notes.Select(note => note.Note()), Is.EqualTo(heard[0].Select(note => note.Note())), "all hear the same in the same order");
            foreach (var sender in senders)
            {
                Assert.That(
                    notes.Where(note => note.Sender() == sender.ProcessId).Select(note => note.Note()),
                    Is.EqualTo(Enumerable.Range(0, Notes).Select(n => $"note_crowd={sender.ProcessId} {n}")));
            }
        }
        await CloseAsync([.. listeners, .. senders]);
    }

    [Test]
    public async Task A_client_that_listens_keeps_no_server_and_no_server_listens()
    {
        var listeners = await LoginManyAsync(10);
        foreach (var listener in listeners)
            await listener.QueryAsync("LISTEN note_free");
        await using var other = await _router.LoginAsync();

        for (var n = 0; n < 4; n++)
            Assert.That(await other.ScalarAsync("SELECT count(*) FROM pg_listening_channels()"), Is.EqualTo("0"));
        Assert.That(await listeners[3].ScalarAsync("SELECT pg_listening_channels()"), Is.EqualTo("note_free"));
        Assert.That(await other.ScalarAsync("SELECT count(*) FROM pg_listening_channels()"), Is.EqualTo("0"));
        Assert.That(await _cluster.ScalarAsync<long>(0, $"SELECT count(*) {Listening.SharedConnection}"), Is.EqualTo(1));
        await CloseAsync(listeners);
    }

    [Test]
    public async Task The_connection_ends_with_the_last_listener()
    {
        await using var first = await _router.LoginAsync();
        await using var second = await _router.LoginAsync();
        await using var third = await _router.LoginAsync();
        await first.QueryAsync("LISTEN note_end");
        await second.QueryAsync("LISTEN note_end");
        await third.QueryAsync("LISTEN note_end");
        Assert.That(await _cluster.SharedPidAsync(), Is.Not.Zero);

        await first.QueryAsync("UNLISTEN note_end");
        await second.QueryAsync("DISCARD ALL");
        Assert.That(await _cluster.SharedPidAsync(), Is.Not.Zero);
        await third.DisposeAsync();

        await Eventually.TrueAsync(async () => await _cluster.SharedPidAsync() == 0, "the end of the connection that listens");
        await first.QueryAsync("LISTEN note_end");
        Assert.That((await first.QueryAsync("NOTIFY note_end")).Count(message => message.Type == 'A'), Is.EqualTo(1));
    }

    [Test]
    public async Task A_thousand_clients_listen_to_two_channels()
    {
        var clients = await LoginManyAsync(1000);
        await Task.WhenAll(clients.Select((client, n) => client.QueryAsync($"LISTEN note_{n % 2}")));
        await using var sender = await _router.LoginAsync();

        await sender.QueryAsync("NOTIFY note_0, 'even'; NOTIFY note_1, 'odd'; NOTIFY note_0, 'even again'");

        for (var n = 0; n < clients.Length; n++)
        {
            Assert.That((await clients[n].NotificationAsync()).Note(), Is.EqualTo(n % 2 == 0 ? "note_0=even" : "note_1=odd"));
            if (n % 2 == 0)
                Assert.That((await clients[n].NotificationAsync()).Note(), Is.EqualTo("note_0=even again"));
        }
        var rows = await ConsoleAsync("SHOW LISTENERS");
        Assert.That(rows.Select(row => $"{row[0]} {row[1]} {row[2]} {row[3]}"), Is.EqualTo(new[] { "postgres note_0 500 listening", "postgres note_1 500 listening" }));
        Assert.That(rows[0][5], Is.EqualTo($"{await _cluster.SharedPidAsync()}"));
        await CloseAsync(clients);
        await Eventually.TrueAsync(async () => await _cluster.SharedPidAsync() == 0, "the end of the connection that listens");
    }

    [Test]
    public async Task What_is_too_much_for_a_client_is_dropped_and_the_client_is_told()
    {
        const int Notes = 1000;
        await using var listener = await _router.LoginAsync();
        await using var sender = await _router.LoginAsync();
        await listener.QueryAsync("LISTEN note_flood");
        await listener.QueryAsync("BEGIN");
        await listener.QueryAsync("SELECT 1");

        await sender.QueryAsync($"SELECT pg_notify('note_flood', n || repeat('x', 7000)) FROM generate_series(1, {Notes}) n");
        var answer = await listener.QueryAsync("COMMIT");

        var heard = answer.Count(message => message.Type == 'A');
        Assert.That(heard, Is.InRange(4 * 1024 * 1024 / 7100, 4 * 1024 * 1024 / 7000));
        Assert.That(answer.Notices(), Is.EqualTo(new[] { $"08006 {Notes - heard} notification(s) on \"note_flood\" were dropped" }));
        await sender.QueryAsync("NOTIFY note_flood, 'small'");
        Assert.That((await listener.NotificationAsync()).Note(), Is.EqualTo("note_flood=small"));
    }

    [Test]
    public async Task A_client_that_does_not_read_holds_nobody_up()
    {
        await using var deaf = await _router.LoginAsync();
        await using var listener = await _router.LoginAsync();
        await using var sender = await _router.LoginAsync();
        await deaf.QueryAsync("LISTEN note_deaf");
        await listener.QueryAsync("LISTEN note_deaf");

        for (var n = 0; n < 20; n++)
        {
            await sender.QueryAsync($"SELECT pg_notify('note_deaf', '{n} ' || m || repeat('x', 7000)) FROM generate_series(1, 100) m");
            for (var m = 1; m <= 100; m++)
                Assert.That((await listener.NotificationAsync()).Note(), Does.StartWith($"note_deaf={n} {m}x"));
        }

        await Eventually.TrueAsync(
            async () => (await deaf.QueryAsync("SELECT 1")).Notices().Any(notice => notice.EndsWith("were dropped", StringComparison.Ordinal)),
            "the client that did not read to be told");
    }

    [Test]
    public async Task A_client_of_another_encoding_is_heard_by_its_own_server()
    {
        await using var listener = await RawClient.LoginAsync(_router.Endpoint, parameters: ("client_encoding", "LATIN1"));
        await using var sender = await _router.LoginAsync();
        await listener.QueryAsync("LISTEN note_latin");

        await sender.QueryAsync("NOTIFY note_latin, 'ä'");

        var note = await listener.NotificationAsync();
        Assert.That(note.Body[^2], Is.EqualTo(0xE4));
        Assert.That(note.Sender(), Is.EqualTo(sender.ProcessId));
        Assert.That(await _cluster.SharedPidAsync(), Is.Zero);
    }

    [Test]
    public async Task A_listener_that_leaves_its_encoding_is_told_what_it_cannot_get()
    {
        await using var listener = await _router.LoginAsync();
        await listener.QueryAsync("LISTEN note_latin");
        await listener.QueryAsync("SET client_encoding = 'LATIN1'");

        var answer = await listener.QueryAsync("NOTIFY note_latin, 'plain'; SELECT pg_notify('note_latin', chr(228))");

        Assert.That(answer.Where(message => message.Type == 'A').Select(message => message.Note()), Is.EqualTo(new[] { "note_latin=plain" }));
        Assert.That(answer.Notices(), Is.EqualTo(new[] { "08006 a notification on \"note_latin\" could not be delivered" }));
    }

    [Test]
    public async Task The_channels_cannot_be_asked_for_in_a_transaction_that_has_its_server()
    {
        await using var listener = await _router.LoginAsync();
        await listener.QueryAsync("LISTEN note_ask");
        await listener.QueryAsync("BEGIN");
        Assert.That(await listener.ScalarAsync("SELECT pg_listening_channels()"), Is.EqualTo("note_ask"));
        await listener.QueryAsync("COMMIT");
        await listener.QueryAsync("BEGIN; SELECT 1");

        var answer = await listener.QueryAsync("SELECT pg_listening_channels()");

        Assert.That(answer[0].Field('C'), Is.EqualTo("0A000"));
        await listener.QueryAsync("ROLLBACK");
        Assert.That(await listener.ScalarAsync("SELECT pg_listening_channels()"), Is.EqualTo("note_ask"));
    }

    [Test]
    public async Task A_client_that_leaves_is_forgotten()
    {
        await using var listener = await _router.LoginAsync();
        await using var leaver = await _router.LoginAsync();
        await listener.QueryAsync("LISTEN note_leave");
        await leaver.QueryAsync("LISTEN note_leave");
        await leaver.QueryAsync("BEGIN");
        await leaver.SendAsync(Frontend.Query("LISTEN note_leave_2; NOTIFY note_leave; COMMIT"));
        leaver.Reset();

        await Eventually.TrueAsync(
            async () => (await ConsoleAsync("SHOW LISTENERS")).All(row => row[1] == "note_leave" && row[2] == "1"), "the client to be forgotten");
    }

    private async Task<RawClient[]> LoginManyAsync(int count) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => _router.LoginAsync()));

    private static async Task CloseAsync(IEnumerable<RawClient> clients)
    {
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    private async Task<List<IReadOnlyList<string?>>> ConsoleAsync(string command)
    {
        await using var console = await RawClient.LoginAsync(_router.Endpoint, database: "pgbouncer");
        return [.. (await console.QueryAsync(command)).Where(message => message.Type == 'D').Select(message => message.TextColumns())];
    }
}
