using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Core.Encryption;

/// <summary>
/// Lists of revoked certificates from a file. As PostgreSQL does with ssl_crl_file, every authority of a chain must have a list, signed by it and
/// not out of date. The platform has no such check of its own: it would fetch lists from the network. Source: RFC 5280, section 5. Immutable.
/// </summary>
internal sealed class RevocationLists
{
    private const string Label = "X509 CRL";

    private readonly List<One> _lists = [];

    /// <summary>Reads every list of a PEM file.</summary>
    public static RevocationLists Load(string file)
    {
        var all = new RevocationLists();
        ReadOnlySpan<char> text = CertificateFiles.Read(file);
        try
        {
            while (PemEncoding.TryFind(text, out var fields))
            {
                if (text[fields.Label].SequenceEqual(Label))
                    all._lists.Add(Parse(Convert.FromBase64String(text[fields.Base64Data].ToString())));
                text = text[fields.Location.End..];
            }
        }
        catch (Exception e) when (e is AsnContentException or FormatException)
        {
            throw new EncryptionException($"{file}: a list of revoked certificates in it cannot be read: {e.Message}");
        }
        return all._lists.Count > 0 ? all : throw new EncryptionException($"{file}: there is no list of revoked certificates in it (PEM, {Label})");
    }

    /// <summary>Null when no certificate of the chain is revoked; else why it is not valid. The root is not asked for.</summary>
    public string? Check(X509Chain chain, DateTimeOffset now)
    {
        for (var i = 0; i + 1 < chain.ChainElements.Count; i++)
        {
            if (Check(chain.ChainElements[i].Certificate, chain.ChainElements[i + 1].Certificate, now) is { } reason)
                return reason;
        }
        return null;
    }

    private string? Check(X509Certificate2 certificate, X509Certificate2 issuer, DateTimeOffset now)
    {
        var name = certificate.IssuerName.RawData;
        var list = _lists.Where(l => l.Issuer.AsSpan().SequenceEqual(name) && l.IsSignedBy(issuer)).MaxBy(l => l.Since);
        if (list is null)
            return $"there is no list of revoked certificates of \"{issuer.Subject}\"";
        if (list.Until < now)
            return $"the list of revoked certificates of \"{issuer.Subject}\" is out of date since {list.Until:u}";
        var serial = new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: false, isBigEndian: true);
        return list.Serials.Contains(serial) ? "certificate revoked" : null;
    }

    private static One Parse(byte[] der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var signed = outer.PeekEncodedValue();
        var body = outer.ReadSequence();
        if (body.PeekTag() == Asn1Tag.Integer)
            body.ReadInteger(); // version
        body.ReadSequence(); // signature algorithm, as below
        var issuer = body.ReadEncodedValue().ToArray();
        var since = ReadTime(body);
        var until = body.HasData && IsTime(body.PeekTag()) ? ReadTime(body) : DateTimeOffset.MaxValue;
        var serials = new HashSet<BigInteger>();
        if (body.HasData && body.PeekTag() == Asn1Tag.Sequence)
        {
            var revoked = body.ReadSequence();
            while (revoked.HasData)
                serials.Add(revoked.ReadSequence().ReadInteger());
        }
        var algorithm = SignatureAlgorithm.Read(outer.ReadEncodedValue());
        return new One(issuer, since, until, serials, signed.ToArray(), algorithm, outer.ReadBitString(out _));
    }

    private static bool IsTime(Asn1Tag tag) => tag == Asn1Tag.UtcTime || tag == Asn1Tag.GeneralizedTime;

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag() == Asn1Tag.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private sealed record One(
        byte[] Issuer, DateTimeOffset Since, DateTimeOffset Until, HashSet<BigInteger> Serials, byte[] Signed, SignatureAlgorithm Algorithm, byte[] Signature)
    {
        public bool IsSignedBy(X509Certificate2 issuer) => Algorithm.Verify(issuer, Signed, Signature);
    }
}
