using System.Net;
using System.Text;
using NUnit.Framework;
using PgRouter.Core.Authentication;
using PgRouter.Protocol;

namespace PgRouter.Tests.Authentication;

/// <summary>Both exchanges against each other, and each against hostile input.</summary>
public class AuthExchangeTests
{
    private static readonly ScramMock Mock = new();
    private static readonly ScramVerifier Verifier = ScramVerifier.FromPassword("secret");
    private static readonly PasswordSecret Plain = PasswordSecret.FromPlain("secret");
    private static readonly PasswordSecret Md5 = PasswordSecret.FromMd5("md521f3163f8f86fa10bdefbfbd502a8f06");
    private static readonly PasswordSecret Scram = PasswordSecret.FromScram(Verifier);

    private static ClientAuthExchange Exchange(ClientAuthKind kind, PasswordSecret? secret) =>
        new(new ClientAuthDecision { Kind = kind, User = "bob", Secret = secret, LogReason = secret is null ? "not known" : "" }, Mock);

    private static ClientAuthKind Kind(string name) => Enum.Parse<ClientAuthKind>(name);

    private static PasswordSecret? Secret(string name) => name switch
    {
        "plain" => Plain,
        "md5" => Md5,
        "scram" => Scram,
        "wrong" => PasswordSecret.FromPlain("wrong"),
        _ => null,
    };

    /// <summary>Lets a server (this router's client side) and a client (its server side) talk until one of them ends.</summary>
    private static (ClientAuthStep Client, ServerAuthStep Server) Talk(ClientAuthExchange asking, ServerAuthExchange answering)
    {
        var toClient = new MessageWriter();
        var toServer = new MessageWriter();
        var client = asking.Start(toClient);
        var server = ServerAuthStep.Continue;
        while (client == ClientAuthStep.Continue && server == ServerAuthStep.Continue)
        {
            server = Deliver(toClient, BackendMessage.Authentication, answering, toServer);
            if (server == ServerAuthStep.Continue)
            {
                var message = toServer.WrittenSpan.ToArray();
                toServer.Clear();
                Assert.That(message[0], Is.EqualTo(FrontendMessage.PasswordMessage));
                client = asking.Feed(message.AsSpan(MessageHeader.Size), toClient);
            }
        }
        if (client == ClientAuthStep.Success)
        {
            if (toClient.Length > 0)
                Deliver(toClient, BackendMessage.Authentication, answering, toServer);
            AuthenticationMessages.WriteOk(toClient);
            server = Deliver(toClient, BackendMessage.Authentication, answering, toServer);
        }
        return (client, server);
    }

    private static ServerAuthStep Deliver(MessageWriter from, byte type, ServerAuthExchange to, MessageWriter answer)
    {
        var message = from.WrittenSpan.ToArray();
        from.Clear();
        Assert.That(message[0], Is.EqualTo(type));
        return to.Feed(message.AsSpan(MessageHeader.Size), answer);
    }

    [TestCase("ClearText", "plain")]
    [TestCase("ClearText", "md5")]
    [TestCase("ClearText", "scram")]
    [TestCase("Md5", "plain")]
    [TestCase("Md5", "md5")]
    [TestCase("Scram", "plain")]
    [TestCase("Scram", "scram")]
    public void The_right_password_succeeds(string kind, string stored)
    {
        var exchange = Exchange(Kind(kind), Secret(stored));

        Assert.That(Talk(exchange, new ServerAuthExchange("bob", Plain)), Is.EqualTo((ClientAuthStep.Success, ServerAuthStep.Done)));
        Assert.That(exchange.ServerSecret, Is.Not.Null);
    }

    [TestCase("ClearText", "plain")]
    [TestCase("ClearText", "md5")]
    [TestCase("ClearText", "scram")]
    [TestCase("ClearText", "none")]
    [TestCase("Md5", "plain")]
    [TestCase("Md5", "md5")]
    [TestCase("Md5", "none")]
    [TestCase("Scram", "plain")]
    [TestCase("Scram", "scram")]
    [TestCase("Scram", "none")]
    public void A_wrong_password_and_an_unknown_user_get_the_same_answer(string kind, string stored)
    {
        var exchange = Exchange(Kind(kind), Secret(stored));

        Assert.That(Talk(exchange, new ServerAuthExchange("bob", Secret("wrong"))).Client, Is.EqualTo(ClientAuthStep.Failure));
        Assert.That(exchange.Error!.ToString(), Is.EqualTo("FATAL: password authentication failed for user \"bob\" (SQLSTATE 28P01)"));
        Assert.That(exchange.LogReason, Is.EqualTo(stored == "none" ? "not known" : "password does not match"));
        Assert.That(exchange.ServerSecret, Is.Null);
    }

