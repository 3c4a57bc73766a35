using System.DirectoryServices.Protocols;
using System.Net;
using System.Text;

namespace PgRouter.Core.Authentication;

/// <summary>
/// Method ldap: the password is right when the directory lets the user bind with it, directly (ldapprefix, ldapsuffix) or after a search for its name
/// (ldapbasedn). Source: "LDAP Authentication". Any thread; never on a loop, for the library blocks.
/// </summary>
internal static class LdapBind
{
    /// <summary>Threads that may wait for a directory at once; the others stand in line, within authentication_timeout.</summary>
    private const int MostAtOnce = 8;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly SemaphoreSlim Slots = new(MostAtOnce);

    /// <summary>Null when the directory takes the password, else why not, for the log.</summary>
    public static Task<string?> CheckAsync(LdapOptions options, string user, string password) => Task.Run(async () =>
    {
        await Slots.WaitAsync().ConfigureAwait(false);
        try
        {
            return Check(options, user, password);
        }
        catch (Exception e) when (e is LdapException or DirectoryOperationException)
        {
            return $"LDAP: {e.Message}";
        }
        // The library is loaded at the first use.
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            return $"LDAP: the library libldap cannot be loaded: {e.Message}";
        }
        finally
        {
            Slots.Release();
        }
    });

    /// <summary>The text of an attribute's value in a filter, RFC 4515.</summary>
    public static string Escape(string value)
    {
        var text = new StringBuilder();
        foreach (var c in value)
            text.Append(c is '*' or '(' or ')' or '\\' or '\0' or '/' ? $"\\{(int)c:x2}" : c);
        return text.ToString();
    }

    private static string? Check(LdapOptions options, string user, string password)
    {
        if (options.BaseDn.Length == 0)
            return Bind(options, options.Prefix + user + options.Suffix, password);
        // As PostgreSQL: characters that mean something in a filter are in no user's name.
        if (user.AsSpan().ContainsAny("*()\\/"))
            return "invalid character in user name for LDAP authentication";
        using var searching = Connect(options);
        searching.Bind(options.BindDn.Length > 0 ? new NetworkCredential(options.BindDn, options.BindPassword) : new NetworkCredential("", ""));
        var found = (SearchResponse)searching.SendRequest(new SearchRequest(options.BaseDn, Filter(options, user), ScopeOf(options), "dn"), Limit);
        return found.Entries.Count switch
        {
            0 => $"LDAP user \"{user}\" does not exist",
            1 => Bind(options, found.Entries[0].DistinguishedName, password),
            _ => $"LDAP user \"{user}\" is not unique",
        };
    }

    private static string? Bind(LdapOptions options, string name, string password)
    {
        using var connection = Connect(options);
        connection.Bind(new NetworkCredential(name, password));
        return null;
    }

    private static LdapConnection Connect(LdapOptions options)
    {
        var port = options.Port > 0 ? options.Port : options.IsLdaps ? 636 : 389;
        var connection = new LdapConnection(new LdapDirectoryIdentifier([.. options.Servers], port, fullyQualifiedDnsHostName: false, connectionless: false))
        {
            AuthType = AuthType.Basic,
            Timeout = Limit,
        };
        connection.SessionOptions.ProtocolVersion = 3;
        if (options.IsLdaps)
            connection.SessionOptions.SecureSocketLayer = true;
        if (options.StartTls)
            connection.SessionOptions.StartTransportLayerSecurity(null);
        return connection;
    }

    private static string Filter(LdapOptions options, string user)
    {
        if (options.SearchFilter.Length > 0)
        {
            var filter = options.SearchFilter.Replace("$username", Escape(user), StringComparison.Ordinal);
            return filter.StartsWith('(') ? filter : $"({filter})";
        }
        return $"({(options.SearchAttribute.Length > 0 ? options.SearchAttribute : "uid")}={Escape(user)})";
    }

    private static SearchScope ScopeOf(LdapOptions options) => options.Scope switch
    {
        "base" => SearchScope.Base,
        "one" => SearchScope.OneLevel,
        _ => SearchScope.Subtree,
    };
}
