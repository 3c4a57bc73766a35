using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Statements;

/// <summary>
/// Clients whose every statement is new, beside one whose statements are known: the parser has a thread of its own, so the one goes on, and what is
/// remembered is bounded. <c>PGROUTER_STORM_SHAPES=100000</c> is the long form.
/// </summary>
[TestFixture]
public sealed class ShapeStormTests
{
    private const int Clients = 4;
    private const int Pipeline = 50;

    /// <summary>Beyond what the router has at the start: 16 MiB of shapes for each loop, and what the collector leaves for a while.</summary>
    private const long MostMemory = 250L * 1024 * 1024;

    private static readonly int Shapes =
        int.TryParse(Environment.GetEnvironmentVariable("PGROUTER_STORM_SHAPES"), CultureInfo.InvariantCulture, out var shapes) ? shapes : 8000;

    [Test]
    public async Task A_client_with_known_statements_goes_on_while_others_send_nothing_but_new_ones()
    {
        await using var known = await StatementsBed.ClientAsync("known");
        await known.ScalarAsync("SELECT 1 AS known");
        var memory = ResidentBytes();
        var storms = Enumerable.Range(0, Clients).Select(client => StormAsync(client, Shapes / Clients)).ToArray();
        var all = Task.WhenAll(storms);
        var during = 0;
        while (!all.IsCompleted)
        {
            await known.ScalarAsync("SELECT 1 AS known");
            during++;
        }

        await all;
        await TestContext.Out.WriteLineAsync($"{Shapes} shapes, {during} known statements meanwhile, {(ResidentBytes() - memory) / 1024 / 1024} MiB more");
        Assert.That(during, Is.GreaterThan(Shapes / Clients / Pipeline), "at least one for each batch of one client");
        Assert.That(ResidentBytes() - memory, Is.LessThan(MostMemory));
    }

    /// <summary>Batches of simple queries, each of a shape that nobody has sent before.</summary>
    private static async Task StormAsync(int client, int shapes)
    {
        await using var session = await StatementsBed.ClientAsync("storm");
        for (var sent = 0; sent < shapes; sent += Pipeline)
        {
            await session.SendAsync([.. Enumerable.Range(sent, Pipeline).Select(i => Frontend.Query($"SELECT {i} AS c{client}_{i} WHERE 1 = {i} + 1"))]);
            for (var answered = 0; answered < Pipeline; answered++)
            {
                if ((await session.ReadUntilAsync('Z')).FirstOrDefault(message => message.Type == 'E') is { } error)
                    throw new TestBedException(error.ToString());
            }
        }
    }

    private static long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{StatementsBed.Router.Pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}
