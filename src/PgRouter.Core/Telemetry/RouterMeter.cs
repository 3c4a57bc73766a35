using System.Diagnostics.Metrics;

namespace PgRouter.Core.Telemetry;

/// <summary>The router's metrics for anything that listens to <c>System.Diagnostics.Metrics</c>. Any thread.</summary>
internal static class RouterMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "PgRouter";

    /// <summary>Counts each time a client begins to keep its server for a reason (tag <c>reason</c>).</summary>
    public const string ClientPins = "pgrouter.client.pins";

    /// <summary>Counts statements that a standby refused because it is one (tags <c>sqlstate</c> and <c>outcome</c>: primary, error).</summary>
    public const string Refusals = "pgrouter.route.refusals";

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> Pins = Meter.CreateCounter<long>(
        ClientPins, "{pin}", "Times a client began to keep its server between transactions.");

    private static readonly Counter<long> RefusalCounter = Meter.CreateCounter<long>(
        Refusals, "{statement}", "Statements that a standby refused because it is one.");

    public static void CountRefusal(string sqlState, bool ranOnPrimary) => RefusalCounter.Add(
        1,
        new KeyValuePair<string, object?>("sqlstate", sqlState),
        new KeyValuePair<string, object?>("outcome", ranOnPrimary ? "primary" : "error"));

    public static void CountPin(string reason) => Pins.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
