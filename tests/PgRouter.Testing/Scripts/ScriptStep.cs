using PgRouter.Testing.Protocol;

namespace PgRouter.Testing.Scripts;

/// <summary>One line of a protocol script.</summary>
/// <param name="Line">Number of the line, from 1.</param>
/// <param name="Connection">The connection it is for.</param>
public abstract record ScriptStep(int Line, string Connection);

/// <summary>Opens a connection and logs in.</summary>
public sealed record ConnectStep(int Line, string Connection, IReadOnlyDictionary<string, string> Parameters) : ScriptStep(Line, Connection);

/// <summary>Sends bytes: a message, or anything.</summary>
public sealed record SendStep(int Line, string Connection, byte[] Bytes) : ScriptStep(Line, Connection);

/// <summary>Reads until the <paramref name="Count"/>-th message of that type has come.</summary>
public sealed record AwaitStep(int Line, string Connection, char Type, int Count) : ScriptStep(Line, Connection);

/// <summary>Reads until the server closes the connection.</summary>
public sealed record AwaitEndStep(int Line, string Connection) : ScriptStep(Line, Connection);

/// <summary>Sends a CancelRequest for the connection.</summary>
public sealed record CancelStep(int Line, string Connection) : ScriptStep(Line, Connection);

/// <summary>Closes the connection without Terminate.</summary>
public sealed record DisconnectStep(int Line, string Connection) : ScriptStep(Line, Connection);
