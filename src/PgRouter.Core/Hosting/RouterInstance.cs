using Microsoft.Extensions.Logging;
using PgRouter.Core.Admin;
using PgRouter.Core.Authentication;
using PgRouter.Core.Catalog;
using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Consistency;
using PgRouter.Core.Encryption;
using PgRouter.Core.Health;
using PgRouter.Core.Listening;
using PgRouter.Core.Notifications;
using PgRouter.Core.Pooling;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;
using PgRouter.Core.Telemetry;
using PgRouter.Core.Transport;
using PgRouter.Core.Users;
using PgRouter.Sql;

namespace PgRouter.Core.Hosting;

/// <summary>
/// Wires the rooms of one router and fixes the order in which they start (health, loops, listener) and stop (listener, clients, loops, health).
/// No logic of its own.
/// </summary>
internal sealed class RouterInstance : IRouter, ISettingsSource, IAsyncDisposable
{
    private const int ShapeCacheBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan FirstRoundLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstAnswersLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FastLimit = TimeSpan.FromSeconds(5);
    private const int UpkeepMs = 1000;

    private readonly ConfigStore _store;
    private readonly ILogger _logger;
    private readonly ILogger _audit;
    private readonly List<EventLoop> _loops = [];
    private readonly ClusterUpdater _cluster = new();
    private readonly AccessFiles _access = new();
    private readonly LoginBook _logins;
    private readonly WorkThreads _work = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly UserDirectory _users;
    private readonly HealthMonitor _health;
    private readonly CatalogDirectory _catalogs;
    private readonly ConsistencyBook _consistency = new();
    private readonly TickKeeper _keeper;
    private readonly StatementParser _parser = new();
    private readonly SessionServices _services;
    private readonly List<LoopServices> _hosts;
    private readonly RouteMeter _routeMeter;
    private readonly Listener _listener;
    private readonly AdminCommands _commands;
    private readonly Lazy<Task> _disposal;
    private IReadOnlyList<string> _fileMistakes = [];

    public RouterInstance(ConfigStore store, ILoggerFactory loggers, TimeProvider time)
    {
        _store = store;
        _logins = _access.Logins;
        _disposal = new Lazy<Task>(() => Task.Run(DisposeOnceAsync));
        _logger = loggers.CreateLogger("PgRouter");
        _audit = loggers.CreateLogger(AuditLog.Category);
        Func<RouterConfig> config = () => store.Current;
        var drivers = new LoopDrivers(store.Current.Io, _logger);
        for (var i = 0; i < LoopCount(store.Current); i++)
            _loops.Add(new EventLoop(i, _logger, drivers.Create()));
        _health = new HealthMonitor(_cluster, config, time, loggers, _access.ServerTls, _logins.PasswordOf);
        var connector = new ServerConnector(_logins, _access.ServerTls, _work, config);
        _catalogs = new CatalogDirectory(
            new CatalogLoader(() => _cluster.View, config, _logins.PasswordFor, _logins.PasswordOf, _access.ServerTls), () => config().RelcacheExpire, time, _logger);
        var queries = new UserQueries(() => _cluster.View, config, _logins.PasswordOf, _access.ServerTls);
        _users = new UserDirectory(queries.FindAsync, queries.RolesOfAsync, config, time);
        _keeper = new TickKeeper(new TickContext(_consistency, () => _cluster.View, SideAccounts, () => config().ServerConnectTimeout, _access.ServerTls, _logger));
        var pools = new PoolDirectory(new PoolContext(config, connector, _loops, ReportFault, _logger));
        var notifications = new NotificationHub(new HubContext(config, _cluster, connector, pools.Context.SenderOf, _logger), _loops);
        _services = new SessionServices
        {
            Config = config,
            Limits = pools.Context.Limits,
            Cluster = _cluster,
            Pools = pools,
            Statements = new PreparedStatementCache(),
            Parser = _parser,
            Clients = new ClientRegistry(),
            Addresses = new AddressWatch(time),
            Notifications = notifications,
            Commands = new LateCommands(() => _commands!, config),
            Catalogs = _catalogs,
            Consistency = _consistency,
            Logins = _logins,
            Users = _users,
            ClientTls = _access.ClientTls,
            Work = _work,
            Logger = _logger,
            Audit = _audit,
        };
        _hosts = [.. _loops.Select(loop => new LoopServices(loop, _services, ShapeCacheBytes))];
        _routeMeter = new RouteMeter([.. _hosts.Select(host => host.Statistics)], RouteReasons.All);
        Snapshots = new RouterSnapshots(_hosts, _services, _health);
        _commands = new AdminCommands(Snapshots, this, new ConsoleVerbs(_services, Reload), time);
        _listener = new Listener(_hosts, connector, config, _logger);
        store.Changed += (_, after) => Apply(after);
        _cluster.Changed += _keeper.OnClusterChanged;
        _cluster.Changed += pools.OnClusterChanged;
        var operations = new NodeOperations(_cluster, _health.ProbeNow);
        pools.Drained = node => operations.CompleteDrain(node);
        _cluster.Changed += notifications.OnClusterChanged;
    }

    public IRouterSnapshots Snapshots { get; }

