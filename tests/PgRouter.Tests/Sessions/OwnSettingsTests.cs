using NUnit.Framework;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;
using PgRouter.Sql;

namespace PgRouter.Tests.Sessions;

/// <summary>Settings of a session that are the router's: values, and what transactions and savepoints do to them.</summary>
[TestFixture]
internal sealed class OwnSettingsTests
{
    private static readonly int Route = OwnSetting.Find("pgrouter.route");

    private readonly StatementParser _parser = new();
    private SettingsJournal _journal = null!;

    [SetUp]
    public void Begin() => _journal = new SettingsJournal(SettingsSet.Empty, OwnSettings.Default);

    [OneTimeTearDown]
    public void Stop() => _parser.Dispose();

    [TestCase("SET pgrouter.route = standby", "standby")]
    [TestCase("SET pgrouter.route TO 'Primary'", "primary")]
    [TestCase("SET SESSION pgrouter.route = 'node=2'", "node=2")]
    [TestCase("SET pgrouter.route = 'node = 007'", "node=7")]
    [TestCase("SELECT set_config('pgrouter.route', 'standby', false)", "standby")]
    [TestCase("SET pgrouter.route = primary", "primary", Description = "a reserved word of PostgreSQL's grammar")]
    [TestCase("SET LOCAL pgrouter.route TO node=3;", "node=3")]
    [TestCase("/* x */ set session PgRouter.Route=node = 3 ; ", "node=3")]
    [TestCase("SET pgrouter.max_lag = 250ms", "250ms")]
    [TestCase("SET pgrouter.route = DEFAULT", null)]
    [TestCase("RESET pgrouter.route", null)]
    [TestCase("SET pgrouter.max_lag = 100", "100ms")]
    [TestCase("SET pgrouter.max_lag = '2s'", "2s")]
    [TestCase("SET pgrouter.max_lag = '1500 ms'", "1500ms")]
    [TestCase("SET pgrouter.max_lag = '1min'", "60s")]
    [TestCase("SET pgrouter.max_lag = 0", "0ms")]
    [TestCase("SET pgrouter.max_lag = -1", "-1")]
    public void A_value_is_read(string sql, string? expected)
    {
        Assert.That(OwnSettingChange.Read(_parser.Analyze(sql).Statements[0].Settings[0], out _, out var value), Is.Null);
        Assert.That(value, Is.EqualTo(expected));
    }

    [TestCase("SET pgrouter.route = 'secondary'", "22023", "invalid value for parameter \"pgrouter.route\": \"secondary\"")]
    [TestCase("SET pgrouter.route = 'node=x'", "22023", "invalid value for parameter \"pgrouter.route\": \"node=x\"")]
    [TestCase("SET pgrouter.route = 'node=128'", "22023", "invalid value for parameter \"pgrouter.route\": \"node=128\"")]
    [TestCase("SET pgrouter.route = 'node='", "22023", "invalid value for parameter \"pgrouter.route\": \"node=\"")]
    [TestCase("SET pgrouter.route = standby, auto", "22023", "SET pgrouter.route takes only one argument")]
    [TestCase("SET pgrouter.max_lag = '3 weeks'", "22023", "invalid value for parameter \"pgrouter.max_lag\": \"3 weeks\"")]
    [TestCase("SET pgrouter.max_lag = -2", "22023", "invalid value for parameter \"pgrouter.max_lag\": \"-2\"")]
    [TestCase("SET pgrouter.rout = standby", "42602", "invalid configuration parameter name \"pgrouter.rout\"")]
    [TestCase("RESET pgrouter.rout", "42602", "invalid configuration parameter name \"pgrouter.rout\"")]
    [TestCase("SET pgrouter.loops = 2", "55P02", "parameter \"pgrouter.loops\" cannot be changed now")]
    [TestCase("SET pgrouter.pool_mode = session", "55P02", "parameter \"pgrouter.pool_mode\" cannot be set after connection start")]
    public void What_cannot_be_set_is_refused_in_PostgreSQLs_words(string sql, string code, string message)
    {
        var error = OwnSettingChange.Check(_parser.Analyze(sql));
        Assert.That((error?.Code, error?.Message), Is.EqualTo((code, message)));
        Assert.That(error!.Hint, code == "55P02" || message.Contains("argument") ? Is.Null.Or.Contains("pgpool.conf") : Is.Not.Empty);
    }

    [TestCase("'a'", "a")]
    [TestCase("'it''s'", "it's")]
    [TestCase(@"E'a\\b''c'", @"a\b'c")]
    [TestCase("-1", "-1")]
    [TestCase("true", "true")]
    [TestCase("''", "")]
    [TestCase("'a', 'b'", null)]
    [TestCase("1, 2", null)]
    public void A_literal_is_read(string expression, string? expected) => Assert.That(SqlLiteral.TextOf(expression), Is.EqualTo(expected));

