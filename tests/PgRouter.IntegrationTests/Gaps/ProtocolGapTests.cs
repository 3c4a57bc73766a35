using System.Globalization;
using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Gaps;

/// <summary>Those of W1 to W32 that are about the protocol: names, statuses, pipelines, COPY and cancel.</summary>
[TestFixture]
public sealed class ProtocolGapTests
{
    private GapTarget _target = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _target = await GapTarget.StartAsync(
        await SharedCluster.GetAsync(), "protocol_gaps", "CREATE TABLE plain (a int); CREATE TABLE copied (a int, b text)");

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_target is not null)
            await _target.DisposeAsync();
    }

    [Test]
    public async Task W14_an_unknown_name_is_an_error_and_the_session_lives()
    {
        await using var client = await _target.LoginAsync();
        (RawMessage Message, string Code)[] unknown =
        [
            (Frontend.Describe('S', "nothing"), "26000"), (Frontend.Bind("", "nothing"), "26000"),
            (Frontend.Describe('P', "nothing"), "34000"), (Frontend.Execute("nothing"), "34000"),
        ];
        foreach (var (message, code) in unknown)
        {
            await client.SendAsync(message, Frontend.Sync());
            var answer = await client.ReadUntilAsync();
            Assert.That(answer.Where(m => m.Type == 'E').Select(m => m.Field('C')), Is.EqualTo(new[] { code }));
            Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
        }
    }

    [Test]
    public async Task W15_a_command_of_the_router_keeps_the_status_of_the_transaction()
    {
        await using var client = await _target.LoginAsync();
        await GapTarget.RunAsync(client, "BEGIN", "SELECT 1");
        Assert.That((char)(await client.QueryAsync("SHOW POOL_NODES"))[^1].Body[0], Is.EqualTo('T'));
        await client.QueryAsync("SELECT 1/0");
        Assert.That((char)(await client.QueryAsync("SHOW POOL_NODES"))[^1].Body[0], Is.EqualTo('E'));
        await GapTarget.RunAsync(client, "ROLLBACK");
    }

    [Test]
    public async Task W16_show_pool_nodes_by_the_extended_protocol()
    {
        await using var connection = await _target.OpenAsync();
        await using var command = new NpgsqlCommand("SHOW POOL_NODES", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var hosts = new List<string>();
        while (await reader.ReadAsync())
            hosts.Add(reader.GetString(reader.GetOrdinal("hostname")));
        Assert.That(hosts, Has.Count.EqualTo(_target.Cluster.Nodes.Count));
    }

    [Test]
    public Task W17_pg_cancel_backend_of_ones_own_pid_stops_what_runs_there() => _target.InSessionsAsync(async client =>
    {
        await using var other = await _target.LoginAsync();
        var pid = await client.ScalarAsync("SELECT pg_backend_pid()");
        await client.SendAsync(Frontend.Query("SELECT pg_sleep(15), 'w17'"));
        await RunsAsync("w17");
        Assert.That(await other.ScalarAsync($"SELECT pg_cancel_backend({pid})"), Is.EqualTo("t"));
        Assert.That((await client.ReadUntilAsync()).SingleOrDefault(m => m.Type == 'E')?.Field('C'), Is.EqualTo("57014"));
    }, count: 2);

    [Test]
    public async Task W22_a_pipeline_of_a_hundred_queries_and_several_syncs()
    {
        await using var client = await _target.LoginAsync();
        foreach (var syncEvery in new[] { 100, 10 })
        {
            var messages = new List<RawMessage>();
            for (var i = 1; i <= 100; i++)
            {
                messages.AddRange([Frontend.Parse("", $"SELECT {i}"), Frontend.Bind("", ""), Frontend.Execute("")]);
                if (i % syncEvery == 0)
                    messages.Add(Frontend.Sync());
            }
            await client.SendAsync([.. messages]);
            var rows = new List<string?>();
            for (var i = 0; i < 100 / syncEvery; i++)
                rows.AddRange((await client.ReadUntilAsync()).Where(m => m.Type == 'D').Select(m => m.TextColumns()[0]));
            Assert.That(rows, Is.EqualTo(Enumerable.Range(1, 100).Select(i => i.ToString(CultureInfo.InvariantCulture))));
        }
        // A transaction of its own up to each Sync.
        await client.SendAsync(
            Frontend.Parse("", "INSERT INTO plain VALUES (22)"), Frontend.Bind("", ""), Frontend.Execute(""),
            Frontend.Parse("", "SELECT 1/0"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        await client.ReadUntilAsync();
        await GapTarget.RunAsync(client, "BEGIN", "LOCK TABLE plain");
        Assert.That(await client.ScalarAsync("SELECT count(*) FROM plain WHERE a = 22"), Is.EqualTo("0"));
        await GapTarget.RunAsync(client, "ROLLBACK");
    }

    [Test]
    public async Task W23_copy_in_the_extended_protocol_with_flush()
    {
        await using var client = await _target.LoginAsync();
        await client.SendAsync(Frontend.Parse("", "COPY copied FROM STDIN"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Flush());
        await client.ReadUntilAsync('G');
        await client.SendAsync(Frontend.CopyData("1\tone\n2\ttwo\n"u8.ToArray()), Frontend.CopyDone(), Frontend.Sync());
        var answer = await client.ReadUntilAsync();
        Assert.That(answer.Where(m => m.Type is 'C' or 'E').Select(m => m.Text()), Is.EqualTo(new[] { "COPY 2" }));
        await client.SendAsync(Frontend.Parse("", "COPY (SELECT 1) TO STDOUT"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Flush());
        await client.ReadUntilAsync('C');
        await client.SendAsync(Frontend.Sync());
        await client.ReadUntilAsync();
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    [Test]
    public async Task W24_discard_all_by_the_extended_protocol()
    {
        await using var client = await _target.LoginAsync();
        await GapTarget.RunAsync(client, "SET work_mem = '2MB'");
        await client.SendAsync(Frontend.Parse("", "DISCARD ALL"), Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        Assert.That((await client.ReadUntilAsync()).Where(m => m.Type is 'C' or 'E').Select(m => m.Text()), Is.EqualTo(new[] { "DISCARD ALL" }));
        Assert.That(await client.ScalarAsync("SHOW work_mem"), Is.EqualTo("4MB"));
    }

    [Test]
    public async Task W25_a_simple_query_behind_a_parse_without_sync()
    {
        await using var client = await _target.LoginAsync();
        await client.SendAsync(Frontend.Parse("ahead", "SELECT 25"), Frontend.Query("SELECT 1"));
        Assert.That(string.Concat((await client.ReadUntilAsync()).Select(m => m.Type)), Is.EqualTo("1TDCZ"));
        await client.SendAsync(Frontend.Bind("", "ahead"), Frontend.Execute(""), Frontend.Sync());
        Assert.That((await client.ReadUntilAsync()).Single(m => m.Type == 'D').TextColumns()[0], Is.EqualTo("25"));
    }

    private Task RunsAsync(string mark) => Eventually.TrueAsync(
        async () =>
        {
            foreach (var node in _target.Cluster.Nodes)
            {
                if (await _target.Cluster.ScalarAsync<long>(
                    node.Index, $"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%{mark}%' AND pid <> pg_backend_pid()") > 0)
                    return true;
            }
            return false;
        },
        "the statement to run");
}
