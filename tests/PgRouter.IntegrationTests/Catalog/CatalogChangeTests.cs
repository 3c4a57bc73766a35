using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Catalog;

/// <summary>
/// What is known of a database under DDL: made by other clients of the router it counts at the next statement, made behind its back within
/// relcache_expire. The primary has no weight: a read on it was sent there on purpose. Each read tells its node by the port.
/// </summary>
[TestFixture]
public sealed class CatalogChangeTests
{
    private const string Database = "catalog_changes";

    private PgCluster _cluster = null!;
    private RouterProcessFixture _router = null!;
    private NpgsqlConnection _reader = null!;
    private NpgsqlConnection _changer = null!;

    /// <summary>What makes a read one for the primary, what undoes it, and the read.</summary>
    private static readonly object[] Changes =
    [
        new[]
        {
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT inet_server_port()'",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()'",
            "SELECT f()",
        },
        new[]
        {
            "CREATE OR REPLACE VIEW v AS SELECT changing() AS port", "CREATE OR REPLACE VIEW v AS SELECT inet_server_port() AS port", "SELECT port FROM v",
        },
        new[]
        {
            "ALTER TABLE plain SET UNLOGGED", "ALTER TABLE plain SET LOGGED", "SELECT inet_server_port() + 0 * count(*) FROM plain",
        },
        new[]
        {
            "ALTER SCHEMA stable RENAME TO other; ALTER SCHEMA volatile RENAME TO stable",
            "ALTER SCHEMA stable RENAME TO volatile; ALTER SCHEMA other RENAME TO stable",
            "SELECT stable.g()",
        },
        new[]
        {
            "CREATE POLICY p ON guarded USING (changing() > 0)", "DROP POLICY p ON guarded",
            "SELECT inet_server_port() + 0 * count(*) FROM guarded",
        },
        new[]
        {
            "CREATE FUNCTION public.lower(point) RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('counter') $$", "DROP FUNCTION public.lower(point)",
            "SELECT inet_server_port() + 0 * length(lower(a::text)) FROM one",
        },
        new[]
        {
            "CREATE FUNCTION counting(text) RETURNS one LANGUAGE sql AS $$ SELECT nextval('counter')::int $$; CREATE CAST (text AS one) WITH FUNCTION counting(text)",
            "DROP CAST (text AS one); DROP FUNCTION counting(text)",
            "SELECT inet_server_port() FROM one",
        },
    ];

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await CatalogBed.DatabaseAsync(Database, """
            CREATE SEQUENCE counter;
            CREATE TABLE plain (a int); CREATE TABLE one (a int); INSERT INTO one VALUES (1);
            CREATE TABLE guarded (a int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
            CREATE FUNCTION changing() RETURNS int LANGUAGE sql AS 'SELECT inet_server_port()';
            CREATE FUNCTION f() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()';
            CREATE VIEW v AS SELECT inet_server_port() AS port;
            CREATE SCHEMA stable; CREATE SCHEMA volatile;
            CREATE FUNCTION stable.g() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()';
            CREATE FUNCTION volatile.g() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT inet_server_port()';
            """);
        await _cluster.WaitForReplayAsync();
        _router = await RouterProcessFixture.StartAsync(
            _cluster, new Dictionary<string, string> { ["log_min_messages"] = "debug1", ["backend_weight0"] = "0", ["relcache_expire"] = "1" });
        _reader = await ConnectAsync();
        _changer = await ConnectAsync();
        await _router.WaitForLogAsync($"The catalog of database {Database} is read");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _reader.DisposeAsync();
        await _changer.DisposeAsync();
        await _router.DisposeAsync();
    }

    [TestCaseSource(nameof(Changes))]
    public async Task DDL_of_another_client_counts_at_the_next_statement(string change, string undo, string read)
    {
        await BecomesAsync(read, onPrimary: false);
        var reloads = _router.Log.Count(IsReload);
        try
        {
            await ExecuteAsync(_changer, change);
            Assert.That(await PortsAsync(read, 20), Is.All.EqualTo(_cluster.Nodes[0].Port));
            await Eventually.TrueAsync(() => _router.Log.Count(IsReload) > reloads, "the catalog to be read again");
            Assert.That(await PortsAsync(read, 20), Is.All.EqualTo(_cluster.Nodes[0].Port));
        }
        finally
        {
            await ExecuteAsync(_changer, undo);
        }
        await _cluster.WaitForReplayAsync();
        await BecomesAsync(read, onPrimary: false);
    }

    /// <summary>The catalog is read while the transaction is open, and has not seen it then.</summary>
    [TestCase("COMMIT")]
    [TestCase("PREPARE TRANSACTION 'catalog'; COMMIT PREPARED 'catalog'")]
    public async Task DDL_in_a_transaction_counts_for_others_when_it_commits(string end)
    {
        const string Read = "SELECT f()";
        var change = (string[])Changes[0];
        await BecomesAsync(Read, onPrimary: false);
        var reloads = _router.Log.Count(IsReload);
        try
        {
            await ExecuteAsync(_changer, "BEGIN");
            await ExecuteAsync(_changer, change[0]);
            await Eventually.TrueAsync(() => _router.Log.Count(IsReload) > reloads, "the catalog to be read again");
            await BecomesAsync(Read, onPrimary: false);
            var steps = end.Split("; ");
            foreach (var step in steps)
            {
                if (step != steps[0])
                    await BecomesAsync(Read, onPrimary: false); // Read again behind PREPARE TRANSACTION, with nothing new.
                await ExecuteAsync(_changer, step);
            }
            Assert.That(await PortsAsync(Read, 20), Is.All.EqualTo(_cluster.Nodes[0].Port));
        }
        finally
        {
            await ExecuteAsync(_changer, change[1]);
        }
        await _cluster.WaitForReplayAsync();
        await BecomesAsync(Read, onPrimary: false);
    }

    [Test]
    public async Task DDL_behind_the_back_of_the_router_counts_within_relcache_expire()
    {
        // The others concern every read.
        var changes = Changes.Cast<string[]>().Take(5).ToArray();
        foreach (var change in changes)
            await BecomesAsync(change[2], onPrimary: false);
        try
        {
            await _cluster.ExecuteAsync(0, string.Join(';', changes.Select(change => change[0])), Database);
            foreach (var change in changes)
                await BecomesAsync(change[2], onPrimary: true);
            foreach (var change in changes)
                Assert.That(await PortsAsync(change[2], 10), Is.All.EqualTo(_cluster.Nodes[0].Port), change[2]);
        }
        finally
        {
            await _cluster.ExecuteAsync(0, string.Join(';', changes.Select(change => change[1])), Database);
        }
        await _cluster.WaitForReplayAsync();
        foreach (var change in changes)
            await BecomesAsync(change[2], onPrimary: false);
    }

    [TestCase("SET search_path = volatile, public", "SET search_path = stable, public")]
    [TestCase("SELECT set_config('search_path', 'volatile', false)", "SELECT set_config('search_path', 'stable', false)")]
    public async Task A_search_path_counts_at_the_next_statement(string change, string undo)
    {
        await ExecuteAsync(_reader, undo);
        await BecomesAsync("SELECT g()", onPrimary: false);
        await ExecuteAsync(_reader, change);
        Assert.That(await PortsAsync("SELECT g()", 10), Is.All.EqualTo(_cluster.Nodes[0].Port));
        await ExecuteAsync(_reader, undo);
        await BecomesAsync("SELECT g()", onPrimary: false);
        Assert.That(await PortsAsync("SELECT g()", 10), Is.All.Not.EqualTo(_cluster.Nodes[0].Port));
        await ExecuteAsync(_reader, "RESET search_path");
    }

    /// <summary>A standby refuses serializable transactions.</summary>
    [Test]
    public async Task What_a_database_has_its_sessions_begin_with_counts_within_relcache_expire()
    {
        await BecomesAsync("SELECT inet_server_port()", onPrimary: false);
        try
        {
            await _cluster.ExecuteAsync(0, $"ALTER DATABASE {Database} SET default_transaction_isolation = 'serializable'");
            await BecomesAsync("SELECT inet_server_port()", onPrimary: true);
            await ExecuteAsync(_reader, "SET default_transaction_isolation = 'read committed'");
            Assert.That(await PortsAsync("SELECT inet_server_port()", 10), Is.All.Not.EqualTo(_cluster.Nodes[0].Port));
            await ExecuteAsync(_reader, "RESET default_transaction_isolation");
        }
        finally
        {
            await _cluster.ExecuteAsync(0, $"ALTER DATABASE {Database} RESET ALL");
        }
        await BecomesAsync("SELECT inet_server_port()", onPrimary: false);
    }

    /// <summary>Such a block may run on a standby.</summary>
    [TestCase("ALTER DATABASE catalog_changes")]
    [TestCase("ALTER ROLE postgres IN DATABASE catalog_changes")]
    public async Task Transactions_that_are_READ_ONLY_by_role_or_database_count_within_relcache_expire(string whose)
    {
        await BlockBecomesAsync(onPrimary: true);
        try
        {
            await _cluster.ExecuteAsync(0, $"{whose} SET default_transaction_read_only = on");
            await BlockBecomesAsync(onPrimary: false);
        }
        finally
        {
            await _cluster.ExecuteAsync(0, $"BEGIN READ WRITE; {whose} RESET default_transaction_read_only; COMMIT");
        }
        await BlockBecomesAsync(onPrimary: true);
    }

    private Task BlockBecomesAsync(bool onPrimary) => Eventually.TrueAsync(
        async () =>
        {
            await using var block = await _reader.BeginTransactionAsync();
            return await PortAsync(_reader, "SELECT inet_server_port()") == _cluster.Nodes[0].Port == onPrimary;
        },
        $"a block on the primary: {onPrimary}");

    [Test]
    public async Task Two_tenants_with_the_same_names_have_answers_of_their_own()
    {
        await using var stable = await ConnectAsync(";Search Path=stable");
        await using var changing = await ConnectAsync(";Search Path=volatile");
        await Eventually.TrueAsync(async () => await PortAsync(stable, "SELECT g()") != _cluster.Nodes[0].Port, "the catalog");
        for (var i = 0; i < 10; i++)
        {
            Assert.That(await PortAsync(changing, "SELECT g()"), Is.EqualTo(_cluster.Nodes[0].Port));
            Assert.That(await PortAsync(stable, "SELECT g()"), Is.Not.EqualTo(_cluster.Nodes[0].Port));
        }
    }

    [TestCase("stable", false)]
    [TestCase("volatile", true)]
    public async Task The_search_path_of_a_role_counts_for_its_sessions(string schema, bool onPrimary)
    {
        var role = $"catalog_{schema}";
        await ExecuteAsync(_changer, $"DROP OWNED BY {role}; DROP ROLE {role}", ignoresErrors: true);
        await ExecuteAsync(_changer, $"CREATE ROLE {role} LOGIN PASSWORD 'postgres'");
        await ExecuteAsync(_changer, $"ALTER ROLE {role} SET search_path = {schema}");
        await ExecuteAsync(_changer, $"GRANT USAGE ON SCHEMA {schema} TO {role}");
        await _cluster.WaitForReplayAsync();
        await using var tenant = await ConnectAsync($";Username={role}");
        if (!onPrimary)
            await Eventually.TrueAsync(async () => await PortAsync(tenant, "SELECT g()") != _cluster.Nodes[0].Port, "the role's path in the catalog");
        for (var i = 0; i < 10; i++)
            Assert.That(await PortAsync(tenant, "SELECT g()") == _cluster.Nodes[0].Port, Is.EqualTo(onPrimary));
    }

    [Test]
    public async Task A_table_that_the_catalog_does_not_have_is_read_on_the_primary_and_looked_up()
    {
        await _cluster.ExecuteAsync(0, "CREATE TABLE fresh (a int); INSERT INTO fresh VALUES (1)", Database);
        const string Read = "SELECT inet_server_port() + 0 * sum(a) FROM fresh";
        try
        {
            await _cluster.WaitForReplayAsync();
            await BecomesAsync(Read, onPrimary: false);
        }
        finally
        {
            await _cluster.ExecuteAsync(0, "DROP TABLE fresh", Database);
        }
    }

    private bool IsReload(string line) => line.Contains($"The catalog of database {Database} is read", StringComparison.Ordinal);

    private async Task<NpgsqlConnection> ConnectAsync(string more = "")
    {
        var connection = new NpgsqlConnection(_router.ConnectionString(Database) + ";Pooling=false" + more);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Until the router has heard of a change made behind its back, a standby may refuse what was right before.</summary>
    private Task BecomesAsync(string sql, bool onPrimary) => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                return await PortAsync(_reader, sql) == _cluster.Nodes[0].Port == onPrimary;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.FeatureNotSupported)
            {
                return false;
            }
        },
        $"{sql} on the primary: {onPrimary}");

    private async Task<List<int>> PortsAsync(string sql, int count)
    {
        var ports = new List<int>();
        for (var i = 0; i < count; i++)
            ports.Add(await PortAsync(_reader, sql));
        return ports;
    }

    private static async Task<int> PortAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt32(await command.ExecuteScalarAsync(), null);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, bool ignoresErrors = false)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync();
        }
        catch (PostgresException) when (ignoresErrors)
        {
        }
    }
}
