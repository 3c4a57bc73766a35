namespace PgRouter.Core.Servers;

/// <summary>
/// The requests a server has not answered yet, as the client sent them, as long as all of them may run once more elsewhere: reads, not many bytes,
/// nothing before them that must stay on this server. One that may not empties it until the server owes nothing. Loop thread only; grows, never
/// shrinks.
/// </summary>
internal sealed class RetainedRequests
{
    /// <summary>The most bytes that are kept to be run again.</summary>
    private const int Limit = 64 * 1024;

    private readonly Queue<int> _lengths = new();
    private byte[] _bytes = [];
    private int _start;
    private int _end;

    /// <summary>Nothing under way may run elsewhere.</summary>
    public bool IsEmpty => _lengths.Count == 0;

    /// <summary>All of them; valid until the next call.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_start, _end - _start);

    /// <summary>The one that the server answers now.</summary>
    public ReadOnlySpan<byte> First => IsEmpty ? default : _bytes.AsSpan(_start, _lengths.Peek());

    /// <summary>A request is sent. <paramref name="isFirst"/>: the server owed nothing before it.</summary>
    public void Add(ReadOnlySpan<byte> request, bool isFirst)
    {
        if (isFirst)
            Forget();
        else if (IsEmpty)
            return;
        if (_end - _start + request.Length > Limit)
        {
            Forget();
            return;
        }
        if (_end + request.Length > _bytes.Length)
            MakeRoom(request.Length);
        request.CopyTo(_bytes.AsSpan(_end));
        _end += request.Length;
        _lengths.Enqueue(request.Length);
    }

    /// <summary>The first one has been answered.</summary>
    public void Settle()
    {
        if (_lengths.TryDequeue(out var length))
            _start += length;
        if (IsEmpty)
            _start = _end = 0;
    }

    public void Forget()
    {
        _lengths.Clear();
        _start = _end = 0;
    }

    private void MakeRoom(int length)
    {
        var kept = _end - _start;
        var target = kept + length > _bytes.Length ? new byte[Math.Max(512, Math.Max(kept + length, _bytes.Length * 2))] : _bytes;
        Bytes.CopyTo(target);
        (_bytes, _start, _end) = (target, 0, kept);
    }
}
