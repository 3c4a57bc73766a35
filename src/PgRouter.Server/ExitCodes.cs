namespace PgRouter.Server;

/// <summary>Exit codes of pgrouter, after sysexits.h; docs/configuration.md lists them.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>check: the configuration has mistakes.</summary>
    public const int HasMistakes = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int Usage = 64;

    /// <summary>reload, stop: no router runs.</summary>
    public const int NotRunning = 69;

    /// <summary>An error inside the router, or it could not listen.</summary>
    public const int Internal = 70;

    /// <summary>The pid file cannot be written.</summary>
    public const int CannotCreate = 73;

    /// <summary>reload, stop: the running router may not be signalled by this user.</summary>
    public const int NotPermitted = 77;

    /// <summary>The configuration has mistakes; nothing was started.</summary>
    public const int BadConfiguration = 78;
}
