using NUnit.Framework;
using PgRouter.Core.Authentication;

namespace PgRouter.Tests.Authentication;

public class PasswordFileTests
{
    private const string Verifier =
        "SCRAM-SHA-256$4096:ir7u5v7ApNdijz7mk7o1Og=="
        + "$jGiLI0b123UeG7nwSosGsRizVmP0ZTitg+j5QYfHy58=:/LXkIcd9XgK3xE1AhH5/M8oiV0h5qiKR2fiCVSetx7s=";

    private static PasswordFile Good(string text)
    {
        var (file, mistakes) = PasswordFile.Parse(text, "pool_passwd");
        Assert.That(mistakes, Is.Empty);
        return file;
    }

    private static string Plain(PasswordFile file, string user)
    {
        Assert.That(file.Find(user)!.TryGetPlain(out var password));
        return password;
    }

    [Test]
    public void Lines_of_pgpool_are_read()
    {
        var file = Good(
            "bob:md521f3163f8f86fa10bdefbfbd502a8f06\n"
            + $"ann:TEXTsecret\r\ncarl:bare:with colon \ndora:{Verifier}\neve:TEXTmd5\n");

        Assert.That(file.Count, Is.EqualTo(5));
        Assert.That(file.Find("bob")!.Kind, Is.EqualTo(PasswordSecretKind.Md5));
        Assert.That(file.Find("bob")!.Fits("bob", "secret"));
        Assert.That(Plain(file, "ann"), Is.EqualTo("secret"));
        Assert.That(Plain(file, "carl"), Is.EqualTo("bare:with colon "));
        Assert.That(file.Find("dora")!.Kind, Is.EqualTo(PasswordSecretKind.Scram));
        Assert.That(file.Find("dora")!.Fits("dora", "pencil"));
        Assert.That(Plain(file, "eve"), Is.EqualTo("md5"));
        Assert.That(file.Find("Bob"), Is.Null);
    }

    [Test]
    public void Lines_of_PgBouncer_are_read()
    {
        var file = Good(
            "; comment\n# comment\n\n\"a \"\"quoted\"\" user\" \"p\"\"w\"\n"
            + $"  \"bob\"\t\"md521f3163f8f86fa10bdefbfbd502a8f06\" \"\"\n\"dora\" \"{Verifier}\"\n\"nopw\" \"\"");

        Assert.That(Plain(file, "a \"quoted\" user"), Is.EqualTo("p\"w"));
        Assert.That(file.Find("bob")!.Kind, Is.EqualTo(PasswordSecretKind.Md5));
        Assert.That(file.Find("dora")!.Kind, Is.EqualTo(PasswordSecretKind.Scram));
        Assert.That(file.Find("nopw"), Is.Null);
    }

    [Test]
    public void Both_kinds_of_lines_may_stand_in_one_file()
    {
        var file = Good("ann:TEXTone\n\"bob\" \"two\"\n");

        Assert.That((Plain(file, "ann"), Plain(file, "bob")), Is.EqualTo(("one", "two")));
    }

    [TestCase("nonsense", "expected user:secret")]
    [TestCase(":secret", "user name")]
    [TestCase("ann:", "empty")]
    [TestCase("ann:TEXT", "empty")]
    [TestCase("ann:AESabcdef==", "AES")]
    [TestCase("ann:SCRAM-SHA-256$4096:broken", "damaged")]
    [TestCase("\"ann\"", "missing")]
    [TestCase("\"ann\" \"secret", "not closed")]
    [TestCase("\"ann\" secret", "double quotes")]
    [TestCase("\"\" \"secret\"", "user name")]
    [TestCase("ok:TEXTother", "line 1")]
    [TestCase("ann:TEXTse\0cret", "NUL")]
    public void A_mistake_names_file_and_line_and_no_secret(string line, string what)
    {
        var (_, mistakes) = PasswordFile.Parse("ok:TEXTfine\n" + line, "/etc/pool_passwd");

        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0], Does.StartWith("/etc/pool_passwd:2: ").And.Contain(what));
        Assert.That(mistakes[0], Does.Not.Contain("other").And.Not.Contain("abcdef"));
    }

    [Test]
    public void All_mistakes_come_at_once()
    {
        Assert.That(PasswordFile.Parse("x\ny\nann:TEXTz\nw", "f").Mistakes, Has.Count.EqualTo(3));
    }

    [Test]
    public void Secrets_never_show()
    {
        var file = Good($"ann:TEXThush\nbob:md521f3163f8f86fa10bdefbfbd502a8f06\ndora:{Verifier}");

        var shown = $"{file} {file.Find("ann")} {file.Find("bob")} {file.Find("dora")} {PasswordLine.FromStored("u", "hush")}";

        Assert.That(shown, Does.Not.Contain("hush").And.Not.Contain("21f3").And.Not.Contain("jGiL"));
    }

    [Test]
    public void Unknown_users_are_shown_the_iterations_of_the_file()
    {
        Assert.That(Good($"dora:{Verifier.Replace("4096", "9000", StringComparison.Ordinal)}").IterationsOr(4096), Is.EqualTo(9000));
        Assert.That(Good("ann:TEXTx").IterationsOr(4096), Is.EqualTo(4096));
    }

    [Test]
    public void Verifiers_derived_ahead_fit_their_passwords()
    {
        var file = Good("ann:TEXTx\nbob:md521f3163f8f86fa10bdefbfbd502a8f06");
        file.DeriveVerifiers(4096, CancellationToken.None);

        Assert.That(file.Find("ann")!.GetVerifier()!.Fits("x"));
        Assert.That(file.Find("bob")!.GetVerifier(), Is.Null);
    }

    [Test]
    public void A_reload_with_a_mistake_keeps_what_is_in_force()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var store = new PasswordStore();
            File.WriteAllText(path, "ann:TEXTone");
            Assert.That(store.Reload(path), Is.Empty);
            File.WriteAllText(path, "ann:TEXTtwo\nbroken");
            Assert.That(store.Reload(path), Has.Count.EqualTo(1));
            Assert.That(Plain(store.Current, "ann"), Is.EqualTo("one"));
            File.WriteAllText(path, "ann:TEXTtwo");
            Assert.That(store.Reload(path), Is.Empty);
            Assert.That(Plain(store.Current, "ann"), Is.EqualTo("two"));
            Assert.That(store.Reload(path + ".missing")[0], Does.Contain("cannot read"));
            Assert.That(store.Reload(""), Is.Empty);
            Assert.That(store.Current.Count, Is.Zero);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
