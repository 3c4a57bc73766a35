using PgRouter.Core.Transport;

namespace PgRouter.Core.Relay;

/// <summary>
/// What of one read from a server goes to the client: as long as the forwarded bytes lie together they are sent from where they were read;
/// only when something is left out or put in are they gathered in the loop's scratch buffer. One send per read either way.
/// </summary>
internal ref struct ReplyOutput(Span<byte> source, byte[] scratch, LoopSocket client, ref OutgoingBytes pending)
{
    private readonly Span<byte> _source = source;
    private readonly byte[] _scratch = scratch;
    private readonly LoopSocket _client = client;
    private readonly ref OutgoingBytes _pending = ref pending;
    private int _start;
    private int _end;
    private int _gathered;
    private bool _isPartlySent;
    private Place _mark;

    /// <summary>Bytes given to the client so far.</summary>
    public long Forwarded { get; private set; }

    /// <summary>Those of them since the last <see cref="Mark"/>.</summary>
    public readonly long ForwardedSinceMark => Forwarded - _mark.Forwarded;

    /// <summary>Nothing since the last <see cref="Mark"/> has left yet.</summary>
    public readonly bool MayCutBack => !_isPartlySent;

    /// <summary>False once the client's connection is broken.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Forwards a piece of the source; pieces come in order.</summary>
    public void Forward(int position, int count)
    {
        Forwarded += count;
        if (position == _end)
        {
            _end += count;
            return;
        }
        Gather();
        _start = position;
        _end = position + count;
    }

    /// <summary>Another answer begins here.</summary>
    public void Mark()
    {
        _mark = new Place(Forwarded, _gathered, _start, _end);
        _isPartlySent = false;
    }

    /// <summary>Takes back everything since the last <see cref="Mark"/>.</summary>
    public void CutBack()
    {
        Forwarded = _mark.Forwarded;
        if (_gathered == _mark.Gathered)
        {
            (_start, _end) = (_mark.Start, _mark.End);
            return;
        }
        // What lay together at the mark has been gathered since, and more behind it.
        _gathered = _mark.Gathered + (_mark.End - _mark.Start);
        _start = _end = _mark.End;
    }

    /// <summary>Puts bytes of the router's own at this point of the stream.</summary>
    public void Insert(ReadOnlySpan<byte> bytes)
    {
        Forwarded += bytes.Length;
        Gather();
        _start = _end;
        Append(bytes);
    }

    /// <summary>Sends what was forwarded.</summary>
    public void Complete()
    {
        if (_gathered > 0)
        {
            Gather();
            SendGathered();
        }
        else if (_end > _start)
        {
            IsWhole &= _pending.Send(_client, _source[_start.._end]);
        }
    }

    private void Gather()
    {
        Append(_source[_start.._end]);
        _start = _end;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > _scratch.Length - _gathered)
        {
            var part = _scratch.Length - _gathered;
            bytes[..part].CopyTo(_scratch.AsSpan(_gathered));
            _gathered += part;
            SendGathered();
            bytes = bytes[part..];
        }
        bytes.CopyTo(_scratch.AsSpan(_gathered));
        _gathered += bytes.Length;
    }

    private void SendGathered()
    {
        IsWhole &= _pending.Send(_client, _scratch.AsSpan(0, _gathered));
        _gathered = 0;
        _isPartlySent = true;
    }

    private readonly record struct Place(long Forwarded, int Gathered, int Start, int End);
}
