using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using PgRouter.Testing;
using PgRouter.Testing.Clusters;
using PgRouter.Testing.Protocol;
using PgRouter.Testing.Routers;

namespace PgRouter.IntegrationTests.Consistency;

/// <summary>
/// Writers whose values only grow, and readers that know before each read what has been acknowledged, in many sessions through the router. A read that
/// gives less is a violation, and so is one that gives less than its session has read before.
/// </summary>
internal sealed class StaleReadChecker : IAsyncDisposable
{
    public const string Database = "stale_reads";
    private const int Tables = 5;

    public static string Schema { get; } = string.Join('\n', Enumerable.Range(0, Tables).Select(i => $"""
        CREATE TABLE cell{i} (id int PRIMARY KEY, v bigint NOT NULL); INSERT INTO cell{i} SELECT id, 0 FROM generate_series(1, 4) id;
        """)) + """
        CREATE TABLE shadow (id int PRIMARY KEY, v bigint NOT NULL); INSERT INTO shadow SELECT id, 0 FROM generate_series(1, 4) id;
        CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE shadow SET v = NEW.v WHERE id = NEW.id; RETURN NEW; END $$;
        CREATE TRIGGER follow AFTER UPDATE ON cell0 FOR EACH ROW EXECUTE FUNCTION follow();
        CREATE VIEW seen AS SELECT id, v FROM cell1;
        """;

    private readonly PgCluster _cluster;
    private readonly RouterProcessFixture _router;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly Cell[] _routed;
    private readonly Cell[] _direct;
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly ConcurrentDictionary<string, Tally> _tallies = new();
    private volatile int _primary;

    public StaleReadChecker(PgCluster cluster, RouterProcessFixture router)
    {
        (_cluster, _router) = (cluster, router);
        // The first tables are written through the router, the last one past it; each cell by one writer.
        _routed = [.. Enumerable.Range(0, (Tables - 1) * 4).Select(i => new Cell(i / 4, (i % 4) + 1))];
        _direct = [.. Enumerable.Range(1, 4).Select(id => new Cell(Tables - 1, id))];
    }

    /// <summary>The node that takes writes, for writers past the router.</summary>
    public int Primary
    {
        get => _primary;
        set => _primary = value;
    }

    /// <summary>Of all levels but <c>eventual</c>.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    public long Reads => _tallies.Values.Sum(tally => Interlocked.Read(ref tally.Reads));

    public Tally Of(string level) => _tallies.GetOrAdd(level, _ => new Tally());

    public void Start()
    {
        for (var writer = 0; writer < 3; writer++)
            Loop(new Writer(this, [.. _routed.Where((_, i) => i % 4 == writer)], isDirect: false));
        Loop(new Writer(this, _direct, isDirect: true));
        foreach (var form in Enum.GetValues<ReadForm>())
            Loop(new Reader(this, "global", form, _routed, []));
        Loop(new Reader(this, "strong", ReadForm.Simple, [.. _routed, .. _direct], []));
        Loop(new Reader(this, "strong", ReadForm.Prepared, [.. _direct], []));
        // Each has a cell of its own, that it writes itself.
        foreach (var form in (ReadForm[])[ReadForm.Simple, ReadForm.Extended, ReadForm.ReadCommitted])
            Loop(new Reader(this, "session", form, _routed, [_routed[(4 * (int)form) + 3]]));
        Loop(new Reader(this, "eventual", ReadForm.Extended, _routed, []));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        _stop.Dispose();
    }

