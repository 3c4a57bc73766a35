namespace PgRouter.Core.Telemetry;

/// <summary>
/// How busy a node is and how fast it answers, as one loop sees it: what a balancing policy looks at. Loop thread only, so that nothing is shared
/// on the way of a statement.
/// </summary>
internal sealed class NodeGauge
{
    /// <summary>The part of a new sample: as much as in TCP's smoothed round-trip time (RFC 6298).</summary>
    private const double Share = 1.0 / 8;

    /// <summary>Without samples a latency is believed half as much after each of these, so that a node that was slow is tried again.</summary>
    private const double HalfLifeMs = 1000;

    private double _latency;
    private long _sampledAtMs;

    /// <summary>Requests that are not answered yet.</summary>
    public int InFlight { get; set; }

    public void Observe(double milliseconds, long nowMs)
    {
        _latency = _latency == 0 ? milliseconds : _latency + Share * (milliseconds - _latency);
        _sampledAtMs = nowMs;
    }

    /// <summary>What a read took lately, in milliseconds; 0 = not known.</summary>
    public double LatencyAt(long nowMs)
    {
        var age = nowMs - _sampledAtMs;
        return age <= HalfLifeMs ? _latency : _latency * Math.Pow(0.5, age / HalfLifeMs - 1);
    }
}
