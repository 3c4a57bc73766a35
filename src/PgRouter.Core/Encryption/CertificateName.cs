using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PgRouter.Core.Encryption;

/// <summary>Whom a certificate names, in the two forms that PostgreSQL compares: the common name, and the distinguished name after RFC 2253.</summary>
internal static class CertificateName
{
    private const string CommonNameOid = "2.5.4.3";

    private static readonly Dictionary<string, string> Keywords = new()
    {
        [CommonNameOid] = "CN",
        ["2.5.4.6"] = "C",
        ["2.5.4.7"] = "L",
        ["2.5.4.8"] = "ST",
        ["2.5.4.9"] = "STREET",
        ["2.5.4.10"] = "O",
        ["2.5.4.11"] = "OU",
        ["0.9.2342.19200300.100.1.1"] = "UID",
        ["0.9.2342.19200300.100.1.25"] = "DC",
        ["1.2.840.113549.1.9.1"] = "emailAddress",
    };

    /// <summary>The last common name of the subject, which is the most specific; null when there is none or it has a NUL in it (CVE-2009-4034).</summary>
    public static string? CommonName(X509Certificate2 certificate) => Parts(certificate, reversed: true)
        .Where(part => part.Oid == CommonNameOid)
        .Select(part => part.Value.Contains('\0', StringComparison.Ordinal) ? null : part.Value)
        .FirstOrDefault();

    /// <summary>As <c>CN=jane,OU=shop,O=Example</c>; null when it has a NUL in it.</summary>
    public static string? Distinguished(X509Certificate2 certificate)
    {
        var text = string.Join(',', Parts(certificate, reversed: true).Select(part => $"{Keywords.GetValueOrDefault(part.Oid, part.Oid)}={Escape(part.Value)}"));
        return text.Contains('\0', StringComparison.Ordinal) ? null : text;
    }

    private static IEnumerable<(string Oid, string Value)> Parts(X509Certificate2 certificate, bool reversed)
    {
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed))
        {
            var values = new AsnReader(part.RawData, AsnEncodingRules.DER).ReadSetOf();
            while (values.HasData)
            {
                var pair = values.ReadSequence();
                yield return (pair.ReadObjectIdentifier(), ReadText(pair));
            }
        }
    }

    private static string ReadText(AsnReader reader)
    {
        var tag = (UniversalTagNumber)reader.PeekTag().TagValue;
        return tag is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
                or UniversalTagNumber.T61String or UniversalTagNumber.BMPString or UniversalTagNumber.VisibleString or UniversalTagNumber.NumericString
            ? reader.ReadCharacterString(tag)
            : "#" + Convert.ToHexString(reader.ReadEncodedValue().Span);
    }

    private static string Escape(string value)
    {
        var text = new StringBuilder();
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] is ',' or '+' or '"' or '\\' or '<' or '>' or ';' || (i == 0 && value[i] is ' ' or '#') || (i == value.Length - 1 && value[i] == ' '))
                text.Append('\\');
            text.Append(value[i]);
        }
        return text.ToString();
    }
}