    public override string ToString() => string.Join("; ", _tallies.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
        string.Create(CultureInfo.InvariantCulture, $"{pair.Key}: {pair.Value.Reads} reads, {pair.Value.OnStandby} on standbys, {pair.Value.Stale} stale, {pair.Value.Errors} errors")));

    private void Loop(Client client) => _loops.Add(Task.Run(async () =>
    {
        try
        {
            while (!_stop.IsCancellationRequested)
                await client.StepAsync(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end.
        }
        finally
        {
            await client.EndSessionAsync();
        }
    }));

    private string ConnectionString(string level) =>
        _router.ConnectionString(Database) + $";Options=-c pgrouter.read_consistency={level};Timeout=30;Command Timeout=60";

    private Task<RawClient> LoginAsync(string level) => RawClient.LoginAsync(
        _router.Endpoint, PgCluster.Superuser, Database, PgCluster.Superuser, [("options", $"-c pgrouter.read_consistency={level}")]);

    /// <summary>A node is lost, a pool is empty, recovery is in the way: that is no matter here. The session is begun again.</summary>
    private static bool IsTrouble(Exception e) => e is NpgsqlException or IOException or TimeoutException or TestBedException or System.Net.Sockets.SocketException;

    public enum ReadForm
    {
        Simple,
        Extended,
        Prepared,
        ReadCommitted,
        RepeatableRead,
    }

    public sealed class Tally
    {
        public long Reads;
        public long OnStandby;
        public long Stale;
        public long Errors;
    }

    /// <summary>A value that only grows.</summary>
    private sealed class Cell(int table, int id)
    {
        private long _acknowledged;
        private long _next;

        public long Acknowledged => Interlocked.Read(ref _acknowledged);

        public long Next() => ++_next;

        public void Acknowledge(long value) => Interlocked.Exchange(ref _acknowledged, value);

        public string Write(long value) => string.Create(CultureInfo.InvariantCulture, $"UPDATE cell{table} SET v = {value} WHERE id = {id}");

        public string Read(bool byOtherName) => string.Create(
            CultureInfo.InvariantCulture,
            $"SELECT v, inet_server_port() FROM {(byOtherName && table == 0 ? "shadow" : byOtherName && table == 1 ? "seen" : $"cell{table}")} WHERE id = {id}");

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"cell{table}[{id}]");
    }

    private abstract class Client
    {
        public abstract Task StepAsync(CancellationToken stop);

        public abstract Task EndSessionAsync();
    }

    /// <summary>Autocommit and transactions, simple, extended and prepared.</summary>
    private sealed class Writer(StaleReadChecker checker, Cell[] cells, bool isDirect) : Client
    {
        private readonly Random _random = new(cells.GetHashCode());
        private NpgsqlConnection? _connection;

        public override async Task StepAsync(CancellationToken stop)
        {
            try
            {
                if (_connection is null)
                {
                    _connection = new NpgsqlConnection(isDirect ? checker._cluster.ConnectionString(checker.Primary, Database) : checker.ConnectionString("global"));
                    await _connection.OpenAsync(stop);
                }
                await WriteAsync(_connection, stop);
                await Task.Delay(_random.Next(12), stop); // The load: between two writes standbys catch up, or do not.
            }
            catch (Exception e) when (IsTrouble(e))
            {
                await EndSessionAsync();
                await Task.Delay(50, stop); // Its node is down: as a client would, it comes again a little later.
            }
        }

        public override async Task EndSessionAsync()
        {
            if (_connection is not null)
                await _connection.DisposeAsync();
            _connection = null;
        }

        private async Task WriteAsync(NpgsqlConnection connection, CancellationToken stop)
        {
            var (cell, other) = (cells[_random.Next(cells.Length)], cells[_random.Next(cells.Length)]);
            var (value, otherValue) = (cell.Next(), other.Next());
            switch (_random.Next(4))
            {
                case 0:
                    await ExecuteAsync(connection, cell.Write(value), stop);
                    cell.Acknowledge(value);
                    return;
                case 1:
                    await using (var prepared = new NpgsqlCommand(cell.Write(value), connection))
                    {
                        await prepared.PrepareAsync(stop);
                        await prepared.ExecuteNonQueryAsync(stop);
                    }
                    cell.Acknowledge(value);
                    return;
                case 2:
                    await ExecuteAsync(connection, $"BEGIN; {cell.Write(value)}; {other.Write(otherValue)}; COMMIT", stop);
                    break;
                default:
                    await using (var transaction = await connection.BeginTransactionAsync(stop))
                    {
                        await ExecuteAsync(connection, cell.Write(value), stop);
                        await ExecuteAsync(connection, other.Write(otherValue), stop);
                        await transaction.CommitAsync(stop);
                    }
                    break;
            }
            cell.Acknowledge(cell == other ? otherValue : value);
            other.Acknowledge(otherValue);
        }

        private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken stop)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(stop);
        }
    }

    /// <summary>One session after the other; at the level of the session it also writes, and knows its own values only.</summary>
    private sealed class Reader(StaleReadChecker checker, string level, ReadForm form, Cell[] cells, Cell[] own) : Client
    {
        private readonly Random _random = new(cells.GetHashCode() + (int)form);
        private readonly Dictionary<Cell, long> _seen = [];
        private readonly Dictionary<Cell, string> _seenAt = [];
        private readonly Tally _tally = checker.Of(level);
        private readonly bool _isSession = level == "session";
        private RawClient? _raw;
        private NpgsqlConnection? _connection;

        public override async Task StepAsync(CancellationToken stop)
        {
            try
            {
                await ConnectAsync(stop);
                if (own.Length > 0 && _random.Next(8) == 0)
                    await WriteOwnAsync();
                else if (form is ReadForm.ReadCommitted or ReadForm.RepeatableRead)
                    await ReadBlockAsync();
                else
                    await ReadAsync();
            }
            catch (Exception e) when (IsTrouble(e))
            {
                Interlocked.Increment(ref _tally.Errors);
                await EndSessionAsync();
                await Task.Delay(20, stop); // As above.
            }
        }

        private async Task ConnectAsync(CancellationToken stop)
        {
            if (form is ReadForm.Extended or ReadForm.Prepared)
            {
                if (_connection is not null)
                    return;
                _connection = new NpgsqlConnection(checker.ConnectionString(level));
                await _connection.OpenAsync(stop);
            }
            else
            {
                _raw ??= await checker.LoginAsync(level);
            }
        }

        public override async Task EndSessionAsync()
        {
            _seen.Clear();
            if (_raw is not null)
                await _raw.DisposeAsync();
            if (_connection is not null)
                await _connection.DisposeAsync();
            (_raw, _connection) = (null, null);
        }

        private async Task WriteOwnAsync()
        {
            var value = own[0].Next();
            var sql = own[0].Write(value);
            if (_raw is not null)
            {
                await _raw.ScalarAsync(sql + " RETURNING v");
            }
            else
            {
                await using var command = new NpgsqlCommand(sql, _connection);
                await command.ExecuteNonQueryAsync();
            }
            own[0].Acknowledge(value);
            _seen[own[0]] = Math.Max(value, _seen.GetValueOrDefault(own[0]));
        }

        /// <summary>What a read that begins now must give at least.</summary>
        private long Expected(Cell cell) => Math.Max(_isSession ? 0 : cell.Acknowledged, level == "eventual" ? 0 : _seen.GetValueOrDefault(cell));

        private async Task ReadAsync()
        {
            var cell = Choose();
            await ReadAsync(cell, Expected(cell));
        }

        private Cell Choose() => cells[_random.Next(cells.Length)];

        /// <summary>With one snapshot all must be there that was acknowledged before BEGIN; else what was before each statement.</summary>
        private async Task ReadBlockAsync()
        {
            var (first, second) = (Choose(), Choose());
            var expected = (First: Expected(first), Second: Expected(second));
            await _raw!.QueryAsync($"BEGIN ISOLATION LEVEL {(form == ReadForm.ReadCommitted ? "READ COMMITTED" : "REPEATABLE READ")}, READ ONLY");
            await ReadAsync(first, form == ReadForm.ReadCommitted ? Expected(first) : expected.First);
            await ReadAsync(second, form == ReadForm.ReadCommitted ? Expected(second) : expected.Second);
            await _raw.QueryAsync("COMMIT");
        }

        private async Task ReadAsync(Cell cell, long expected)
        {
            var (value, port) = await AskAsync(cell.Read(byOtherName: _random.Next(2) == 0));
            Interlocked.Increment(ref _tally.Reads);
            if (port != checker._cluster.Nodes[checker.Primary].Port)
                Interlocked.Increment(ref _tally.OnStandby);
            if (value < expected)
            {
                Interlocked.Increment(ref _tally.Stale);
                if (level != "eventual")
                    await ReportAsync(cell, value, expected, port);
            }
            if (value <= _seen.GetValueOrDefault(cell))
                return;
            _seen[cell] = value;
            _seenAt[cell] = string.Create(CultureInfo.InvariantCulture, $"{value} on port {port} at {DateTime.UtcNow:HH:mm:ss.fff}");
        }

        /// <summary>With what the primary has a moment later: less than expected is none of the router's doing.</summary>
        private async Task ReportAsync(Cell cell, long value, long expected, int port)
        {
            var moment = DateTime.UtcNow;
            var now = await checker._cluster.ScalarAsync<long>(checker.Primary, cell.Read(byOtherName: false), Database);
            checker._violations.Enqueue(string.Create(
                CultureInfo.InvariantCulture,
                $"{level}, {form}: {cell} = {value} on port {port} at {moment:HH:mm:ss.fff}, {expected} was there before; "
                + $"the session has seen {_seenAt.GetValueOrDefault(cell) ?? "nothing"}; node {checker.Primary}, the primary, has {now}"));
        }

        private async Task<(long Value, int Port)> AskAsync(string sql)
        {
            if (_raw is not null)
            {
                var reply = await _raw.QueryAsync(sql);
                var row = reply.FirstOrDefault(message => message.Type == 'D')
                    ?? throw new TestBedException($"{sql}: {reply.FirstOrDefault(message => message.Type == 'E')?.Field('M')}");
                var columns = row.TextColumns();
                return (long.Parse(columns[0]!, CultureInfo.InvariantCulture), int.Parse(columns[1]!, CultureInfo.InvariantCulture));
            }
            await using var command = new NpgsqlCommand(sql, _connection);
            if (form == ReadForm.Prepared)
                await command.PrepareAsync();
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            return (reader.GetInt64(0), reader.GetInt32(1));
        }
    }
}
