using NUnit.Framework;
using PgRouter.Core.Configuration;

namespace PgRouter.Tests.Configuration;

[TestFixture]
internal sealed class ConfigFileReaderTests
{
    private ConfigFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new ConfigFiles();

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    [TestCase("port = 9999", "9999")]
    [TestCase("port 9999", "9999")]
    [TestCase("port=9999#comment", "9999")]
    [TestCase("  port\t=\t'9999'  # comment", "9999")]
    [TestCase("port'9999'", "9999")]
    [TestCase("port = 'it''s # no comment'", "it's # no comment")]
    [TestCase(@"port = 'a\\b\'c\tq\101\d'", "a\\b'c\tqAd")]
    [TestCase("port = ''", "")]
    [TestCase("port = DISCARD ALL # PgBouncer's way", "DISCARD ALL")]
    [TestCase("port = 9999\r", "9999")]
    public void An_assignment_is_read(string line, string value)
    {
        var (entries, mistakes) = ConfigFileReader.Read(_files.Write("a.conf", line));
        Assert.That(mistakes, Is.Empty);
        Assert.That(entries, Has.Count.EqualTo(1));
        Assert.That((entries[0].Name, entries[0].Value), Is.EqualTo(("port", value)));
    }

    [TestCase("port = 'open")]
    [TestCase("port = 'a' b")]
    [TestCase("port =")]
    [TestCase("port")]
    [TestCase("[pgbouncer]")]
    [TestCase("; comment of another program")]
    [TestCase("= 5")]
    [TestCase("p%rt = 5")]
    [TestCase("9port = 5")]
    [TestCase("\u0000\u0001\ufffd")]
    public void A_wrong_line_is_a_mistake_at_its_place(string line)
    {
        var path = _files.Write("a.conf", "", line);
        var (entries, mistakes) = ConfigFileReader.Read(path);
        Assert.That(entries, Is.Empty);
        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0].Source, Is.EqualTo(new ConfigSource(path, 2)));
    }

    [Test]
    public void Blank_lines_and_comments_are_skipped()
    {
        var (entries, mistakes) = ConfigFileReader.Read(_files.Write("a.conf", "", "   ", "# port = 1", "\t#"));
        Assert.That(entries, Is.Empty);
        Assert.That(mistakes, Is.Empty);
    }

    [Test]
    public void Includes_are_read_in_place_relative_to_the_including_file()
    {
        _files.Write("sub/one.conf", "port = 2", "include 'two.conf'");
        _files.Write("sub/two.conf", "port = 3");
        var path = _files.Write("a.conf", "port = 1", "include 'sub/one.conf'", "port = 4");
        var (entries, mistakes) = ConfigFileReader.Read(path);
        Assert.That(mistakes, Is.Empty);
        Assert.That(entries.Select(entry => entry.Value), Is.EqualTo(new[] { "1", "2", "3", "4" }));
        Assert.That(entries[2].Source.ToString(), Does.EndWith("two.conf:1"));
    }

    [Test]
    public void A_directory_is_included_in_the_order_of_names_without_other_files()
    {
        _files.Write("conf.d/20.conf", "port = 20");
        _files.Write("conf.d/10.conf", "port = 10");
        _files.Write("conf.d/30.conf.bak", "port = 30");
        _files.Write("conf.d/.40.conf", "port = 40");
        var (entries, mistakes) = ConfigFileReader.Read(_files.Write("a.conf", "include_dir = 'conf.d'"));
        Assert.That(mistakes, Is.Empty);
        Assert.That(entries.Select(entry => entry.Value), Is.EqualTo(new[] { "10", "20" }));
    }

    [Test]
    public void A_missing_file_is_a_mistake_of_include_and_none_of_include_if_exists()
    {
        var path = _files.Write("a.conf", "include_if_exists 'gone.conf'", "include 'gone.conf'", "include_dir 'gone.d'");
        var (_, mistakes) = ConfigFileReader.Read(path);
        Assert.That(mistakes.Select(mistake => mistake.Source.Line), Is.EqualTo(new[] { 2, 3 }));
    }

    [Test]
    public void A_file_that_includes_itself_is_a_mistake_and_no_endless_loop()
    {
        _files.Write("b.conf", "include 'a.conf'");
        var (_, mistakes) = ConfigFileReader.Read(_files.Write("a.conf", "include 'b.conf'"));
        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0].Message, Does.Contain("includes itself"));
    }

    [Test]
    public void The_same_file_may_be_included_twice_one_after_the_other()
    {
        _files.Write("b.conf", "port = 5");
        var (entries, mistakes) = ConfigFileReader.Read(_files.Write("a.conf", "include 'b.conf'", "include 'b.conf'"));
        Assert.That(mistakes, Is.Empty);
        Assert.That(entries, Has.Count.EqualTo(2));
    }

    [TestCase("/dev/zero")]
    [TestCase("/nowhere/pgpool.conf")]
    [TestCase("/tmp")]
    public void What_is_no_configuration_file_is_a_mistake(string path)
    {
        var (entries, mistakes) = ConfigFileReader.Read(path);
        Assert.That(entries, Is.Empty);
        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0].ToString(), Does.Contain(path));
    }
}
