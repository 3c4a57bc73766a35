namespace PgRouter.Core.Pooling;

/// <summary>
/// Whether clients of a pool use sequences by name: then a server is cleared of another client's sequence values before this
/// client writes on it. Assumed at first; given up when many writes have come and nobody has asked; certain once somebody asks. Any thread; a
/// count lost between threads does no harm.
/// </summary>
internal sealed class SequenceWatch
{
    /// <summary>An application that uses what its sequences gave does so in its first writes.</summary>
    private const int WritesToGiveUp = 10_000;

    private int _writes;
    private volatile bool _isCertain;

    public bool IsOn => _isCertain || _writes < WritesToGiveUp;

    /// <summary>Some client has named a sequence.</summary>
    public bool IsCertain => _isCertain;

    public void NoteWrite()
    {
        if (_writes < WritesToGiveUp)
            _writes++;
    }

    /// <summary>nextval, setval, currval or lastval in a text.</summary>
    public void NoteUse() => _isCertain = true;
}
