namespace PgRouter.Core.Routing;

/// <summary>How busy a node is, as one loop sees it.</summary>
/// <param name="InFlight">Requests of this loop that it has not answered yet.</param>
/// <param name="Latency">What a read took lately, in milliseconds; 0 = not known.</param>
internal readonly record struct NodeLoad(int InFlight, double Latency);
