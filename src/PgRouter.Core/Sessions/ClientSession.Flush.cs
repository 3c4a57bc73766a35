using PgRouter.Core.Servers;

namespace PgRouter.Core.Sessions;

/// <summary>
/// A batch that only prepares and ends in Flush (asyncpg: Parse, Describe, Flush, and Bind, Execute, Sync when the answer has come). Outside a
/// transaction nothing of it lasts but the prepared statement, which the router knows of: the server is sent Sync in place of Flush and given back,
/// and what follows is routed by itself. Should it fail, the client's messages up to its own Sync are skipped, as the server would have done.
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly object FlushMark = new();

    /// <summary>Until it is answered nothing is sent: whether it must be skipped is not known.</summary>
    private bool _isFlushing;
    private bool _isFlushed;

    /// <summary>ReadyForQuery to the Sync that was sent in place of Flush.</summary>
    private ReplyVerdict OnFlushed(ServerConnection server)
    {
        _isFlushing = false;
        _isFlushed = true;
        _skipToSync = _requestFailed;
        _requestFailed = false;
        _definesNames = false;
        EndFlight();
        ForgetTables();
        server.Retained.Settle();
        _excludedNodes = 0;
        _ranAgainAlone = false;
        return ReplyVerdict.Swallow;
    }
}
