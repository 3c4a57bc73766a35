namespace PgRouter.Core.Authentication;

/// <summary>One record of pool_hba.conf. Immutable.</summary>
internal sealed record HbaRule
{
    public required HbaConnectionType Type { get; init; }

    public required IReadOnlyList<HbaName> Databases { get; init; }

    public required IReadOnlyList<HbaName> Users { get; init; }

    /// <summary>Addresses it is for; null for type local.</summary>
    public HbaAddress? Address { get; init; }

    public required HbaMethod Method { get; init; }

    public HbaOptions Options { get; init; } = HbaOptions.None;

    public required string File { get; init; }

    /// <summary>Line it begins at, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>The line as it stands in the file, without secrets.</summary>
    public string Text { get; init; } = "";

    public HbaAnswer Match(HbaRequest request, IHbaInterfaces interfaces)
    {
        if (!MatchesType(request))
            return HbaAnswer.No;
        var answer = Address is null ? HbaAnswer.Yes : Address.Match(request, interfaces);
        if (answer == HbaAnswer.Yes)
            answer = Any(Databases, name => name.MatchesDatabase(request));
        if (answer == HbaAnswer.Yes)
            answer = Any(Users, name => name.MatchesUser(request));
        return answer;
    }

    /// <summary>For the log: where it stands and what it says.</summary>
    public override string ToString() => Text.Length > 0 ? $"{File}:{Line} \"{Text}\"" : $"{File}:{Line}";

    private bool MatchesType(HbaRequest request) => Type switch
    {
        HbaConnectionType.Local => request.IsLocal,
        HbaConnectionType.Host => !request.IsLocal,
        HbaConnectionType.HostSsl => !request.IsLocal && request.IsTls,
        _ => !request.IsLocal && !request.IsTls,
    };

    private static HbaAnswer Any(IReadOnlyList<HbaName> names, Func<HbaName, HbaAnswer> ask)
    {
        var best = HbaAnswer.No;
        foreach (var name in names)
        {
            switch (ask(name))
            {
                case HbaAnswer.Yes:
                    return HbaAnswer.Yes;
                case HbaAnswer.NeedsRoles:
                    best = HbaAnswer.NeedsRoles;
                    break;
            }
        }
        return best;
    }
}
