using System.Net.Sockets;
using NUnit.Framework;
using PgRouter.Core.Transport;

namespace PgRouter.Tests.Transport;

[TestFixtureSource(typeof(LoopHost), nameof(LoopHost.Methods))]
internal sealed class EventLoopTests(IoMethod method)
{
    private LoopHost _host = null!;

    private EventLoop Loop => _host.Loop;

    [SetUp]
    public void StartLoop() => _host = new LoopHost(method);

    [TearDown]
    public void StopLoop() => _host.Dispose();

    [Test]
    public async Task Posted_work_runs_in_order_on_the_loops_thread()
    {
        var order = new List<int>();
        for (var i = 0; i < 5000; i++)
            Loop.Post(state => order.Add((int)state!), i);
        Assert.That(await _host.On(() => EventLoop.Current), Is.SameAs(Loop));
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 5000)));
        Assert.That(EventLoop.Current, Is.Null);
    }

    [Test]
    public async Task Work_posted_by_many_threads_at_once_all_runs()
    {
        var count = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 2000; i++)
                Loop.Post(_ => count++, null);
        })));
        Assert.That(await _host.On(() => count), Is.EqualTo(16_000));
    }

    [Test]
    public async Task Work_that_throws_leaves_the_loop_running()
    {
        Loop.Post(_ => throw new InvalidOperationException("by design"), null);
        Assert.That(await _host.On(() => 1), Is.EqualTo(1));
    }

    [Test]
    public void What_an_invoked_function_throws_is_thrown_to_its_caller() =>
        Assert.That(async () => await _host.On<int>(() => throw new InvalidOperationException("x")), Throws.InvalidOperationException);

    [Test]
    public async Task A_handler_resumes_on_the_loop_after_each_signal_and_several_sets_are_one()
    {
        var rounds = 0;
        Signal signal = null!;
        var running = await _host.On(() =>
        {
            signal = new Signal(Loop);
            return Handler();
        });
        await _host.On(() =>
        {
            signal.Set();
            signal.Set();
        });
        Assert.That(await _host.On(() => rounds), Is.EqualTo(1));
        await _host.On(signal.Set);
        await running.WaitAsync(LoopHost.Deadline);

        async Task Handler()
        {
            while (rounds < 2)
            {
                await signal;
                Assert.That(EventLoop.Current, Is.SameAs(Loop));
                rounds++;
            }
        }
    }

    [Test]
    public async Task A_signal_that_was_set_before_is_not_waited_for() => Assert.That(
        await _host.Run(async () =>
        {
            var signal = new Signal(Loop);
            signal.Set();
            await signal;
            return signal.IsCompleted;
        }),
        Is.False);

    [Test]
    public async Task A_signal_has_one_awaiter_at_a_time() => Assert.That(
        await _host.On(() =>
        {
            var signal = new Signal(Loop);
            signal.OnCompleted(() => { });
            return Assert.Throws<InvalidOperationException>(() => signal.OnCompleted(() => { }));
        }),
        Is.Not.Null);

    [Test]
    public async Task Awaiting_a_signal_allocates_nothing() => Assert.That(
        await _host.Run(async () =>
        {
            var (signal, echo) = (new Signal(Loop), new Signal(Loop));
            _ = Echo(signal, echo);
            long before = 0;
            for (var i = 0; i < 2000; i++)
            {
                if (i == 1000)
                    before = GC.GetAllocatedBytesForCurrentThread();
                echo.Set();
                await signal;
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }),
        Is.Zero);

    [Test]
    public async Task Handlers_that_wake_each_other_for_ever_keep_nobody_else_waiting()
    {
        var stop = false;
        await _host.On(() =>
        {
            var (a, b) = (new Signal(Loop), new Signal(Loop));
            _ = PingPong(a, b);
            _ = PingPong(b, a);
            a.Set();
        });
        var (socket, peer) = await _host.Connect();
        using (peer)
        {
            var reading = _host.Run(async () =>
            {
                var signal = new Signal(Loop);
                socket.Owner = signal;
                var (_, bytes) = await LoopHost.Read(socket, signal, 1);
                using var deadline = new Deadline(signal);
                deadline.Start(TimeSpan.FromMilliseconds(20));
                while (!deadline.HasPassed)
                    await signal;
                return bytes.Length;
            });
            await peer.SendAsync(new byte[1]);
            Assert.That(await reading, Is.EqualTo(1));
        }
        await _host.On(() => stop = true);

        async Task PingPong(Signal own, Signal other)
        {
            while (!stop)
            {
                await own;
                other.Set();
            }
        }
    }

    [Test]
    public async Task Each_handler_that_is_ready_runs_once_before_any_runs_twice()
    {
        var order = new List<int>();
        await _host.On(() =>
        {
            for (var i = 0; i < 3; i++)
                _ = Rounds(i, new Signal(Loop));
        });
        await TestEventually(() => order.Count == 9);
        Assert.That(order, Is.EqualTo(new[] { 0, 1, 2, 0, 1, 2, 0, 1, 2 }));

        async Task Rounds(int name, Signal signal)
        {
            for (var i = 0; i < 3; i++)
            {
                signal.Set();
                await new Yielding(signal);
                order.Add(name);
            }
        }
    }

    [Test]
    public async Task A_deadline_wakes_its_handler_and_says_so_and_a_stopped_one_does_not() => Assert.That(
        await _host.Run(async () =>
        {
            var signal = new Signal(Loop);
            using var stopped = new Deadline(signal);
            stopped.Start(TimeSpan.FromMilliseconds(1));
            stopped.Stop();
            using var never = new Deadline(signal);
            never.Start(TimeSpan.Zero);
            using var deadline = new Deadline(signal);
            var started = Environment.TickCount64;
            deadline.Start(TimeSpan.FromMilliseconds(40));
            while (!deadline.HasPassed)
                await signal;
            Assert.That(Environment.TickCount64 - started, Is.GreaterThanOrEqualTo(40));
            return (stopped.HasPassed, never.HasPassed);
        }),
        Is.EqualTo((false, false)));

    [Test]
    public async Task Continuations_of_ordinary_tasks_come_back_to_the_loop() => Assert.That(
        await _host.Run(async () =>
        {
            await Task.Run(() => Assert.That(EventLoop.Current, Is.Null));
            return EventLoop.Current;
        }),
        Is.SameAs(Loop));

    [Test]
    public async Task Stopping_closes_the_sockets_that_are_open()
    {
        var (socket, peer) = await _host.Connect();
        using (peer)
        {
            Loop.Dispose();
            Assert.That(socket.IsClosed, Is.True);
            Assert.That(await peer.ReceiveAsync(new byte[1]).WaitAsync(LoopHost.Deadline), Is.Zero);
        }
    }

    [Test]
    public void Work_posted_after_the_end_writes_to_nobody_elses_descriptor()
    {
        Loop.Dispose();
        var pairs = Enumerable.Range(0, 16).Select(_ => NewPair()).ToList(); // take the numbers that were set free
        Loop.Post(_ => { }, null);
        Assert.That(pairs.Sum(pair => pair.One.Available + pair.Other.Available), Is.Zero);
        pairs.ForEach(pair =>
        {
            pair.One.Dispose();
            pair.Other.Dispose();
        });
    }

    private static (Socket One, Socket Other) NewPair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen(1);
        var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        one.Connect(listener.LocalEndPoint!);
        return (one, listener.Accept());
    }

    private static async Task Echo(Signal signal, Signal echo)
    {
        while (true)
        {
            await echo;
            signal.Set();
        }
    }

    private Task TestEventually(Func<bool> condition) =>
        PgRouter.Testing.Eventually.TrueAsync(() => _host.On(condition), "the handlers to have run");

    /// <summary>Awaits a signal through the run queue even when it is set already.</summary>
    private readonly struct Yielding(Signal signal) : System.Runtime.CompilerServices.INotifyCompletion
    {
        public bool IsCompleted => false;

        public Yielding GetAwaiter() => this;

        public void GetResult() => signal.GetResult();

        public void OnCompleted(Action continuation)
        {
            signal.GetResult();
            signal.OnCompleted(continuation);
            signal.Set();
        }
    }
}
