using System.Net;
using NUnit.Framework;
using PgRouter.Core.Authentication;
using PgRouter.Protocol;

namespace PgRouter.Tests.Authentication;

public class ClientAuthenticationTests
{
    private static readonly HbaRequest Remote = new() { Address = IPAddress.Parse("192.0.2.7"), Database = "shop", User = "ann" };

    private static readonly PasswordSecret Plain = PasswordSecret.FromPlain("secret");
    private static readonly PasswordSecret Md5 = PasswordSecret.FromMd5("md521f3163f8f86fa10bdefbfbd502a8f06");
    private static readonly PasswordSecret Scram = PasswordSecret.FromScram(ScramVerifier.FromPassword("secret"));

    private static HbaRule Rule(HbaMethod method) => new()
    {
        Type = HbaConnectionType.Host,
        Databases = [HbaName.Of("all", false)!],
        Users = [HbaName.Of("all", false)!],
        Address = HbaAddress.All,
        Method = method,
        File = "pool_hba.conf",
        Line = 3,
    };

    [TestCase(true, "Scram")]
    [TestCase(false, "Md5")]
    public void Under_md5_an_unknown_user_is_asked_as_most_known_ones_are(bool mocksScram, string kind)
    {
        Assert.That(ClientAuthentication.Decide(Rule(HbaMethod.Md5), null, Remote, true, mocksScram).Kind, Is.EqualTo(Enum.Parse<ClientAuthKind>(kind)));
        Assert.That(ClientAuthentication.Decide(Rule(HbaMethod.Md5), Md5, Remote, true, mocksScram).Kind, Is.EqualTo(ClientAuthKind.Md5));
        var verifier = PgRouter.Protocol.ScramVerifier.FromPassword("x").Encode();
        Assert.That(PasswordFile.Parse($"a:{verifier}\nb:{verifier}\nc:TEXTx", "f").File.IsMostlyVerifiers, Is.True);
        Assert.That(PasswordFile.Parse($"a:{verifier}\nb:TEXTx", "f").File.IsMostlyVerifiers, Is.False);
    }

    private static PasswordSecret? Secret(string kind) => kind switch
    {
        "plain" => Plain,
        "md5" => Md5,
        "scram" => Scram,
        _ => null,
    };

    [TestCase("Password", "plain", "ClearText", true)]
    [TestCase("Password", "md5", "ClearText", true)]
    [TestCase("Password", "scram", "ClearText", true)]
    [TestCase("Password", "none", "ClearText", false)]
    [TestCase("Md5", "plain", "Md5", true)]
    [TestCase("Md5", "md5", "Md5", true)]
    [TestCase("Md5", "scram", "Scram", true)]
    [TestCase("Md5", "none", "Md5", false)]
    [TestCase("ScramSha256", "plain", "Scram", true)]
    [TestCase("ScramSha256", "md5", "Scram", false)]
    [TestCase("ScramSha256", "scram", "Scram", true)]
    [TestCase("ScramSha256", "none", "Scram", false)]
    [TestCase("Trust", "plain", "Trust", true)]
    [TestCase("Trust", "md5", "Trust", true)]
    [TestCase("Trust", "scram", "Trust", true)]
    public void Method_and_secret_say_which_exchange_runs(string method, string stored, string kind, bool canSucceed)
    {
        var decision = ClientAuthentication.Decide(Rule(Enum.Parse<HbaMethod>(method)), Secret(stored), Remote);

        Assert.That(decision.Kind, Is.EqualTo(Enum.Parse<ClientAuthKind>(kind)));
        Assert.That(decision.Secret, Is.SameAs(canSucceed ? Secret(stored) : null));
        Assert.That(decision.LogReason, canSucceed ? Is.Empty : Is.Not.Empty);
        Assert.That(decision.IsVerifiedByServer, Is.False);
    }

    [Test]
    public void Every_method_has_a_decision_for_every_secret()
    {
        foreach (var method in Enum.GetValues<HbaMethod>())
        {
            foreach (var kind in new[] { "none", "plain", "md5", "scram" })
                Assert.That(() => ClientAuthentication.Decide(Rule(method), Secret(kind), Remote), Throws.Nothing, $"{method} {kind}");
        }
    }

    [Test]
    public void Scram_with_an_md5_hash_says_why_in_the_log_only()
    {
        var decision = ClientAuthentication.Decide(Rule(HbaMethod.ScramSha256), Md5, Remote);

        Assert.That(decision.LogReason, Does.Contain("does not have a valid SCRAM secret"));
        Assert.That(decision.Refusal, Is.Null);
    }

    [Test]
    public void No_rule_rejects_with_the_words_of_PostgreSQL()
    {
        var decision = ClientAuthentication.Decide(null, Plain, Remote);

        Assert.That(decision.Kind, Is.EqualTo(ClientAuthKind.Reject));
        Assert.That(decision.Refusal!.Code, Is.EqualTo("28000"));
        Assert.That(
            decision.Refusal.Message,
            Is.EqualTo("no pool_hba.conf entry for host \"192.0.2.7\", user \"ann\", database \"shop\", no encryption"));
    }

    [Test]
    public void A_reject_rule_rejects_with_the_words_of_PostgreSQL()
    {
        var request = Remote with { IsLocal = true, Address = null, IsTls = true };
        var decision = ClientAuthentication.Decide(Rule(HbaMethod.Reject), Plain, request);

        Assert.That(decision.Refusal!.Message,
            Is.EqualTo("pool_hba.conf rejects connection for host \"[local]\", user \"ann\", database \"shop\", SSL encryption"));
        Assert.That(decision.LogReason, Does.Contain("pool_hba.conf:3"));
    }

    [Test]
    public void Replication_has_its_own_words()
    {
        var request = Remote with { IsReplication = true };

        Assert.That(ClientAuthentication.Decide(null, null, request).Refusal!.Message,
            Is.EqualTo("no pool_hba.conf entry for replication connection from host \"192.0.2.7\", user \"ann\", no encryption"));
        Assert.That(ClientAuthentication.Decide(Rule(HbaMethod.Reject), null, request).Refusal!.Message,
            Is.EqualTo("pool_hba.conf rejects replication connection for host \"192.0.2.7\", user \"ann\", no encryption"));
    }

    [TestCase("plain", false, "Scram", false)]
    [TestCase("scram", false, "Scram", false)]
    [TestCase("md5", false, "Md5", false)]
    [TestCase("none", false, "Scram", false)]
    [TestCase("none", true, "ClearText", true)]
    [TestCase("plain", true, "Scram", false)]
    public void Without_hba_the_strongest_exchange_runs_and_nobody_is_trusted(
        string stored, bool allowClearText, string kind, bool byServer)
    {
        var decision = ClientAuthentication.DecideWithoutHba(Secret(stored), Remote, allowClearText);

        Assert.That(decision.Kind, Is.EqualTo(Enum.Parse<ClientAuthKind>(kind)));
        Assert.That(decision.IsVerifiedByServer, Is.EqualTo(byServer));
    }
}
