using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Nodes;

/// <summary>
/// Clients that only read, each in a loop on a connection of its own, in the simple, extended and prepared protocol, until they are
/// stopped. Every error and every wrong answer is kept; none is tried again.
/// </summary>
internal sealed class Readers : IAsyncDisposable
{
    /// <summary>Longer than any fault may hold up a read: what takes longer counts as an error.</summary>
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(15);

    private readonly ConcurrentQueue<string> _errors = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly List<Progress> _progress = [];

    private Readers()
    {
    }

    /// <summary>What went wrong so far.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Answers so far.</summary>
    public long Reads => _progress.Sum(client => client.Reads);

    /// <summary>Starts as many clients of each protocol form; returns when each form has read.</summary>
    public static async Task<Readers> StartAsync(RouterProcessFixture router, int clientsPerForm = 2)
    {
        var readers = new Readers();
        for (var i = 0; i < clientsPerForm; i++)
        {
            readers._loops.Add(readers.LoopAsync("simple", () => SimpleAsync(router)));
            readers._loops.Add(readers.LoopAsync("extended", () => ExtendedAsync(router, prepare: false)));
            readers._loops.Add(readers.LoopAsync("prepared", () => ExtendedAsync(router, prepare: true)));
        }

        await readers.ReadOnAsync(5);
        return readers;
    }

    /// <summary>Returns when each client has got so many more answers, or one an error.</summary>
    public Task ReadOnAsync(int count)
    {
        var targets = _progress.Select(client => client.Reads + count).ToArray();
        return Eventually.TrueAsync(
            () => !_errors.IsEmpty || _progress.Zip(targets).All(pair => pair.First.Reads >= pair.Second), $"{count} more reads of each client");
    }

    /// <summary>Ends the clients and asserts that none has seen anything but answers.</summary>
    public async Task AssertNoErrorAsync(string log)
    {
        await DisposeAsync();
        Assert.That(_errors, Is.Empty, $"after {Reads} reads; the router's log ends with\n{log}");
    }

    /// <summary>Ends the clients.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.DoneAsync(Task.WhenAll(_loops), "the end of the readers");
    }

    private async Task LoopAsync(string form, Func<Task<Client>> connect)
    {
        var progress = new Progress();
        _progress.Add(progress);
        try
        {
            await using var client = await connect();
            for (var n = 1; !_stop.IsCancellationRequested; n++)
            {
                var answer = await Eventually.DoneAsync(client.ReadAsync(n), "the answer to a read", LongestRead);
                if (answer != n)
                    _errors.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{form}: asked for {n}, got {answer}"));
                progress.Count();
            }
        }
        catch (Exception failure)
        {
            _errors.Enqueue($"{form}: {failure.GetType().Name}: {failure.Message}");
        }
    }

    private static async Task<Client> SimpleAsync(RouterProcessFixture router)
    {
        var client = await RawClient.LoginAsync(router.Endpoint);
        return new Client(
            async n => int.Parse(
                (await client.ScalarAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT {n}")))!, CultureInfo.InvariantCulture),
            client);
    }

    private static async Task<Client> ExtendedAsync(RouterProcessFixture router, bool prepare)
    {
        var connection = new NpgsqlConnection(router.ConnectionString());
        await connection.OpenAsync();
        var command = new NpgsqlCommand("SELECT $1", connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = 0 } } };
        if (prepare)
            await command.PrepareAsync();
        return new Client(
            async n =>
            {
                ((NpgsqlParameter<int>)command.Parameters[0]).TypedValue = n;
                return (int)(await command.ExecuteScalarAsync())!;
            },
            connection);
    }

    private sealed class Progress
    {
        private long _reads;

        public long Reads => Interlocked.Read(ref _reads);

        public void Count() => Interlocked.Increment(ref _reads);
    }

    private sealed record Client(Func<int, Task<int>> ReadAsync, IAsyncDisposable Connection) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Connection.DisposeAsync();
    }
}
