using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Core.Hosting;
using PgRouter.Server;
using PgRouter.Server.Processes;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Server;

/// <summary>
/// Signals are this process's own, so only SIGHUP is sent for real; while it is handled it ends nothing.
/// </summary>
[TestFixture]
[NonParallelizable]
internal sealed class RouterProcessTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private ConfigFiles _files = null!;
    private RunOptions _options = null!;

    [SetUp]
    public void CreateFiles()
    {
        _files = new ConfigFiles();
        var path = _files.Write("pgpool.conf", "backend_hostname0 = 'db0'", $"pid_file_name = '{PidPath}'", "log_min_messages = panic");
        var load = () => ConfigLoader.Load(path, ConfigFiles.NoEnvironment);
        _options = new RunOptions(path, new ConfigStore(path, load(), load));
    }

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    private string PidPath => Path.Combine(_files.Directory, "pgrouter.pid");

    [Test]
    public async Task The_router_starts_reloads_and_stops_and_the_service_manager_is_told()
    {
        var notify = Path.Combine(_files.Directory, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.ReceiveTimeout = (int)Deadline.TotalMilliseconds;
        manager.Bind(new UnixDomainSocketEndPoint(notify));
        var router = new FakeRouter();
        using var stop = new CancellationTokenSource();
        var running = Run(router, new ServiceNotifier(notify), stop.Token);

        Assert.That(Receive(manager), Is.EqualTo("READY=1"));
        Assert.That(PidFile.FindRunning([PidPath]), Is.EqualTo(Environment.ProcessId));
        new SignalSender().Send(Environment.ProcessId, System.Runtime.InteropServices.PosixSignal.SIGHUP);
        Assert.That(Receive(manager), Does.StartWith("RELOADING=1"));
        Assert.That(Receive(manager), Is.EqualTo("READY=1"));
        await stop.CancelAsync();
        Assert.That(Receive(manager), Is.EqualTo("STOPPING=1"));
        router.Stopped.SetResult();

        Assert.That(await running.WaitAsync(Deadline), Is.EqualTo(ExitCodes.Ok));
        Assert.That(await router.NextAsync(), Is.EqualTo("start"));
        Assert.That(await router.NextAsync(), Is.EqualTo("reload"));
        Assert.That(await router.NextAsync(), Is.EqualTo("stop Fast"));
        Assert.That(File.Exists(PidPath), Is.False);
    }

    [Test]
    public async Task A_router_that_cannot_start_ends_the_process_with_an_error()
    {
        var router = new FakeRouter { StartError = new IOException("port 9999 is in use") };
        Assert.That(await Run(router, new ServiceNotifier(null), CancellationToken.None).WaitAsync(Deadline),
            Is.EqualTo(ExitCodes.Internal));
        Assert.That(File.Exists(PidPath), Is.False);
    }

    [Test]
    public async Task A_second_router_with_the_same_pid_file_does_not_start()
    {
        using var first = PidFile.Create([PidPath]);
        var router = new FakeRouter();
        Assert.That(await Run(router, new ServiceNotifier(null), CancellationToken.None).WaitAsync(Deadline),
            Is.EqualTo(ExitCodes.CannotCreate));
        Assert.That(router.HasCalls, Is.False);
    }

    private Task<int> Run(FakeRouter router, ServiceNotifier notifier, CancellationToken token) =>
        new RouterProcess(services => services.AddSingleton<IRouter>(router), notifier).RunAsync(_options, token);

    private static string Receive(Socket socket)
    {
        var buffer = new byte[256];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }

    private sealed class FakeRouter : IRouter
    {
        private readonly Channel<string> _calls = Channel.CreateUnbounded<string>();

        public Exception? StartError { get; init; }

        public TaskCompletionSource Stopped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool HasCalls => _calls.Reader.Count > 0;

        public Task<string> NextAsync() => _calls.Reader.ReadAsync().AsTask().WaitAsync(Deadline);

        public Task StartAsync(CancellationToken cancellationToken)
        {
            _calls.Writer.TryWrite("start");
            return StartError is null ? Task.CompletedTask : Task.FromException(StartError);
        }

        public ReloadReport Reload()
        {
            _calls.Writer.TryWrite("reload");
            return new ReloadReport();
        }

        public Task StopAsync(StopMode mode)
        {
            _calls.Writer.TryWrite($"stop {mode}");
            return Stopped.Task;
        }
    }
}
