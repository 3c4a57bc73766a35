using System.Runtime.InteropServices;
using System.Threading.Channels;
using PgRouter.Core.Hosting;

namespace PgRouter.Server.Processes;

/// <summary>
/// Signals as requests in the order of their arrival: SIGHUP reloads, SIGTERM stops smartly, SIGINT fast, SIGQUIT at once, as in
/// pgpool. Cancelling the token counts as SIGINT. One reader.
/// </summary>
internal sealed class SignalRequests : IDisposable
{
    private readonly Channel<StopMode?> _requests = Channel.CreateUnbounded<StopMode?>();
    private readonly List<IDisposable> _registrations = [];
    private Task<StopMode?>? _next;

    public SignalRequests(CancellationToken cancellationToken)
    {
        Register(PosixSignal.SIGHUP, null);
        Register(PosixSignal.SIGTERM, StopMode.Smart);
        Register(PosixSignal.SIGINT, StopMode.Fast);
        Register(PosixSignal.SIGQUIT, StopMode.Immediate);
        _registrations.Add(cancellationToken.Register(() => _requests.Writer.TryWrite(StopMode.Fast)));
    }

    /// <summary>The next request: how to stop, or null for a reload. The same task is returned until it has completed.</summary>
    public Task<StopMode?> NextAsync()
    {
        if (_next is null || _next.IsCompleted)
            _next = _requests.Reader.ReadAsync().AsTask();
        return _next;
    }

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void Register(PosixSignal signal, StopMode? request) =>
        _registrations.Add(PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            _requests.Writer.TryWrite(request);
        }));
}
