using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PgRouter.Core.Sessions;

/// <summary>
/// What is known of the addresses clients come from: how many connections each has, and how many logins from it have failed of late. IPv6 counts by
/// network of 64 bits, for that is what one host has. Unix-domain sockets have no address and are not watched. Bounded; any thread.
/// </summary>
internal sealed class AddressWatch(TimeProvider time)
{
    /// <summary>Addresses with failed logins that are remembered; a larger attack is one of many addresses, and this is not what stops it.</summary>
    private const int MostRemembered = 10_000;

    /// <summary>Failures are forgotten when so long after the last pause there was no other.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    /// <summary>The longest time an address has to wait.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<IPAddress, int> _connections = new();
    private readonly ConcurrentDictionary<IPAddress, Failures> _failures = new();

    /// <summary>Counts a connection in; returns how many its address has now.</summary>
    public int Enter(IPAddress address) => _connections.AddOrUpdate(KeyOf(address), 1, static (_, count) => count + 1);

    /// <summary>Addresses with failed logins that are remembered.</summary>
    public int Remembered => _failures.Count;

    /// <summary>Counts it out.</summary>
    public void Leave(IPAddress address)
    {
        var key = KeyOf(address);
        while (_connections.TryGetValue(key, out var count))
        {
            if (count == 1 ? _connections.TryRemove(KeyValuePair.Create(key, 1)) : _connections.TryUpdate(key, count - 1, count))
                return;
        }
    }

    /// <summary>A password was wrong, or what counts as that. From the limit on each one doubles the time the address has to wait.</summary>
    /// <param name="address">Where from.</param>
    /// <param name="limit">pgrouter.max_login_failures; 0 = nobody ever waits.</param>
    public void NoteFailure(IPAddress address, int limit)
    {
        if (limit == 0)
            return;
        var now = time.GetUtcNow();
        if (_failures.Count >= MostRemembered)
            Sweep(now);
        _failures.AddOrUpdate(KeyOf(address), _ => new Failures(0, now).Next(now, limit), (_, known) => known.Next(now, limit));
    }

    /// <summary>How long the address has to wait before its next login; zero = not at all.</summary>
    public TimeSpan PauseOf(IPAddress address)
    {
        if (!_failures.TryGetValue(KeyOf(address), out var known))
            return TimeSpan.Zero;
        var left = known.Until - time.GetUtcNow();
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static IPAddress KeyOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private void Sweep(DateTimeOffset now)
    {
        foreach (var (address, known) in _failures)
        {
            if (known.IsOver(now))
                _failures.TryRemove(KeyValuePair.Create(address, known));
        }
        if (_failures.Count >= MostRemembered)
            _failures.Clear();
    }

    private sealed record Failures(int Count, DateTimeOffset Until)
    {
        public bool IsOver(DateTimeOffset now) => now - Until >= Memory;

        public Failures Next(DateTimeOffset now, int limit)
        {
            var count = IsOver(now) ? 1 : Count + 1;
            if (count < limit)
                return new Failures(count, now);
            var seconds = Math.Min(LongestPause.TotalSeconds, Math.Pow(2, Math.Min(16, count - limit)));
            return new Failures(count, now + TimeSpan.FromSeconds(seconds));
        }
    }
}
