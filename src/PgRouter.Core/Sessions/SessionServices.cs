using Microsoft.Extensions.Logging;
using PgRouter.Core.Admin;
using PgRouter.Core.Authentication;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Consistency;
using PgRouter.Core.Encryption;
using PgRouter.Core.Notifications;
using PgRouter.Core.Pooling;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>What sessions need from the rest of the house. One per process; any thread.</summary>
internal sealed class SessionServices
{
    public required Func<RouterConfig> Config { get; init; }

    /// <summary>Limits, modes and time-outs by database and user.</summary>
    public required LimitBook Limits { get; init; }

    public required ClusterUpdater Cluster { get; init; }

    public required PoolDirectory Pools { get; init; }

    public required PreparedStatementCache Statements { get; init; }

    public required StatementParser Parser { get; init; }

    public required ClientRegistry Clients { get; init; }

    public AddressWatch Addresses { get; init; } = new(TimeProvider.System);

    public required NotificationHub Notifications { get; init; }

    public required ILocalCommands Commands { get; init; }

    public required CatalogDirectory Catalogs { get; init; }

    /// <summary>What was written, and how far the standbys are.</summary>
    public required ConsistencyBook Consistency { get; init; }

    public required LoginBook Logins { get; init; }

    /// <summary>Secrets and roles that only the database knows.</summary>
    public required IUserDirectory Users { get; init; }

    public required ClientTlsStore ClientTls { get; init; }

    /// <summary>For what a login computes long.</summary>
    public required WorkThreads Work { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>For <see cref="AuditLog"/>.</summary>
    public required ILogger Audit { get; init; }

    /// <summary>DISCARD SEQUENCES, in front of a transaction block.</summary>
    public InjectedStatement DiscardSequences => field ??= new InjectedStatement(
        Statements.Acquire("DISCARD SEQUENCES\0\0\0"u8, new StatementInfo(StatementClass.State, "DISCARD SEQUENCES", []), ""), "pgrouter_discard");
}

/// <summary>What the sessions of one loop share. Loop thread only.</summary>
internal sealed class LoopServices(EventLoop loop, SessionServices services, int shapeCacheBytes)
{
    // xorshift64*: a draw per statement, not a secret.
    private ulong _random = (ulong)Random.Shared.NextInt64() | 1;

    public EventLoop Loop { get; } = loop;

    public SessionServices Services { get; } = services;

    public StatementShapes Shapes { get; } = new(shapeCacheBytes);

    public CatalogAnswers Answers { get; } = new();

    public ListVerdicts Lists { get; } = new();

    public RefusedTexts Refused { get; } = new();

    public LoopStatistics Statistics { get; } = new();

    public ShapeCounters ShapeCounts { get; } = new();

    /// <summary>How busy the nodes are, by their indexes.</summary>
    public void ReadLoads(ClusterView cluster, Span<NodeLoad> loads)
    {
        foreach (var node in cluster.Nodes)
        {
            var gauge = Statistics.Node(node.Id).Gauge;
            loads[node.Index] = new NodeLoad(gauge.InFlight, gauge.LatencyAt(Loop.NowMs));
        }
    }

    /// <summary>A number in [0, 1).</summary>
    public double Draw()
    {
        _random ^= _random >> 12;
        _random ^= _random << 25;
        _random ^= _random >> 27;
        return (_random * 2685821657736338717UL >> 11) * (1.0 / (1UL << 53));
    }
}

/// <summary>The commands that the router answers itself; implemented by Admin.</summary>
internal interface ILocalCommands
{
    /// <summary>Columns of the answer without running the command; null when it gives no rows or is unknown.</summary>
    IReadOnlyList<AdminColumn>? Describe(string command, AdminContext context);

    ValueTask<AdminResult> ExecuteAsync(string command, AdminContext context, CancellationToken cancellationToken);

    /// <summary>A command as the audit shows it; null when it changes nothing and was allowed.</summary>
    string? AuditOf(string command, AdminContext context, AdminResult result);

    /// <summary>What the virtual database reports of itself at login: enough for drivers to accept it as a server.</summary>
    IReadOnlyList<KeyValuePair<string, string>> LoginParameters();

    /// <summary>May this user log in to the virtual database? Null when it may, else the refusal.</summary>
    AdminError? CheckConsoleLogin(string user);
}
