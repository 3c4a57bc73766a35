using System.Globalization;
using PgRouter.IntegrationTests.Consoles;
using PgRouter.Testing;
using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;
using PgRouter.Testing.Scripts;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// A router whose connections to the primary go through a <see cref="MessageCutter"/>, and clients that must notice nothing: one in a
/// transaction on another server of the same pool, one of another database.
/// </summary>
internal sealed class KillBed : IAsyncDisposable
{
    private const string Database = "wire_kill";

    private readonly MessageCutter _cutter;
    private readonly RouterProcessFixture _router;
    private readonly Endpoint _primary;
    private readonly Operator _operator;
    private readonly RawClient _neighbour;
    private readonly RawClient _stranger;

    private KillBed(MessageCutter cutter, RouterProcessFixture router, Endpoint primary, Operator op, RawClient neighbour, RawClient stranger) =>
        (_cutter, _router, _primary, _operator, _neighbour, _stranger) = (cutter, router, primary, op, neighbour, stranger);

    /// <summary>How the scripts are played: in the database whose servers are cut.</summary>
    public static PlayOptions Play { get; } = new() { Database = Database };

    public static async Task<KillBed> StartAsync()
    {
        var cluster = await WireBed.ClusterAsync();
        if (await cluster.ScalarAsync<long>(0, $"SELECT count(*) FROM pg_database WHERE datname = '{Database}'") == 0)
        {
            await cluster.ExecuteAsync(0, $"CREATE DATABASE {Database}");
            await cluster.ExecuteAsync(0, ScriptBook.SchemaWithoutRoles, Database);
        }

        var primary = await WireBed.PrimaryAsync();
        var cutter = MessageCutter.Start(primary, Database);
        var router = await RouterProcessFixture.StartAsync([cutter.Endpoint], WireBed.SmallPool.With(("admin_users", "postgres"), ("server_login_retry", "1"), ("server_tls_sslmode", "disable")));
        return new KillBed(
            cutter, router, primary, await Operator.LoginAsync(router.Endpoint), await RawClient.LoginAsync(router.Endpoint, database: Database), await RawClient.LoginAsync(router.Endpoint));
    }

    public async ValueTask DisposeAsync()
    {
        await _neighbour.DisposeAsync();
        await _stranger.DisposeAsync();
        await _operator.DisposeAsync();
        await _router.DisposeAsync();
        await _cutter.DisposeAsync();
    }

    /// <summary>Cuts the connection to the server after every message of the script, in both directions.</summary>
    /// <param name="script">Leaves the database as it was, wherever it ends.</param>
    /// <param name="step">1 for every message, 2 for every other one and so on.</param>
    /// <returns>How often it was played.</returns>
    public async Task<int> KillBetweenAnyTwoMessagesAsync(NamedScript script, int step = 1)
    {
        var whole = await ScriptPlayer.PlayAsync(script.Text, _primary, Play);
        var played = 0;
        foreach (var direction in Enum.GetValues<MessageDirection>())
        {
            for (var after = 0; await KillAsync(script, whole, direction, after); after += step)
                played++;
        }

        return played;
    }

    // False when the script has no so many messages.
    private async Task<bool> KillAsync(NamedScript script, Transcript whole, MessageDirection direction, int after)
    {
        var what = $"{script.Name}, cut {direction} after {after} messages";
        await RequireAsync(_neighbour, "BEGIN; SELECT 'neighbour'", $"{what}: the neighbour begins");
        var counted = 0;
        await using (var player = await KillPlayer.LoginAsync(_router.Endpoint))
        {
            _cutter.CutAfter(direction, after);
            await player.PlayAsync(script, whole, what);
            counted = _cutter.Stop(direction);
            await player.RequireAliveAsync(what);
        }

        await RequireAsync(_neighbour, "SELECT 'neighbour'; COMMIT", $"{what}: the neighbour commits");
        await RequireAsync(_stranger, "SELECT 'stranger'", $"{what}: the stranger reads");
        await NoLeaseIsLostAsync(what);
        return counted >= after;
    }

    private static async Task RequireAsync(RawClient client, string sql, string what)
    {
        if ((await client.QueryAsync(sql)).FirstOrDefault(message => message.Type == 'E') is { } error)
            throw new TestBedException($"{what}: {error}");
    }

    private async Task NoLeaseIsLostAsync(string what)
    {
        var state = "";
        // The neighbour is idle and counts as active, as it does in PgBouncer.
        const string Neighbour = "1";
        try
        {
            await Testing.Eventually.TrueAsync(async () => (state = await StateOfPoolAsync()) == $"{Neighbour} 0 {_cutter.OpenConnections}", "the pool to be idle");
            // PostgreSQL learns of the cut in its own time; until then the lost session holds its locks.
            await Testing.Eventually.TrueAsync(async () => await BackendsAsync() == _cutter.OpenConnections, "the end of the lost session");
        }
        catch (TimeoutException late)
        {
            throw new TestBedException($"{what}: cl_active, sv_active and sv_idle are {state}, and {_cutter.OpenConnections} servers are connected", late);
        }
    }

    private static async Task<long> BackendsAsync() =>
        await (await WireBed.ClusterAsync()).ScalarAsync<long>(0, $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{Database}' AND backend_type = 'client backend' AND application_name <> 'pgrouter catalog'");

    private async Task<string> StateOfPoolAsync()
    {
        var rows = (await _operator.TableAsync("SHOW POOLS")).Where(row => row["database"] == Database).ToList();
        return string.Join(' ', new[] { "cl_active", "sv_active", "sv_idle" }
            .Select(name => rows.Sum(row => int.Parse(row[name] ?? "0", CultureInfo.InvariantCulture))));
    }
}
