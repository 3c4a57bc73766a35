using System.Diagnostics.Metrics;
using NUnit.Framework;
using PgRouter.Core.Telemetry;

namespace PgRouter.Tests.Telemetry;

internal sealed class PinCountersTests
{
    [Test]
    public void Pins_are_counted_by_reason_and_the_meter_is_told()
    {
        var told = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Meter.Name == RouterMeter.Name && instrument.Name == RouterMeter.ClientPins)
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            var reason = (string?)tags[0].Value;
            if (reason!.StartsWith("test ", StringComparison.Ordinal)) // Other tests run at the same time.
                told.Add($"{tags[0].Key} {reason} {value}");
        });
        listener.Start();
        var counters = new PinCounters();

        counters.Count("test Listen");
        counters.Count("test Settings");
        counters.Count("test Listen");

        Assert.That(counters.ByReason, Is.EquivalentTo(new Dictionary<string, long> { ["test Listen"] = 2, ["test Settings"] = 1 }));
        Assert.That(told, Is.EqualTo(new[] { "reason test Listen 1", "reason test Settings 1", "reason test Listen 1" }));
    }
}
