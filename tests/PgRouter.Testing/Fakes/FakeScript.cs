using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Fakes;

/// <summary>What a fake server does on one connection, step by step, after the startup packet was read.</summary>
public sealed class FakeScript
{
    private readonly List<Func<FakeConnection, Task>> _steps = [];

    /// <summary>AuthenticationOk, the server's parameters, BackendKeyData, ReadyForQuery.</summary>
    public FakeScript AcceptLogin() => Then(connection => connection.AcceptLoginAsync());

    /// <summary>Reads one message, which must have that type and satisfy the condition.</summary>
    public FakeScript Expect(char type, Func<RawMessage, bool>? condition = null) =>
        Then(async connection =>
        {
            var message = await connection.ReadAsync();
            if (message is null || message.Type != type || !(condition?.Invoke(message) ?? true))
                throw new TestBedException($"the fake server expected a message {type}, there came {message?.ToString() ?? "the end"}");
        });

    /// <summary>Reads several messages of these types in this order.</summary>
    public FakeScript ExpectAll(string types) => types.Aggregate(this, (script, type) => script.Expect(type));

    /// <summary>Sends messages.</summary>
    public FakeScript Reply(params RawMessage[] messages) => Then(connection => connection.SendAsync(messages));

    /// <summary>Sends bytes as they are: half a message, garbage.</summary>
    public FakeScript ReplyBytes(byte[] bytes) => Then(connection => connection.SendBytesAsync(bytes));

    /// <summary>From here on each byte goes out in a segment of its own.</summary>
    public FakeScript SplitEveryByte() => Then(connection =>
    {
        connection.SplitEveryByte = true;
        return Task.CompletedTask;
    });

    /// <summary>Goes on when the task is done: how a test holds a reply back.</summary>
    public FakeScript WaitFor(Task signal) => Then(connection => signal.WaitAsync(connection.Stopping));

    /// <summary>Ends the connection with a FIN, or with a RST.</summary>
    public FakeScript Drop(bool reset = false) => Then(connection =>
    {
        connection.Drop(reset);
        return Task.CompletedTask;
    });

    /// <summary>Answers every Query with what the function says, until the client ends the connection.</summary>
    public FakeScript AnswerQueries(Func<string, RawMessage[]> answer) =>
        Then(async connection =>
        {
            while (await connection.ReadAsync() is { Type: not 'X' } message)
            {
                if (message.Type != 'Q')
                    throw new TestBedException($"the fake server answers queries only, there came {message}");
                await connection.SendAsync(answer(message.Text()));
            }
        });

    /// <summary>Reads and drops everything until the client ends the connection.</summary>
    public FakeScript SwallowUntilEnd() => Then(async connection =>
    {
        while (await connection.ReadAsync() is not null)
        {
        }
    });

    /// <summary>Any other step.</summary>
    public FakeScript Then(Func<FakeConnection, Task> step)
    {
        _steps.Add(step);
        return this;
    }

    internal async Task RunAsync(FakeConnection connection)
    {
        foreach (var step in _steps)
            await step(connection);
    }
}
