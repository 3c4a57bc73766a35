using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgRouter.Core.Encryption;

/// <summary>Certificates and keys from PEM files. Whatever is wrong with a file is an <see cref="EncryptionException"/> that names it.</summary>
internal static class CertificateFiles
{
    private static readonly TimeSpan PassphraseLimit = TimeSpan.FromSeconds(30);

    /// <summary>A certificate with its private key, and the certificates behind it in the file.</summary>
    public static (X509Certificate2 Certificate, X509Certificate2Collection Chain) Load(string certificateFile, string keyFile, string passphraseCommand = "")
    {
        CheckKeyFile(keyFile);
        var chain = LoadAll(certificateFile);
        if (chain.Count == 0)
            throw new EncryptionException($"{certificateFile}: there is no certificate in it; PEM begins with -----BEGIN CERTIFICATE-----");
        var key = Read(keyFile);
        try
        {
            var certificate = IsEncrypted(key)
                ? X509Certificate2.CreateFromEncryptedPem(Read(certificateFile), key, Passphrase(keyFile, passphraseCommand))
                : X509Certificate2.CreateFromPem(Read(certificateFile), key);
            chain.RemoveAt(0);
            return (certificate, chain);
        }
        catch (CryptographicException e)
        {
            throw new EncryptionException($"{keyFile}: the key does not fit the certificate in {certificateFile}, or cannot be read: {e.Message}");
        }
        catch (ArgumentException e)
        {
            throw new EncryptionException($"{keyFile}: no private key that fits {certificateFile}: {e.Message}");
        }
    }

    /// <summary>All certificates of a file.</summary>
    public static X509Certificate2Collection LoadAll(string file)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(Read(file));
            return all;
        }
        catch (CryptographicException e)
        {
            throw new EncryptionException($"{file}: a certificate in it cannot be read: {e.Message}");
        }
    }

    /// <summary>Authorities of a file and of the files of a directory, either of which may be empty.</summary>
    public static X509Certificate2Collection LoadAuthorities(string file, string directory)
    {
        var all = file.Length > 0 ? LoadAll(file) : [];
        if (file.Length > 0 && all.Count == 0)
            throw new EncryptionException($"{file}: there is no certificate in it");
        if (directory.Length == 0)
            return all;
        try
        {
            foreach (var one in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal))
                all.AddRange(LoadAll(one));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EncryptionException($"{directory}: {e.Message}");
        }
        return all.Count > 0 ? all : throw new EncryptionException($"{directory}: there is no certificate in its files");
    }

    public static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EncryptionException($"{file}: {e.Message}");
        }
    }

    /// <summary>The rule of PostgreSQL and libpq: the owner's alone, or root's and readable for a group.</summary>
    private static void CheckKeyFile(string file)
    {
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        const UnixFileMode Group = UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
        if (!File.Exists(file))
            throw new EncryptionException($"{file}: the private key is not there");
        var mode = File.GetUnixFileMode(file);
        if ((mode & (Others | Group)) != 0)
        {
            throw new EncryptionException(
                $"{file}: others may read the private key (mode {Convert.ToString((int)mode, 8)}); chmod 0600, or 0640 for a file of root");
        }
    }

    private static bool IsEncrypted(string pem) =>
        pem.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal) || pem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal);

    private static string Passphrase(string keyFile, string command)
    {
        if (command.Length == 0)
            throw new EncryptionException($"{keyFile}: the private key is locked by a passphrase; name a command that tells it with ssl_passphrase_command");
        var start = new ProcessStartInfo("/bin/sh", ["-c", command.Replace("%p", "passphrase", StringComparison.Ordinal)])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadLineAsync();
        if (!process.WaitForExit(PassphraseLimit))
        {
            process.Kill(entireProcessTree: true);
            throw new EncryptionException($"ssl_passphrase_command did not end within {PassphraseLimit.TotalSeconds} s");
        }
        return process.ExitCode == 0
            ? output.GetAwaiter().GetResult() ?? ""
            : throw new EncryptionException($"ssl_passphrase_command ended with exit code {process.ExitCode}");
    }
}

/// <summary>What is wrong with a file of certificates, a key or a list of ciphers, in words for the administrator.</summary>
internal sealed class EncryptionException(string message) : Exception(message);
