using PgRouter.Core.Authentication;
using PgRouter.Core.Configuration;
using PgRouter.Core.Encryption;

namespace PgRouter.Core.Hosting;

/// <summary>
/// The files beside the configuration that decide who comes in: passwords, pool_hba.conf, certificates and keys. Read at the start, by every reload
/// whether or not a setting has changed, and by <c>pgrouter check</c>.
/// </summary>
internal sealed class AccessFiles
{
    public LoginBook Logins { get; } = new();

    public ClientTlsStore ClientTls { get; } = new();

    public ServerTlsStore ServerTls { get; } = new();

    /// <summary>Reads all of them. A file with mistakes leaves what is in force; all mistakes are returned.</summary>
    public IReadOnlyList<string> Load(RouterConfig config) =>
        [.. Logins.LoadFiles(config), .. ClientTls.Reload(config.ClientTls), .. ServerTls.Reload(config.Nodes)];
}

/// <summary>At the start a file that decides who comes in has mistakes: nothing runs before they are mended.</summary>
internal sealed class AccessFilesException(IReadOnlyList<string> mistakes) : Exception(string.Join(Environment.NewLine, mistakes))
{
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
