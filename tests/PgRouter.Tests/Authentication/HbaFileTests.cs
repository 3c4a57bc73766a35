using System.Net;
using NUnit.Framework;
using PgRouter.Core.Authentication;

namespace PgRouter.Tests.Authentication;

public class HbaFileTests
{
    private sealed class FixedInterfaces : IHbaInterfaces
    {
        public IReadOnlyList<(IPAddress Address, int PrefixLength)> List() =>
            [(IPAddress.Parse("192.0.2.10"), 24), (IPAddress.Parse("fe80::1%2"), 64)];
    }

    private static HbaFile Good(string text)
    {
        var (file, mistakes) = HbaFile.Parse(text, "/etc/pool_hba.conf", new FixedInterfaces());
        Assert.That(mistakes, Is.Empty);
        return file;
    }

    private static HbaMethod? Ask(string text, string address, string database = "shop", string user = "ann", bool tls = false) =>
        Good(text).Match(Request(address, database, user, tls))?.Method;

    private static HbaRequest Request(string address, string database = "shop", string user = "ann", bool tls = false) => new()
    {
        IsLocal = address == "local",
        Address = address == "local" ? null : IPAddress.Parse(address),
        IsTls = tls,
        Database = database,
        User = user,
    };

    [Test]
    public void The_first_rule_that_matches_decides_and_none_is_null()
    {
        const string Text = "host shop ann 10.0.0.0/8 reject\nhost all all 0.0.0.0/0 md5\n";

        Assert.That(Ask(Text, "10.1.2.3"), Is.EqualTo(HbaMethod.Reject));
        Assert.That(Ask(Text, "10.1.2.3", user: "bob"), Is.EqualTo(HbaMethod.Md5));
        Assert.That(Ask(Text, "2001:db8::1"), Is.Null);
        Assert.That(Ask(Text, "local"), Is.Null);
        Assert.That(HbaFile.Empty.Match(Request("local")), Is.Null);
    }

    [TestCase("trust", HbaMethod.Trust)]
    [TestCase("reject", HbaMethod.Reject)]
    [TestCase("md5", HbaMethod.Md5)]
    [TestCase("scram-sha-256", HbaMethod.ScramSha256)]
    [TestCase("password", HbaMethod.Password)]
    public void Every_method_is_known(string word, object method)
    {
        Assert.That(Ask($"local all all {word}", "local"), Is.EqualTo(method));
    }

    [TestCase("local all all", "local", false, true)]
    [TestCase("local all all", "10.0.0.1", false, false)]
    [TestCase("host all all all", "local", false, false)]
    [TestCase("host all all all", "10.0.0.1", false, true)]
    [TestCase("host all all all", "10.0.0.1", true, true)]
    [TestCase("hostssl all all all", "10.0.0.1", true, true)]
    [TestCase("hostssl all all all", "10.0.0.1", false, false)]
    [TestCase("hostnossl all all all", "10.0.0.1", true, false)]
    [TestCase("hostnossl all all all", "10.0.0.1", false, true)]
    public void The_type_says_which_connections(string rule, string address, bool tls, bool matches)
    {
        Assert.That(Ask(rule + " trust", address, tls: tls) is not null, Is.EqualTo(matches));
    }

