using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using PgRouter.Server.Processes;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Server;

[TestFixture]
internal sealed class ServiceNotifierTests
{
    [Test]
    public void States_arrive_at_the_socket_of_the_service_manager()
    {
        using var files = new ConfigFiles();
        var path = Path.Combine(files.Directory, "notify");
        using var manager = Listen(path);
        var notifier = new ServiceNotifier(path);
        notifier.Ready();
        Assert.That(Receive(manager), Is.EqualTo("READY=1"));
        notifier.Reloading();
        Assert.That(Receive(manager), Does.Match("^RELOADING=1\nMONOTONIC_USEC=\\d+$"));
        notifier.Stopping();
        Assert.That(Receive(manager), Is.EqualTo("STOPPING=1"));
    }

    [Test]
    public void An_abstract_name_begins_with_an_at_sign()
    {
        var name = "pgrouter-test-" + Guid.NewGuid().ToString("N");
        using var manager = Listen("\0" + name);
        new ServiceNotifier("@" + name).Ready();
        Assert.That(Receive(manager), Is.EqualTo("READY=1"));
    }

    [TestCase(null)]
    [TestCase("")]
    public void Without_a_service_manager_nothing_is_sent(string? socket) =>
        Assert.That(() => new ServiceNotifier(socket).Ready(), Throws.Nothing);

    private static Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        socket.Bind(new UnixDomainSocketEndPoint(name));
        return socket;
    }

    private static string Receive(Socket socket)
    {
        var buffer = new byte[256];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
