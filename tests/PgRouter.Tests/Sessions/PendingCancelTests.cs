using NUnit.Framework;
using PgRouter.Testing;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Protocol;

namespace PgRouter.Tests.Sessions;

/// <summary>A cancel of a statement that no server has been sent yet: the router answers it, in the true transaction status.</summary>
[TestFixture]
internal sealed class PendingCancelTests
{
    private RouterBed _bed = null!;
    private RawClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _bed = await RouterBed.StartAsync();
        _client = await _bed.LoginAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        await _client.DisposeAsync();
        await _bed.DisposeAsync();
    }

    [Test]
    public async Task While_a_new_shape_is_parsed()
    {
        await using var parser = await BusyParser.StartAsync(_bed);
        await _client.SendAsync(Frontend.Query("INSERT INTO new_shape VALUES (1)"));
        await CancelledAsync('I');
        Assert.That(Received("new_shape"), Is.Zero);
        Assert.That(await _client.ScalarAsync("SELECT 1"), Is.EqualTo("0"), "the session lives");
    }

    [Test]
    public async Task While_a_new_shape_is_parsed_in_the_extended_protocol()
    {
        await using var parser = await BusyParser.StartAsync(_bed);
        await _client.SendAsync(
            Frontend.Parse("", "INSERT INTO new_shape VALUES (1)"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        await CancelledAsync('I');
        Assert.That(Received("new_shape"), Is.Zero);
        Assert.That(await _client.ScalarAsync("SELECT 1"), Is.EqualTo("0"), "the session lives");
    }

    [Test]
    public async Task While_settings_are_brought_to_the_server()
    {
        var asked = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        var usual = _bed.Nodes[0].OnQuery;
        _bed.Nodes[0].OnQuery = async (connection, sql) =>
        {
            if (sql.Contains("wire_setting", StringComparison.Ordinal) && asked.TrySetResult())
                await go.Task;
            await usual(connection, sql);
        };
        await _client.QueryAsync("SELECT 1");
        await using var set = await RawClient.ConnectAsync(_bed.Endpoint);
        await set.SendAsync(Frontend.Startup(
            [KeyValuePair.Create("user", "app"), KeyValuePair.Create("database", "db"), KeyValuePair.Create("my.wire_setting", "1")]));
        await asked.Task.WaitAsync(Eventually.DefaultDeadline);
        go.SetResult();
        await set.AuthenticateAsync("app", null);
        await _client.QueryAsync("SELECT 1");

        asked = new TaskCompletionSource();
        go = new TaskCompletionSource();
        await _client.QueryAsync("SELECT 1");
        await set.SendAsync(Frontend.Query("INSERT INTO never VALUES (1)"));
        await asked.Task.WaitAsync(Eventually.DefaultDeadline);
        await set.CancelAsync();
        go.SetResult();
        var answer = await set.ReadUntilAsync();
        Assert.That((answer[0].Field('C'), set.TransactionStatus), Is.EqualTo(("57014", 'I')));
        Assert.That(Received("never"), Is.Zero);
        Assert.That(await _client.ScalarAsync("SELECT 1"), Is.EqualTo("0"), "the server is free for others");
    }

    [Test]
    public async Task While_a_new_server_is_logged_in()
    {
        var asked = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        foreach (var node in _bed.Nodes)
        {
            node.OnLogin = async user =>
            {
                if (user == "slow" && asked.TrySetResult())
                    await go.Task;
            };
        }

        go.SetResult();
        await using var client = await RawClient.LoginAsync(_bed.Endpoint, "slow", "db");
        await client.QueryAsync("BEGIN");
        await using var second = await RawClient.LoginAsync(_bed.Endpoint, "slow", "db");
        asked = new TaskCompletionSource();
        go = new TaskCompletionSource();
        await second.SendAsync(Frontend.Query("INSERT INTO never VALUES (1)"));
        await asked.Task.WaitAsync(Eventually.DefaultDeadline);
        await second.CancelAsync();
        var answer = await second.ReadUntilAsync();
        Assert.That((answer[0].Field('C'), second.TransactionStatus), Is.EqualTo(("57014", 'I')));
        go.SetResult();
        Assert.That(await second.ScalarAsync("SELECT 1"), Is.EqualTo("0"));
        Assert.That(Received("never"), Is.Zero);
    }

    private async Task CancelledAsync(char status)
    {
        await _client.CancelAsync();
        var answer = await _client.ReadUntilAsync();
        Assert.That(string.Concat(answer.Select(m => m.Type)), Is.EqualTo("EZ"));
        Assert.That((answer[0].Field('C'), answer[0].Field('M')), Is.EqualTo(("57014", "canceling statement due to user request")));
        Assert.That(_client.TransactionStatus, Is.EqualTo(status));
    }

    private int Received(string text) => _bed.Nodes.SelectMany(n => n.Server.Connections).SelectMany(c => c.Received)
        .Count(m => m.Type is 'Q' or 'P' && System.Text.Encoding.UTF8.GetString(m.Body).Contains(text, StringComparison.Ordinal));

    /// <summary>Keeps the parser busy for as long as it lives.</summary>
    private sealed class BusyParser : IAsyncDisposable
    {
        private readonly List<RawClient> _clients = [];

        public static async Task<BusyParser> StartAsync(RouterBed bed)
        {
            var busy = new BusyParser();
            for (var i = 0; i < 3; i++)
            {
                var client = await bed.LoginAsync();
                busy._clients.Add(client);
                var columns = string.Join(", ", Enumerable.Range(0, 8000).Select(n => $"a{i}_{n}"));
                await client.SendAsync(Frontend.Query($"SELECT {columns}"));
            }

            return busy;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var client in _clients)
                await client.DisposeAsync();
        }
    }
}
