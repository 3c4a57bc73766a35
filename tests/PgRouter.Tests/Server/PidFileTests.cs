using System.Globalization;
using NUnit.Framework;
using PgRouter.Core.Configuration;
using PgRouter.Server.Processes;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Server;

[TestFixture]
internal sealed class PidFileTests
{
    private ConfigFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new ConfigFiles();

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    private string PidPath => Path.Combine(_files.Directory, "pgrouter.pid");

    [Test]
    public void The_file_names_the_process_and_is_gone_at_the_end()
    {
        using (var file = PidFile.Create([PidPath]))
        {
            Assert.That(file.Path, Is.EqualTo(PidPath));
            Assert.That(PidFile.FindRunning([PidPath]), Is.EqualTo(Environment.ProcessId));
        }
        Assert.That(File.Exists(PidPath), Is.False);
        Assert.That(PidFile.FindRunning([PidPath]), Is.Null);
    }

    [Test]
    public void A_second_router_is_refused_with_the_pid_of_the_first()
    {
        using var first = PidFile.Create([PidPath]);
        Assert.That(() => PidFile.Create([PidPath]), Throws.TypeOf<PidFileException>()
            .With.Message.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
    }

    [Test]
    public void A_file_left_behind_is_taken_over()
    {
        File.WriteAllText(PidPath, "123456789\n");
        using var file = PidFile.Create([PidPath]);
        Assert.That(PidFile.FindRunning([PidPath]), Is.EqualTo(Environment.ProcessId));
    }

    [Test]
    public void The_next_place_is_taken_when_the_first_cannot_be_written()
    {
        using var file = PidFile.Create([Path.Combine(_files.Directory, "missing/pgrouter.pid"), PidPath]);
        Assert.That(file.Path, Is.EqualTo(PidPath));
    }

    [Test]
    public void A_symbolic_link_is_not_followed()
    {
        var target = _files.Write("precious", "data");
        File.CreateSymbolicLink(PidPath, target);
        Assert.That(() => PidFile.Create([PidPath]), Throws.TypeOf<PidFileException>().With.Message.Contains("symbolic link"));
        Assert.That(File.ReadAllText(target), Is.EqualTo("data\n"));
    }

    [Test]
    public void The_configured_place_is_the_only_one()
    {
        Assert.That(PidFile.Candidates(new RouterConfig { PidFileName = "/x/y.pid" }), Is.EqualTo(new[] { "/x/y.pid" }));
        Assert.That(PidFile.Candidates(new RouterConfig { Port = 7 }), Has.Member("/tmp/pgrouter.7.pid"));
    }
}
