using System.Diagnostics.Metrics;
using NUnit.Framework;
using PgRouter.Core.Telemetry;

namespace PgRouter.Tests.Telemetry;

internal sealed class RouteMeterTests
{
    [Test]
    public void Statements_are_summed_over_the_loops_by_node_and_reason()
    {
        LoopStatistics[] loops = [new(), new()];
        loops[0].Node(1).Routed[0] = 2;
        loops[1].Node(1).Routed[0] = 3;
        loops[1].Node(1).Routed[1] = 1;
        loops[0].Nowhere.Routed[1] = 7;
        var told = new List<string>();
        using var meter = new RouteMeter(loops, ["test read", "test write"]);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == RouteMeter.Statements)
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (((string?)tags[0].Value)!.StartsWith("test ", StringComparison.Ordinal)) // Other routers of this process tell theirs.
                told.Add($"{tags[0].Value} on {tags[1].Value}: {value}");
        });
        listener.Start();

        listener.RecordObservableInstruments();

        Assert.That(told, Is.EquivalentTo(new[] { "test read on 1: 5", "test write on 1: 1", "test write on -1: 7" }));
    }
}
