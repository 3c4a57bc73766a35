using System.Diagnostics;

namespace PgRouter.Testing;

/// <summary>Waits by condition. A test never sleeps: it names what it waits for and the longest time it may take.</summary>
public static class Eventually
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(15);

    /// <summary>The deadline used when the caller names none.</summary>
    public static TimeSpan DefaultDeadline { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Returns once <paramref name="condition"/> holds.</summary>
    /// <exception cref="TimeoutException">The condition did not hold before the deadline; says <paramref name="what"/> was awaited.</exception>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? deadline = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, deadline);

    /// <inheritdoc cref="TrueAsync(Func{bool}, string, TimeSpan?)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null)
    {
        var limit = deadline ?? DefaultDeadline;
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > limit)
                throw new TimeoutException($"Waited {limit.TotalSeconds:0.#} s in vain for: {what}");
            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Returns the first value of <paramref name="read"/> that satisfies <paramref name="accept"/>.</summary>
    /// <exception cref="TimeoutException">No such value came before the deadline; shows the last value read.</exception>
    public static async Task<T> ValueAsync<T>(Func<Task<T>> read, Func<T, bool> accept, string what, TimeSpan? deadline = null)
    {
        var limit = deadline ?? DefaultDeadline;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var value = await read();
            if (accept(value))
                return value;
            if (clock.Elapsed > limit)
                throw new TimeoutException($"Waited {limit.TotalSeconds:0.#} s in vain for: {what}; the last value was: {value}");
            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Runs <paramref name="action"/> again until it does not throw.</summary>
    /// <exception cref="TimeoutException">It still threw at the deadline; the last exception is the inner exception.</exception>
    public static async Task PassesAsync(Func<Task> action, string what, TimeSpan? deadline = null)
    {
        var limit = deadline ?? DefaultDeadline;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (Exception last) when (clock.Elapsed <= limit)
            {
                Trace.WriteLine($"not yet ({what}): {last.Message}");
            }
            catch (Exception last)
            {
                throw new TimeoutException($"Waited {limit.TotalSeconds:0.#} s in vain for: {what}; last: {last.Message}", last);
            }

            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Awaits <paramref name="task"/>, but no longer than the deadline.</summary>
    /// <exception cref="TimeoutException">The task was not done in time; says <paramref name="what"/> was awaited.</exception>
    public static async Task<T> DoneAsync<T>(Task<T> task, string what, TimeSpan? deadline = null)
    {
        await DoneAsync((Task)task, what, deadline);
        return await task;
    }

    /// <inheritdoc cref="DoneAsync{T}(Task{T}, string, TimeSpan?)"/>
    public static async Task DoneAsync(Task task, string what, TimeSpan? deadline = null)
    {
        var limit = deadline ?? DefaultDeadline;
        using var cancelDelay = new CancellationTokenSource();
        var first = await Task.WhenAny(task, Task.Delay(limit, cancelDelay.Token));
        if (first != task)
            throw new TimeoutException($"Waited {limit.TotalSeconds:0.#} s in vain for: {what}");
        await cancelDelay.CancelAsync();
        await task;
    }
}
