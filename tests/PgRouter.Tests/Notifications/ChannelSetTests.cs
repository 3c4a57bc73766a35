using NUnit.Framework;
using PgRouter.Core.Notifications;
using PgRouter.Core.Servers;
using PgRouter.Core.Sessions;

namespace PgRouter.Tests.Notifications;

[TestFixture]
internal sealed class ChannelSetTests
{
    [Test]
    public void Channels_keep_the_order_in_which_they_came()
    {
        var set = ChannelSet.Empty.With("b").With("a").With("c").Without("a").With("a");

        Assert.That(set.Names, Is.EqualTo(new[] { "b", "c", "a" }));
    }

    [Test]
    public void What_changes_nothing_gives_the_same_set()
    {
        var set = ChannelSet.Empty.With("a");

        Assert.That(set.With("a"), Is.SameAs(set));
        Assert.That(set.Without("b"), Is.SameAs(set));
        Assert.That(set.Without("a"), Is.SameAs(ChannelSet.Empty));
    }

    [Test]
    public void A_script_quotes_whatever_a_name_holds()
    {
        var set = ChannelSet.Empty.With("plain").With("x\"; DROP TABLE t; --");

        Assert.That(set.Script(isOnly: true), Is.EqualTo("UNLISTEN *;LISTEN \"plain\";LISTEN \"x\"\"; DROP TABLE t; --\";"));
        Assert.That(set.Script(isOnly: false), Does.StartWith("LISTEN \"plain\";"));
    }

    [Test]
    public void The_journal_takes_back_what_a_transaction_or_a_savepoint_did_to_the_channels()
    {
        var journal = new SettingsJournal(SettingsSet.Empty);
        journal.Listen("kept");
        journal.Begin();
        journal.Listen("one");
        journal.Savepoint("s");
        journal.Unlisten(null);
        journal.Listen("two");
        journal.RollbackTo("s");
        Assert.That(journal.Channels.Names, Is.EqualTo(new[] { "kept", "one" }));
        journal.Unlisten("kept");
        journal.Rollback();
        Assert.That(journal.Channels.Names, Is.EqualTo(new[] { "kept" }));
        journal.Begin();
        journal.Listen("two");
        journal.Commit();
        Assert.That(journal.Channels.Names, Is.EqualTo(new[] { "kept", "two" }));
        journal.DiscardAll();
        Assert.That(journal.Channels, Is.SameAs(ChannelSet.Empty));
    }
}
