using System.Net.Sockets;
using System.Text;
using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Fuzzing;

/// <summary>One client after the other: logs in, or tries to in a spoilt way, sends whole, changed, cut and mixed messages, and leaves.</summary>
internal sealed class FuzzClient(Endpoint router, int seed, FuzzCount count)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    /// <summary>Batches without an answer after which nothing more is to be heard.</summary>
    private const int LongestSilence = 3;

    private static readonly byte[] Hello = ClientHello.Make();
    private static readonly byte[] Login = Frontend.Startup([new("user", "fuzz"), new("database", "postgres")]).ToBytes();
    private readonly SemaphoreSlim _answered = new(0);
    private volatile bool _isWaiting;
    private volatile int _answers;
    private int _silence;
    private readonly Mutator _mutator = new(new Random(seed));

    /// <summary>Until enough was sent by all.</summary>
    public async Task RunAsync()
    {
        while (count.GoesOn)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(router.Address);
            count.Connected();
            var reading = DrainAsync(socket);
            await SendAllAsync(socket, reading, _mutator.Chance(0.15) ? Startup() : Session());
            await LeaveAsync(socket, reading);
            socket.Close();
            await reading;
        }
    }

    /// <summary>Half of them say goodbye first and wait a moment for the end; the others tear the connection.</summary>
    private async Task LeaveAsync(Socket socket, Task reading)
    {
        try
        {
            if (_mutator.Chance(0.5))
            {
                socket.Shutdown(SocketShutdown.Send);
                while (await HearsAsync(reading, _answers))
                {
                }
                if (reading.IsCompleted)
                    return;
            }
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // The router was faster.
        }
    }

    private async Task DrainAsync(Socket socket)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory()) > 0)
            {
                _answers++;
                if (_isWaiting)
                    _answered.Release();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The router has closed, or this side has.
        }
    }

    /// <summary>Until something comes, or nothing has for a moment: what is sent is to be worked off, and not thrown away with the connection.</summary>
    private async Task<bool> HearsAsync(Task reading, int before)
    {
        _isWaiting = true;
        while (_answers == before && !reading.IsCompleted && await _answered.WaitAsync(Moment))
        {
        }
        _isWaiting = false;
        return _answers != before && !reading.IsCompleted;
    }

    private async Task SendAllAsync(Socket socket, Task reading, IEnumerable<byte[]> messages)
    {
        var batch = new List<byte[]>();
        _silence = 0;
        try
        {
            foreach (var message in messages)
            {
                batch.Add(message);
                if (batch.Count < 64 && !_mutator.Chance(0.03))
                    continue;
                await FlushAsync(socket, reading, batch);
                if (_silence == LongestSilence)
                    return;
            }
            await FlushAsync(socket, reading, batch);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            if (e is OperationCanceledException)
                count.Hung($"the router took nothing for {Patience.TotalSeconds} s (seed {seed})");
        }
    }

    private async Task FlushAsync(Socket socket, Task reading, List<byte[]> batch)
    {
        using var limit = new CancellationTokenSource(Patience);
        var before = _answers;
        for (ReadOnlyMemory<byte> rest = batch.SelectMany(bytes => bytes).ToArray(); rest.Length > 0;)
            rest = rest[await socket.SendAsync(rest, limit.Token)..];
        count.Sent(batch.Count);
        batch.Clear();
        _silence = await HearsAsync(reading, before) ? 0 : _silence + 1;
    }

    private IEnumerable<byte[]> Startup()
    {
        for (var i = _mutator.Number(3); i >= 0; i--)
        {
            var seed = _mutator.Pick(FuzzCorpus.Startup);
            yield return _mutator.Number(5) switch
            {
                0 => seed,
                1 => _mutator.Bytes(_mutator.Number(200)),
                2 => [.. Frontend.SslRequest().ToBytes(), .. _mutator.Message(Hello, seed)],
                3 => _mutator.Message(Hello, seed),
                _ => Frontless(seed),
            };
            yield return _mutator.Message(Frontend.SaslInitial("SCRAM-SHA-256", "n,,n=,r=fuzzfuzzfuzzfuzzfuzz").ToBytes(), Login);
            yield return _mutator.Message(Frontend.SaslResponse("c=biws,r=fuzz,p=AAAA").ToBytes(), Login);
        }
    }

    /// <summary>The mutator knows messages with a type byte.</summary>
    private byte[] Frontless(byte[] packet)
    {
        var changed = _mutator.Message([(byte)'-', .. packet], Login);
        return changed.Length > 0 ? changed[1..] : changed;
    }

    private IEnumerable<byte[]> Session()
    {
        yield return Login;
        var spoils = _mutator.Chance(0.5) ? 0.01 : 0.1;
        for (var left = 1 << _mutator.Number(12); left > 0 && count.GoesOn; left--)
        {
            var message = _mutator.Chance(0.3) ? Statement() : _mutator.Pick(FuzzCorpus.Client);
            if (_mutator.Chance(spoils))
                message = _mutator.Chance(0.1) ? _mutator.Pick(FuzzCorpus.Rude) : _mutator.Message(message, _mutator.Pick(FuzzCorpus.Client));
            yield return message;
        }
    }

    private byte[] Statement()
    {
        var sql = _mutator.Pick(FuzzCorpus.Statements);
        if (_mutator.Chance(0.5))
            sql = _mutator.Statement(sql, _mutator.Pick(FuzzCorpus.Statements));
        var bytes = Encoding.UTF8.GetBytes(sql);
        return _mutator.Number(3) switch
        {
            0 => [.. new BodyBuilder().Byte('\0').Bytes(bytes).Bytes([0, 0, 0]).Message('P').ToBytes(), .. Frontend.Bind("", "").ToBytes(), .. Frontend.Execute("").ToBytes()],
            1 => new BodyBuilder().Text("s").Bytes(bytes).Bytes([0, 0, 0]).Message('P').ToBytes(),
            _ => new BodyBuilder().Bytes(bytes).Byte('\0').Message('Q').ToBytes(),
        };
    }
}
