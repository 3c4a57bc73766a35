using System.Globalization;
using PgRouter.Testing;
using PgRouter.Testing.Faults;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Routing;

/// <summary>pgpool's lists in front of real servers. The primary has no weight: a read on it was sent there on purpose.</summary>
[TestFixture]
public sealed class ListTests
{
    private const int Primary = 0;
    private RoutingBed _bed = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _bed = await RoutingBed.StartAsync(
            "routing_lists",
            """
            CREATE TABLE plain (a int); INSERT INTO plain VALUES (1); CREATE TABLE audit (a int); INSERT INTO audit VALUES (1);
            CREATE FUNCTION get_port() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT inet_server_port()';
            CREATE FUNCTION other_port() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()';
            CREATE SEQUENCE counter;
            CREATE FUNCTION get_next() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT inet_server_port() FROM nextval('counter') $$;
            """);
        await _bed.Router.WaitForLogAsync("The catalog of database routing_lists is read");
    }

    [SetUp]
    public Task ResetAsync() => _bed.ReloadAsync(
        ("read_only_function_list", ""), ("write_function_list", ""), ("primary_routing_query_pattern_list", ""),
        ("app_name_redirect_preference_list", ""), ("database_redirect_preference_list", ""), ("user_redirect_preference_list", ""),
        ("statement_level_load_balance", "on"), ("pgrouter.balance_policy", "weighted_random"));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bed is not null)
            await _bed.DisposeAsync();
    }

    [Test]
    public async Task Function_lists_decide_and_a_reload_changes_them()
    {
        await using var client = await _bed.LoginAsync();
        Assert.That(await _bed.NodeOfAsync(client, "SELECT get_port()"), Is.EqualTo(Primary), "volatile, and no list");
        Assert.That(await _bed.NodeOfAsync(client, "SELECT other_port()"), Is.Not.EqualTo(Primary), "stable, and no list");

        await _bed.ReloadAsync(("read_only_function_list", "get_.*"));
        await AssertNodeAsync("SELECT get_port() FROM plain", isPrimary: false);
        await AssertNodeAsync("SELECT other_port() FROM plain", isPrimary: true);
        await AssertNodeAsync("SELECT inet_server_port() FROM plain WHERE now() > 'epoch'", isPrimary: false);

        await _bed.ReloadAsync(("read_only_function_list", ""), ("write_function_list", "other_port, timeofday"));
        await AssertNodeAsync("SELECT get_port() FROM plain", isPrimary: true);
        await AssertNodeAsync("SELECT other_port() FROM plain", isPrimary: true);
        await AssertNodeAsync("SELECT inet_server_port() FROM plain WHERE timeofday() <> ''", isPrimary: true);

        await _bed.ReloadAsync(("write_function_list", ""));
        await AssertNodeAsync("SELECT other_port() FROM plain", isPrimary: false);
    }

    [Test]
    public async Task A_function_listed_as_read_only_that_writes_all_the_same_does_no_harm()
    {
        await _bed.ReloadAsync(("read_only_function_list", "get_.*"));
        await using var client = await _bed.LoginAsync();
        var answer = await client.QueryAsync("SELECT get_next()");
        await _bed.ReloadAsync(("read_only_function_list", ""));
        // The list was believed: a standby refuses it, and the session lives.
        Assert.That(answer.Where(m => m.Type == 'E').Select(m => m.Field('C')), Is.Empty.Or.EqualTo(new[] { "25006" }));
        Assert.That(await _bed.NodeOfAsync(client, "SELECT get_next()"), Is.EqualTo(Primary));
    }

    [Test]
    public async Task Patterns_of_statements_are_asked_of_the_text_as_it_was_sent()
    {
        await _bed.ReloadAsync(("primary_routing_query_pattern_list", @".*FROM\s+audit.*; SELECT inet_server_port\(\) FROM plain WHERE a = 7; .*tenant\;x.*"));
        await AssertNodeAsync("SELECT inet_server_port() FROM audit", isPrimary: true);
        await AssertNodeAsync("SELECT inet_server_port()\nfrom \"audit\" LIMIT 1", isPrimary: true);
        await AssertNodeAsync("SELECT inet_server_port() + 0 * count(*)::int FROM plain WHERE a = 7", isPrimary: false);
        await AssertNodeAsync("SELECT coalesce((SELECT inet_server_port() FROM plain WHERE a = 7), inet_server_port())", isPrimary: false);
        await using var client = await _bed.LoginAsync();
        for (var i = 0; i < 10; i++)
        {
            var answer = await client.QueryAsync($"SELECT inet_server_port() FROM plain WHERE a = {i}");
            Assert.That(answer.Any(m => m.Type == 'E'), Is.False);
        }
        Assert.That(await _bed.NodeOfAsync(client, "SELECT inet_server_port() /* tenant;x */ FROM plain"), Is.EqualTo(Primary), "a literal or comment counts");
        Assert.That(await _bed.NodeOfAsync(client, "SELECT inet_server_port() /* tenant;y */ FROM plain"), Is.Not.EqualTo(Primary));

        await client.QueryAsync("PREPARE p AS SELECT inet_server_port() FROM audit");
        Assert.That(await _bed.NodeOfAsync(client, "EXECUTE p"), Is.EqualTo(Primary), "EXECUTE is what it executes");
        await _bed.ReloadAsync(("primary_routing_query_pattern_list", ""));
        Assert.That(await _bed.NodeOfAsync(client, "EXECUTE p"), Is.Not.EqualTo(Primary));
        await AssertNodeAsync("SELECT inet_server_port() FROM audit", isPrimary: false);
    }

    [Test]
    public async Task Redirects_go_by_application_then_database_then_user()
    {
        await _bed.ReloadAsync(
            ("app_name_redirect_preference_list", "to_primary.*:primary, to_two:2"), ("database_redirect_preference_list", "routing_lists:1"),
            ("user_redirect_preference_list", "postgres:2"));
        await using var first = await _bed.LoginAsync(("application_name", "to_primary_x"));
        await using var second = await _bed.LoginAsync(("application_name", "to_two"));
        await using var third = await _bed.LoginAsync(("application_name", "else"));
        Assert.That(await _bed.NodesOfAsync(first, 10), Is.EqualTo(new[] { 0 }));
        Assert.That(await _bed.NodesOfAsync(second, 10), Is.EqualTo(new[] { 2 }));
        Assert.That(await _bed.NodesOfAsync(third, 10), Is.EqualTo(new[] { 1 }));
        Assert.That(await _bed.PreparedNodeOfAsync(second, "SELECT inet_server_port()"), Is.EqualTo(2));

        await _bed.ReloadAsync(("app_name_redirect_preference_list", ""), ("database_redirect_preference_list", ""));
        Assert.That(await _bed.NodesOfAsync(first, 10), Is.EqualTo(new[] { 2 }), "sessions that are there follow a reload");
        await _bed.ReloadAsync(("user_redirect_preference_list", "postgres:standby(0)"));
        Assert.That(await _bed.NodesOfAsync(first, 10), Is.EqualTo(new[] { 0 }));
        await ResetAsync();
        Assert.That(await _bed.NodesOfAsync(first, 40), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task With_statement_level_load_balance_off_a_session_keeps_its_node()
    {
        await _bed.ReloadAsync(("statement_level_load_balance", "off"));
        var nodes = new SortedSet<int>();
        for (var i = 0; i < 20; i++)
        {
            await using var client = await _bed.LoginAsync();
            var ofSession = await _bed.NodesOfAsync(client, 10);
            Assert.That(ofSession, Has.Length.EqualTo(1));
            Assert.That(await _bed.PreparedNodeOfAsync(client, "SELECT inet_server_port()"), Is.EqualTo(ofSession[0]));
            nodes.Add(ofSession[0]);
        }
        Assert.That(nodes, Is.EqualTo(new[] { 1, 2 }), "one node for each session, not one for all");
    }

    [Test]
    public async Task With_least_in_flight_a_node_that_is_busy_gets_no_more_while_another_is_not()
    {
        await _bed.ReloadAsync(("pgrouter.balance_policy", "least_in_flight"));
        await using var busy = await _bed.LoginAsync();
        await using var client = await _bed.LoginAsync();
        await busy.SendAsync(Frontend.Query("/* pgrouter: node=1 */ SELECT pg_sleep(30)"));
        await _bed.RunsOnAsync(1, "SELECT pg_sleep(30)");
        Assert.That(await _bed.NodesOfAsync(client, 40), Is.EqualTo(new[] { 2 }));
        await busy.CancelAsync();
        await busy.ReadUntilAsync();
        await Eventually.TrueAsync(async () => (await _bed.NodesOfAsync(client, 20)).Contains(1), "node 1 to be used again");
    }

    [Test]
    public async Task With_lowest_latency_a_node_that_has_become_slow_is_left_and_one_that_has_become_fast_is_used_again()
    {
        await using var slow = FaultProxy.Start(new Endpoint(_bed.Cluster.Nodes[1].Host, _bed.Cluster.Nodes[1].Port));
        await _bed.ReloadAsync(("pgrouter.balance_policy", "lowest_latency"), ("backend_port1", slow.Endpoint.Port.ToString(CultureInfo.InvariantCulture)));
        await _bed.WaitForNodesAsync();
        await using var client = await _bed.LoginAsync();
        await Eventually.TrueAsync(async () => (await _bed.NodesOfAsync(client, 20)).Contains(1), "node 1 to be used");
        slow.ToClient.Delay = TimeSpan.FromMilliseconds(300);
        await Eventually.TrueAsync(async () => await _bed.NodesOfAsync(client, 20) is [2], "node 1 to be left");
        slow.ToClient.Delay = TimeSpan.Zero;
        await Eventually.TrueAsync(async () => await _bed.NodeOfAsync(client) == 1, "node 1 to be used again", TimeSpan.FromSeconds(60));
        await _bed.ReloadAsync(("backend_port1", _bed.Cluster.Nodes[1].Port.ToString(CultureInfo.InvariantCulture)));
        await _bed.WaitForNodesAsync();
    }

    [Test]
    public async Task A_hint_that_no_node_can_fulfil_is_told_with_its_reason()
    {
        await using var client = await _bed.LoginAsync();
        var error = (await client.QueryAsync("/* pgrouter: node=9 */ SELECT 1")).Single(m => m.Type == 'E');
        Assert.That((error.Field('C'), error.Field('M')), Is.EqualTo(("57P03", "no node that the hint allows can be used: the statement was not run")));
        Assert.That(await client.ScalarAsync("SELECT 1"), Is.EqualTo("1"));
    }

    private async Task AssertNodeAsync(string sql, bool isPrimary)
    {
        await using var client = await _bed.LoginAsync();
        Assert.That(await _bed.NodeOfAsync(client, sql) == Primary, Is.EqualTo(isPrimary), sql);
        Assert.That(await _bed.PreparedNodeOfAsync(client, sql) == Primary, Is.EqualTo(isPrimary), $"prepared: {sql}");
    }
}
