using PgRouter.Core.Cluster;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Health;

/// <summary>
/// Probes one node over a connection of its own that stays open between probes. Called by the node's loop only, one probe at a time.
/// </summary>
internal sealed class NodeProbe(NodeConfig node, ServerTlsStore encryption, AccountPassword passwordOf) : INodeProbe
{
    private ProbeSession? _session;

    public async ValueTask<ProbeResult> ProbeAsync(ProbeSettings settings, CancellationToken limit)
    {
        if (settings.User.Length == 0)
        {
            await CloseAsync();
            return await PortProbe.AskAsync(node, settings, encryption, limit);
        }
        try
        {
            if (_session is null || _session.Settings != settings)
            {
                await CloseAsync();
                _session = new ProbeSession(node, settings, encryption, passwordOf);
            }
            return await AskAsync(_session, limit);
        }
        catch (EncryptionException e)
        {
            return ProbeResult.Failed(e.Message);
        }
    }

    public ValueTask DisposeAsync() => CloseAsync();

    // The driver's own cancellation opens a second connection and may block on a host that hangs, so an attempt over its limit is left to
    // end by its own timeouts, beside the loop.
    private async ValueTask<ProbeResult> AskAsync(ProbeSession session, CancellationToken limit)
    {
        var work = session.AskAsync(limit);
        try
        {
            return await work.WaitAsync(limit);
        }
        catch (OperationCanceledException)
        {
            _session = null;
            _ = session.DisposeAfterAsync(work);
            return ProbeResult.Failed("no answer within the time limit");
        }
    }

    private async ValueTask CloseAsync()
    {
        var session = _session;
        _session = null;
        if (session is not null)
            await session.DisposeAsync();
    }
}
