using System.Security.Cryptography;
using System.Text;

namespace PgRouter.Core.Authentication;

/// <summary>
/// pgpool's key for passwords that pg_enc has encrypted (AES...): the first line of a file. AES-256-CBC; key and vector are SHA-1 of the text, chained
/// as OpenSSL's EVP_BytesToKey chains it, without salt. So equal passwords look equal in the file: it hides them from eyes, not from who has the key.
/// </summary>
internal sealed class PoolKey
{
    /// <summary>How a secret in this form begins.</summary>
    public const string Prefix = "AES";

    private const int KeyBytes = 32;
    private const int VectorBytes = 16;

    private readonly byte[] _material;

    private PoolKey(byte[] material) => _material = material;

    /// <summary>Null when the path is empty; else the key, or what is wrong with the file.</summary>
    public static (PoolKey? Key, string? Mistake) Load(string path)
    {
        if (path.Length == 0)
            return (null, null);
        try
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(path) & Others) != 0)
                return (null, $"{path}: others may read the key of pool_passwd; chmod 0600");
            return File.ReadLines(path).FirstOrDefault() is { Length: > 0 } line ? (Of(line), null) : (null, $"{path}: the first line, which is the key, is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"{path}: cannot read the key of pool_passwd: {e.Message}");
        }
    }

    public static PoolKey Of(string text)
    {
        var password = Encoding.UTF8.GetBytes(text);
        var first = SHA1.HashData(password);
        var second = SHA1.HashData([.. first, .. password]);
        var third = SHA1.HashData([.. second, .. password]);
        return new PoolKey([.. first, .. second, .. third]);
    }

    /// <summary>The password behind <see cref="Prefix"/>; null when it was not encrypted with this key.</summary>
    public string? Decrypt(string base64)
    {
        try
        {
            using var aes = Aes.Create();
            aes.Key = _material[..KeyBytes];
            var plain = aes.DecryptCbc(Convert.FromBase64String(base64), _material.AsSpan(KeyBytes, VectorBytes));
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(plain);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or DecoderFallbackException)
        {
            return null;
        }
    }

    public override string ToString() => "PoolKey(***)";
}
