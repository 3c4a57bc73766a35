using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PgRouter.Core.Configuration;

namespace PgRouter.Server.Processes;

/// <summary>
/// The pid file of a running router. It is held locked (flock) for as long as the process lives, so that a file left behind by a
/// process that was killed is recognised, whatever runs under that pid now.
/// </summary>
internal sealed class PidFile : IDisposable
{
    private const string DefaultDirectory = "/run/pgrouter";
    private readonly FileStream _stream;

    private PidFile(string path, FileStream stream) => (Path, _stream) = (path, stream);

    public string Path { get; }

    /// <summary>Where the file may be, the preferred place first.</summary>
    public static IReadOnlyList<string> Candidates(RouterConfig config) => config.PidFileName.Length > 0
        ? [config.PidFileName]
        : [$"{DefaultDirectory}/pgrouter.pid", $"/tmp/pgrouter.{config.Port.ToString(CultureInfo.InvariantCulture)}.pid"];

    /// <summary>Writes the file at the first place that can be written.</summary>
    /// <exception cref="PidFileException">Another router holds it, or no place can be written.</exception>
    public static PidFile Create(IReadOnlyList<string> candidates)
    {
        var problem = "";
        foreach (var path in candidates)
        {
            try
            {
                return Write(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (FindRunning([path]) is { } pid)
                    throw new PidFileException($"another router (pid {pid}) holds \"{path}\"; stop it, or give each its own pid_file_name");
                problem = e.Message;
            }
        }
        throw new PidFileException($"cannot write the pid file \"{candidates[^1]}\": {problem}; name another with pid_file_name");
    }

    /// <summary>The pid of the process that holds one of the files, null when none does.</summary>
    public static int? FindRunning(IReadOnlyList<string> candidates)
    {
        foreach (var path in candidates.Where(IsHeld))
        {
            using var stream = OpenWithoutLock(path);
            if (stream is null)
                continue;
            using var reader = new StreamReader(stream);
            if (int.TryParse(reader.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                return pid;
        }
        return null;
    }

    public void Dispose()
    {
        // Removed before the lock goes, so that a router that starts meanwhile makes a file of its own.
        File.Delete(Path);
        _stream.Dispose();
    }

    private static PidFile Write(string path)
    {
        // The default place is a directory anyone can write: what a link there points to must not be overwritten.
        if (new FileInfo(path).LinkTarget is not null)
            throw new IOException("it is a symbolic link");
        // FileShare.None is an exclusive flock on Unix; it fails at once when another process has it.
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        stream.SetLength(0);
        stream.Write(System.Text.Encoding.ASCII.GetBytes($"{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}\n"));
        stream.Flush();
        return new PidFile(path, stream);
    }

    /// <summary>
    /// FileStream takes a shared flock for every reader, which the router's exclusive one forbids; open(2) takes none. Null when the
    /// file has gone meanwhile.
    /// </summary>
    private static FileStream? OpenWithoutLock(string path)
    {
        const int readOnlyCloseOnExec = 0x80000;
        var descriptor = Open(path, readOnlyCloseOnExec);
        if (descriptor < 0 && !File.Exists(path))
            return null;
        if (descriptor < 0)
            throw new IOException($"cannot read the pid file \"{path}\": {Marshal.GetLastPInvokeErrorMessage()}");
        return new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    /// <summary>A shared flock cannot be had while the router holds its exclusive one.</summary>
    private static bool IsHeld(string path)
    {
        if (!File.Exists(path))
            return false;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}

/// <summary>The pid file cannot be had; the message says why and what to change.</summary>
internal sealed class PidFileException(string message) : Exception(message);
