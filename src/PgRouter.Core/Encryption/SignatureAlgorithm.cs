using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Core.Encryption;

/// <summary>How something was signed: the hash, and for RSA the padding. Source: RFC 3279, RFC 4055, RFC 5758.</summary>
/// <param name="Hash">The hash; null when the algorithm has none of its own (Ed25519) or is not known.</param>
/// <param name="IsPss">RSASSA-PSS.</param>
internal sealed record SignatureAlgorithm(HashAlgorithmName? Hash, bool IsPss)
{
    private const string Pss = "1.2.840.113549.1.1.10";

    /// <summary>Of a certificate.</summary>
    public static SignatureAlgorithm Of(X509Certificate2 certificate)
    {
        var outer = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
        outer.ReadEncodedValue();
        return Read(outer.ReadEncodedValue());
    }

    /// <summary>Reads an AlgorithmIdentifier.</summary>
    public static SignatureAlgorithm Read(ReadOnlyMemory<byte> encoded)
    {
        var reader = new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence();
        var algorithm = reader.ReadObjectIdentifier();
        return algorithm == Pss ? new SignatureAlgorithm(HashOfPss(reader), true) : new SignatureAlgorithm(HashOf(algorithm), false);
    }

    /// <summary>Was it signed by the key of this certificate?</summary>
    public bool Verify(X509Certificate2 signer, byte[] data, byte[] signature)
    {
        if (Hash is not { } hash)
            return false;
        try
        {
            using var rsa = signer.GetRSAPublicKey();
            if (rsa is not null)
                return rsa.VerifyData(data, signature, hash, IsPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
            using var ecdsa = signer.GetECDsaPublicKey();
            return ecdsa is not null && ecdsa.VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false; // A signature of another shape is not this key's.
        }
    }

    private static HashAlgorithmName? HashOfPss(AsnReader parameters)
    {
        if (!parameters.HasData)
            return HashAlgorithmName.SHA1;
        var fields = parameters.ReadSequence();
        var hash = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        if (!fields.HasData || fields.PeekTag() != hash)
            return HashAlgorithmName.SHA1;
        return HashOf(fields.ReadSequence(hash).ReadSequence().ReadObjectIdentifier());
    }

    private static HashAlgorithmName? HashOf(string oid) => oid switch
    {
        "1.2.840.113549.1.1.4" or "1.2.840.113549.2.5" => HashAlgorithmName.MD5,
        "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" or "1.3.14.3.2.26" => HashAlgorithmName.SHA1,
        "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" or "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" or "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" or "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
        _ => null,
    };
}
