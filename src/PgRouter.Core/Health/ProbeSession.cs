using Npgsql;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Health;

/// <summary>
/// The probe's connection to one node and the reading of its answers. Opened when first needed, kept until it fails. One call at a time.
/// </summary>
internal sealed class ProbeSession : IAsyncDisposable
{
    private readonly NodeConfig _node;
    private readonly NpgsqlDataSource _source;
    private NpgsqlConnection? _connection;
    private readonly ServerTlsStore _encryption;
    private bool _reduced;

    public ProbeSession(NodeConfig node, ProbeSettings settings, ServerTlsStore encryption, AccountPassword passwordOf)
    {
        _node = node;
        _encryption = encryption;
        Settings = settings;
        // Loading types would query the catalog at each connect; the probe reads built-in types only.
        var builder = DriverTls.BuilderFor(Connection(node, settings, passwordOf(settings.User, settings.Password)), node, encryption);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        _source = builder.Build();
    }

    public ProbeSettings Settings { get; }

    /// <summary>
    /// Never throws. <paramref name="limit"/> ends the port probe only; the driver has its own timeouts, see <see cref="NodeProbe"/>.
    /// </summary>
    public async Task<ProbeResult> AskAsync(CancellationToken limit)
    {
        // A kept connection that fails says only that this session ended (idle timeout, pg_terminate_backend, restart): the node is
        // judged by a fresh one.
        if (_connection is not null)
        {
            var kept = await QueryAsync(_connection);
            if (kept.IsGood)
                return kept;
            await DropConnectionAsync();
        }
        return await OpenAsync(limit) ?? await QueryAndKeepAsync();
    }

    /// <summary>Disposes once <paramref name="work"/> has ended by itself.</summary>
    public async Task DisposeAfterAsync(Task<ProbeResult> work)
    {
        await work.ConfigureAwait(ConfigureAwaitOptions.None);
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await DropConnectionAsync();
        await _source.DisposeAsync();
    }

    private async Task<ProbeResult?> OpenAsync(CancellationToken limit)
    {
        var connection = _source.CreateConnection();
        try
        {
            await connection.OpenAsync(CancellationToken.None);
            _connection = connection;
            return null;
        }
        catch (Exception e)
        {
            await connection.DisposeAsync();
            return ProbeFailure.AtLogin(e) ?? await AskPortAsync(e, limit);
        }
    }

    // The driver gave up for a reason of its own (no password configured, a method it does not speak): the node may be well.
    private async Task<ProbeResult> AskPortAsync(Exception reason, CancellationToken limit)
    {
        var port = await PortProbe.AskAsync(_node, Settings, _encryption, limit);
        return port.IsGood ? port with { Reason = reason.Message } : port;
    }

    private async Task<ProbeResult> QueryAndKeepAsync()
    {
        var result = await QueryAsync(_connection!);
        if (!result.IsGood)
            await DropConnectionAsync();
        return result;
    }

    private async Task<ProbeResult> QueryAsync(NpgsqlConnection connection)
    {
        try
        {
            return ProbeResult.Answered(await ReadAsync(connection));
        }
        catch (PostgresException e) when (!_reduced && ProbeFailure.IsLackOfPrivilege(e))
        {
            _reduced = true;
            return await QueryAsync(connection);
        }
        catch (Exception e)
        {
            return ProbeFailure.AtQuery(e);
        }
    }

    private async Task<NodeFacts> ReadAsync(NpgsqlConnection connection)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(_reduced ? ProbeQuery.Reduced : ProbeQuery.Full));
        if (!_reduced)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ProbeQuery.Replication));
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.ReadAsync();
        var facts = ReadFacts(reader);
        var rows = new List<ReplicationRow>();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            rows.Add(ReadReplication(reader));
        return facts with { Replication = rows };
    }

    private static NodeFacts ReadFacts(NpgsqlDataReader row) => new()
    {
        InRecovery = row.GetBoolean(0),
        SystemIdentifier = Unsigned(row, 1),
        Timeline = row.IsDBNull(2) ? 0 : unchecked((uint)row.GetInt32(2)),
        Lsn = Unsigned(row, 3),
        ReceiveLsn = Unsigned(row, 4),
        LastReplay = row.IsDBNull(5) ? null : new DateTimeOffset(row.GetDateTime(5)),
        ReceiverStatus = Text(row, 6),
        ReceiverSlot = Text(row, 7),
        ReceiverApplicationName = Text(row, 8),
        ServerVersion = row.GetInt32(9),
        MaxConnections = row.GetInt32(10),
        DefaultTransactionReadOnly = row.GetBoolean(11),
        ServerAddress = Text(row, 12),
    };

    private static ReplicationRow ReadReplication(NpgsqlDataReader row) => new()
    {
        ApplicationName = Text(row, 0),
        ClientAddress = Text(row, 1),
        ClientPort = row.IsDBNull(2) ? 0 : row.GetInt32(2),
        State = Text(row, 3),
        SyncState = Text(row, 4),
        SentLsn = Unsigned(row, 5),
        WriteLsn = Unsigned(row, 6),
        FlushLsn = Unsigned(row, 7),
        ReplayLsn = Unsigned(row, 8),
        ReplayLag = row.IsDBNull(9) ? null : row.GetTimeSpan(9),
        Slot = Text(row, 10),
    };

    private static string Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? "" : row.GetString(column);

    private static ulong Unsigned(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? 0 : unchecked((ulong)row.GetInt64(column));

    private async Task DropConnectionAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
            await connection.DisposeAsync();
    }

    private static NpgsqlConnectionStringBuilder Connection(NodeConfig node, ProbeSettings settings, string? password) => new()
    {
        Host = node.Host,
        Port = node.Port,
        Username = settings.User,
        Password = password is { Length: > 0 } ? password : null,
        Database = settings.Database,
        ApplicationName = "pgrouter health",
        SearchPath = "pg_catalog",
        Pooling = false,
        Enlist = false,
        Timeout = Seconds(settings.ConnectTimeout),
        CommandTimeout = Seconds(settings.Limit),
        CancellationTimeout = -1,
        Options = $"-c statement_timeout={(long)settings.Limit.TotalMilliseconds}",
    };

    // The driver counts in whole seconds, at most 1024; 0 would mean for ever.
    private static int Seconds(TimeSpan time) => (int)Math.Clamp(Math.Ceiling(time.TotalSeconds), 1, 1024);
}
