using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>
/// Eight clients that compete for the same servers and leave every kind of session state behind: settings, temporary tables, prepared
/// statements, advisory locks, sequence values, cursors, transactions and half a COPY, under the names that the scripts use. Each checks that
/// it sees its own state and no other's.
/// </summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _members;
    private long _rounds;

    private Crowd(Endpoint router, string database)
    {
        Competitor[] members =
        [
            new SettingsCompetitor(0), new SettingsCompetitor(1), new TemporaryTableCompetitor(2), new StatementCompetitor(3),
            new LockCompetitor(4), new SequenceCompetitor(5), new CursorCompetitor(6), new TransactionCompetitor(7),
        ];
        _members = [.. members.Select(member => Task.Run(() => WorkAsync(member, router, database)))];
    }

    /// <summary>Starts it; returns when every member has been at work.</summary>
    public static async Task<Crowd> StartAsync(Endpoint router, string database = "postgres")
    {
        var crowd = new Crowd(router, database);
        await Testing.Eventually.TrueAsync(
            () => Volatile.Read(ref crowd._rounds) > 2 * crowd._members.Length || crowd.HasFailed, "the crowd to be at work");
        return crowd;
    }

    /// <summary>Whether a member has seen what it should not have seen.</summary>
    public bool HasFailed => _members.Any(member => member.IsFaulted);

    /// <summary>How many rounds all members have done.</summary>
    public long Rounds => Volatile.Read(ref _rounds);

    /// <summary>Stops it.</summary>
    /// <exception cref="InvalidOperationException">A member saw something other than its own state.</exception>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_members);
        _stop.Dispose();
    }

    private async Task WorkAsync(Competitor member, Endpoint router, string database)
    {
        while (!_stop.IsCancellationRequested)
        {
            await member.VisitAsync(router, database);
            Interlocked.Increment(ref _rounds);
        }
    }
}
