using System.Data;
using Npgsql;
using NpgsqlTypes;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Drivers;

/// <summary>Npgsql as applications use it, each test against the primary and then, twice at once, through the router.</summary>
[TestFixture]
public sealed class NpgsqlTests
{
    private const string Options = ";Pooling=true;Maximum Pool Size=20;Command Timeout=20";

    private RouterProcessFixture _router = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _router = await DriverBed.StartRouterAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _router.DisposeAsync();

    [Test]
    public Task A_connection_of_the_client_pool_brings_nothing_along() => EverywhereAsync("", async (source, schema) =>
    {
        for (var turn = 0; turn < 10; turn++)
        {
            await using var connection = await source.OpenConnectionAsync();
            var left = await ScalarAsync(connection, "SELECT coalesce(current_setting('my.mark', true), '') || coalesce(to_regclass('scratch')::text, '')");
            Assert.That(left, Is.EqualTo(""));
            await ExecuteAsync(connection, $"SET my.mark = '{schema}'");
            await ExecuteAsync(connection, "CREATE TEMP TABLE scratch AS SELECT 1 AS a");
            await ExecuteAsync(connection, "SELECT pg_advisory_lock(4711)");
            Assert.That(await ScalarAsync(connection, "SELECT current_setting('my.mark') FROM scratch"), Is.EqualTo(schema));
        }
    });