    [TestCase("10.0.0.0/8", "10.255.0.1", true)]
    [TestCase("10.9.9.9/8", "10.255.0.1", true, TestName = "Bits_behind_the_prefix_do_not_count")]
    [TestCase("10.0.0.0/8", "11.0.0.1", false)]
    [TestCase("10.0.0.0 255.0.0.0", "10.255.0.1", true)]
    [TestCase("10.0.0.0 255.0.0.0", "11.0.0.1", false)]
    [TestCase("192.0.2.7/32", "192.0.2.7", true)]
    [TestCase("192.0.2.7/32", "192.0.2.8", false)]
    [TestCase("0.0.0.0/0", "8.8.8.8", true)]
    [TestCase("0.0.0.0/0", "::1", false)]
    [TestCase("::/0", "::1", true)]
    [TestCase("::/0", "8.8.8.8", false)]
    [TestCase("2001:db8::/33", "2001:db8:7fff::1", true)]
    [TestCase("2001:db8::/33", "2001:db8:8000::1", false)]
    [TestCase("fe80:: ffff:ffff:ffff:ffff::", "fe80::5%3", true)]
    [TestCase("10.0.0.0/8", "::ffff:10.1.2.3", true, TestName = "A_mapped_client_matches_an_IPv4_rule")]
    [TestCase("::ffff:10.0.0.0/104", "10.1.2.3", true, TestName = "A_mapped_rule_matches_an_IPv4_client")]
    [TestCase("::/0", "::ffff:10.1.2.3", false, TestName = "A_mapped_client_is_IPv4")]
    [TestCase("all", "::1", true)]
    [TestCase("samehost", "192.0.2.10", true)]
    [TestCase("samehost", "::ffff:192.0.2.10", true)]
    [TestCase("samehost", "192.0.2.11", false)]
    [TestCase("samenet", "192.0.2.11", true)]
    [TestCase("samenet", "192.0.3.11", false)]
    [TestCase("samenet", "fe80::99%2", true)]
    public void Addresses_match(string rule, string client, bool matches)
    {
        Assert.That(Ask($"host all all {rule} trust", client) is not null, Is.EqualTo(matches));
    }

    [TestCase("shop", "shop", "ann", true)]
    [TestCase("shop", "Shop", "ann", false)]
    [TestCase("a,shop,b", "shop", "ann", true)]
    [TestCase("a, shop, b", "shop", "ann", true)]
    [TestCase("sameuser", "ann", "ann", true)]
    [TestCase("sameuser", "shop", "ann", false)]
    [TestCase("\"sameuser\"", "sameuser", "ann", true)]
    [TestCase("\"all\"", "shop", "ann", false)]
    [TestCase("\"my shop\"", "my shop", "ann", true)]
    [TestCase("\"a\"\"b\"", "a\"b", "ann", true)]
    [TestCase("\"a#b,c\"", "a#b,c", "ann", true)]
    [TestCase("replication", "replication", "ann", false)]
    [TestCase("\"replication\"", "replication", "ann", true)]
    public void Databases_match(string rule, string database, string user, bool matches)
    {
        Assert.That(Ask($"local {rule} all trust", "local", database, user) is not null, Is.EqualTo(matches));
    }

    [Test]
    public void Physical_replication_matches_its_keyword_only()
    {
        var request = Request("local") with { IsReplication = true };

        Assert.That(Good("local all all trust").Match(request), Is.Null);
        Assert.That(Good("local replication all trust").Match(request), Is.Not.Null);
    }

    [TestCase("ann", true)]
    [TestCase("bob,ann", true)]
    [TestCase("bob", false)]
    [TestCase("all", true)]
    [TestCase("\"all\"", false)]
    public void Users_match(string rule, bool matches)
    {
        Assert.That(Ask($"local all {rule} trust", "local") is not null, Is.EqualTo(matches));
    }

    [Test]
    public void Comments_blank_lines_and_continued_lines_are_understood()
    {
        var file = Good("# comment\n\n  \t\nlocal all \\\r\n  ann \\\n trust # why\nlocal all all reject#x\n");

        Assert.That(file.Rules.Select(rule => (rule.Line, rule.Method)), Is.EqualTo(new[] { (4, HbaMethod.Trust), (7, HbaMethod.Reject) }));
        Assert.That(file.Rules[0].ToString(), Is.EqualTo("/etc/pool_hba.conf:4"));
    }

