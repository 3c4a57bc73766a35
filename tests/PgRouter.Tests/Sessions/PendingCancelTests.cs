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
    private Gate _gate = null!;

    [SetUp]
    public async Task Start()
    {
        _gate = new Gate();
        _bed = await RouterBed.StartAsync();
        _client = await _bed.LoginAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        _gate.Open();
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
        var usual = _bed.Nodes[0].OnQuery;
        _bed.Nodes[0].OnQuery = async (connection, sql) =>
        {
            if (sql.Contains("wire_setting", StringComparison.Ordinal))
                await _gate.PassAsync();
            await usual(connection, sql);
        };
        await using var set = await RawClient.LoginAsync(_bed.Endpoint, "app", "db", null, ("my.wire_setting", "1"));
        await _client.QueryAsync("SELECT 1");
        _gate.Close();
        await set.SendAsync(Frontend.Query("INSERT INTO never VALUES (1)"));
        await _gate.Reached.WaitAsync(Eventually.DefaultDeadline);
        await using var side = await RawClient.ConnectAsync(_bed.Endpoint);
        await side.SendAsync(Frontend.Cancel(set.ProcessId, set.SecretKey));
        await using var later = await _bed.LoginAsync(); // By then the loop has heard of the cancel.
        _gate.Open();
        Assert.That(await side.ReadToEndAsync(), Is.Empty);
        var answer = await set.ReadUntilAsync();
        Assert.That((answer[0].Field('C'), set.TransactionStatus), Is.EqualTo(("57014", 'I')));
        Assert.That(Received("never"), Is.Zero);
        Assert.That(await _client.ScalarAsync("SELECT 1"), Is.EqualTo("0"), "the server is free for others");
    }

    [Test]
    public async Task While_a_new_server_is_logged_in()
    {
        foreach (var node in _bed.Nodes)
            node.OnLogin = user => user == "slow" ? _gate.PassAsync() : Task.CompletedTask;
        await using var holder = await RawClient.LoginAsync(_bed.Endpoint, "slow", "db");
        await using var client = await RawClient.LoginAsync(_bed.Endpoint, "slow", "db");
        await holder.QueryAsync("BEGIN");
        await holder.QueryAsync("SELECT 1");
        _gate.Close();
        await client.SendAsync(Frontend.Query("INSERT INTO never VALUES (1)"));
        await _gate.Reached.WaitAsync(Eventually.DefaultDeadline);
        await client.CancelAsync();
        var answer = await client.ReadUntilAsync();
        Assert.That((answer[0].Field('C'), client.TransactionStatus), Is.EqualTo(("57014", 'I')));
        _gate.Open();
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("0"));
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

    /// <summary>Something a fake server does not go on without, open at first.</summary>
    private sealed class Gate
    {
        private TaskCompletionSource _reached = new();
        private TaskCompletionSource _open = new();

        public Gate() => _open.SetResult();

        /// <summary>Ends when a server stands before the closed gate.</summary>
        public Task Reached => _reached.Task;

        public void Close() => (_reached, _open) =
            (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

        public void Open() => _open.TrySetResult();

        public Task PassAsync()
        {
            if (!_open.Task.IsCompleted)
                _reached.TrySetResult();
            return _open.Task;
        }
    }

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
