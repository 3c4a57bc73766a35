using System.Globalization;

namespace PgRouter.Core.Authentication;

/// <summary>
/// The options behind the method of a line: name=value, each checked for the method as PostgreSQL checks it. Used once per line, by one thread.
/// </summary>
/// <param name="type">The line's type.</param>
/// <param name="method">The line's method.</param>
/// <param name="report">Takes a mistake.</param>
internal sealed class HbaOptionReader(HbaConnectionType type, HbaMethod method, Action<string> report)
{
    private HbaOptions _options = HbaOptions.None;
    private LdapOptions _ldap = new();
    private bool _isWrong;

    public HbaOptions Read(IEnumerable<HbaToken> tokens)
    {
        if (method == HbaMethod.Cert)
            _options = _options with { ClientCertificate = HbaClientCertificate.VerifyFull };
        foreach (var token in tokens)
        {
            var equals = token.Text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                Report($"\"{token.Text}\" is no option: options are written name=value");
            else
                Take(token.Text[..equals], token.Text[(equals + 1)..]);
        }
        if (method != HbaMethod.Ldap)
            return _options;
        if (!_isWrong)
            CheckLdap();
        return _options with { Ldap = _ldap };
    }

    private void Take(string name, string value)
    {
        switch (name)
        {
            case "clientcert" when type == HbaConnectionType.HostSsl:
                TakeClientCertificate(value);
                break;
            case "clientname" when type == HbaConnectionType.HostSsl:
                if (value is not ("CN" or "DN"))
                    Report($"clientname={value}: allowed are CN and DN");
                _options = _options with { ByDistinguishedName = value == "DN" };
                break;
            case "clientcert" or "clientname":
                Report($"{name} is for lines of type hostssl only");
                break;
            case "map" when method == HbaMethod.Cert:
                _options = _options with { Map = value };
                break;
            case "map":
                Report("map is for the method cert only");
                break;
            case ['l', 'd', 'a', 'p', ..] when method == HbaMethod.Ldap:
                TakeLdap(name, value);
                break;
            default:
                Report($"unknown option \"{name}\"");
                break;
        }
    }

    private void TakeClientCertificate(string value)
    {
        switch (value)
        {
            case "verify-full":
                _options = _options with { ClientCertificate = HbaClientCertificate.VerifyFull };
                break;
            case "verify-ca" when method == HbaMethod.Cert:
                Report("clientcert=verify-ca: the method cert means verify-full; leave it out");
                break;
            case "verify-ca":
                _options = _options with { ClientCertificate = HbaClientCertificate.VerifyCa };
                break;
            default:
                Report($"clientcert={value}: allowed are verify-ca and verify-full");
                break;
        }
    }

    private void TakeLdap(string name, string value)
    {
        switch (name)
        {
            case "ldapserver":
                _ldap = _ldap with { Servers = value.Split(' ', StringSplitOptions.RemoveEmptyEntries) };
                break;
            case "ldapport" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536:
                _ldap = _ldap with { Port = port };
                break;
            case "ldapport":
                Report($"ldapport={value}: allowed is a port from 1 to 65535");
                break;
            case "ldapscheme":
                if (value is not ("ldap" or "ldaps"))
                    Report($"ldapscheme={value}: allowed are ldap and ldaps");
                _ldap = _ldap with { IsLdaps = value == "ldaps" };
                break;
            case "ldaptls":
                _ldap = _ldap with { StartTls = value == "1" };
                break;
            case "ldapprefix":
                _ldap = _ldap with { Prefix = value };
                break;
            case "ldapsuffix":
                _ldap = _ldap with { Suffix = value };
                break;
            case "ldapbasedn":
                _ldap = _ldap with { BaseDn = value };
                break;
            case "ldapbinddn":
                _ldap = _ldap with { BindDn = value };
                break;
            case "ldapbindpasswd":
                _ldap = _ldap with { BindPassword = value };
                break;
            case "ldapsearchattribute":
                _ldap = _ldap with { SearchAttribute = value };
                break;
            case "ldapsearchfilter":
                _ldap = _ldap with { SearchFilter = value };
                break;
            case "ldapurl":
                TakeLdapUrl(value);
                break;
            default:
                Report($"unknown option \"{name}\"");
                break;
        }
    }

    /// <summary>ldap[s]://host[:port]/basedn[?[attribute][?[scope][?[filter]]]], RFC 4516.</summary>
    private void TakeLdapUrl(string value)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out var url) || url.Scheme is not ("ldap" or "ldaps"))
        {
            Report($"ldapurl={value}: expected ldap://host:port/basedn?attribute?scope?filter");
            return;
        }
        var parts = (url.Query is ['?', .. var query] ? query : "").Split('?').Select(Uri.UnescapeDataString).ToArray();
        _ldap = _ldap with
        {
            IsLdaps = url.Scheme == "ldaps",
            Servers = url.Host.Length > 0 ? [url.Host] : [],
            Port = url.IsDefaultPort || url.Port < 0 ? 0 : url.Port,
            BaseDn = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')),
            SearchAttribute = parts.ElementAtOrDefault(0) ?? "",
            Scope = parts.ElementAtOrDefault(1) is { Length: > 0 } scope ? scope : "base",
            SearchFilter = parts.ElementAtOrDefault(2) ?? "",
        };
        if (_ldap.Scope is not ("base" or "one" or "sub"))
            Report($"ldapurl={value}: allowed scopes are base, one and sub");
    }

    private void Report(string mistake)
    {
        _isWrong = true;
        report(mistake);
    }

    private void CheckLdap()
    {
        var isSimple = _ldap.Prefix.Length > 0 || _ldap.Suffix.Length > 0;
        var isSearch = _ldap.BaseDn.Length > 0 || _ldap.BindDn.Length > 0 || _ldap.BindPassword.Length > 0
            || _ldap.SearchAttribute.Length > 0 || _ldap.SearchFilter.Length > 0;
        if (_ldap.Servers.Count == 0)
            Report("method ldap needs ldapserver or ldapurl");
        else if (isSimple && isSearch)
            Report("ldapprefix and ldapsuffix are not given together with ldapbasedn, ldapbinddn, ldapbindpasswd, ldapsearchattribute, ldapsearchfilter or ldapurl");
        else if (!isSimple && _ldap.BaseDn.Length == 0)
            Report("method ldap needs ldapbasedn, ldapprefix or ldapsuffix");
        if (_ldap.SearchAttribute.Length > 0 && _ldap.SearchFilter.Length > 0)
            Report("ldapsearchattribute and ldapsearchfilter are not given together");
    }
}