    [TestCase("SET pgrouter.route = standby", true, true)]
    [TestCase("/* x */ SHOW pgrouter.route;", true, true)]
    [TestCase("SET LOCAL PGROUTER.route = standby", true, true)]
    [TestCase("SELECT set_config('pgrouter.route', 'standby', false)", false, true)]
    [TestCase("SET pgrouter.route = standby; SELECT 1", false, true)]
    [TestCase("SET LOCAL pgrouter.route = primary", true, true)]
    [TestCase("SET pgrouter.route = primary; SELECT 1", false, false, Description = "left to PostgreSQL, which says that it is no SQL")]
    [TestCase("SET pgrouter.route = (primary)", false, false)]
    [TestCase("SET work_mem = '1MB'", false, false)]
    [TestCase("SET app.pgrouter = 1", false, false)]
    [TestCase("SELECT 'pgrouter.route'", false, false)]
    public void Texts_with_such_settings_are_known(string sql, bool isOwn, bool names)
    {
        var info = _parser.Analyze(sql);
        Assert.That((info.IsOwnSetting, info.NamesOwnSettings), Is.EqualTo((isOwn, names)));
        if (isOwn)
            Assert.That(info.Class, Is.EqualTo(StatementClass.State));
    }

    [Test]
    public void SET_counts_at_once_and_stays()
    {
        Set("standby");
        Assert.That(Now, Is.EqualTo("standby"));
        Assert.That(_journal.Own.Hint, Is.EqualTo(new RouteHint { Standby = true }));
        Set(null);
        Assert.That(Now, Is.EqualTo("auto"));
        Assert.That(_journal.Own.Hint, Is.Null);
    }

    [Test]
    public void A_rollback_takes_back_what_its_transaction_has_set()
    {
        Set("primary");
        _journal.Begin();
        Set("standby");
        Local("node=1");
        _journal.Rollback();
        Assert.That(Now, Is.EqualTo("primary"));
    }

    [Test]
    public void SET_LOCAL_ends_with_its_transaction_and_SET_stays()
    {
        _journal.Begin();
        Local("standby");
        Assert.That(Now, Is.EqualTo("standby"));
        _journal.Commit();
        Assert.That(Now, Is.EqualTo("auto"));

        _journal.Begin();
        Set("primary");
        Local("standby");
        _journal.Commit();
        Assert.That(Now, Is.EqualTo("primary"));

        _journal.Begin();
        Local("standby");
        Set("node=1");
        Assert.That(Now, Is.EqualTo("node=1"), "SET hides an earlier SET LOCAL");
        _journal.Commit();
        Assert.That(Now, Is.EqualTo("node=1"));
    }

    [Test]
    public void SET_LOCAL_without_a_transaction_lasts_for_nothing()
    {
        Set("primary");
        Local("standby");
        Assert.That(Now, Is.EqualTo("primary"));
    }

    [Test]
    public void A_savepoint_takes_back_what_came_after_it()
    {
        _journal.Begin();
        Set("primary");
        _journal.Savepoint("a");
        Set("standby");
        Local("node=1");
        _journal.RollbackTo("a");
        Assert.That(Now, Is.EqualTo("primary"));
        Local("node=2");
        _journal.Release("a");
        Assert.That(Now, Is.EqualTo("node=2"));
        _journal.Commit();
        Assert.That(Now, Is.EqualTo("primary"));
    }

    [Test]
    public void RESET_and_DISCARD_go_back_to_the_start_up_packet()
    {
        var startup = OwnSettings.Default;
        Assert.That(OwnSettingChange.ReadStartup("pgrouter.route", "standby", ref startup), Is.Null);
        _journal = new SettingsJournal(SettingsSet.Empty, startup);
        foreach (var reset in new Action[] { () => Set(null), _journal.ResetAll, _journal.DiscardAll })
        {
            Set("primary");
            reset();
            Assert.That(Now, Is.EqualTo("standby"));
        }
        Assert.That(OwnSettingChange.ReadStartup("pgrouter.route", "x", ref startup)?.EndsSession, Is.True);
    }

    [Test]
    public void What_a_role_begins_with_counts_until_the_session_or_its_start_up_packet_says_more()
    {
        _journal.BeginOwn(Begun("node=1"));
        Assert.That((Now, _journal.Own.Hint?.Node), Is.EqualTo(("node=1", 1)));
        _journal.Begin();
        Set("primary");
        _journal.BeginOwn(Begun("node=2"));
        Assert.That(Now, Is.EqualTo("primary"));
        _journal.Rollback();
        Assert.That(Now, Is.EqualTo("node=2"), "the savepoint of the transaction knows it too");
        foreach (var reset in new Action[] { () => Set(null), _journal.ResetAll, _journal.DiscardAll })
        {
            Set("primary");
            reset();
            Assert.That(Now, Is.EqualTo("node=2"));
        }
        _journal.BeginOwn(Begun(null));
        Assert.That((Now, _journal.Own.Hint), Is.EqualTo(("auto", (RouteHint?)null)));

        var startup = OwnSettings.Default;
        OwnSettingChange.ReadStartup("pgrouter.route", "standby", ref startup);
        _journal = new SettingsJournal(SettingsSet.Empty, startup);
        _journal.BeginOwn(Begun("node=2"));
        Assert.That(Now, Is.EqualTo("standby"));

        static string?[] Begun(string? route) => [.. OwnSetting.Rows.Select((_, row) => row == Route ? route : null)];
    }

    [Test]
    public void What_a_server_was_told_makes_it_differ_from_the_client()
    {
        _journal.NoteOwnOnServer("pgrouter.route", "'standby'");
        Assert.That(_journal.OnServer.SameAs(_journal.Client), Is.False);
        Assert.That(_journal.OnServer.ScriptTo(_journal.Client), Is.EqualTo("RESET \"pgrouter\".\"route\";"));
    }

    private string Now => _journal.Own[Route];

    private void Set(string? value) => _journal.SetOwn(Route, value, isLocal: false);

    private void Local(string value) => _journal.SetOwn(Route, value, isLocal: true);
}