    [Test]
    public void Trust_and_reject_end_at_once()
    {
        var output = new MessageWriter();
        var request = new HbaRequest { Address = IPAddress.Loopback, Database = "d", User = "bob" };
        var rejected = new ClientAuthExchange(ClientAuthentication.Decide(null, null, request), Mock);

        Assert.That(Exchange(ClientAuthKind.Trust, null).Start(output), Is.EqualTo(ClientAuthStep.Success));
        Assert.That(rejected.Start(output), Is.EqualTo(ClientAuthStep.Failure));
        Assert.That(rejected.Error!.Code, Is.EqualTo("28000"));
        Assert.That(output.Length, Is.Zero);
    }

    [Test]
    public void A_SCRAM_login_gives_the_keys_to_log_in_to_servers_with_the_same_verifier()
    {
        var exchange = Exchange(ClientAuthKind.Scram, Scram);
        Talk(exchange, new ServerAuthExchange("bob", Plain));

        var server = Exchange(ClientAuthKind.Scram, PasswordSecret.FromScram(Verifier));
        var same = Talk(server, new ServerAuthExchange("bob", exchange.ServerSecret));
        Assert.That(same, Is.EqualTo((ClientAuthStep.Success, ServerAuthStep.Done)));

        var login = new ServerAuthExchange("bob", exchange.ServerSecret);
        var other = Exchange(ClientAuthKind.Scram, PasswordSecret.FromScram(ScramVerifier.FromPassword("secret")));
        Assert.That(Talk(other, login).Server, Is.EqualTo(ServerAuthStep.Failure));
        Assert.That(login.Reason, Does.Contain("do not belong to the verifier"));
    }

    [Test]
    public void A_password_in_clear_text_is_kept_for_the_servers()
    {
        var decision = new ClientAuthDecision { Kind = ClientAuthKind.ClearText, User = "bob", IsVerifiedByServer = true };
        var exchange = new ClientAuthExchange(decision, Mock);

        var login = new ServerAuthExchange("bob", PasswordSecret.FromPlain("anything"));

        Assert.That(Talk(exchange, login).Client, Is.EqualTo(ClientAuthStep.Success));
        Assert.That(exchange.ServerSecret!.TryGetPlain(out var password) && password == "anything");
    }

    [TestCase("ClearText", "", "08P01")]
    [TestCase("ClearText", "secret", "08P01")]
    [TestCase("ClearText", "sec\0ret\0", "08P01")]
    [TestCase("ClearText", "\0", "28P01")]
    [TestCase("ClearText", "\xFF\0", "28P01")]
    [TestCase("Md5", "", "08P01")]
    [TestCase("Md5", "\0", "28P01")]
    [TestCase("Md5", "md5\0", "28P01")]
    [TestCase("Scram", "", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256\0", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256\0\0\0\0\u0009n,,", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256\0\x7F\xFF\xFF\xFFn,,", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256\0\xFF\xFF\xFF\xFE", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256\0\xFF\xFF\xFF\xFF", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256\0\0\0\0\0", "08P01")]
    [TestCase("Scram", "SCRAM-SHA-256-PLUS\0\0\0\0\u0001n", "08P01")]
    public void Hostile_answers_of_a_client_end_the_login(string kind, string body, string code)
    {
        var output = new MessageWriter();
        var exchange = Exchange(Kind(kind), Plain);
        exchange.Start(output);

        Assert.That(exchange.Feed(Encoding.Latin1.GetBytes(body), output), Is.EqualTo(ClientAuthStep.Failure));
        Assert.That(exchange.Error!.Code, Is.EqualTo(code));
        Assert.That(() => exchange.Feed([], output), Throws.InvalidOperationException);
    }

    [Test]
    public void An_oversized_password_ends_the_login()
    {
        var output = new MessageWriter();
        var exchange = Exchange(ClientAuthKind.ClearText, Plain);
        exchange.Start(output);
        var body = new byte[ClientAuthExchange.MaxPasswordLength + 1];
        body.AsSpan(0, body.Length - 1).Fill((byte)'x');

        Assert.That(exchange.Feed(body, output), Is.EqualTo(ClientAuthStep.Failure));
        Assert.That(exchange.Error!.Code, Is.EqualTo("08P01"));
    }

