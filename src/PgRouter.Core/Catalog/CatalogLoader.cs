using System.Net.Sockets;
using Npgsql;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;
using PgRouter.Sql;

namespace PgRouter.Core.Catalog;

/// <summary>
/// Reads the catalog of a database over a connection of its own, opened for one load and closed after it (<c>application_name</c> is
/// <c>pgrouter catalog</c>). It logs in as health_check_user, else sr_check_user; where those are not let in, as a user that has logged in to
/// the database and whose password is known.
/// </summary>
/// <param name="cluster">The view of the cluster now.</param>
/// <param name="config">The configuration now.</param>
/// <param name="passwordOf">What is known of a user's password: null = nothing, empty = nothing and none is asked for.</param>
/// <param name="ownPassword">Turns a configured password into the one to log in with.</param>
/// <param name="encryption">How connections to the nodes are encrypted.</param>
internal sealed class CatalogLoader(
    Func<ClusterView> cluster, Func<RouterConfig> config, Func<string, string?> passwordOf, AccountPassword ownPassword, ServerTlsStore encryption)
    : ICatalogLoader
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(30);

    public int? Source => cluster().Primary?.Id;

    public async Task<CatalogRows> LoadAsync(string database, IReadOnlyList<string> users, CancellationToken stop)
    {
        var node = cluster().Primary ?? throw new CatalogException("no primary is known");
        var refusals = new List<string>();
        foreach (var account in Accounts(node.Id, users))
        {
            try
            {
                return await LoadAsync(node.Config, database, account, stop);
            }
            catch (PostgresException e) when (IsRefusal(e))
            {
                refusals.Add($"{account.User}: {e.MessageText}");
            }
            catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException or IOException or EncryptionException)
            {
                // The driver also gives up when the server asks for a password and there is none.
                refusals.Add($"{account.User}: {(e.InnerException ?? e).Message}");
            }
        }

        throw new CatalogException(refusals.Count == 0
            ? "no account is known for it; set sr_check_user or health_check_user, or give its users a password in pool_passwd"
            : string.Join("; ", refusals));
    }

    private IEnumerable<CatalogAccount> Accounts(int nodeId, IReadOnlyList<string> users)
    {
        var current = config();
        var health = current.HealthFor(nodeId);
        if (health.User.Length > 0)
            yield return new CatalogAccount(health.User, ownPassword(health.User, health.Password));
        else if (current.SrCheckUser.Length > 0)
            yield return new CatalogAccount(current.SrCheckUser, ownPassword(current.SrCheckUser, current.SrCheckPassword));
        foreach (var user in users)
        {
            if (passwordOf(user) is { } password)
                yield return new CatalogAccount(user, password);
        }
    }

    /// <summary>A login that is refused (28xxx), or a database this role may not connect to: another account may do better.</summary>
    private static bool IsRefusal(PostgresException e) => e.SqlState is "42501" || e.SqlState.StartsWith("28", StringComparison.Ordinal);

    private async Task<CatalogRows> LoadAsync(NodeConfig node, string database, CatalogAccount account, CancellationToken stop)
    {
        var builder = DriverTls.BuilderFor(Connection(node, database, account), node, encryption);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        await using var source = builder.Build();
        await using var connection = await source.OpenConnectionAsync(stop);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var query in Queries(connection.PostgreSqlVersion.Major))
            batch.BatchCommands.Add(query);
        await using var reader = await batch.ExecuteReaderAsync(stop);
        return await CatalogRowReader.ReadAsync(reader, stop) with { Reader = account.User };
    }

    private static IEnumerable<NpgsqlBatchCommand> Queries(int majorVersion)
    {
        yield return new NpgsqlBatchCommand(CatalogQueries.Begin);
        yield return new NpgsqlBatchCommand(CatalogQueries.Path);
        yield return new NpgsqlBatchCommand(CatalogQueries.Routines(majorVersion))
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = string.Join(' ', BuiltinTraits.Names) } },
        };
        yield return new NpgsqlBatchCommand(CatalogQueries.Aggregates);
        yield return new NpgsqlBatchCommand(CatalogQueries.Implicit);
        yield return new NpgsqlBatchCommand(CatalogQueries.ImplicitTexts);
        yield return new NpgsqlBatchCommand(CatalogQueries.Relations);
        yield return new NpgsqlBatchCommand(CatalogQueries.Texts);
        yield return new NpgsqlBatchCommand(CatalogQueries.Triggers);
        yield return new NpgsqlBatchCommand(CatalogQueries.Edges);
        yield return new NpgsqlBatchCommand(CatalogQueries.EventTriggers);
        yield return new NpgsqlBatchCommand(CatalogQueries.Dependencies);
        yield return new NpgsqlBatchCommand(CatalogQueries.References);
        yield return new NpgsqlBatchCommand(CatalogQueries.Defaults);
        yield return new NpgsqlBatchCommand(CatalogQueries.End);
    }

    private NpgsqlConnectionStringBuilder Connection(NodeConfig node, string database, CatalogAccount account) => new()
    {
        Host = node.Host,
        Port = node.Port,
        Username = account.User,
        Password = account.Password is { Length: > 0 } password ? password : null,
        Database = database,
        ApplicationName = "pgrouter catalog",
        Pooling = false,
        Enlist = false,
        Timeout = Math.Clamp((int)config().ServerConnectTimeout.TotalSeconds, 1, 1024),
        CommandTimeout = (int)CommandLimit.TotalSeconds,
        CancellationTimeout = -1,
        // pg_get_viewdef() waits for a lock on its tables: never for long, and never past the driver's own limit.
        Options = $"-c statement_timeout={(long)CommandLimit.TotalMilliseconds} -c lock_timeout=2000",
    };
}