    [TestCase(";Max Auto Prepare=10;Auto Prepare Min Usages=2")]
    [TestCase("")]
    public Task Statements_may_be_prepared_by_hand_or_by_themselves(string options) => EverywhereAsync(options, async (source, schema) =>
    {
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, $"CREATE TABLE {schema}.t (id int PRIMARY KEY, word text)");
        await using var insert = new NpgsqlCommand($"INSERT INTO {schema}.t VALUES ($1, $2)", connection);
        insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Integer });
        insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text });
        if (options.Length == 0)
            await insert.PrepareAsync();
        for (var id = 0; id < 30; id++)
        {
            insert.Parameters[0].Value = id;
            insert.Parameters[1].Value = $"word {id}";
            Assert.That(await insert.ExecuteNonQueryAsync(), Is.EqualTo(1));
            Assert.That(await ScalarAsync(connection, $"SELECT count(*) FROM {schema}.t"), Is.EqualTo(id + 1L));
        }
        insert.Parameters[0].Value = 3;
        var duplicate = await Assert.ThrowsAsync<PostgresException>(() => insert.ExecuteNonQueryAsync());
        Assert.That((duplicate!.SqlState, duplicate.ConstraintName), Is.EqualTo(("23505", "t_pkey")));
        await insert.UnprepareAsync();
        Assert.That(await ScalarAsync(connection, $"SELECT count(*) FROM {schema}.t"), Is.EqualTo(30L));
    });

    [Test]
    public Task A_batch_is_one_transaction() => EverywhereAsync("", async (source, schema) =>
    {
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, $"CREATE TABLE {schema}.t (id int PRIMARY KEY)");
        await using var good = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand($"INSERT INTO {schema}.t VALUES (1)"),
                new NpgsqlBatchCommand($"INSERT INTO {schema}.t VALUES (2)"),
                new NpgsqlBatchCommand($"SELECT count(*) FROM {schema}.t"),
            },
        };
        Assert.That(await good.ExecuteScalarAsync(), Is.EqualTo(2L));
        await using var bad = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand($"INSERT INTO {schema}.t VALUES (3)"),
                new NpgsqlBatchCommand($"INSERT INTO {schema}.t VALUES (1)"),
                new NpgsqlBatchCommand($"INSERT INTO {schema}.t VALUES (4)"),
            },
        };
        Assert.That((await Assert.ThrowsAsync<PostgresException>(() => bad.ExecuteNonQueryAsync()))!.SqlState, Is.EqualTo("23505"));
        Assert.That(await ScalarAsync(connection, $"SELECT count(*) FROM {schema}.t"), Is.EqualTo(2L));
    });

    [Test]
    public Task Binary_COPY_goes_both_ways() => EverywhereAsync("", async (source, schema) =>
    {
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, $"CREATE TABLE {schema}.c (id int, word text)");
        await using (var import = await connection.BeginBinaryImportAsync($"COPY {schema}.c FROM STDIN (FORMAT BINARY)"))
        {
            for (var id = 0; id < 20_000; id++)
                await import.WriteRowAsync(default, id, $"word {id}");
            Assert.That(await import.CompleteAsync(), Is.EqualTo(20_000ul));
        }
        await using (var abandoned = await connection.BeginBinaryImportAsync($"COPY {schema}.c FROM STDIN (FORMAT BINARY)"))
            await abandoned.WriteRowAsync(default, 1, "not kept");
        var rows = 0;
        await using (var export = await connection.BeginBinaryExportAsync($"COPY {schema}.c TO STDOUT (FORMAT BINARY)"))
        {
            while (await export.StartRowAsync() >= 0)
            {
                Assert.That(await export.ReadAsync<int>(), Is.EqualTo(rows));
                Assert.That(await export.ReadAsync<string>(), Is.EqualTo($"word {rows++}"));
            }
        }
        Assert.That(rows, Is.EqualTo(20_000));
    });

    [Test]
    public Task Savepoints_and_isolation_levels_hold() => EverywhereAsync("", async (source, schema) =>
    {
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, $"CREATE TABLE {schema}.t (id int PRIMARY KEY)");
        await using (var transaction = await connection.BeginTransactionAsync(IsolationLevel.Serializable))
        {
            await ExecuteAsync(connection, $"INSERT INTO {schema}.t VALUES (1)");
            await transaction.SaveAsync("here");
            await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connection, $"INSERT INTO {schema}.t VALUES (1)"));
            Assert.That(
                (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connection, "SELECT 1")))!.SqlState, Is.EqualTo("25P02"));
            await transaction.RollbackAsync("here");
            Assert.That(await ScalarAsync(connection, "SHOW transaction_isolation"), Is.EqualTo("serializable"));
            await transaction.CommitAsync();
        }
        await using (await connection.BeginTransactionAsync())
            await ExecuteAsync(connection, $"INSERT INTO {schema}.t VALUES (2)");
        Assert.That(await ScalarAsync(connection, $"SELECT count(*) FROM {schema}.t"), Is.EqualTo(1L));
    });

    [Test]
    public Task Notifications_arrive_in_order() => EverywhereAsync("", async (source, schema) =>
    {
        await using var listener = await source.OpenConnectionAsync();
        var payloads = new List<string>();
        listener.Notification += (_, note) => payloads.Add(note.Payload);
        await ExecuteAsync(listener, $"LISTEN {schema}");
        await using var sender = await source.OpenConnectionAsync();
        for (var number = 0; number < 5; number++)
            await ExecuteAsync(sender, $"NOTIFY {schema}, '{number}'");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (payloads.Count < 5)
            await listener.WaitAsync(deadline.Token);
        Assert.That(payloads, Is.EqualTo(new[] { "0", "1", "2", "3", "4" }));
    });

    [Test]
    public Task Notifications_know_their_sender_and_end_with_the_use_of_the_connection() => EverywhereAsync("", async (source, schema) =>
    {
        var notes = new List<string>();
        await using (var listener = await source.OpenConnectionAsync())
        {
            listener.Notification += (_, note) => notes.Add($"{note.Payload} {(note.PID == listener.ProcessID ? "own" : "other's")}");
            await ExecuteAsync(listener, $"LISTEN {schema}");
            await using (var transaction = await listener.BeginTransactionAsync())
            {
                await ExecuteAsync(listener, $"NOTIFY {schema}, 'in a transaction'");
                Assert.That(notes, Is.Empty);
                await transaction.CommitAsync();
            }
            await using var sender = await source.OpenConnectionAsync();
            await ExecuteAsync(sender, $"NOTIFY {schema}, 'waited for'");
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (notes.Count < 2)
                await listener.WaitAsync(deadline.Token);
            Assert.That(await listener.WaitAsync(TimeSpan.FromMilliseconds(50)), Is.False);
        }
        // Npgsql sends DISCARD ALL in front of the next use.
        await using var next = await source.OpenConnectionAsync();
        await ExecuteAsync(next, $"NOTIFY {schema}, 'unheard'");
        Assert.That(notes, Is.EqualTo(new[] { "in a transaction own", "waited for other's" }));
    });

    [Test]
    public Task A_cancelled_command_ends_and_the_next_one_runs() => EverywhereAsync("", async (source, _) =>
    {
        await using var connection = await source.OpenConnectionAsync();
        for (var turn = 0; turn < 3; turn++)
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
            await using var sleep = new NpgsqlCommand("SELECT pg_sleep(30)", connection);
            var cancelled = await Assert.CatchAsync<OperationCanceledException>(() => sleep.ExecuteScalarAsync(soon.Token));
            Assert.That((cancelled!.InnerException as PostgresException)?.SqlState, Is.EqualTo("57014"));
            Assert.That(await ScalarAsync(connection, "SELECT 'next'"), Is.EqualTo("next"));
        }
    });

    [Test]
    public Task Types_come_back_as_they_went_and_a_new_enum_is_found() => EverywhereAsync("", async (source, schema) =>
    {
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, $"CREATE TYPE {schema}.mood AS ENUM ('sad', 'ok')");
        await connection.ReloadTypesAsync();
        Assert.That(await ScalarAsync(connection, $"SELECT 'ok'::{schema}.mood"), Is.EqualTo("ok"));
        await using var command = new NpgsqlCommand("SELECT $1, $2, $3, $4", connection)
        {
            Parameters =
            {
                new() { Value = new[] { 1, 2, 3 } },
                new() { Value = "{\"a\": 1}", NpgsqlDbType = NpgsqlDbType.Jsonb },
                new() { Value = new NpgsqlRange<int>(1, true, 5, false) },
                new() { Value = new string('x', 3_000_000) },
            },
        };
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.That(await reader.ReadAsync(), Is.True);
            Assert.That(reader.GetFieldValue<int[]>(0), Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That(reader.GetString(1), Is.EqualTo("{\"a\": 1}"));
            Assert.That(reader.GetFieldValue<NpgsqlRange<int>>(2), Is.EqualTo(new NpgsqlRange<int>(1, true, 5, false)));
            Assert.That(reader.GetString(3), Has.Length.EqualTo(3_000_000));
        }
        await ExecuteAsync(connection, $"CREATE TABLE {schema}.described (id int, word text)");
        var columns = await connection.GetSchemaAsync("Columns", [null, schema, "described"]);
        Assert.That(columns.Rows, Has.Count.EqualTo(2));
    });

    [Test]
    public Task Two_hundred_tasks_share_twenty_connections() => EverywhereAsync("", async (source, schema) =>
    {
        await using (var setUp = await source.OpenConnectionAsync())
            await ExecuteAsync(setUp, $"CREATE TABLE {schema}.counters AS SELECT w AS id, 0 AS n FROM generate_series(0, 19) AS w");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async number =>
        {
            await using var connection = await source.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await ExecuteAsync(connection, $"SET LOCAL my.number = '{number}'");
            await ExecuteAsync(connection, $"UPDATE {schema}.counters SET n = n + 1 WHERE id = {number % 20}");
            Assert.That(await ScalarAsync(connection, "SELECT current_setting('my.number')"), Is.EqualTo($"{number}"));
            await transaction.CommitAsync();
        }));
        await using var check = await source.OpenConnectionAsync();
        Assert.That(await ScalarAsync(check, $"SELECT string_agg(DISTINCT n::text, ',') FROM {schema}.counters"), Is.EqualTo("10"));
    });

    /// <summary>Runs the same against the primary and twice at once through the router, each with a schema of its own.</summary>
    private async Task EverywhereAsync(string options, Func<NpgsqlDataSource, string, Task> body)
    {
        await WithSchemaAsync(DriverBed.Cluster.ConnectionString(0) + Options + options, "npg_a", body);
        var routed = _router.ConnectionString() + Options + options;
        await Task.WhenAll(WithSchemaAsync(routed, "npg_b", body), WithSchemaAsync(routed, "npg_c", body));
    }

    private static async Task WithSchemaAsync(string connectionString, string schema, Func<NpgsqlDataSource, string, Task> body)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using (var setUp = await source.OpenConnectionAsync())
            await ExecuteAsync(setUp, $"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        await body(source, schema);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
