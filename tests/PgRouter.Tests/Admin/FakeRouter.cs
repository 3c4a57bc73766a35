using System.Collections.Immutable;
using PgRouter.Core.Admin;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using SettingRow = PgRouter.Core.Admin.SettingRow;

namespace PgRouter.Tests.Admin;

/// <summary>A router at one moment: snapshots, settings and verbs that a test fills, and the commands over them.</summary>
internal sealed class FakeRouter : IRouterSnapshots, ISettingsSource, IRouterVerbs
{
    public static readonly DateTimeOffset Start = new(2026, 11, 21, 7, 0, 0, TimeSpan.Zero);

    public FakeRouter()
    {
        Clock = new ManualClock(Start.AddHours(1));
        Commands = new AdminCommands(this, this, this, Clock);
    }

    public ManualClock Clock { get; }

    public AdminCommands Commands { get; }

    public ClusterView Cluster { get; set; } = ClusterView.Empty;

    public RouterConfig Config { get; set; } = new();

    public DateTimeOffset StartTime => Start;

    public List<ClientSnapshot> Clients { get; } = [];

    public List<ServerSnapshot> Servers { get; } = [];

    public List<PoolSnapshot> Pools { get; } = [];

    public List<ListenerSnapshot> Listeners { get; } = [];

    public List<DatabaseStatistics> Databases { get; } = [];

    public List<NodeStatistics> Nodes { get; } = [];

    public RouteStatistics Routes { get; set; } = new([], []);

    public List<HealthStatistics> Health { get; } = [];

    public List<SettingRow> Settings { get; } = [];

    public List<string> ReloadMistakes { get; } = [];

    /// <summary>Why verbs are refused; null = they are not.</summary>
    public AdminError? Refusal { get; set; }

    public List<string> VerbsUsed { get; } = [];

    public void SetNodes(params (NodeConfig Config, NodeState State)[] nodes)
    {
        var views = nodes.Select((n, i) => new NodeView(i, n.Config, n.State)).ToImmutableArray();
        Cluster = new ClusterView(views, PrimarySelection.FindPrimary(views), 1);
    }

    /// <summary>A primary without weight and a standby, both up.</summary>
    public void SetPrimaryAndStandby() => SetNodes(
        (new NodeConfig { Id = 0, Host = "postgres-primary", Port = 5432, Weight = 0 },
            new NodeState { Status = NodeStatus.Up, Role = NodeRole.Primary, Reachable = true, ServerVersion = 170002 }),
        (new NodeConfig { Id = 1, Host = "postgres-standby", Port = 5432, Weight = 1 },
            new NodeState { Status = NodeStatus.Up, Role = NodeRole.Standby, Reachable = true, ReplicationDelayBytes = 48 }));

    /// <summary>Runs a command in a database of the cluster.</summary>
    public AdminResult Run(string command, string user = "app") => Execute(command, new AdminContext { User = user, Pid = 1 });

    /// <summary>Runs a command in the virtual database.</summary>
    public AdminResult RunInConsole(string command, string user = "app") =>
        Execute(command, new AdminContext { User = user, Pid = 1, IsConsole = true });

    public AdminResult Execute(string command, AdminContext context) =>
        Commands.ExecuteAsync(command, context, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public ValueTask<IReadOnlyList<ClientSnapshot>> ClientsAsync() => ValueTask.FromResult<IReadOnlyList<ClientSnapshot>>(Clients);

    public ValueTask<IReadOnlyList<ServerSnapshot>> ServersAsync() => ValueTask.FromResult<IReadOnlyList<ServerSnapshot>>(Servers);

    public ValueTask<RouteStatistics> RoutesAsync() => ValueTask.FromResult(Routes);

    public ValueTask<IReadOnlyList<PoolSnapshot>> PoolsAsync() => ValueTask.FromResult<IReadOnlyList<PoolSnapshot>>(Pools);

    public ValueTask<IReadOnlyList<ListenerSnapshot>> ListenersAsync() => ValueTask.FromResult<IReadOnlyList<ListenerSnapshot>>(Listeners);

    public ValueTask<IReadOnlyList<DatabaseStatistics>> DatabasesAsync() =>
        ValueTask.FromResult<IReadOnlyList<DatabaseStatistics>>(Databases);

    public ValueTask<IReadOnlyList<NodeStatistics>> NodesAsync() => ValueTask.FromResult<IReadOnlyList<NodeStatistics>>(Nodes);

    public IReadOnlyList<HealthStatistics> HealthChecks() => Health;

    public IReadOnlyList<SettingRow> Rows() => Settings;

    public StopSnapshot Stopped { get; set; } = StopSnapshot.None;

    public StopSnapshot Stops() => Stopped;

    public ValueTask<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken)
    {
        VerbsUsed.Add("reload");
        return ValueTask.FromResult<IReadOnlyList<string>>(ReloadMistakes);
    }

    public ValueTask<AdminError?> RunAsync(DatabaseVerb verb, string? database, CancellationToken cancellationToken)
    {
        VerbsUsed.Add($"{verb} {database ?? "(all)"}");
        return ValueTask.FromResult(Refusal);
    }

    public ValueTask<AdminError?> SuspendAsync(CancellationToken cancellationToken)
    {
        VerbsUsed.Add("suspend");
        return ValueTask.FromResult(Refusal);
    }

    public ValueTask<bool> KillClientAsync(int id, CancellationToken cancellationToken)
    {
        VerbsUsed.Add($"kill client {id}");
        return ValueTask.FromResult(Clients.Exists(c => c.Pid == id));
    }

    public void Shutdown(ShutdownMode mode) => VerbsUsed.Add($"shutdown {mode}");
}
