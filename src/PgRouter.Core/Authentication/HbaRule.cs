using System.Net;

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

    public required string File { get; init; }

    /// <summary>Line it begins at, from 1.</summary>
    public required int Line { get; init; }

    public bool Matches(HbaRequest request, IHbaInterfaces interfaces) =>
        MatchesType(request)
        && MatchesAddress(request.Address, interfaces)
        && Databases.Any(name => name.MatchesDatabase(request))
        && Users.Any(name => name.MatchesUser(request.User));

    public override string ToString() => $"{File}:{Line}";

    private bool MatchesType(HbaRequest request) => Type switch
    {
        HbaConnectionType.Local => request.IsLocal,
        HbaConnectionType.Host => !request.IsLocal,
        HbaConnectionType.HostSsl => !request.IsLocal && request.IsTls,
        _ => !request.IsLocal && !request.IsTls,
    };

    private bool MatchesAddress(IPAddress? address, IHbaInterfaces interfaces) =>
        Address is null || (address is not null && Address.Contains(address, interfaces));
}

/// <summary>A name in DATABASE or USER; a keyword only when it was not quoted, as in PostgreSQL.</summary>
internal sealed record HbaName(string Text, bool IsQuoted)
{
    public bool MatchesDatabase(HbaRequest request)
    {
        if (IsKeyword("replication"))
            return request.IsReplication;
        if (request.IsReplication)
            return false;
        if (IsKeyword("all"))
            return true;
        return IsKeyword("sameuser") ? request.Database == request.User : request.Database == Text;
    }

    public bool MatchesUser(string user) => IsKeyword("all") || user == Text;

    private bool IsKeyword(string keyword) => !IsQuoted && Text == keyword;
}
