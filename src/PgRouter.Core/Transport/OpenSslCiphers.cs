using System.Net.Security;
using System.Runtime.InteropServices;
using System.Text;

namespace PgRouter.Core.Transport;

/// <summary>
/// What a list of ciphers in OpenSSL's words stands for, as OpenSSL itself says: SslStream takes suites by number only. The library is the one
/// that SslStream runs on. Source: SSL_CTX_set_cipher_list(3), SSL_CTX_get_ciphers(3), SSL_CIPHER_get_protocol_id(3).
/// </summary>
internal static unsafe class OpenSslCiphers
{
    private static readonly string[] Versions = ["3", "1.1"];

    /// <summary>The suites in their order, those of TLS 1.3 included; null when the list is wrong or empty, or the library is not there.</summary>
    public static IReadOnlyList<TlsCipherSuite>? Expand(string list)
    {
        foreach (var version in Versions)
        {
            if (NativeLibrary.TryLoad($"libssl.so.{version}", out var ssl) && NativeLibrary.TryLoad($"libcrypto.so.{version}", out var crypto))
                return Expand(list, ssl, crypto);
        }
        return null;
    }

    private static List<TlsCipherSuite>? Expand(string list, nint ssl, nint crypto)
    {
        var method = (delegate* unmanaged<nint>)NativeLibrary.GetExport(ssl, "TLS_method");
        var make = (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(ssl, "SSL_CTX_new");
        var free = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(ssl, "SSL_CTX_free");
        var set = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(ssl, "SSL_CTX_set_cipher_list");
        var get = (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(ssl, "SSL_CTX_get_ciphers");
        var number = (delegate* unmanaged<nint, ushort>)NativeLibrary.GetExport(ssl, "SSL_CIPHER_get_protocol_id");
        var count = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(crypto, "OPENSSL_sk_num");
        var item = (delegate* unmanaged<nint, int, nint>)NativeLibrary.GetExport(crypto, "OPENSSL_sk_value");
        var clear = (delegate* unmanaged<void>)NativeLibrary.GetExport(crypto, "ERR_clear_error");
        var context = make(method());
        try
        {
            int taken;
            fixed (byte* text = Encoding.UTF8.GetBytes(list + "\0"))
                taken = set(context, text);
            clear();
            var ciphers = get(context);
            return taken == 1 ? [.. Enumerable.Range(0, count(ciphers)).Select(i => (TlsCipherSuite)number(item(ciphers, i)))] : null;
        }
        finally
        {
            free(context);
        }
    }
}
