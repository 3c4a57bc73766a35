using System.Runtime.CompilerServices;

namespace PgRouter.Core.Transport;

/// <summary>
/// An auto-reset event for one awaiter on one loop: what a session sleeps on. Set marks it and puts the awaiter on the loop's
/// run queue; several sets before the awaiter runs are one. Loop thread only; from elsewhere go through <see cref="EventLoop.Post"/>.
/// Awaiting allocates nothing once the async method has run past its first await.
/// </summary>
internal sealed class Signal(EventLoop loop) : ICriticalNotifyCompletion, IReadinessOwner
{
    private Action? _continuation;
    private bool _isSet;

    public EventLoop Loop { get; } = loop;

    public bool IsCompleted => _isSet;

    public Signal GetAwaiter() => this;

    public void GetResult() => _isSet = false;

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        if (_continuation is not null)
            throw new InvalidOperationException("A signal has one awaiter at a time.");
        _continuation = continuation;
    }

    public void Set()
    {
        if (_isSet)
            return;
        _isSet = true;
        if (_continuation is not null)
            Loop.Schedule(this);
    }

    void IReadinessOwner.OnReady() => Set();

    /// <summary>Called by the loop from its run queue.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Resume()
    {
        var continuation = _continuation;
        _continuation = null;
        continuation?.Invoke();
    }
}
