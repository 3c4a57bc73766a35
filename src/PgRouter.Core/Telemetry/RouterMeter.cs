using System.Diagnostics.Metrics;

namespace PgRouter.Core.Telemetry;

/// <summary>The router's metrics for anything that listens to <c>System.Diagnostics.Metrics</c>. Any thread.</summary>
internal static class RouterMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "PgRouter";

    /// <summary>Counts each time a client begins to keep its server for a reason (tag <c>reason</c>).</summary>
    public const string ClientPins = "pgrouter.client.pins";

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> Pins = Meter.CreateCounter<long>(
        ClientPins, "{pin}", "Times a client began to keep its server between transactions.");

    public static void CountPin(string reason) => Pins.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
