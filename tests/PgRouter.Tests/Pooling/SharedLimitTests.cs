using NUnit.Framework;
using PgRouter.Core.Cluster;
using PgRouter.Core.Pooling;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Testing;
using PgRouter.Tests.Transport;

namespace PgRouter.Tests.Pooling;

/// <summary>max_db_connections, max_user_connections and the limit of a node, and what those are told that wait for them in vain.</summary>
[TestFixture]
internal sealed class SharedLimitTests
{
    private static readonly NodeConfig Other = PoolBed.Node with { Id = 4 };
    private static readonly TimeSpan Waited = TimeSpan.FromSeconds(7);

    [TestCase("d", "other user", false)]
    [TestCase("other database", "u", true)]
    public async Task The_servers_of_a_database_are_limited_over_users_and_nodes(string database, string user, bool mayOpen)
    {
        using var bed = new PoolBed();
        bed.SetDatabase("d", new() { MaxDbConnections = 1 });
        await bed.NewClient().TakeAsync();
        var taking = await bed.NewClient(pool: bed.Directory.Get(Other, database, user)).BeginAsync();
        await AssertOpens(bed, taking, mayOpen);
    }

    [TestCase("d", "other user", true)]
    [TestCase("other database", "u", false)]
    public async Task The_servers_of_a_user_are_limited_over_databases_and_nodes(string database, string user, bool mayOpen)
    {
        using var bed = new PoolBed();
        bed.Config = bed.Config with { MaxUserConnections = 1 };
        await bed.NewClient().TakeAsync();
        var taking = await bed.NewClient(pool: bed.Directory.Get(Other, database, user)).BeginAsync();
        await AssertOpens(bed, taking, mayOpen);
    }

    [Test]
    public async Task A_server_opened_at_a_login_counts_and_is_not_kept_beyond_the_limit()
    {
        using var bed = new PoolBed();
        bed.Config = bed.Config with { MaxDbConnections = 1 };
        var (first, second) = (await OpenAsync(bed), await OpenAsync(bed));
        await bed.Host.On(() => bed.Pool.Adopt(first));
        await bed.Host.On(() => bed.Pool.Adopt(second));
        Assert.That((bed.Pool.Count, bed.Pool.IdleCount, second.Socket.IsClosed), Is.EqualTo((1, 1, true)));
    }

    [Test]
    public async Task A_place_that_becomes_free_goes_to_the_pool_that_waits_for_it()
    {
        using var bed = new PoolBed();
        bed.Config = bed.Config with { MaxDbConnections = 1 };
        var held = await bed.NewClient().TakeAsync();
        var waiting = await bed.NewClient(pool: bed.Directory.Get(Other, "d", "x")).BeginAsync();
        await bed.Host.On(held.Release);
        Assert.That((await waiting.WaitAsync(LoopHost.Deadline)).Lease!.Server.User, Is.EqualTo("x"));
        Assert.That(bed.Pool.Count, Is.Zero);
    }

    [Test]
    public async Task One_idle_server_is_closed_to_make_room_and_not_one_per_loop()
    {
        using var bed = new PoolBed(loops: 2, size: 4);
        bed.Config = bed.Config with { MaxNodeConnections = 4 };
        var leases = new List<ServerLease>();
        foreach (var loop in new[] { 0, 0, 1, 1 })
            leases.Add(await bed.NewClient(loop).TakeAsync());
        foreach (var lease in leases)
            await bed.Hosts[lease.Server.Socket.Loop.Index].On(lease.Release);
        Assert.That(bed.Pool.IdleCount, Is.EqualTo(4));
        var needy = bed.Directory.Get(PoolBed.Node, "d2", "u");

        var taken = await bed.NewClient(pool: needy).TakeAsync();

        Assert.That(taken.Server.Database, Is.EqualTo("d2"));
        Assert.That((bed.Pool.Count, needy.Count), Is.EqualTo((3, 1)));
    }

