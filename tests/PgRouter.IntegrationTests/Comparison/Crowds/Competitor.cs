using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>One client of the crowd, with a kind of state it leaves behind.</summary>
/// <param name="number">Tells it from the others: part of every value it sets.</param>
internal abstract class Competitor(int number)
{
    private long _visits;

    /// <summary>Tells it from the others.</summary>
    protected int Number { get; } = number;

    /// <summary>How often it came before.</summary>
    protected long Visits => _visits;

    /// <summary>What undoes its state.</summary>
    protected abstract string Forget { get; }

    /// <summary>What makes the session as new before it is left.</summary>
    protected virtual string ForgetAll => "DISCARD ALL";

    /// <summary>Logs in, makes its state and leaves: tidily, with the state and a Terminate, or with the state and without a word.</summary>
    public async Task VisitAsync(Endpoint router, string database)
    {
        await using var client = await RawClient.LoginAsync(router, database: database, parameters: ("application_name", $"crowd{Number}"));
        await LeaveStateAsync(client);
        switch (_visits++ % 3)
        {
            case 0:
                await RequireAsync(client, Forget);
                await LeaveStateAsync(client);
                await RequireAsync(client, ForgetAll);
                break;
            case 1:
                await client.SendAsync(Frontend.Terminate());
                break;
        }
    }

    /// <summary>Makes the state and checks it.</summary>
    protected abstract Task LeaveStateAsync(RawClient client);

    /// <summary>Runs statements that must succeed.</summary>
    protected async Task RequireAsync(RawClient client, params string[] statements)
    {
        foreach (var sql in statements)
            Succeeded(await client.QueryAsync(sql), sql);
    }

    /// <summary>Runs a query whose first value must be the one expected.</summary>
    protected async Task RequireValueAsync(RawClient client, string expected, string sql)
    {
        await client.SendAsync(Frontend.Query(sql));
        await RequireNextValueAsync(client, expected, sql);
    }

    /// <summary>Reads an answer up to ReadyForQuery, whose first value must be the one expected.</summary>
    protected async Task RequireNextValueAsync(RawClient client, string expected, string what)
    {
        var answer = await client.ReadUntilAsync();
        Succeeded(answer, what);
        var actual = answer.FirstOrDefault(message => message.Type == 'D')?.TextColumns()[0];
        if (actual != expected)
            throw new InvalidOperationException($"crowd{Number} expected {expected} and got {actual}: {what}");
    }

    private void Succeeded(IEnumerable<RawMessage> answer, string what)
    {
        if (answer.FirstOrDefault(message => message.Type == 'E') is { } error)
            throw new InvalidOperationException($"crowd{Number} got {error.Field('C')} {error.Field('M')}: {what}");
    }
}
