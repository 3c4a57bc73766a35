namespace PgRouter.Core.Transport;

/// <summary>Who is told that a socket became ready. Called on the loop's thread between handlers; must only take note.</summary>
internal interface IReadinessOwner
{
    void OnReady();
}
