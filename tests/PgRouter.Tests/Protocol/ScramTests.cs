using System.Text;
using NUnit.Framework;
using PgRouter.Protocol;

namespace PgRouter.Tests.Protocol;

public class ScramTests
{
    // RFC 7677, section 3.
    private const string ClientNonce = "rOprNGfwEbeRWgbNEkqO";
    private const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private const string ClientFirst = $"n,,n=user,r={ClientNonce}";
    private const string ServerFirst = $"r={ClientNonce}{ServerNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private const string ClientFinal = $"c=biws,r={ClientNonce}{ServerNonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private const string ServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    private static readonly byte[] Salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static ScramClient StartedClient()
    {
        var client = new ScramClient("pencil", ClientNonce, "user");
        client.Start();
        return client;
    }

    private static readonly ScramVerifier Verifier = ScramVerifier.FromPassword("pencil", Salt, 4096);

    private static ScramServer StartedServer()
    {
        var server = new ScramServer(Verifier, ServerNonce);
        Assert.That(server.Start(Bytes(ClientFirst), out var answer), Is.EqualTo(ScramResult.Ok));
        Assert.That(Encoding.ASCII.GetString(answer), Is.EqualTo(ServerFirst));
        return server;
    }

    [Test]
    public void The_client_speaks_the_vector_of_RFC_7677()
    {
        var client = new ScramClient("pencil", ClientNonce, "user");

        Assert.That(Encoding.ASCII.GetString(client.Start()), Is.EqualTo(ClientFirst));
        Assert.That(client.TryRespond(Bytes(ServerFirst), out var final, out _));
        Assert.That(Encoding.ASCII.GetString(final), Is.EqualTo(ClientFinal));
        Assert.That(client.TryFinish(Bytes(ServerFinal), out _));
    }

    [Test]
    public void The_server_speaks_the_vector_of_RFC_7677()
    {
        var server = StartedServer();

        Assert.That(server.Finish(Bytes(ClientFinal), out var final), Is.EqualTo(ScramResult.Ok));
        Assert.That(Encoding.ASCII.GetString(final), Is.EqualTo(ServerFinal));
    }

    [Test]
    public void The_keys_learned_from_a_login_log_in_without_the_password()
    {
        var server = StartedServer();
        server.Finish(Bytes(ClientFinal), out _);
        Assert.That(Verifier.Fits(server.ClientKeys!));

        var client = new ScramClient(server.ClientKeys!);
        var other = new ScramServer(Verifier);
        Assert.That(other.Start(client.Start(), out var first), Is.EqualTo(ScramResult.Ok));
        Assert.That(client.TryRespond(first, out var final, out _));
        Assert.That(other.Finish(final, out var last), Is.EqualTo(ScramResult.Ok));
        Assert.That(client.TryFinish(last, out _));
    }

    // Roles made by PostgreSQL 15; the second holds a password that SASLprep changes, the third one that it cannot prepare.
    [TestCase("pencil",
        "SCRAM-SHA-256$4096:ir7u5v7ApNdijz7mk7o1Og=="
        + "$jGiLI0b123UeG7nwSosGsRizVmP0ZTitg+j5QYfHy58=:/LXkIcd9XgK3xE1AhH5/M8oiV0h5qiKR2fiCVSetx7s=")]
    [TestCase("\u00AA\u2168e\u0301\u00A0\u00ADx",
        "SCRAM-SHA-256$4096:6M8Sv1ENyP5UnqiSU0wxUA=="
        + "$iIWAGLoaM9/8qHQ1nbAVZRrxnK1OlLNZC9jjH9xvb+Q=:yN5Yop7KdtFoUACb8m2Yj1jGxt+CMrBsVmhhD6yqSNA=")]
    [TestCase("a\u0627b\u2168",
        "SCRAM-SHA-256$4096:XZ5WE3aHdkFXB8Qvevfe+A=="
        + "$TgRiPjYmJfgrIVVs/FlkY1yD/1tyIWF966Gb3mJB0Co=:MtH/NybltGVEvOXGML3eq5i10lAn5OgJDS77xFyJL8Y=")]
    public void Verifiers_of_PostgreSQL_fit_their_password_and_no_other(string password, string text)
    {
        Assert.That(ScramVerifier.TryParse(text, out var verifier));
        Assert.That(verifier!.Fits(password));
        Assert.That(verifier.Fits(password + "x"), Is.False);
        Assert.That(verifier.Encode(), Is.EqualTo(text));
        Assert.That(verifier.ToString(), Does.Not.Contain("="));
    }

    [TestCase("")]
    [TestCase("SCRAM-SHA-256$")]
    [TestCase("SCRAM-SHA-256$4096:c2FsdA==")]
    [TestCase("SCRAM-SHA-256$0:c2FsdA==$AAAA:AAAA")]
    [TestCase("SCRAM-SHA-256$600001:c2FsdA==$jGiLI0b123UeG7nwSosGsRizVmP0ZTitg+j5QYfHy58=:/LXkIcd9XgK3xE1AhH5/M8oiV0h5qiKR2fiCVSetx7s=")]
    [TestCase("SCRAM-SHA-256$-1:c2FsdA==$AAAA:AAAA")]
    [TestCase("SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA")]
    [TestCase("SCRAM-SHA-256$4096:!!$jGiLI0b123UeG7nwSosGsRizVmP0ZTitg+j5QYfHy58=:/LXkIcd9XgK3xE1AhH5/M8oiV0h5qiKR2fiCVSetx7s=")]
    [TestCase("SCRAM-SHA-256$4096:$jGiLI0b123UeG7nwSosGsRizVmP0ZTitg+j5QYfHy58=:/LXkIcd9XgK3xE1AhH5/M8oiV0h5qiKR2fiCVSetx7s=")]
    [TestCase("SCRAM-SHA-1$4096:c2FsdA==$jGiLI0b123UeG7nwSosGsRizVmP0ZTitg+j5QYfHy58=:/LXkIcd9XgK3xE1AhH5/M8oiV0h5qiKR2fiCVSetx7s=")]
    public void A_damaged_verifier_is_not_parsed(string text)
    {
        Assert.That(ScramVerifier.TryParse(text, out _), Is.False);
    }

    [Test]
    public void A_wrong_password_is_told_from_a_broken_message()
    {
        var server = StartedServer();

        var wrong = $"c=biws,r={ClientNonce}{ServerNonce},p={Convert.ToBase64String(new byte[32])}";

        Assert.That(server.Finish(Bytes(wrong), out var answer), Is.EqualTo(ScramResult.WrongPassword));
        Assert.That(answer, Is.Empty);
        Assert.That(server.ClientKeys, Is.Null);
        Assert.That(server.Error, Is.Null);
    }

    [Test]
    public void No_password_fits_the_verifier_of_an_unknown_user_and_its_salt_stays_the_same()
    {
        var first = ScramVerifier.Mock("ghost"u8, "seed"u8);
        var again = ScramVerifier.Mock("ghost"u8, "seed"u8);
        var other = ScramVerifier.Mock("spectre"u8, "seed"u8);

        Assert.That(again.Salt.ToArray(), Is.EqualTo(first.Salt.ToArray()));
        Assert.That(other.Salt.ToArray(), Is.Not.EqualTo(first.Salt.ToArray()));
        Assert.That(first.Fits(""), Is.False);
    }

    [TestCase("y,,n=user,r=abc")]
    [TestCase("n,,n=,r=abc")]
    [TestCase("n,,n=*,r=abc,x=y")]
    public void Client_first_messages_without_channel_binding_are_accepted(string first)
    {
        var server = new ScramServer(ScramVerifier.Mock("u"u8, "s"u8));
        Assert.That(server.Start(Bytes(first), out _), Is.EqualTo(ScramResult.Ok));
    }

    [TestCase("", "08P01")]
    [TestCase("n", "08P01")]
    [TestCase("n,", "08P01")]
    [TestCase("n,,", "08P01")]
    [TestCase("n,,n=user", "08P01")]
    [TestCase("n,,r=abc", "08P01")]
    [TestCase("n,,n=user,r=", "08P01")]
    [TestCase("n,,n=user,r=a\u0001b", "08P01")]
    [TestCase("n,,n=user,r=é", "08P01")]
    [TestCase("n,,n=user,r=abc,", "08P01")]
    [TestCase("n,,n=user,r=abc,=", "08P01")]
    [TestCase("n,,n=us\0er,r=abc", "08P01")]
    [TestCase("n,b=x,n=user,r=abc", "08P01")]
    [TestCase("q,,n=user,r=abc", "08P01")]
    [TestCase("p=tls-server-end-point,,n=user,r=abc", "08P01")]
    [TestCase("n,a=admin,n=user,r=abc", "0A000")]
    [TestCase("n,,m=ext,n=user,r=abc", "0A000")]
    public void A_bad_client_first_message_is_refused(string first, string code)
    {
        var server = new ScramServer(ScramVerifier.Mock("u"u8, "s"u8));

        Assert.That(server.Start(Bytes(first), out var answer), Is.EqualTo(ScramResult.Refused));
        Assert.That(answer, Is.Empty);
        Assert.That(server.Error!.Code, Is.EqualTo(code));
    }

    [Test]
    public void An_oversized_client_message_is_refused()
    {
        var server = new ScramServer(ScramVerifier.Mock("u"u8, "s"u8));
        Assert.That(server.Start(Bytes("n,,n=,r=" + new string('a', 1024)), out _), Is.EqualTo(ScramResult.Refused));

        Assert.That(StartedServer().Finish(Bytes(ClientFinal + new string('a', 1024)), out _), Is.EqualTo(ScramResult.Refused));
    }

    private const string Proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    [TestCase("")]
    [TestCase("c=biws")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce}")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce},")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce},p=")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce},p=!!!!")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce},p=AAAA")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce},p= {Proof}")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce},p={Proof},x=y")]
    [TestCase($"c=biws,r={ClientNonce},p={Proof}", TestName = "Only_the_client_nonce")]
    [TestCase($"c=biws,r={ClientNonce}{ServerNonce}x,p={Proof}", TestName = "A_longer_nonce")]
    [TestCase($"c=eSws,r={ClientNonce}{ServerNonce},p={Proof}", TestName = "Another_channel_binding_flag_than_at_first")]
    [TestCase($"c=,r={ClientNonce}{ServerNonce},p={Proof}")]
    public void A_bad_client_final_message_is_refused(string final)
    {
        var server = StartedServer();

        Assert.That(server.Finish(Bytes(final), out var answer), Is.EqualTo(ScramResult.Refused));
        Assert.That(answer, Is.Empty);
        Assert.That(server.Error!.Code, Is.EqualTo("08P01"));
        Assert.That(server.ClientKeys, Is.Null);
    }

    [TestCase("", "malformed")]
    [TestCase("r=", "malformed")]
    [TestCase("m=x,r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=1", "malformed")]
    [TestCase("r=other,s=c2FsdA==,i=1", "nonce")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqO,s=c2FsdA==,i=1", "nonce")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=,i=1", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=!!!,i=1", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=1x", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=99999999999", "malformed")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=0", "iterations")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=-5", "iterations")]
    [TestCase("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i=600001", "iterations")]
    public void A_bad_server_first_message_ends_the_login(string first, string reason)
    {
        Assert.That(StartedClient().TryRespond(Bytes(first), out var answer, out var given), Is.False);
        Assert.That(answer, Is.Empty);
        Assert.That(given, Does.Contain(reason));
    }

    [Test]
    public void An_oversized_server_message_ends_the_login()
    {
        var first = $"r={ClientNonce}{new string('x', ScramClient.MaxServerMessageLength)},s=c2FsdA==,i=1";

        Assert.That(StartedClient().TryRespond(Bytes(first), out _, out var reason), Is.False);
        Assert.That(reason, Does.Contain("malformed"));
    }

    [TestCase("", "malformed")]
    [TestCase("x=1", "malformed")]
    [TestCase("v=!!", "malformed")]
    [TestCase("v=", "wrong SCRAM signature")]
    [TestCase("v=AAAA", "wrong SCRAM signature")]
    [TestCase("e=invalid-proof", "invalid-proof")]
    public void A_server_that_cannot_prove_itself_ends_the_login(string final, string reason)
    {
        var client = StartedClient();
        client.TryRespond(Bytes(ServerFirst), out _, out _);

        Assert.That(client.TryFinish(Bytes(final), out var given), Is.False);
        Assert.That(given, Does.Contain(reason));
    }

    [Test]
    public void Steps_out_of_order_are_a_mistake_of_the_caller()
    {
        var client = new ScramClient("pencil");

        Assert.That(() => client.TryFinish([], out _), Throws.InvalidOperationException);
        Assert.That(() => client.TryRespond([], out _, out _), Throws.InvalidOperationException);
        Assert.That(() => new ScramServer(ScramVerifier.Mock("u"u8, "s"u8)).Finish([], out _), Throws.InvalidOperationException);
    }

    [Test]
    public void Random_bytes_never_throw()
    {
        var random = new Random(20260101);
        var alphabet = "n,y=rscpi1aA/+=\0\u00FF"u8.ToArray();
        for (var i = 0; i < 3000; i++)
        {
            var bytes = new byte[random.Next(60)];
            for (var j = 0; j < bytes.Length; j++)
                bytes[j] = alphabet[random.Next(alphabet.Length)];
            new ScramServer(ScramVerifier.Mock("u"u8, "s"u8)).Start(bytes, out _);
            StartedServer().Finish(bytes, out _);
            var client = new ScramClient((_, _) => null, ClientNonce);
            client.Start();
            Assert.That(client.TryRespond(bytes, out _, out _), Is.False);
            AuthenticationMessages.TryReadSaslInitialResponse(bytes, out _, out _);
            StartupPacket.TryRead(bytes, out _, out _, out _);
            ErrorMessage.TryParse(bytes, out _);
        }
    }
}
