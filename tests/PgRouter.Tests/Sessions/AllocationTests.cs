using System.Net.Sockets;
using NUnit.Framework;
using PgRouter.Testing.Fakes;
using PgRouter.Testing.Protocol;

namespace PgRouter.Tests.Sessions;

/// <summary>A statement whose shape is known costs no allocation on the loop, in any protocol, and also when it waits for a server.</summary>
[TestFixture]
internal sealed class AllocationTests
{
    private const int Clients = 20;
    private const int Statements = 12_000;

    /// <summary>What a busy machine makes grow late, it makes grow once; what a statement costs shows every time.</summary>
    private const int Attempts = 3;

    private static readonly byte[] Simple = Bytes(Frontend.Query("SELECT abalance FROM pgbench_accounts WHERE aid = 4711"));

    private static readonly byte[] Extended = Bytes(
        Frontend.Parse("", "SELECT abalance FROM pgbench_accounts WHERE aid = $1"), Frontend.Bind("", "", "4711"), Frontend.Describe('P', ""),
        Frontend.Execute(""), Frontend.Sync());

    private static readonly byte[] Preparing = Bytes(
        Frontend.Parse("P_0", "SELECT abalance FROM pgbench_accounts WHERE aid = $1"), Frontend.Sync());

    private static readonly byte[] Prepared = Bytes(
        Frontend.Bind("", "P_0", "4711"), Frontend.Describe('P', ""), Frontend.Execute(""), Frontend.Sync());

    private static readonly byte[][] Block =
    [
        Bytes(Frontend.Query("BEGIN")), Bytes(Frontend.Query("UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = 4711")),
        Bytes(Frontend.Query("COMMIT")),
    ];

    private CannedServer _server = null!;
    private RouterBed _bed = null!;
    private List<Socket> _clients = [];

    [TearDown]
    public async Task Stop()
    {
        _clients.ForEach(client => client.Dispose());
        await _bed.DisposeAsync();
        _server.Dispose();
    }

    /// <param name="servers">Fewer than clients: most statements wait for one.</param>
    [TestCase(Clients)]
    [TestCase(2)]
    public async Task Of_a_simple_query(int servers) => await AssertNothingIsAllocatedAsync(servers, [Simple]);

    [TestCase(Clients)]
    [TestCase(2)]
    public async Task Of_an_extended_query(int servers) => await AssertNothingIsAllocatedAsync(servers, [Extended]);

    [TestCase(Clients)]
    [TestCase(2)]
    public async Task Of_a_prepared_statement(int servers) => await AssertNothingIsAllocatedAsync(servers, [Prepared], Preparing);

    [Test]
    public async Task Of_a_transaction_block() => await AssertNothingIsAllocatedAsync(Clients, Block);

    [TestCase(Clients)]
    [TestCase(2)]
    public async Task Of_a_transaction_block_in_one_send(int servers) =>
        await AssertNothingIsAllocatedAsync(servers, [[.. Block.SelectMany(statement => statement)]]);

    private async Task AssertNothingIsAllocatedAsync(int servers, byte[][] statements, byte[]? before = null)
    {
        await StartAsync(servers);
        if (before is not null)
            Run([before], rounds: 1);
        Run(statements, rounds: 250); // The code is compiled, and what grows has grown.
        var rounds = Statements / Clients / statements.Length;
        var count = rounds * Clients * statements.Length;
        var least = long.MaxValue;
        for (var attempt = 0; attempt < Attempts && least / count > 0; attempt++)
        {
            var start = await AllocatedAsync();
            Run(statements, rounds);
            least = Math.Min(least, await AllocatedAsync() - start);
        }

        Assert.That(least / count, Is.Zero, $"{least} bytes for {count} statements");
    }

    private async Task StartAsync(int servers)
    {
        _server = new CannedServer();
        _bed = await RouterBed.StartBeforeAsync(
            _server.Endpoint, $"default_pool_size = {servers}", "load_balance_mode = off", "pgrouter.loops = 1");
        _clients = [];
        for (var i = 0; i < Clients; i++)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
            _clients.Add(client);
            await client.ConnectAsync("127.0.0.1", _bed.Endpoint.Port);
            client.Send(Bytes(Frontend.Startup([new("user", "app"), new("database", "db")])));
            ReadUntilReady(client);
        }
    }

    /// <summary>All clients ask at once, then all read their answers.</summary>
    private void Run(byte[][] statements, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            foreach (var statement in statements)
            {
                foreach (var client in _clients)
                    client.Send(statement);
                foreach (var client in _clients)
                    ReadUntilReady(client, isBlock: statements.Length == 1);
            }
        }
    }

    /// <summary>Until the last bytes are a ReadyForQuery: of the COMMIT, when a block was sent at once.</summary>
    private static void ReadUntilReady(Socket client, bool isBlock = false)
    {
        Span<byte> buffer = stackalloc byte[2048];
        var length = 0;
        do
        {
            var count = client.Receive(buffer[length..]);
            Assert.That(count, Is.Positive);
            length += count;
        }
        while (length < 6 || !buffer.Slice(length - 6, 5).SequenceEqual("Z\0\0\0\u0005"u8) || (isBlock && buffer[length - 1] != 'I'));
        Assert.That(buffer[0], Is.Not.EqualTo((byte)'E'));
    }

    private async Task<long> AllocatedAsync() => await _bed.Loops[0].InvokeAsync(GC.GetAllocatedBytesForCurrentThread);

    private static byte[] Bytes(params RawMessage[] messages) => [.. messages.SelectMany(message => message.ToBytes())];
}
