using PgRouter.Testing;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// Plays a script of one connection whose server is lost on the way: everything up to the error that says so is what PostgreSQL answers, and
/// without such an error the whole script is.
/// </summary>
internal sealed class KillPlayer : IAsyncDisposable
{
    // Termination, connection failure, outcome of the transaction unknown.
    private static readonly string[] Losses = ["57P01", "08006", "08007"];

    private readonly RawClient _client;
    private readonly List<Reply> _replies = [];

    private KillPlayer(RawClient client) => _client = client;

    public static async Task<KillPlayer> LoginAsync(Endpoint router) =>
        new(await RawClient.LoginAsync(router, KillBed.Play.User, KillBed.Play.Database));

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    /// <summary>Plays until the end or until the loss.</summary>
    public async Task PlayAsync(NamedScript script, Transcript whole, string what)
    {
        _client.ReadDeadline = TimeSpan.FromSeconds(30);
        try
        {
            foreach (var step in ProtocolScript.Parse(script.Text).Steps)
            {
                if (!await PlayAsync(step))
                    break;
            }
        }
        catch (Exception failure) when (failure is TimeoutException or EndOfStreamException or IOException)
        {
            throw new TestBedException($"{what}: {failure.Message} after\n{string.Join('\n', _replies.TakeLast(4))}", failure);
        }

        var asFar = new Transcript([.. whole.Replies.Where(reply => !reply.AtStartup).Take(_replies.Count)]);
        var result = Testing.Scripts.Comparison.Compare(asFar, new Transcript(_replies), NamedScript.Options(KillBed.Play));
        if (result.Difference is { } difference)
            throw new TestBedException($"{what}: {difference}");
    }

    /// <summary>The session answers and is in no transaction.</summary>
    public async Task RequireAliveAsync(string what)
    {
        try
        {
            await _client.SendAsync(Frontend.Sync(), Frontend.Query("ROLLBACK"), Frontend.Query("SELECT 'alive'"));
            // A loss that is noticed only now answers what was sent with errors: then it is asked again.
            while (await _client.ReadAsync() is var message && !(message.Type == 'D' && message.Columns().Count == 1 && message.TextColumns()[0] == "alive"))
            {
                if (message.Type == 'E' && message.Field('C') is ("57P01" or "08007"))
                    await _client.SendAsync(Frontend.Query("ROLLBACK"), Frontend.Query("SELECT 'alive'"));
            }
            await _client.ReadUntilAsync();
        }
        catch (Exception failure) when (failure is TimeoutException or IOException)
        {
            throw new TestBedException($"{what}: the session does not go on: {failure.Message}", failure);
        }

        if (_client.TransactionStatus != 'I')
            throw new TestBedException($"{what}: the session goes on in status {_client.TransactionStatus}");
    }

    // False when the loss was told.
    private async Task<bool> PlayAsync(ScriptStep step)
    {
        if (step is SendStep send)
        {
            await _client.SendBytesAsync(send.Bytes);
            return true;
        }

        var wait = (AwaitStep)step;
        for (var left = wait.Count; left > 0;)
        {
            var message = await _client.ReadAsync();
            if (message.Type == 'E' && Losses.Contains(message.Field('C')))
                return false;
            _replies.Add(new Reply(step.Line, step.Connection, message, AtStartup: false));
            if (message.Type == wait.Type)
                left--;
        }

        return true;
    }
}
