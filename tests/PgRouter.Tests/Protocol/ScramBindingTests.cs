using System.Text;
using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

/// <summary>SCRAM-SHA-256-PLUS: both sides bind to the certificate they see.</summary>
[TestFixture]
internal sealed class ScramBindingTests
{
    private static readonly ScramVerifier Verifier = ScramVerifier.FromPassword("pencil", 4096);
    private static readonly byte[] Certificate = [1, 2, 3];

    [Test]
    public void Sides_that_see_the_same_certificate_agree()
    {
        var (result, server) = LogIn(new ScramClient("pencil") { Binding = Certificate, IsEncrypted = true }, isPlus: true, Certificate);
        Assert.That((result, server.Error), Is.EqualTo((ScramResult.Ok, (ErrorMessage?)null)));
        Assert.That(server.ClientKeys, Is.Not.Null);
    }

    [Test]
    public void A_certificate_of_somebody_between_is_noticed()
    {
        var (result, server) = LogIn(new ScramClient("pencil") { Binding = (byte[])[9, 9], IsEncrypted = true }, isPlus: true, Certificate);
        Assert.That(result, Is.EqualTo(ScramResult.Refused));
        Assert.That((server.Error!.Code, server.Error.Message), Is.EqualTo(("28000", "SCRAM channel binding check failed")));
    }

    [Test]
    public void Without_binding_an_encrypted_client_says_that_it_could_have_and_is_believed_where_none_is_offered()
    {
        var client = new ScramClient("pencil") { IsEncrypted = true };
        Assert.That(Encoding.ASCII.GetString(client.Start()), Does.StartWith("y,,"));
        var (result, _) = LogIn(new ScramClient("pencil") { IsEncrypted = true }, isPlus: false, []);
        Assert.That(result, Is.EqualTo(ScramResult.Ok));
    }

    [TestCase("y,,n=,r=abc", false, "SCRAM channel binding negotiation error")]
    [TestCase("y,,n=,r=abc", true, "malformed SCRAM message")]
    [TestCase("n,,n=,r=abc", true, "malformed SCRAM message")]
    [TestCase("p=tls-server-end-point,,n=,r=abc", false, "malformed SCRAM message")]
    [TestCase("p=tls-unique,,n=,r=abc", true, "unsupported SCRAM channel-binding type")]
    [TestCase("p=tls-server-end-point", true, "malformed SCRAM message")]
    [TestCase("p,", true, "unsupported SCRAM channel-binding type")]
    [TestCase("p=tls-server-end-point,", true, "malformed SCRAM message")]
    public void What_the_client_says_must_fit_what_it_chose(string first, bool isPlus, string message)
    {
        var server = new ScramServer(Verifier) { Binding = Certificate, IsPlus = isPlus };
        Assert.That(server.Start(Encoding.ASCII.GetBytes(first), out _), Is.EqualTo(ScramResult.Refused));
        Assert.That((server.Error!.Code, server.Error.Message), Is.EqualTo(("08P01", message)));
    }

    [Test]
    public void Plus_is_offered_first_and_only_where_a_channel_can_be_bound_to()
    {
        var writer = new MessageWriter();
        AuthenticationMessages.WriteSasl(writer, offersPlus: true);
        Assert.That(Encoding.ASCII.GetString(writer.WrittenSpan[9..]), Is.EqualTo("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"));
        writer.Clear();
        AuthenticationMessages.WriteSasl(writer);
        Assert.That(Encoding.ASCII.GetString(writer.WrittenSpan[9..]), Is.EqualTo("SCRAM-SHA-256\0\0"));
    }

    private static (ScramResult Result, ScramServer Server) LogIn(ScramClient client, bool isPlus, byte[] binding)
    {
        var server = new ScramServer(Verifier) { Binding = binding, IsPlus = isPlus };
        Assert.That(server.Start(client.Start(), out var serverFirst), Is.EqualTo(ScramResult.Ok));
        Assert.That(client.TryRespond(serverFirst, out var clientFinal, out _), Is.True);
        var result = server.Finish(clientFinal, out var serverFinal);
        if (result == ScramResult.Ok)
            Assert.That(client.TryFinish(serverFinal, out _), Is.True);
        return (result, server);
    }
}
