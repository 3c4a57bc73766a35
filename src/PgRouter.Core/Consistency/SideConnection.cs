using Npgsql;
using NpgsqlTypes;
using PgRouter.Core.Cluster;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Consistency;

/// <summary>A side connection cannot be had or has failed; the message says why.</summary>
internal sealed class SideException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The connection over which one node is asked for its position; <c>application_name</c> is <c>pgrouter consistency</c>. One call at a time.
/// </summary>
internal sealed class SideConnection : IAsyncDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _position;
    private readonly ulong _pageSize;
    private readonly ulong _segmentSize;

    private SideConnection(NpgsqlConnection connection, NpgsqlCommand position, ulong pageSize, ulong segmentSize)
    {
        _connection = connection;
        _position = position;
        _pageSize = pageSize;
        _segmentSize = segmentSize;
    }

    /// <summary>Tries one account after the other.</summary>
    /// <exception cref="SideException">None was let in.</exception>
    public static async Task<SideConnection> OpenAsync(NodeConfig node, TickContext context, bool asPrimary, CancellationToken stop)
    {
        var refusals = new List<string>();
        foreach (var account in context.Accounts(node.Id))
        {
            try
            {
                return await OpenAsync(node, account, context, asPrimary, stop);
            }
            catch (Exception e) when (IsFailure(e, stop))
            {
                refusals.Add($"{account.User}: {(e.InnerException ?? e).Message}");
            }
        }
        throw new SideException(refusals.Count == 0
            ? "no account is known for it; set sr_check_user or health_check_user, or give the users a password in pool_passwd"
            : string.Join("; ", refusals));
    }

    /// <summary>The position, or null when the node is not what it is taken for: a primary in recovery, a standby out of it.</summary>
    /// <exception cref="SideException">The connection has failed.</exception>
    public async Task<WalPosition?> AskAsync(CancellationToken stop)
    {
        try
        {
            await using var reader = await _position.ExecuteReaderAsync(stop);
            await reader.ReadAsync(stop);
            if (reader.IsDBNull(0))
                return null;
            var lsn = (ulong)reader.GetInt64(0);
            return new WalPosition(reader.IsDBNull(1) ? 0 : (uint)reader.GetInt32(1), WalPosition.EndOfRecord(lsn, _pageSize, _segmentSize));
        }
        catch (Exception e) when (IsFailure(e, stop))
        {
            throw new SideException((e.InnerException ?? e).Message, e);
        }
    }

    /// <summary>Of these processes of the server those that still live.</summary>
    /// <exception cref="SideException">The connection has failed.</exception>
    public async Task<IReadOnlyCollection<int>> AliveAsync(int[] pids, CancellationToken stop)
    {
        try
        {
            await using var command = new NpgsqlCommand(PositionQuestions.Alive, _connection)
            {
                Parameters = { new NpgsqlParameter { Value = pids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer } },
            };
            await using var reader = await command.ExecuteReaderAsync(stop);
            var alive = new List<int>();
            while (await reader.ReadAsync(stop))
                alive.Add(reader.GetInt32(0));
            return alive;
        }
        catch (Exception e) when (IsFailure(e, stop))
        {
            throw new SideException((e.InnerException ?? e).Message, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _position.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static async Task<SideConnection> OpenAsync(NodeConfig node, SideAccount account, TickContext context, bool asPrimary, CancellationToken stop)
    {
        var builder = DriverTls.BuilderFor(Connection(node, account, context.ConnectLimit()), node, context.Encryption);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        await using var source = builder.Build();
        var connection = await source.OpenConnectionAsync(stop);
        try
        {
            var (page, segment) = await SizesAsync(connection, stop);
            var position = await PrepareAsync(connection, asPrimary ? PositionQuestions.OfPrimary : PositionQuestions.OfStandby, stop);
            return new SideConnection(connection, position, page, segment);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<(ulong Page, ulong Segment)> SizesAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var sizes = new NpgsqlCommand(PositionQuestions.Sizes, connection);
        await using var reader = await sizes.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        return ((ulong)reader.GetInt64(0), (ulong)reader.GetInt64(1));
    }

    private static async Task<NpgsqlCommand> PrepareAsync(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        var command = new NpgsqlCommand(sql, connection);
        await command.PrepareAsync(stop);
        if (sql != PositionQuestions.OfStandby)
            return command;
        try
        {
            await command.ExecuteScalarAsync(stop);
            return command;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            await command.DisposeAsync();
            return await PrepareAsync(connection, PositionQuestions.OfStandbyReduced, stop);
        }
    }

    /// <summary>Whatever it is, the connection is of no use any more; but for the end of the router.</summary>
    private static bool IsFailure(Exception e, CancellationToken stop) => !(e is OperationCanceledException && stop.IsCancellationRequested);

    private static NpgsqlConnectionStringBuilder Connection(NodeConfig node, SideAccount account, TimeSpan limit) => new()
    {
        Host = node.Host,
        Port = node.Port,
        Username = account.User,
        Password = account.Password is { Length: > 0 } password ? password : null,
        Database = account.Database,
        ApplicationName = "pgrouter consistency",
        Pooling = false,
        Enlist = false,
        Timeout = Math.Clamp((int)limit.TotalSeconds, 1, 1024),
        CommandTimeout = (int)AnswerLimit.TotalSeconds,
        CancellationTimeout = -1,
        Options = "-c statement_timeout=5000 -c search_path=pg_catalog",
    };
}
