using System.Diagnostics.Metrics;

namespace PgRouter.Core.Telemetry;

/// <summary>Requests by node and reason, summed over the loops whenever somebody asks the meter. Ends with its router.</summary>
internal sealed class RouteMeter : IDisposable
{
    /// <summary>Counts requests (tags <c>reason</c> and <c>node</c>; node -1 = none).</summary>
    public const string Statements = "pgrouter.route.statements";

    private readonly Meter _meter = new(RouterMeter.Name);

    /// <param name="loops">The loops' counters.</param>
    /// <param name="reasons">The reasons by their numbers, as people read them.</param>
    public RouteMeter(IReadOnlyList<LoopStatistics> loops, IReadOnlyList<string> reasons) =>
        _meter.CreateObservableCounter(
            Statements, () => Measure(loops, reasons), "{statement}", "Statements by the node they were sent to and the rule that decided it.");

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Measure(IReadOnlyList<LoopStatistics> loops, IReadOnlyList<string> reasons) =>
        from counters in loops.SelectMany(loop => loop.Nodes.Append(loop.Nowhere))
        from reason in Enumerable.Range(0, reasons.Count)
        where counters.Routed[reason] > 0
        group counters.Routed[reason] by (counters.NodeId, Reason: reasons[reason]) into total
        select new Measurement<long>(
            total.Sum(),
            new KeyValuePair<string, object?>("reason", total.Key.Reason),
            new KeyValuePair<string, object?>("node", total.Key.NodeId));
}
