using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Scripts;

/// <summary>How a script is played.</summary>
public sealed record PlayOptions
{
    /// <summary>Startup parameters of connections that do not set them.</summary>
    public string User { get; init; } = "postgres";

    /// <inheritdoc cref="User"/>
    public string Database { get; init; } = "postgres";

    /// <summary>The password for connections without one.</summary>
    public string? Password { get; init; } = "postgres";

    /// <summary>Send every byte in a segment of its own.</summary>
    public bool SplitEveryByte { get; init; }

    /// <summary>The longest wait for one message.</summary>
    public TimeSpan ReadDeadline { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>Plays one script against one endpoint.</summary>
public sealed class ScriptPlayer : IAsyncDisposable
{
    private readonly Endpoint _endpoint;
    private readonly PlayOptions _options;
    private readonly Dictionary<string, RawClient> _clients = [];
    private readonly List<Reply> _replies = [];

    private ScriptPlayer(Endpoint endpoint, PlayOptions options) => (_endpoint, _options) = (endpoint, options);

    /// <summary>Plays a script and returns all replies it waited for.</summary>
    /// <exception cref="TestBedException">A step failed; names its line and shows the transcript until there.</exception>
    public static async Task<Transcript> PlayAsync(string script, Endpoint endpoint, PlayOptions? options = null)
    {
        var steps = ProtocolScript.Parse(script).Steps;
        await using var player = new ScriptPlayer(endpoint, options ?? new PlayOptions());
        foreach (var step in steps)
        {
            try
            {
                await player.PlayAsync(step);
            }
            catch (Exception failure) when (failure is IOException or TimeoutException or TestBedException or System.Net.Sockets.SocketException)
            {
                var until = new Transcript(player._replies);
                throw new TestBedException($"line {step.Line} of the script against {endpoint}: {failure.Message}\n{until}", failure);
            }
        }

        return new Transcript(player._replies);
    }

    /// <summary>Closes what the script left open.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
            await client.DisposeAsync();
    }

    private async Task PlayAsync(ScriptStep step)
    {
        switch (step)
        {
            case ConnectStep connect:
                await ConnectAsync(connect.Line, connect.Connection, connect.Parameters);
                break;
            case SendStep send:
                await (await ClientAsync(step)).SendBytesAsync(send.Bytes);
                break;
            case AwaitStep wait:
                await AwaitAsync(wait, await ClientAsync(step));
                break;
            case AwaitEndStep:
                foreach (var message in await (await ClientAsync(step)).ReadToEndAsync())
                    Add(step, message);
                Add(step, null);
                break;
            case CancelStep:
                await (await ClientAsync(step)).CancelAsync();
                break;
            case DisconnectStep:
                await (await ClientAsync(step)).DisposeAsync();
                _clients.Remove(step.Connection);
                break;
            default:
                throw new InvalidOperationException($"no way to play {step}");
        }
    }

    private async Task AwaitAsync(AwaitStep step, RawClient client)
    {
        for (var left = step.Count; left > 0;)
        {
            var message = await client.ReadAsync();
            Add(step, message);
            if (message.Type == step.Type)
                left--;
        }
    }

    private void Add(ScriptStep step, RawMessage? message) => _replies.Add(new Reply(step.Line, step.Connection, message, AtStartup: false));

    private async Task<RawClient> ClientAsync(ScriptStep step)
    {
        if (_clients.TryGetValue(step.Connection, out var client))
            return client;
        if (step.Connection != ProtocolScript.DefaultConnection)
            throw new TestBedException($"connection {step.Connection} is not open: write 'connect {step.Connection}' first");
        return await ConnectAsync(step.Line, step.Connection, new Dictionary<string, string>());
    }

    private async Task<RawClient> ConnectAsync(int line, string name, IReadOnlyDictionary<string, string> given)
    {
        if (_clients.ContainsKey(name))
            throw new TestBedException($"connection {name} is open already");
        var client = await RawClient.ConnectAsync(_endpoint);
        _clients[name] = client;
        client.SplitEveryByte = _options.SplitEveryByte;
        client.ReadDeadline = _options.ReadDeadline;
        var more = given.Where(pair => pair.Key is not ("user" or "database" or "password")).Select(pair => (pair.Key, pair.Value));
        var messages = await client.StartupAsync(
            given.GetValueOrDefault("user", _options.User),
            given.GetValueOrDefault("database", _options.Database),
            given.TryGetValue("password", out var password) ? password : _options.Password,
            [.. more]);
        _replies.AddRange(messages.Select(message => new Reply(line, name, message, AtStartup: true)));
        return client;
    }
}