    [TestCase("hots all all all trust", "unknown connection type \"hots\"; known are local, host, hostssl, hostnossl")]
    [TestCase("hostgssenc all all all trust", "unknown connection type")]
    [TestCase("local", "expected local DATABASE USER METHOD")]
    [TestCase("local all all", "expected local DATABASE USER METHOD")]
    [TestCase("host all all", "expected host DATABASE USER ADDRESS METHOD")]
    [TestCase("host all all all", "method is missing")]
    [TestCase("host all all 10.0.0.0/8", "method is missing")]
    [TestCase("local all all cert", "method \"cert\" is not supported; supported are trust, reject, md5, scram-sha-256, password")]
    [TestCase("local all all Trust", "not supported")]
    [TestCase("host all all example.org md5", "host names are not supported")]
    [TestCase("host all all .example.org md5", "host names are not supported")]
    [TestCase("host all all 10.1 255.0.0.0 md5", "not an address")]
    [TestCase("host all all 10.0.0.1 md5", "no mask; write 10.0.0.1/32")]
    [TestCase("host all all ::1 md5", "no mask; write ::1/128")]
    [TestCase("host all all 10.0.0.1 255.0.255.0 md5", "not a mask")]
    [TestCase("host all all 10.0.0.1 ffff:: md5", "not a mask")]
    [TestCase("host all all 10.0.0.0/33 md5", "not a network")]
    [TestCase("host all all 10.0.0.0/-1 md5", "not a network")]
    [TestCase("host all all ::/129 md5", "not a network")]
    [TestCase("host all all 10.0.0.0/8,11.0.0.0/8 md5", "only one address")]
    [TestCase("local samerole all md5", "role memberships")]
    [TestCase("local all +staff md5", "role memberships")]
    [TestCase("local /^s all md5", "regular expressions")]
    [TestCase("local all all md5 clientcert=verify-full", "unknown option \"clientcert=verify-full\"")]
    [TestCase("local @/nowhere/dbs all md5", "cannot read the file /nowhere/dbs")]
    [TestCase("local \"all all md5", "double quote is not closed")]
    public void A_mistake_names_file_line_and_what_to_change(string line, string what)
    {
        var (file, mistakes) = HbaFile.Parse("local all all trust\n" + line, "/etc/pool_hba.conf", new FixedInterfaces());

        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0], Does.StartWith("/etc/pool_hba.conf:2: ").And.Contain(what));
        Assert.That(file.Rules, Has.Count.EqualTo(1));
    }

    [Test]
    public void All_mistakes_come_at_once()
    {
        var mistakes = HbaFile.Parse("x\nhost all +a example.org cert\n", "f").Mistakes;

        Assert.That(mistakes, Has.Count.EqualTo(4));
    }

    [Test]
    public void Names_may_come_from_files_that_name_files()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "users"), "# staff\nbob, carl\n@more\n\"all\"\n");
            File.WriteAllText(Path.Combine(folder.FullName, "more"), "ann");
            File.WriteAllText(Path.Combine(folder.FullName, "loop"), "@loop");
            var path = Path.Combine(folder.FullName, "pool_hba.conf");

            var (file, mistakes) = HbaFile.Parse("local all @users,dora trust", path);

            Assert.That(mistakes, Is.Empty);
            foreach (var user in new[] { "ann", "bob", "carl", "dora" })
                Assert.That(file.Match(Request("local", user: user)), Is.Not.Null, user);
            Assert.That(file.Match(Request("local", user: "eve")), Is.Null);
            Assert.That(HbaFile.Parse("local all @loop trust", path).Mistakes[0], Does.Contain("nested"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public void A_reload_with_a_mistake_keeps_what_is_in_force()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var store = new HbaStore();
            Assert.That(store.Current.Match(Request("local")), Is.Null);
            File.WriteAllText(path, "local all all trust");
            Assert.That(store.Reload(path), Is.Empty);
            File.WriteAllText(path, "local all all reject\nbroken");
            Assert.That(store.Reload(path), Has.Count.EqualTo(1));
            Assert.That(store.Current.Match(Request("local"))!.Method, Is.EqualTo(HbaMethod.Trust));
            Assert.That(store.Reload(path + ".missing")[0], Does.Contain("cannot read"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void The_addresses_of_this_machine_are_found()
    {
        Assert.That(Good("host all all 127.0.0.1/32 trust"), Is.Not.Null);
        Assert.That(HbaAddress.SameHost.Contains(IPAddress.Loopback, HbaInterfaces.Instance));
    }
}