    public IReadOnlyList<EventLoop> Loops => _loops;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        LibPgQuery.Describe(); // Throws here, and not at the first statement, when the library is missing.
        if (_access.Load(_store.Current) is { Count: > 0 } mistakes)
            throw new AccessFilesException(mistakes);
        _cluster.Configure(_store.Current.Nodes);
        _health.Start();
        await _health.WaitForFirstRoundAsync(FirstRoundLimit);
        _keeper.Start();
        await _keeper.WaitForFirstAnswersAsync(FirstAnswersLimit);
        foreach (var loop in _loops)
        {
            loop.Start();
            loop.Post(_ => Upkeep(loop), null);
        }
        KnowWarmPools();
        await _services.Pools.Warmth.WarmUpAsync(_store.Current.ServerConnectTimeout);
        await _listener.StartAsync();
        HostingLog.Listening(
            _logger, string.Join(", ", _store.Current.ListenAddresses), _store.Current.Port, _loops.Count, _loops[0].Driver.Name, LibPgQuery.Describe());
    }

    public ReloadReport Reload()
    {
        var before = _store.CurrentResult;
        var report = _store.Reload();
        if (!report.Succeeded)
            return report;
        foreach (var name in report.Changed)
            AuditLog.Changed(_audit, name, ValueOf(before, name), ValueOf(_store.CurrentResult, name));
        AuditLog.FilesRead(_audit);
        if (report.Changed.Count == 0)
            LoadFiles();
        return report with { FileMistakes = _fileMistakes };
    }

    public async Task StopAsync(StopMode mode)
    {
        await _listener.StopAsync();
        if (mode != StopMode.Smart)
        {
            foreach (var client in _services.Clients.Clients)
                client.RequestTermination(atOnce: mode == StopMode.Immediate);
        }
        var giveUp = mode == StopMode.Smart ? DateTime.MaxValue : DateTime.UtcNow + FastLimit;
        while (!_disposal.IsValueCreated && _services.Clients.ConnectionCount > 0 && DateTime.UtcNow < giveUp && mode != StopMode.Immediate)
            await Task.Delay(StopPoll);
        await DisposeAsync();
    }

    /// <summary>Once, however often it is called: a patient stop and an urgent one behind it both end here.</summary>
    public ValueTask DisposeAsync() => new(_disposal.Value);

    private async Task DisposeOnceAsync()
    {
        foreach (var loop in _loops)
            loop.Dispose();
        _catalogs.Dispose();
        _routeMeter.Dispose();
        await _keeper.DisposeAsync();
        await _health.DisposeAsync();
        _parser.Dispose();
        _work.Dispose();
        _users.Dispose();
    }

    IReadOnlyList<Admin.SettingRow> ISettingsSource.Rows() =>
        [.. SettingView.All(_store.CurrentResult).Select(r => new Admin.SettingRow(r.Item, r.Value, r.Default, r.Description, r.Changeable))];

    private static int LoopCount(RouterConfig config) => config.Loops > 0 ? config.Loops : Math.Max(1, Environment.ProcessorCount / 4);

    private void Apply(RouterConfig config)
    {
        LoadFiles();
        KnowWarmPools();
        _cluster.Configure(config.Nodes);
        _services.Pools.Reconfigure(config.Nodes);
        _health.Reconfigure();
        _logins.ForgetServers();
        foreach (var client in _services.Clients.Clients)
            client.ReadLimits();
    }

    /// <summary>As a console would show it: no secrets.</summary>
    private static string ValueOf(ConfigResult result, string name) => SettingView.Find(result, name)?.Value ?? "";

    private void LoadFiles()
    {
        _fileMistakes = _access.Load(_store.Current);
        _users.Forget();
        foreach (var mistake in _fileMistakes)
            HostingLog.FileMistake(_logger, mistake);
    }

    /// <summary>min_pool_size without a client: for databases and users that somebody has named.</summary>
    private void KnowWarmPools()
    {
        var lines = _store.Current.Overrides;
        _services.Pools.Warmth.Configure(lines.Databases, [.. lines.Users.Union(_logins.Passwords.Current.Users)]);
    }

    private void Upkeep(EventLoop loop)
    {
        _services.Pools.Upkeep(loop);
        _services.Pools.Context.After(loop, loop.NowMs + UpkeepMs, () => Upkeep(loop));
    }

    /// <summary>The account of the health check, else those of users that have logged in and whose passwords are known.</summary>
    private IEnumerable<SideAccount> SideAccounts(int nodeId)
    {
        var check = ProbeSettings.For(_store.Current, nodeId);
        if (check.User.Length > 0)
            yield return new SideAccount(check.Database, check.User, _logins.PasswordOf(check.User, check.Password));
        foreach (var (database, user) in _catalogs.Logins)
        {
            if (_logins.PasswordFor(user) is { } password)
                yield return new SideAccount(database, user, password);
        }
    }

    private void ReportFault(int nodeId, NodeFault fault) => _health.ReportFault(nodeId, fault);

    /// <summary>Admin needs the snapshots, which need the sessions, which need Admin: the last knot is tied late.</summary>
    private sealed class LateCommands(Func<AdminCommands> commands, Func<RouterConfig> config) : ILocalCommands
    {
        public IReadOnlyList<AdminColumn>? Describe(string command, AdminContext context) => commands().Describe(command, context);

        public ValueTask<AdminResult> ExecuteAsync(string command, AdminContext context, CancellationToken cancellationToken) =>
            commands().ExecuteAsync(command, context, cancellationToken);

        public string? AuditOf(string command, AdminContext context, AdminResult result) => commands().AuditOf(command, context, result);

        public IReadOnlyList<KeyValuePair<string, string>> LoginParameters() => commands().LoginParameters();

        public AdminError? CheckConsoleLogin(string user) => AdminAuthorization.CheckConsoleLogin(config(), user);
    }
}