    [TestCase("none", "ClearText", "no password of user \"bob\" is known")]
    [TestCase("none", "Md5", "no password of user \"bob\" is known")]
    [TestCase("none", "Scram", "no password of user \"bob\" is known")]
    [TestCase("md5", "ClearText", "only an md5 hash is known")]
    [TestCase("md5", "Scram", "only an md5 hash is known")]
    [TestCase("scram", "ClearText", "only a SCRAM verifier is known")]
    [TestCase("scram", "Md5", "only a SCRAM verifier is known")]
    [TestCase("scram", "Scram", "only a SCRAM verifier is known")]
    public void A_secret_that_does_not_do_for_the_server_says_why(string stored, string asked, string reason)
    {
        var login = new ServerAuthExchange("bob", Secret(stored));

        Assert.That(Talk(Exchange(Kind(asked), Plain), login).Server, Is.EqualTo(ServerAuthStep.Failure));
        Assert.That(login.Reason, Does.Contain(reason));
    }

    [Test]
    public void A_server_that_trusts_needs_no_secret()
    {
        Assert.That(new ServerAuthExchange("bob", null).Feed([0, 0, 0, 0], new MessageWriter()), Is.EqualTo(ServerAuthStep.Done));
    }

    [TestCase(new byte[] { }, "malformed")]
    [TestCase(new byte[] { 0, 0, 0 }, "malformed")]
    [TestCase(new byte[] { 0, 0, 0, 2 }, "Kerberos")]
    [TestCase(new byte[] { 0, 0, 0, 6 }, "SCM")]
    [TestCase(new byte[] { 0, 0, 0, 7 }, "GSSAPI, which is not supported; use scram-sha-256")]
    [TestCase(new byte[] { 0, 0, 0, 9 }, "SSPI")]
    [TestCase(new byte[] { 0, 0, 0, 99 }, "method 99")]
    [TestCase(new byte[] { 0, 0, 0, 5, 1, 2, 3 }, "malformed AuthenticationMD5Password")]
    [TestCase(new byte[] { 0, 0, 0, 10 }, "no SASL mechanism")]
    [TestCase(new byte[] { 0, 0, 0, 10, (byte)'X', 0, 0 }, "only: X")]
    [TestCase(new byte[] { 0, 0, 0, 11, 1 }, "not supported")]
    public void Other_requests_of_a_server_are_refused(byte[] body, string reason)
    {
        var login = new ServerAuthExchange("bob", Plain);

        Assert.That(login.Feed(body, new MessageWriter()), Is.EqualTo(ServerAuthStep.Failure));
        Assert.That(login.Reason, Does.Contain(reason));
    }

    [Test]
    public void A_server_cannot_skip_its_proof()
    {
        var output = new MessageWriter();
        var login = new ServerAuthExchange("bob", Plain);
        login.Feed([0, 0, 0, 10, .. "SCRAM-SHA-256\0\0"u8], output);

        Assert.That(login.Feed([0, 0, 0, 0], output), Is.EqualTo(ServerAuthStep.Failure));
        Assert.That(login.Reason, Does.Contain("out of order"));
    }

    [Test]
    public void A_server_cannot_ask_for_the_password_after_the_answer()
    {
        var output = new MessageWriter();
        var login = new ServerAuthExchange("bob", Plain);
        login.Feed([0, 0, 0, 5, 1, 2, 3, 4], output);

        Assert.That(login.Feed([0, 0, 0, 3], output), Is.EqualTo(ServerAuthStep.Failure));
    }

    [Test]
    public void An_unknown_user_gets_the_same_salt_each_time()
    {
        var once = ServerFirst();

        Assert.That(ServerFirst(), Is.EqualTo(once));

        string ServerFirst()
        {
            var output = new MessageWriter();
            var exchange = Exchange(ClientAuthKind.Scram, null);
            exchange.Start(output);
            output.Clear();
            exchange.Feed([.. "SCRAM-SHA-256\0"u8, 0, 0, 0, 10, .. "n,,n=,r=ab"u8], output);
            var text = Encoding.ASCII.GetString(output.WrittenSpan[(MessageHeader.Size + 4)..]);
            return text[text.IndexOf(",s=", StringComparison.Ordinal)..];
        }
    }
}
