using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Core.Encryption;

/// <summary>tls-server-end-point: the hash of the server's certificate that SCRAM-SHA-256-PLUS ties a login to. Source: RFC 5929, section 4.</summary>
internal static class ChannelBinding
{
    /// <summary>Empty when the certificate's signature has no hash of its own: then there is nothing to bind to.</summary>
    public static byte[] Of(X509Certificate2 certificate)
    {
        if (SignatureAlgorithm.Of(certificate).Hash is not { } hash)
            return [];
        var isWeak = hash == HashAlgorithmName.MD5 || hash == HashAlgorithmName.SHA1;
        return CryptographicOperations.HashData(isWeak ? HashAlgorithmName.SHA256 : hash, certificate.RawDataMemory.Span);
    }
}