    [Test]
    public async Task Who_waited_in_vain_for_a_full_pool_is_told_so()
    {
        using var bed = new PoolBed();
        await bed.NewClient().TakeAsync();
        await bed.NewClient().TakeAsync();
        await bed.NewClient().BeginAsync();

        var error = PoolShortage.AfterWaiting(bed.Pool, Waited);

        Assert.That(error.IsUnreachable, Is.False);
        Assert.That((error.Message.Code, error.Message.Message, error.Message.Detail), Is.EqualTo((
            SqlStates.TooManyConnections,
            "no server was free within 7 s on node 3 for d/u",
            "All 2 servers of the pool are in use, 1 clients wait.")));
        Assert.That(error.Message.Hint, Does.Contain("pool_size").And.Contain("reserve_pool_size"));
    }

    [TestCase("max_db_connections", "All 1 servers of database \"d\" are in use (max_db_connections).")]
    [TestCase("max_user_connections", "All 1 servers of user \"u\" are in use (max_user_connections).")]
    [TestCase("num_init_children", "All 1 servers of node 3 are in use (num_init_children x max_pool).")]
    public async Task Who_waited_in_vain_for_a_limit_is_told_which(string setting, string detail)
    {
        using var bed = new PoolBed();
        bed.Config = setting switch
        {
            "max_db_connections" => bed.Config with { MaxDbConnections = 1 },
            "max_user_connections" => bed.Config with { MaxUserConnections = 1 },
            _ => bed.Config with { MaxNodeConnections = 1 },
        };
        await bed.NewClient().TakeAsync();
        await bed.NewClient().BeginAsync();

        var message = PoolShortage.AfterWaiting(bed.Pool, Waited).Message;

        Assert.That((message.Code, message.Detail), Is.EqualTo((SqlStates.TooManyConnections, detail)));
        Assert.That(message.Hint, Does.Contain(setting));
        Assert.That(PoolShortage.Notice(bed.Pool, Waited).Detail, Is.EqualTo(detail));
    }

    [Test]
    public async Task Who_waited_in_vain_because_no_server_could_be_opened_is_told_why_not()
    {
        using var bed = new PoolBed();
        bed.Config = bed.Config with { ServerLoginRetry = TimeSpan.FromMinutes(10) };
        await bed.NewClient().TakeAsync();
        bed.FailNext(SqlStates.InvalidPassword, isUnreachable: false);
        var waiting = await bed.NewClient().BeginAsync();
        await Eventually.TrueAsync(() => bed.Pool.Opener.LastError is not null, "the login to be refused");

        Assert.That(waiting.IsCompleted, Is.False, "the server that is held will come back");
        Assert.That(PoolShortage.AfterWaiting(bed.Pool, Waited).Message.Code, Is.EqualTo(SqlStates.InvalidPassword));
        Assert.That(PoolShortage.Notice(bed.Pool, Waited).Detail, Is.EqualTo("The last login was refused: by design"));
    }

    [Test]
    public async Task Who_waited_in_vain_for_a_login_that_does_not_end_is_told_so()
    {
        using var bed = new PoolBed();
        bed.CloseGate();
        await bed.NewClient().BeginAsync();

        var message = PoolShortage.AfterWaiting(bed.Pool, Waited).Message;

        Assert.That((message.Code, message.Detail), Is.EqualTo(
            (SqlStates.SqlClientUnableToEstablishSqlConnection, $"A login to {PoolBed.Node} is under way and not answered.")));
        bed.OpenGate();
    }

    private static async Task<ServerConnection> OpenAsync(PoolBed bed) =>
        (await bed.Host.Run(() => bed.ConnectAsync(bed.Host.Loop, PoolBed.Node, "d", "u"))).Server!;

    private static async Task AssertOpens(PoolBed bed, Task<(ServerLease? Lease, PoolError? Error)> taking, bool mayOpen)
    {
        if (mayOpen)
            await taking.WaitAsync(LoopHost.Deadline);
        Assert.That((bed.Connects, taking.IsCompleted), Is.EqualTo(mayOpen ? (2, true) : (1, false)));
    }
}
