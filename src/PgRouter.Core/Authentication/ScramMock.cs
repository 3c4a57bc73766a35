using System.Security.Cryptography;
using System.Text;
using PgRouter.Protocol;

namespace PgRouter.Core.Authentication;

/// <summary>
/// Verifiers for users without a usable password, so that their logins look and take as those of others and fail at the end. One per
/// process: the seed makes the salt of a name the same each time. Immutable; any thread.
/// </summary>
internal sealed class ScramMock
{
    private readonly byte[] _seed;

    /// <param name="iterations">Shown to the client; see <see cref="PasswordFile.ScramIterations"/>.</param>
    public ScramMock(int iterations = ScramVerifier.DefaultIterations)
        : this(RandomNumberGenerator.GetBytes(32), iterations)
    {
    }

    private ScramMock(byte[] seed, int iterations)
    {
        _seed = seed;
        Iterations = iterations;
    }

    public int Iterations { get; }

    /// <summary>The same salts with another count, after a reload of the password file.</summary>
    public ScramMock WithIterations(int iterations) => new(_seed, iterations);

    public ScramVerifier For(string user) => ScramVerifier.Mock(Encoding.UTF8.GetBytes(user), _seed, Iterations);

    public override string ToString() => "ScramMock(***)";
}
