namespace PgRouter.Core.Authentication;

/// <summary>Turns the lines of pool_hba.conf into rules and collects every mistake. Used once, by one thread.</summary>
internal sealed class HbaParser(string path)
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
    };

    private readonly List<string> _mistakes = [];

    /// <summary>"file:line: what", in the order of the file.</summary>
    public IReadOnlyList<string> Mistakes => _mistakes;

    public IReadOnlyList<HbaRule> Parse(string text)
    {
        var rules = new List<HbaRule>();
        foreach (var line in HbaTokenizer.Tokenize(text))
        {
            if (line.Mistake is not null)
                Report(line, line.Mistake);
            else if (ParseRule(line) is { } rule)
                rules.Add(rule);
        }
        return rules;
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
        for (var i = next + 1; i < line.Fields.Count; i++)
            Report(line, $"unknown option \"{Show(line.Fields[i])}\": method \"{Show(line.Fields[next])}\" takes none");
        if (_mistakes.Count > before)
            return null;
        return new HbaRule
        {
            Type = type,
            Databases = databases,
            Users = users,
            Address = address,
            Method = method,
            File = path,
            Line = line.Number,
        };
    }

    private List<HbaName> ReadNames(HbaLine line, IReadOnlyList<HbaToken> field)
    {
        var names = new List<HbaName>();
        foreach (var token in field)
            ReadName(line, token, path, names, depth: 0);
        return names;
    }

    private void ReadName(HbaLine line, HbaToken token, string from, List<HbaName> names, int depth)
    {
        if (token is { IsQuoted: false, Text: ['@', _, ..] })
            ReadNamesFile(line, token.Text[1..], from, names, depth + 1);
        else if (token is { IsQuoted: false, Text: "samerole" or "samegroup" or ['+', _, ..] })
            Report(line, $"\"{token.Text}\" is not supported: role memberships are unknown here; list the names, or quote a name");
        else if (token is { IsQuoted: false, Text: ['/', ..] })
            Report(line, $"\"{token.Text}\" is not supported: regular expressions are not; list the names, or quote it if it is a name");
        else
            names.Add(new HbaName(token.Text, token.IsQuoted));
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
        Report(
            line,
            $"\"{token.Text}\" is not an address, and host names are not supported; "
            + "write the address as 192.0.2.7/32, or all, samehost, samenet");
        // What looks like its mask is not the method: one mistake, not three.
        if (next < line.Fields.Count && line.Fields[next] is [var follower] && HbaAddress.TryParseIp(follower.Text, out _))
            next++;
        return null;
    }

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

    private HbaMethod ReadMethod(HbaLine line, int index)
    {
        var supported = string.Join(", ", Methods.Keys);
        if (index >= line.Fields.Count)
            Report(line, $"the method is missing; supported are {supported}");
        else if (line.Fields[index] is not [var token] || !Methods.TryGetValue(token.Text, out var method))
            Report(line, $"method \"{Show(line.Fields[index])}\" is not supported; supported are {supported}");
        else
            return method;
        return HbaMethod.Reject;
    }

    private static string Show(IReadOnlyList<HbaToken> field) => string.Join(",", field.Select(token => token.Text));

    private HbaRule? Report(HbaLine line, string mistake)
    {
        _mistakes.Add($"{path}:{line.Number}: {mistake}");
        return null;
    }
}
