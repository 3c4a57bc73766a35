namespace PgRouter.Server.Demo;

/// <summary>The demonstration cannot go on; the message says why and what to change.</summary>
internal sealed class DemoException(string message) : Exception(message);
