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

    private static HbaRule? Match(HbaFile file, HbaRequest request)
    {
        var (rule, need) = file.Match(request);
        Assert.That(need, Is.EqualTo(HbaAnswer.No));
        return rule;
    }

    private static HbaMethod? Ask(string text, string address, string database = "shop", string user = "ann", bool tls = false) =>
        Match(Good(text), Request(address, database, user, tls))?.Method;

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
        Assert.That(Match(HbaFile.Empty, Request("local")), Is.Null);
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

        Assert.That(Match(Good("local all all trust"), request), Is.Null);
        Assert.That(Match(Good("local replication all trust"), request), Is.Not.Null);
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
        Assert.That(file.Rules[0].ToString(), Is.EqualTo("/etc/pool_hba.conf:4 \"local all   ann  trust # why\""));
    }

    [TestCase("hots all all all trust", "unknown connection type \"hots\"; known are local, host, hostssl, hostnossl")]
    [TestCase("hostgssenc all all all trust", "unknown connection type")]
    [TestCase("local", "expected local DATABASE USER METHOD")]
    [TestCase("local all all", "expected local DATABASE USER METHOD")]
    [TestCase("host all all", "expected host DATABASE USER ADDRESS METHOD")]
    [TestCase("host all all all", "method is missing")]
    [TestCase("host all all 10.0.0.0/8", "method is missing")]
    [TestCase("local all all pam", "method \"pam\" is not supported: there is no well-kept library for it")]
    [TestCase("local all all peer", "method \"peer\" is not supported")]
    [TestCase("local all all kerberos", "method \"kerberos\" is not supported; supported are trust, reject, md5, scram-sha-256, password, cert, ldap")]
    [TestCase("local all all cert", "method cert is for lines of type hostssl only")]
    [TestCase("host all all all cert", "method cert is for lines of type hostssl only")]
    [TestCase("hostssl all all all cert clientcert=verify-ca", "the method cert means verify-full")]
    [TestCase("hostssl all all all md5 clientcert=1", "allowed are verify-ca and verify-full")]
    [TestCase("hostssl all all all md5 clientname=cn", "allowed are CN and DN")]
    [TestCase("hostssl all all all md5 map=m", "map is for the method cert only")]
    [TestCase("hostssl all all all md5 clientcert", "\"clientcert\" is no option")]
    [TestCase("host all all all md5 clientcert=verify-full", "clientcert is for lines of type hostssl only")]
    [TestCase("host all all all ldap", "method ldap needs ldapserver or ldapurl")]
    [TestCase("host all all all ldap ldapserver=a", "method ldap needs ldapbasedn, ldapprefix or ldapsuffix")]
    [TestCase("host all all all ldap ldapserver=a ldapprefix=x ldapbasedn=y", "are not given together")]
    [TestCase("host all all all ldap ldapserver=a ldapbasedn=x ldapport=0", "a port from 1 to 65535")]
    [TestCase("host all all all ldap ldapurl=http://x/y", "expected ldap://host:port")]
    [TestCase("host all all all ldap ldapserver=a ldapbasedn=x ldapcolour=red", "unknown option \"ldapcolour\"")]
    [TestCase("include", "expected include and one name")]
    [TestCase("include /nowhere/hba", "cannot read /nowhere/hba")]
    [TestCase("include_dir /nowhere", "cannot read /nowhere")]
    [TestCase("local all all Trust", "not supported")]
    [TestCase("host all all 10.1 255.0.0.0 md5", "neither an address nor a host name")]
    [TestCase("host all all exa/mple.org md5", "not a network")]
    [TestCase("host all all exa!mple.org md5", "neither an address nor a host name")]
    [TestCase("host all all 10.0.0.1 md5", "no mask; write 10.0.0.1/32")]
    [TestCase("host all all ::1 md5", "no mask; write ::1/128")]
    [TestCase("host all all 10.0.0.1 255.0.255.0 md5", "not a mask")]
    [TestCase("host all all 10.0.0.1 ffff:: md5", "not a mask")]
    [TestCase("host all all 10.0.0.0/33 md5", "not a network")]
    [TestCase("host all all 10.0.0.0/-1 md5", "not a network")]
    [TestCase("host all all ::/129 md5", "not a network")]
    [TestCase("host all all 10.0.0.0/8,11.0.0.0/8 md5", "only one address")]
    [TestCase("local /^(s all md5", "not a regular expression")]
    [TestCase("local all \"/(?=x)\" md5", "not a regular expression")]
    [TestCase("local all all md5 colour=red", "unknown option \"colour\"")]
    [TestCase("local all all md5 clientcert=verify-full", "clientcert is for lines of type hostssl only")]
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
        var mistakes = HbaFile.Parse("x\nhost /( /( a!b pam\n", "f").Mistakes;

        Assert.That(mistakes, Has.Count.EqualTo(5));
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
                Assert.That(Match(file, Request("local", user: user)), Is.Not.Null, user);
            Assert.That(Match(file, Request("local", user: "eve")), Is.Null);
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
            Assert.That(Match(store.Current, Request("local")), Is.Null);
            File.WriteAllText(path, "local all all trust");
            Assert.That(store.Reload(path), Is.Empty);
            File.WriteAllText(path, "local all all reject\nbroken");
            Assert.That(store.Reload(path), Has.Count.EqualTo(1));
            Assert.That(Match(store.Current, Request("local"))!.Method, Is.EqualTo(HbaMethod.Trust));
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

    [TestCase("+staff", "bob", new[] { "bob", "staff" }, true)]
    [TestCase("+staff", "bob", new[] { "bob" }, false)]
    [TestCase("+staff", "staff", null, true, TestName = "A_role_is_its_own_member")]
    [TestCase("\"+staff\"", "+staff", null, true, TestName = "A_quoted_plus_is_part_of_a_name")]
    [TestCase("/^b.*b$", "bob", null, true)]
    [TestCase("/o", "bob", null, true, TestName = "A_regular_expression_may_stand_anywhere")]
    [TestCase("/^B", "bob", null, false)]
    [TestCase("\"/^b,?ob\"", "bob", null, true)]
    public void Roles_and_regular_expressions_match_users(string rule, string user, string[]? roles, bool matches)
    {
        var request = Request("local", user: user) with { Roles = roles?.ToHashSet() };

        Assert.That(Match(Good($"local all {rule} trust"), request) is not null, Is.EqualTo(matches));
    }

    [TestCase("samerole", "shop", new[] { "shop" }, true)]
    [TestCase("samegroup", "shop", new[] { "ann" }, false)]
    [TestCase("/^sh", "shop", null, true)]
    [TestCase("+shop", "shop", null, false)]
    public void Roles_and_regular_expressions_match_databases(string rule, string database, string[]? roles, bool matches)
    {
        var request = Request("local", database) with { Roles = roles?.ToHashSet() };

        Assert.That(Match(Good($"local {rule} all trust"), request) is not null, Is.EqualTo(matches));
    }

    [Test]
    public void Roles_and_host_names_are_asked_for_only_when_a_line_depends_on_them()
    {
        var file = Good("local db2 +staff reject\nhost shop all host.example.org reject\nlocal shop ann trust\nlocal shop +staff md5\n");

        Assert.That(file.Match(Request("local")).Rule?.Line, Is.EqualTo(3));
        Assert.That(file.Match(Request("local", user: "bob")), Is.EqualTo(((HbaRule?)null, HbaAnswer.NeedsRoles)));
        Assert.That(file.Match(Request("local", user: "bob") with { Roles = new HashSet<string> { "staff" } }).Rule?.Line, Is.EqualTo(4));
        Assert.That(file.Match(Request("10.0.0.1")), Is.EqualTo(((HbaRule?)null, HbaAnswer.NeedsHostName)));
    }

    [TestCase("host.example.org", "host.example.org", true)]
    [TestCase("host.example.org", "HOST.example.org", true)]
    [TestCase("host.example.org", "other.example.org", false)]
    [TestCase("host.example.org", "", false)]
    [TestCase(".example.org", "host.example.org", true)]
    [TestCase(".example.org", "example.org", false)]
    [TestCase(".example.org", "", false)]
    public void Host_names_match(string rule, string name, bool matches)
    {
        var request = Request("10.0.0.1") with { HostName = name };

        Assert.That(Match(Good($"host all all {rule} trust"), request) is not null, Is.EqualTo(matches));
    }

    [Test]
    public void Options_of_certificates_and_directories_are_read()
    {
        var file = Good("""
            hostssl all all all cert map=staff clientname=DN
            hostssl all all all scram-sha-256 clientcert=verify-ca
            host all all all ldap ldapserver="a b" ldapport=1389 ldaptls=1 ldapprefix="cn=" ldapsuffix=", dc=example"
            host all all all ldap ldapurl="ldaps://dir.example.org:1636/dc=example??one?(x=y)" ldapbinddn=cn=admin ldapbindpasswd="top secret"
            """);

        Assert.That(file.Rules[0].Options, Is.EqualTo(new HbaOptions { ClientCertificate = HbaClientCertificate.VerifyFull, ByDistinguishedName = true, Map = "staff" }));
        Assert.That(file.Rules[1].Options.ClientCertificate, Is.EqualTo(HbaClientCertificate.VerifyCa));
        var simple = file.Rules[2].Options.Ldap!;
        Assert.That((simple.Servers, simple.Port, simple.StartTls, simple.Prefix, simple.Suffix), Is.EqualTo((new[] { "a", "b" }, 1389, true, "cn=", ", dc=example")));
        var search = file.Rules[3].Options.Ldap!;
        Assert.That((search.Servers, search.Port, search.IsLdaps, search.BaseDn), Is.EqualTo((new[] { "dir.example.org" }, 1636, true, "dc=example")));
        Assert.That((search.SearchAttribute, search.Scope, search.SearchFilter, search.BindPassword), Is.EqualTo(("", "one", "(x=y)", "top secret")));
        Assert.That(file.Rules[3].ToString(), Does.Contain("ldapbindpasswd=*****").And.Not.Contain("secret"));
    }

    [Test]
    public void Other_files_are_read_in_place()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "more"));
            File.WriteAllText(Path.Combine(folder.FullName, "more", "b.conf"), "local all b md5");
            File.WriteAllText(Path.Combine(folder.FullName, "more", "a.conf"), "local all a md5\nlocal @names b trust");
            File.WriteAllText(Path.Combine(folder.FullName, "more", "names"), "x");
            File.WriteAllText(Path.Combine(folder.FullName, "loop"), "include loop");
            var path = Path.Combine(folder.FullName, "pool_hba.conf");

            var (file, mistakes) = HbaFile.Parse("include_if_exists none\ninclude_dir more\nlocal all all reject", path);

            Assert.That(mistakes, Is.Empty);
            Assert.That(file.Rules.Select(rule => $"{Path.GetFileName(rule.File)}:{rule.Line}"), Is.EqualTo(new[] { "a.conf:1", "a.conf:2", "b.conf:1", "pool_hba.conf:3" }));
            Assert.That(HbaFile.Parse("include loop", path).Mistakes[0], Does.Contain("nested"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
