using System.Net.Sockets;
using Npgsql;
using PgRouter.Core.Authentication;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Users;

/// <summary>What auth_query gave of a user.</summary>
/// <param name="Secret">As in pg_authid.rolpassword; null when there is none.</param>
/// <param name="ValidUntil">VALID UNTIL; null = for ever.</param>
internal sealed record StoredUser(string? Secret, DateTimeOffset? ValidUntil)
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => "StoredUser(***)";
}

/// <summary>
/// Asks a node about users, over a connection of its own that is closed after the question (application_name <c>pgrouter users</c>). Nothing of a client
/// reaches it but the name, as a parameter; search_path is pg_catalog, whatever the account has set (CVE-2025-12819). The primary is asked first,
/// then any node that is usable. Any thread.
/// </summary>
internal sealed class UserQueries(Func<ClusterView> cluster, Func<RouterConfig> config, AccountPassword passwordOf, ServerTlsStore encryption)
{
    private const string Roles = """
        WITH RECURSIVE member (oid) AS (
            SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = $1
            UNION
            SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN member ON m.member = member.oid)
        SELECT r.rolname FROM pg_catalog.pg_roles r JOIN member ON r.oid = member.oid
        """;

    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(10);

    public Task<StoredUser?> FindAsync(string user)
    {
        var current = config();
        var database = current.AuthDatabase.Length > 0 ? current.AuthDatabase : current.SrCheckDatabase;
        return AskAsync("auth_query", current.AuthUser, passwordOf(current.AuthUser, ""), database, current.AuthQuery, user, ReadUserAsync);
    }

    public Task<IReadOnlySet<string>> RolesOfAsync(string user)
    {
        var current = config();
        var (account, password) = current.AuthUser.Length > 0
            ? (current.AuthUser, passwordOf(current.AuthUser, ""))
            : (current.SrCheckUser, passwordOf(current.SrCheckUser, current.SrCheckPassword));
        return AskAsync("role memberships", account, password, current.SrCheckDatabase, Roles, user, ReadRolesAsync);
    }

    private async Task<T> AskAsync<T>(
        string what, string account, string? password, string database, string query, string user, Func<NpgsqlDataReader, Task<T>> read)
    {
        if (account.Length == 0)
            throw new UserLookupException($"{what}: no account is known; set auth_user, or sr_check_user");
        if (password is null)
            throw new UserLookupException($"{what}: of {account} only a hash is known; give its password in pool_passwd");
        var view = cluster();
        var refusals = new List<string>();
        foreach (var node in view.Nodes.Where(node => node.IsUsable).OrderBy(node => node.Index == view.PrimaryIndex ? -1 : node.Index))
        {
            try
            {
                return await AskAsync(node.Config, account, password, database, query, user, read).ConfigureAwait(false);
            }
            catch (PostgresException e) when (!IsNodesTrouble(e.SqlState))
            {
                throw new UserLookupException($"{what}: {node.Config}: {e.MessageText} ({e.SqlState})");
            }
            catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException or IOException or EncryptionException)
            {
                refusals.Add($"{node.Config}: {(e.InnerException ?? e).Message}");
            }
        }
        throw new UserLookupException($"{what}: {(refusals.Count == 0 ? "no node can be asked" : string.Join("; ", refusals))}");
    }

    /// <summary>Starting, stopping, full: another node may do better.</summary>
    private static bool IsNodesTrouble(string code) => code[..2] is "57" or "53" or "08";

    private async Task<T> AskAsync<T>(
        NodeConfig node, string account, string password, string database, string query, string user, Func<NpgsqlDataReader, Task<T>> read)
    {
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = node.Host,
            Port = node.Port,
            Username = account,
            Password = password.Length > 0 ? password : null,
            Database = database,
            ApplicationName = "pgrouter users",
            SearchPath = "pg_catalog",
            Pooling = false,
            Enlist = false,
            Timeout = Math.Clamp((int)config().ServerConnectTimeout.TotalSeconds, 1, 1024),
            CommandTimeout = (int)CommandLimit.TotalSeconds,
            CancellationTimeout = -1,
            Options = $"-c statement_timeout={(long)CommandLimit.TotalMilliseconds} -c default_transaction_read_only=on",
        };
        var builder = DriverTls.BuilderFor(connection, node, encryption);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        await using var source = builder.Build();
        await using var open = await source.OpenConnectionAsync().ConfigureAwait(false);
        await using var command = new NpgsqlCommand(query, open) { Parameters = { new NpgsqlParameter<string> { TypedValue = user } } };
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        return await read(reader).ConfigureAwait(false);
    }

    /// <summary>Name, secret and, when it is given, the end of its validity, of the first row.</summary>
    private static async Task<StoredUser?> ReadUserAsync(NpgsqlDataReader reader)
    {
        if (!await reader.ReadAsync().ConfigureAwait(false) || reader.FieldCount < 2)
            return null;
        var secret = reader.IsDBNull(1) ? null : reader.GetString(1);
        if (reader.FieldCount < 3 || reader.IsDBNull(2))
            return new StoredUser(secret, null);
        return new StoredUser(secret, reader.GetFieldValue<DateTime>(2) is var until && until == DateTime.MaxValue ? null : new DateTimeOffset(until.ToUniversalTime()));
    }

    private static async Task<IReadOnlySet<string>> ReadRolesAsync(NpgsqlDataReader reader)
    {
        var roles = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync().ConfigureAwait(false))
            roles.Add(reader.GetString(0));
        return roles;
    }
}
