using System.Collections.Concurrent;

namespace PgRouter.Core.Transport;

/// <summary>
/// Threads for what takes a loop too long and is not the parser's: handshakes and the derivation of keys at logins. Few, and of lower priority than
/// the loops, so that a storm of logins takes nothing from those who are logged in. Any thread.
/// </summary>
internal sealed class WorkThreads : IDisposable
{
    /// <summary>The nice value of the threads (setpriority(2)): below everything that serves clients.</summary>
    private const int Niceness = 10;

    private readonly BlockingCollection<Job> _jobs = [];
    private readonly Thread[] _threads;

    public WorkThreads(int count)
    {
        _threads = [.. Enumerable.Range(0, count).Select(i => new Thread(Run) { IsBackground = true, Name = $"login-{i}" })];
        foreach (var thread in _threads)
            thread.Start();
    }

    /// <summary>Runs something on one of the threads; the handler goes on, on its loop, when it is done. Throws what it threw.</summary>
    /// <param name="work">What to do. It must not touch anything of the loop while it runs.</param>
    /// <param name="signal">What the handler sleeps on.</param>
    public async Task RunAsync(Action work, Signal signal)
    {
        var job = new Job(work, signal);
        _jobs.Add(job);
        while (!job.IsDone)
            await signal;
        job.Exception?.Throw();
    }

    public void Dispose() => _jobs.CompleteAdding();

    private void Run()
    {
        Native.SetNiceness(Niceness);
        foreach (var job in _jobs.GetConsumingEnumerable())
            job.Run();
    }

    private sealed class Job(Action work, Signal signal)
    {
        public bool IsDone { get; private set; }

        public System.Runtime.ExceptionServices.ExceptionDispatchInfo? Exception { get; private set; }

        public void Run()
        {
            try
            {
                work();
            }
            // Whatever it is, it is the handler's: it is thrown there.
            catch (Exception e)
            {
                Exception = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
            }
            signal.Loop.Post(
                static state =>
                {
                    var job = (Job)state!;
                    job.IsDone = true;
                    job.Wake();
                },
                this);
        }

        private void Wake() => signal.Set();
    }
}
