using System.Text.RegularExpressions;

namespace PgRouter.Core.Authentication;

/// <summary>Turns the lines of pool_hba.conf into rules and collects every mistake. Used once, by one thread.</summary>
internal sealed partial class HbaParser(string path)
{
    private const int MaxIncludeDepth = 10;

    private static readonly Dictionary<string, HbaConnectionType> Types = new(StringComparer.Ordinal)
    {
        ["local"] = HbaConnectionType.Local,
        ["host"] = HbaConnectionType.Host,
        ["hostssl"] = HbaConnectionType.HostSsl,
        ["hostnossl"] = HbaConnectionType.HostNoSsl,
    };

    private static readonly Dictionary<string, HbaMethod> Methods = new(StringComparer.Ordinal)
    {
        ["trust"] = HbaMethod.Trust,
        ["reject"] = HbaMethod.Reject,
        ["md5"] = HbaMethod.Md5,
        ["scram-sha-256"] = HbaMethod.ScramSha256,
        ["password"] = HbaMethod.Password,
        ["cert"] = HbaMethod.Cert,
        ["ldap"] = HbaMethod.Ldap,
    };

    /// <summary>Methods of PostgreSQL that are not served here, and why.</summary>
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["pam"] = "there is no well-kept library for it; use ldap, or scram-sha-256",
        ["ident"] = "it trusts what the client's machine says; use cert",
        ["peer"] = "use trust or scram-sha-256 for Unix-domain sockets, and unix_socket_permissions",
        ["gss"] = "GSSAPI is not served; use cert or scram-sha-256",
        ["sspi"] = "SSPI is not served; use cert or scram-sha-256",
        ["radius"] = "RADIUS is not served; use ldap or scram-sha-256",
        ["bsd"] = "BSD authentication is not served; use scram-sha-256",
        ["oauth"] = "OAuth is not served; use scram-sha-256",
    };

    private readonly List<string> _mistakes = [];
    private string _path = path;

    /// <summary>"file:line: what", in the order of the file.</summary>
    public IReadOnlyList<string> Mistakes => _mistakes;

    public IReadOnlyList<HbaRule> Parse(string text)
    {
        var rules = new List<HbaRule>();
        ParseInto(rules, text, depth: 0);
        return rules;
    }

    private void ParseInto(List<HbaRule> rules, string text, int depth)
    {
        foreach (var line in HbaTokenizer.Tokenize(text))
        {
            if (line.Mistake is not null)
                Report(line, line.Mistake);
            else if (line.Fields[0] is [{ IsQuoted: false, Text: "include" or "include_if_exists" or "include_dir" } directive])
                Include(rules, line, directive.Text, depth + 1);
            else if (ParseRule(line) is { } rule)
                rules.Add(rule);
        }
    }

    /// <summary>The lines of other files, in place (PostgreSQL 16).</summary>
    private void Include(List<HbaRule> rules, HbaLine line, string directive, int depth)
    {
        if (line.Fields.Count != 2 || line.Fields[1] is not [var token])
        {
            Report(line, $"expected {directive} and one name");
            return;
        }
        if (depth > MaxIncludeDepth)
        {
            Report(line, $"{directive} {token.Text}: files are nested more than {MaxIncludeDepth} deep; do they include each other?");
            return;
        }
        var target = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path)) ?? "/", token.Text);
        if (directive == "include_if_exists" && !File.Exists(target))
            return;
        try
        {
            var files = directive == "include_dir" ? Directory.GetFiles(target, "*.conf").Order(StringComparer.Ordinal) : (IEnumerable<string>)[target];
            foreach (var file in files)
            {
                var (outer, text) = (_path, File.ReadAllText(file));
                _path = file;
                ParseInto(rules, text, depth);
                _path = outer;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report(line, $"{directive}: cannot read {target}: {exception.Message}");
        }
    }

    private HbaRule? ParseRule(HbaLine line)
    {
        var before = _mistakes.Count;
        if (line.Fields[0] is not [var typeToken] || !Types.TryGetValue(typeToken.Text, out var type))
            return Report(line, $"unknown connection type \"{Show(line.Fields[0])}\"; known are {string.Join(", ", Types.Keys)}");
        if (line.Fields.Count < 4)
            return Report(line, $"expected {typeToken.Text} DATABASE USER {(type == HbaConnectionType.Local ? "" : "ADDRESS ")}METHOD");
        var databases = ReadNames(line, line.Fields[1]);
        var users = ReadNames(line, line.Fields[2]);
        var next = 3;
        var address = type == HbaConnectionType.Local ? null : ReadAddress(line, ref next);
        var method = ReadMethod(line, next);
        if (method == HbaMethod.Cert && type != HbaConnectionType.HostSsl)
            Report(line, "method cert is for lines of type hostssl only");
        var options = method is null
            ? HbaOptions.None
            : new HbaOptionReader(type, method.Value, mistake => Report(line, mistake)).Read(line.Fields.Skip(next + 1).SelectMany(field => field));
        if (_mistakes.Count > before)
            return null;
        return new HbaRule
        {
            Type = type,
            Databases = databases,
            Users = users,
            Address = address,
            Method = method!.Value,
            Options = options,
            File = _path,
            Line = line.Number,
            Text = SecretOption().Replace(line.Text, "$1*****"),
        };
    }

    /// <summary>What must not be seen of a line in the log.</summary>
    [GeneratedRegex("""(ldapbindpasswd=)("[^"]*"|[^\s"]+|"?)+""")]
    private static partial Regex SecretOption();

    private List<HbaName> ReadNames(HbaLine line, IReadOnlyList<HbaToken> field)
    {
        var names = new List<HbaName>();
        foreach (var token in field)
            ReadName(line, token, _path, names, depth: 0);
        return names;
    }

    private void ReadName(HbaLine line, HbaToken token, string from, List<HbaName> names, int depth)
    {
        if (token is { IsQuoted: false, Text: ['@', _, ..] })
            ReadNamesFile(line, token.Text[1..], from, names, depth + 1);
        else if (HbaName.Of(token.Text, token.IsQuoted) is { } name)
            names.Add(name);
        else
            Report(line, $"\"{token.Text}\" is not a regular expression that can be used: neither back references nor look-around are");
    }

    /// <summary>Names from a file: words apart by blanks, commas or line ends, comments as in pool_hba.conf, and '@' again.</summary>
    private void ReadNamesFile(HbaLine line, string name, string from, List<HbaName> names, int depth)
    {
        if (depth > MaxIncludeDepth)
        {
            Report(line, $"@{name}: files are nested more than {MaxIncludeDepth} deep; do they include each other?");
            return;
        }
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(from)) ?? "/", name);
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report(line, $"cannot read the file {file} named by @{name}: {exception.Message}");
            return;
        }
        foreach (var inner in HbaTokenizer.Tokenize(text))
        {
            if (inner.Mistake is not null)
                _mistakes.Add($"{file}:{inner.Number}: {inner.Mistake}");
            foreach (var token in inner.Fields.SelectMany(field => field))
                ReadName(line, token, file, names, depth);
        }
    }

    /// <summary>Reads one field, or two for address and mask; <paramref name="next"/> moves to the method.</summary>
    private HbaAddress? ReadAddress(HbaLine line, ref int next)
    {
        if (line.Fields[next] is not [var token])
        {
            Report(line, $"only one address can be given, not \"{Show(line.Fields[next])}\"; write a line for each");
            next++;
            return null;
        }
        next++;
        switch (token)
        {
            case { IsQuoted: false, Text: "all" }:
                return HbaAddress.All;
            case { IsQuoted: false, Text: "samehost" }:
                return HbaAddress.SameHost;
            case { IsQuoted: false, Text: "samenet" }:
                return HbaAddress.SameNet;
        }
        if (token.Text.Contains('/', StringComparison.Ordinal))
        {
            if (HbaAddress.TryParseCidr(token.Text, out var network))
                return network;
            Report(line, $"\"{token.Text}\" is not a network; write it as 192.0.2.0/24 or 2001:db8::/32");
            return null;
        }
        if (HbaAddress.TryParseIp(token.Text, out _))
            return ReadMask(line, token.Text, ref next);
        if (IsHostName(token.Text))
            return HbaAddress.OfHostName(token.Text);
        Report(line, $"\"{token.Text}\" is neither an address nor a host name; write 192.0.2.7/32, a name, or all, samehost, samenet");
        // What looks like its mask is not the method: one mistake, not three.
        if (next < line.Fields.Count && line.Fields[next] is [var follower] && HbaAddress.TryParseIp(follower.Text, out _))
            next++;
        return null;
    }

    /// <summary>A letter in the last label: no short form of an address is taken for a name.</summary>
    private static bool IsHostName(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_') && text.TrimEnd('.').Split('.')[^1].Any(char.IsAsciiLetter);

    private HbaAddress? ReadMask(HbaLine line, string ip, ref int next)
    {
        if (next >= line.Fields.Count || line.Fields[next] is not [var mask] || Methods.ContainsKey(mask.Text))
        {
            var bits = ip.Contains(':', StringComparison.Ordinal) ? 128 : 32;
            Report(line, $"the address {ip} has no mask; write {ip}/{bits} for one host");
            return null;
        }
        next++;
        if (HbaAddress.TryParseMasked(ip, mask.Text, out var network))
            return network;
        Report(line, $"\"{mask.Text}\" is not a mask for {ip}; write it as 255.255.255.0, or the address as {ip}/24");
        return null;
    }

    private HbaMethod? ReadMethod(HbaLine line, int index)
    {
        var supported = string.Join(", ", Methods.Keys);
        if (index >= line.Fields.Count)
            Report(line, $"the method is missing; supported are {supported}");
        else if (line.Fields[index] is [var known] && Refused.TryGetValue(known.Text, out var reason))
            Report(line, $"method \"{known.Text}\" is not supported: {reason}");
        else if (line.Fields[index] is not [var token] || !Methods.TryGetValue(token.Text, out var method))
            Report(line, $"method \"{Show(line.Fields[index])}\" is not supported; supported are {supported}");
        else
            return method;
        return null;
    }

    private static string Show(IReadOnlyList<HbaToken> field) => string.Join(",", field.Select(token => token.Text));

    private HbaRule? Report(HbaLine line, string mistake)
    {
        _mistakes.Add($"{_path}:{line.Number}: {mistake}");
        return null;
    }
}
