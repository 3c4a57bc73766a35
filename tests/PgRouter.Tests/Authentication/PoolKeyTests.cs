using NUnit.Framework;
using PgRouter.Core.Authentication;
using PgRouter.Core.Configuration;
using PgRouter.Tests.Configuration;

namespace PgRouter.Tests.Authentication;

/// <summary>Passwords encrypted by pgpool's pg_enc (4.3.5), and the accounts of the router's own.</summary>
internal sealed class PoolKeyTests
{
    private ConfigFiles _files = null!;

    [SetUp]
    public void MakeDirectory() => _files = new ConfigFiles();

    [TearDown]
    public void RemoveDirectory() => _files.Dispose();

    [TestCase("thekey", "3y2A1q+i3bRBQbK0duXlfA==", "mysecret")]
    [TestCase("a key with blanks", "3hnxsVuyw6uiAfem7dR8Iw==", "pässword ☃")]
    [TestCase("another key", "3y2A1q+i3bRBQbK0duXlfA==", null)]
    [TestCase("thekey", "no base64", null)]
    [TestCase("thekey", "AAAA", null)]
    public void What_pg_enc_encrypted_is_decrypted(string key, string encrypted, string? password) =>
        Assert.That(PoolKey.Of(key).Decrypt(encrypted), Is.EqualTo(password));

    [Test]
    public void The_password_file_has_encrypted_secrets_when_the_key_is_known()
    {
        const string Text = "ann:AES3y2A1q+i3bRBQbK0duXlfA==\n";
        Assert.That(PasswordFile.Parse(Text, "pool_passwd", PoolKey.Of("thekey")).File.Find("ann")!.TryGetPlain(out var password));
        Assert.That(password, Is.EqualTo("mysecret"));
        Assert.That(PasswordFile.Parse(Text, "pool_passwd").Mistakes.Single(), Does.StartWith("pool_passwd:1: ").And.Contain("no key is known"));
        Assert.That(PasswordFile.Parse(Text, "pool_passwd", PoolKey.Of("other")).Mistakes.Single(), Does.Contain("not encrypted with the key").And.Not.Contain("3y2A"));
    }

    [Test]
    public void The_key_file_is_nobody_elses()
    {
        var path = KeyFile("thekey\nsecond line\n");
        Assert.That(PoolKey.Load(path).Key!.Decrypt("3y2A1q+i3bRBQbK0duXlfA=="), Is.EqualTo("mysecret"));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.That(PoolKey.Load(path).Mistake, Does.Contain("others may read the key"));
        Assert.That(PoolKey.Load(path + ".none").Mistake, Does.Contain("cannot read the key"));
        Assert.That(PoolKey.Load(KeyFile("\n")).Mistake, Does.Contain("is empty"));
        Assert.That(PoolKey.Load(""), Is.EqualTo(((PoolKey?)null, (string?)null)));
    }

    [Test]
    public void An_account_of_the_routers_own_has_its_password_in_all_forms_of_pgpool()
    {
        var key = KeyFile("thekey");
        _files.Write("pool_passwd", "checker:TEXTfrom the file", "hashed:md521f3163f8f86fa10bdefbfbd502a8f06");
        var config = _files.LoadGood($"pgrouter.key_file = '{key}'", "sr_check_user = checker", "sr_check_password = 'AES3y2A1q+i3bRBQbK0duXlfA=='");
        var book = new LoginBook();
        Assert.That(book.LoadFiles(config), Is.Empty);

        Assert.That(book.PasswordOf("checker", config.SrCheckPassword), Is.EqualTo("mysecret"));
        Assert.That(book.PasswordOf("checker", "TEXTplain"), Is.EqualTo("plain"));
        Assert.That(book.PasswordOf("checker", "as it is"), Is.EqualTo("as it is"));
        Assert.That(book.PasswordOf("checker", ""), Is.EqualTo("from the file"));
        Assert.That(book.PasswordOf("hashed", ""), Is.Null);
        Assert.That(book.PasswordOf("nobody", ""), Is.Empty);
    }

    [Test]
    public void A_password_that_cannot_be_decrypted_is_a_mistake()
    {
        var config = _files.LoadGood("sr_check_user = checker", "sr_check_password = 'AES3y2A1q+i3bRBQbK0duXlfA=='");
        Assert.That(new LoginBook().LoadFiles(config), Has.Some.Contains("sr_check_password: the password is AES-encrypted, and no key is known"));
    }

    [Test]
    public void The_key_is_found_where_pgpool_finds_it()
    {
        var home = KeyFile("thekey", ".pgpoolkey");
        var other = KeyFile("thekey", "other");
        var environment = new Dictionary<string, string> { ["HOME"] = _files.Directory };
        var file = _files.Write("pgpool.conf", "backend_hostname0 = 'db0'");

        Assert.That(ConfigLoader.Load(file, environment).Config!.PoolKeyFile, Is.EqualTo(home));
        environment["PGPOOLKEYFILE"] = other;
        Assert.That(ConfigLoader.Load(file, environment).Config!.PoolKeyFile, Is.EqualTo(other));
        Assert.That(ConfigLoader.Load(file, environment, keyFile: home).Config!.PoolKeyFile, Is.EqualTo(home));
        Assert.That(_files.LoadGood().PoolKeyFile, Is.Empty);
    }

    [Test]
    public void What_was_learned_of_a_user_ends_with_another_secret_in_the_file()
    {
        var book = new LoginBook();
        var config = _files.LoadGood("pool_passwd = 'pool_passwd'");
        _files.Write("pool_passwd", "ann:md521f3163f8f86fa10bdefbfbd502a8f06", "bob:md521f3163f8f86fa10bdefbfbd502a8f06");
        book.LoadFiles(config);
        book.Learn("ann", PasswordSecret.FromPlain("old"));
        book.Learn("bob", PasswordSecret.FromPlain("old"));
        book.Learn("eve", PasswordSecret.FromPlain("by auth_query"));

        _files.Write("pool_passwd", "ann:md5ffffffffffffffffffffffffffffffff", "bob:md521f3163f8f86fa10bdefbfbd502a8f06");
        book.LoadFiles(config);

        Assert.That(book.LearnedSecret("ann"), Is.Null);
        Assert.That(book.LearnedSecret("bob"), Is.Not.Null);
        Assert.That(book.LearnedSecret("eve"), Is.Not.Null);
    }

    private string KeyFile(string text, string name = "key")
    {
        var path = Path.Combine(_files.Directory, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
