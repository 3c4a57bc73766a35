using PgRouter.Core.Configuration;

namespace PgRouter.Core.Authentication;

/// <summary>What is wrong with the lines of pool_hba.conf only together with the rest of the configuration.</summary>
internal static class HbaChecks
{
    /// <summary>"file:line: what".</summary>
    public static IReadOnlyList<string> Find(HbaFile file, IdentMaps maps, RouterConfig config)
    {
        var mistakes = new List<string>();
        foreach (var rule in file.Rules)
        {
            var place = $"{rule.File}:{rule.Line}";
            if (rule.Options.ClientCertificate != HbaClientCertificate.None && !config.ClientTls.AsksForCertificates)
                mistakes.Add($"{place}: certificates of clients can only be checked against authorities; name their file with ssl_ca_cert");
            if (rule.Options.Map.Length > 0 && !maps.Has(rule.Options.Map))
                mistakes.Add($"{place}: there is no map \"{rule.Options.Map}\" in {(config.IdentFile.Length > 0 ? config.IdentFile : "pg_ident.conf, which is not there")}");
        }
        return mistakes;
    }
}
