using System.Collections.Concurrent;
using System.Text;

namespace PgRouter.Sql;

/// <summary>
/// Parses texts whose shape is not known yet, on threads of its own with a 64 MB stack, because the native parser recurses and a stack
/// overflow would kill the process. Never throws for a text, whatever its bytes: what cannot be parsed is Unknown. All members may be
/// called from any thread but the parser's own.
/// </summary>
public sealed class StatementParser : IDisposable
{
    public const int StackBytes = 64 * 1024 * 1024;

    private readonly BlockingCollection<Job> _queue;
    private readonly Thread[] _threads;
    private int _isDisposed;
    private readonly int _maxBytes;

    /// <param name="threads">How many texts are parsed at once.</param>
    /// <param name="queueCapacity">Texts that may wait; above it a text gets the verdict of its keywords.</param>
    /// <param name="maxBytes">Longer texts are not parsed.</param>
    /// <exception cref="DllNotFoundException">libpg_query is not installed; the message names the package.</exception>
    public StatementParser(int threads = 1, int queueCapacity = 4096, int maxBytes = TextLimits.DefaultMaxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        LibPgQuery.Describe();
        _maxBytes = maxBytes;
        _queue = new BlockingCollection<Job>(queueCapacity);
        _threads = new Thread[threads];
        for (var i = 0; i < threads; i++)
        {
            _threads[i] = new Thread(Run, StackBytes) { IsBackground = true, Name = $"parser-{i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Texts that wait.</summary>
    public int QueueLength => _queue.Count;

    /// <summary>
    /// Parses a text and hands over its verdict on the parser's thread. When the queue is full, <paramref name="completed"/> runs at once
    /// on the caller's thread with an Unknown verdict whose <see cref="StatementInfo.IsLasting"/> is false. Never blocks.
    /// </summary>
    /// <param name="sql">The text without its closing zero; must not change until completed.</param>
    /// <param name="standardConformingStrings">The setting of the session that sent it.</param>
    /// <param name="completed">Called exactly once; must be quick and must not throw.</param>
    /// <exception cref="ObjectDisposedException">The parser was stopped.</exception>
    public void Parse(byte[] sql, bool standardConformingStrings, Action<StatementInfo> completed)
    {
        if (TryAdd(new Job(sql, standardConformingStrings, completed)))
            return;
        const string Cause = "parser queue full";
        var info = new StatementInfo(StatementClass.Unknown, Cause, KeywordReader.Read(sql, standardConformingStrings, Cause).Statements)
        {
            Hint = TextHead.ReadHint(sql),
            LiteralsMatter = true,
            IsLasting = false,
        };
        completed(info);
    }

    /// <summary>Parses a text on the parser's thread and waits for the verdict: for tools and tests, never on a loop.</summary>
    public StatementInfo Analyze(ReadOnlySpan<byte> sql, bool standardConformingStrings)
    {
        var result = new TaskCompletionSource<StatementInfo>(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(new Job(sql.ToArray(), standardConformingStrings, result.SetResult));
        return result.Task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Analyze(ReadOnlySpan{byte}, bool)"/>
    public StatementInfo Analyze(string sql) => Analyze(Encoding.UTF8.GetBytes(sql), standardConformingStrings: true);

    /// <summary>Parses what is queued, then stops the threads.</summary>
    public void Dispose()
    {
        // Also the second time, when the queue is disposed of and may not even be asked.
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        _queue.CompleteAdding();
        foreach (var thread in _threads)
            thread.Join();
        _queue.Dispose();
    }

    private bool TryAdd(Job job)
    {
        try
        {
            return _queue.TryAdd(job);
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            throw new ObjectDisposedException("The parser was stopped.", e);
        }
    }

    private void Run()
    {
        var limits = new TextLimits(_maxBytes);
        foreach (var job in _queue.GetConsumingEnumerable())
            job.Completed(Read(job.Sql, job.StandardConformingStrings, limits));
    }

    private static StatementInfo Read(byte[] sql, bool standardConformingStrings, TextLimits limits)
    {
        var local = LocalCommands.TryRecognize(sql, standardConformingStrings);
        if (local is not null)
            return local;
        var info = TextHead.Skip(sql) == sql.Length ? KnownTexts.Empty : ReadStatements(sql, standardConformingStrings, limits);
        return KnownTexts.WithHint(info, TextHead.ReadHint(sql));
    }

    private static StatementInfo ReadStatements(byte[] sql, bool standardConformingStrings, TextLimits limits)
    {
        if (sql.AsSpan().Contains((byte)0))
            return KeywordReader.Read(sql, standardConformingStrings, "zero byte in the text");
        if (!limits.Allow(sql, standardConformingStrings))
            return KeywordReader.Read(sql, standardConformingStrings, "larger than the parse limit");
        var text = ParserInput.Create(sql, standardConformingStrings);
        try
        {
            var info = LibPgQuery.Parse(text, tree => Classifier.Classify(tree, text), static _ => null!);
            return info ?? OwnSettingText.TryRecognize(sql, standardConformingStrings)
                ?? KeywordReader.Read(sql, standardConformingStrings, "syntax error", literalsMatter: false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A tree with bytes that are no UTF-8 (E'\xff' in a name): PostgreSQL itself will say what it thinks of them. Whatever else it may be, one
            // text must not end the process for all others.
            return KeywordReader.Read(sql, standardConformingStrings, "unreadable parse tree");
        }
    }

    private sealed record Job(byte[] Sql, bool StandardConformingStrings, Action<StatementInfo> Completed);
}
