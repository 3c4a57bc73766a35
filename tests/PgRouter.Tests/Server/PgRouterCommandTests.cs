using System.Globalization;
using System.Runtime.InteropServices;
using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Server;
using PgRouter.Server.CommandLine;
using PgRouter.Server.Processes;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Server;

[TestFixture]
internal sealed class PgRouterCommandTests
{
    private readonly FakeHost _host = new();
    private readonly FakeSignals _signals = new();
    private ConfigFiles _files = null!;
    private string _good = "";
    private string _bad = "";
    private StringWriter _output = null!;
    private StringWriter _error = null!;

    [SetUp]
    public void CreateFiles()
    {
        _files = new ConfigFiles();
        _good = _files.Write("pgpool.conf", "backend_hostname0 = 'db0'", "sr_check_user = 'u'", $"pid_file_name = '{PidPath}'");
        _bad = _files.Write("bad.conf", "prot = 1");
        (_output, _error) = (new StringWriter(CultureInfo.InvariantCulture), new StringWriter(CultureInfo.InvariantCulture));
        _host.Options = null;
        _signals.Sent.Clear();
    }

    [TearDown]
    public void RemoveFiles()
    {
        _files.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    private string PidPath => Path.Combine(_files.Directory, "pgrouter.pid");

    [TestCase("-f", "GOOD")]
    [TestCase("-n", "-D", "-d", "-x", "-C", "-f", "GOOD", "-F", "pcp.conf", "-k", "key")]
    [TestCase("-nDf", "GOOD")]
    [TestCase("--config-file=GOOD")]
    public async Task Without_a_command_the_router_runs(params string[] arguments)
    {
        Assert.That(await InvokeAsync(arguments), Is.EqualTo(42), "the host's exit code");
        Assert.That(_host.Options!.ConfigPath, Is.EqualTo(_good));
        Assert.That(_host.Options.Store.Current.Nodes[0].Host, Is.EqualTo("db0"));
    }

    [Test]
    public async Task The_hba_file_of_the_command_line_is_used_and_survives_a_reload()
    {
        var hba = _files.Write("my_hba", "local all all trust");
        await InvokeAsync("-f", "GOOD", "-a", hba);
        Assert.That(_host.Options!.Store.Current.PoolHbaFile, Is.EqualTo(hba));
        Assert.That(_host.Options.Store.Reload().Changed, Is.Empty);
    }

    [Test]
    public async Task A_router_with_a_bad_configuration_does_not_start()
    {
        Assert.That(await InvokeAsync("-f", "BAD"), Is.EqualTo(ExitCodes.BadConfiguration));
        Assert.That(_host.Options, Is.Null);
        Assert.That(_error.ToString(), Does.Contain("bad.conf:1: prot: no such setting; did you mean port?"));
    }

    [Test]
    public async Task Check_tells_mistakes_and_warnings()
    {
        Assert.That(await InvokeAsync("check", "-f", "GOOD"), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_output.ToString(), Does.StartWith("WARNING:  node 0 (db0:5432) could not be asked").And.Not.Contain("ERROR"));
        Assert.That(await InvokeAsync("check", "-f", "BAD"), Is.EqualTo(ExitCodes.HasMistakes));
        Assert.That(_output.ToString(), Does.Contain("ERROR:").And.Contain("WARNING:").And.Contain("2 mistake(s)"));
    }

    [TestCase("-v")]
    [TestCase("--version")]
    [TestCase("version")]
    public async Task The_version_is_printed(string argument)
    {
        Assert.That(await InvokeAsync(argument), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_output.ToString(), Does.Match(@"^pgrouter \d+\.\d+\.\d+\s*$"));
    }

    [TestCase("-h")]
    [TestCase("--help")]
    public async Task Help_names_the_options(string argument)
    {
        Assert.That(await InvokeAsync(argument), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_output.ToString(), Does.Contain("-f").And.Contain("stop").And.Contain("reload"));
    }

    [Test]
    public async Task The_sample_is_printed()
    {
        Assert.That(await InvokeAsync("config", "--sample"), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_output.ToString(), Is.EqualTo(SampleFile.Write()));
    }

    [TestCase("--nonsense")]
    [TestCase("frobnicate")]
    [TestCase("-f")]
    [TestCase("config")]
    [TestCase("stop", "-m", "quickly")]
    [TestCase("check", "@file")]
    public async Task A_command_line_that_is_not_understood_is_told(params string[] arguments)
    {
        Assert.That(await InvokeAsync(arguments), Is.EqualTo(ExitCodes.Usage));
        Assert.That(_error.ToString(), Does.StartWith("pgrouter: "));
        Assert.That(_host.Options, Is.Null);
    }

    [TestCase("reload")]
    [TestCase("stop")]
    public async Task Without_a_running_router_there_is_nothing_to_signal(string command)
    {
        File.WriteAllText(PidPath, "1\n");
        Assert.That(await InvokeAsync(command, "-f", "GOOD"), Is.EqualTo(ExitCodes.NotRunning), "a file left behind is no router");
        Assert.That(_error.ToString(), Does.Contain(PidPath));
        Assert.That(_signals.Sent, Is.Empty);
    }

    [Test]
    public async Task Reload_sends_sighup_to_the_holder_of_the_pid_file()
    {
        using var held = PidFile.Create([PidPath]);
        Assert.That(await InvokeAsync("reload", "-f", "GOOD"), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_signals.Sent, Is.EqualTo(new[] { (Environment.ProcessId, PosixSignal.SIGHUP) }));
    }

    [TestCase(PosixSignal.SIGTERM, "stop", "-f", "GOOD")]
    [TestCase(PosixSignal.SIGTERM, "stop", "-m", "smart", "-f", "GOOD")]
    [TestCase(PosixSignal.SIGINT, "stop", "-m", "fast", "-f", "GOOD")]
    [TestCase(PosixSignal.SIGINT, "-f", "GOOD", "-m", "f", "stop")]
    [TestCase(PosixSignal.SIGQUIT, "-m", "i", "stop", "-f", "GOOD")]
    public async Task Stop_sends_the_signal_of_its_mode_and_waits_for_the_end(PosixSignal signal, params string[] arguments)
    {
        var held = PidFile.Create([PidPath]);
        _signals.WhenSent = held.Dispose;
        Assert.That(await InvokeAsync(arguments), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_signals.Sent, Is.EqualTo(new[] { (Environment.ProcessId, signal) }));
        Assert.That(_output.ToString(), Does.Contain("done."));
    }

    [Test]
    public async Task A_signal_that_is_not_permitted_is_told()
    {
        using var held = PidFile.Create([PidPath]);
        _signals.WhenSent = () => throw new System.ComponentModel.Win32Exception(1);
        Assert.That(await InvokeAsync("reload", "-f", "GOOD"), Is.EqualTo(ExitCodes.NotPermitted));
        _signals.WhenSent = () => { };
    }

    [Test]
    public async Task Explain_tells_where_a_statement_would_run()
    {
        Assert.That(await InvokeAsync("explain", "-f", "GOOD", "INSERT INTO t VALUES (1)"), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_output.ToString(), Does.Match("decision +class +Write").And.Match("decision +node +0 +db0").And.Match("table +t +written"));
    }

    [Test]
    public async Task Explain_prints_the_rules()
    {
        Assert.That(await InvokeAsync("explain", "--rules"), Is.EqualTo(ExitCodes.Ok));
        Assert.That(_output.ToString().TrimEnd().Split('\n'), Is.EqualTo(PgRouter.Core.Routing.RouteTable.Lines()));
    }

    [TestCase("explain")]
    [TestCase("explain SELECT 1")]
    public async Task Explain_without_a_statement_or_in_several_words_says_what_to_do(string command)
    {
        Assert.That(await InvokeAsync(command.Split(' ')), Is.EqualTo(ExitCodes.Usage));
        Assert.That(_error.ToString(), Does.Contain("SELECT").Or.Contain("--rules").Or.Contain("'1'"));
    }

    [Test]
    public async Task Explain_needs_a_configuration_without_mistakes() =>
        Assert.That(await InvokeAsync("explain", "-f", "BAD", "SELECT 1"), Is.EqualTo(ExitCodes.BadConfiguration));

    private Task<int> InvokeAsync(params string[] arguments) =>
        new PgRouterCommand(_host, _signals, ConfigFiles.NoEnvironment).InvokeAsync(
            [.. arguments.Select(WithPaths)],
            _output,
            _error);

    private string WithPaths(string argument) =>
        argument.Replace("GOOD", _good, StringComparison.Ordinal).Replace("BAD", _bad, StringComparison.Ordinal);

    private sealed class FakeHost : IRouterHost
    {
        public RunOptions? Options { get; set; }

        public Task<int> RunAsync(RunOptions options, CancellationToken cancellationToken)
        {
            Options = options;
            return Task.FromResult(42);
        }
    }

    private sealed class FakeSignals : ISignalSender
    {
        public List<(int Pid, PosixSignal Signal)> Sent { get; } = [];

        public Action WhenSent { get; set; } = () => { };

        public void Send(int pid, PosixSignal signal)
        {
            Sent.Add((pid, signal));
            WhenSent();
        }
    }
}
