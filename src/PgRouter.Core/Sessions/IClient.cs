using PgRouter.Core.Admin;
using PgRouter.Core.Transport;

namespace PgRouter.Core.Sessions;

/// <summary>A client that is logged in, whatever serves it. Any thread unless said otherwise.</summary>
internal interface IClient
{
    /// <summary>The pid it was given.</summary>
    int Pid { get; }

    byte[] CancelSecret { get; }

    ClientIdentity Identity { get; }

    EventLoop Loop { get; }

    /// <summary>Nothing is left to be sent in either direction. Loop thread.</summary>
    bool IsFlushed { get; }

    /// <summary>Serves the client until it goes away or must go. Loop thread.</summary>
    Task RunAsync(ReadOnlyMemory<byte> alreadyRead);

    /// <summary>Lets it look around.</summary>
    void Wake();

    /// <summary>Puts changed limits into force.</summary>
    void ReadLimits();

    /// <summary>Stops what it runs; the task ends when the server has been told.</summary>
    Task CancelAsync();

    /// <summary>Ends it with 57P01 when it is in no transaction, or at once.</summary>
    void RequestTermination(bool atOnce);

    /// <summary>Ends it at once, on the word of an operator.</summary>
    void Kill();

    /// <summary>What SHOW CLIENTS may know. Loop thread.</summary>
    ClientSnapshot Snapshot();
}
