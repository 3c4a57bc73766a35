using PgRouter.Core.Catalog;
using PgRouter.Core.Routing;
using PgRouter.Core.Servers;
using PgRouter.Protocol;
using PgRouter.Sql;

namespace PgRouter.Core.Sessions;

/// <summary>
/// Extended protocol: everything up to Sync or Flush is one batch, looked at whole before a server is taken, then sent with the client's statement
/// names exchanged for the shared ones. What the router answers itself stands in the plan (<see cref="OwedReplies"/>) at its place.
/// </summary>
internal sealed partial class ClientSession
{
    private static readonly byte[] ParseComplete = [BackendMessage.ParseComplete, 0, 0, 0, 4];
    private static readonly byte[] CloseComplete = [BackendMessage.CloseComplete, 0, 0, 0, 4];
    private static readonly StatementInfo NothingAtAll = new(StatementClass.Empty, "", []);
    private static long _lastUnnamed;

    private StatementMap? _statements;
    private UnnamedStatement _unnamed;
    private StatementInfo? _portal;
    private Dictionary<byte[], StatementInfo>? _portals;
    private bool _unsynced;

    /// <summary>A query stands behind what was not synced: if that fails, the query is never answered.</summary>
    private bool _mayBePassedOver;

    /// <summary>A batch under way makes or closes named statements.</summary>
    private bool _definesNames;

    private Step OnBatch(Span<byte> rest, out int used)
    {
        used = 0;
        var batch = new BatchScan { Blocks = BlocksOfRequest() };
        if (!Scan(rest, ref batch, out var step))
            return step;
        if (batch is { MalformedLength: > 0, Length: 0 })
            return OnMalformed(rest[..batch.MalformedLength], out used);
        if (!batch.IsComplete)
        {
            if (batch.Needed <= RequestLimit)
                return Step.Continue;
            if (batch.Length == 0)
                return OnLargeMessage(rest, out used);
            // More than the buffer holds and no Sync yet: whatever is still to come, the primary can run it.
            batch.Class = StatementClass.Unknown;
        }
        batch.SyncsForFlush = batch.OnlyPrepares && batch.EndsInFlush && HoldsNothing && _block == Block.None && !_unsynced;
        // After Flush the server stays until Sync, and what is still to come may write (asyncpg: Parse, Describe, Flush, then COPY), but for a block
        // that is READ ONLY; of unknown names nothing is known.
        if ((!batch.EndsInSync && !batch.SyncsForFlush && !(batch.Blocks.FitStandby && batch.Blocks.IsInBlock)) || batch.Class == StatementClass.Empty)
            batch.Class = StatementClass.Unknown;
        BeginRequest(batch.Length, batch.EndsInSync);
        batch.HasLocal |= Identity.IsConsole || (batch.HasOnlyOwn && IsOwnAnsweredHere);
        if (batch.HasLocal)
            return IsBusy ? Step.Wait : Step.Local;
        if (IsBlockRefused(batch.OpensBlock) || (batch.SetsOwnByFunction is { } setting && IsOwnRefused(setting)))
            return IsBusy ? Step.Wait : Step.Acquire;
        if (batch.HasPidCalls)
            return Step.Rewrite;
        if (MayCommitChannels(batch.Effects, batch.HasVerb) && CollectChannels(batch.OfListen ?? [], commits: batch.HasVerb))
            return IsBusy ? Step.Wait : Step.Listen;
        // In a block that has begun too: pgbench waits for such an answer with other transactions open, whose servers it may be waiting for.
        if (_lease is null && batch.NeedsNoServer && !_cancelsPending && _block != Block.Failed)
            return IsAnsweredWithoutServer(rest[..batch.Length], out used);
        if (batch.MayBeBlockOnly && IsBlockBatchHandledHere(rest[..batch.Length], out used))
            return Step.Continue;
        if (_definesNames && batch.UsesNames && _lease is { Server.Owed.ReadyForQueryCount: > 0 })
            return Step.Wait; // What the names are, the batch under way decides.
        JudgeBlocks(batch.Blocks);
        _requestReads = batch.Reads ?? TableSet.Nothing;
        step = Obtain(batch.Class, batch.Hint, batch.Blocks.FitStandby, batch.Effects, batch.Marks);
        if (step != Step.Continue)
            return step;
        if (batch.IsStale && HasStale(rest[..batch.Length], _lease!.Server))
            return Step.Acquire;
        used = batch.Length;
        if (_blockOnStandby)
            FollowBlock(batch.Blocks, batch.Texts == 1 ? TextOfBatch(rest[..used]) : default, batch.Texts == 1 ? batch.First : null);
        NoteTables(new TextVerdict(batch.Class, batch.Marks, batch.Reads ?? TableSet.Nothing, WritesOf(batch), batch.ChangesSchema), batch.HasVerb);
        SendBatch(rest[..used], batch);
        _awaitsReady |= (batch.Effects & ChangesNames) != 0;
        _definesNames |= batch.DefinesNames;
        return Step.Continue;
    }

    /// <summary>No server is held, or one that was taken for this very request.</summary>
    private bool HoldsNothing => _lease is null || (_leaseIsFresh && _lease.Server is { Owed.Count: 0, Status: TransactionStatus.Idle });

    /// <summary>Looks at each message up to Sync or Flush: how strict, which names, what must be rewritten. False when the parser must be asked first.</summary>
    private bool Scan(Span<byte> rest, ref BatchScan batch, out Step step)
    {
        step = Step.Continue;
        batch.NeedsNoServer = batch.OnlyPrepares = true;
        while (MessageHeader.TryRead(rest[batch.Length..], out var type, out var length))
        {
            if (!IsExtended(type))
            {
                batch.IsComplete = true;
                return true;
            }
            if (length < MessageHeader.MinLength)
            {
                step = ProtocolViolation($"invalid message length {length}");
                return false;
            }
            if (length > _longestMessage && TooLong(type, length) is { } tooLong)
            {
                step = tooLong;
                return false;
            }
            var total = (long)length + 1;
            batch.Needed = batch.Length + total;
            if (rest.Length < batch.Needed)
                return true;
            if (!ScanMessage(type, rest.Slice(batch.Length + MessageHeader.Size, length - 4), ref batch, out step))
            {
                if (step != Step.Continue)
                    return false;
                batch.MalformedLength = (int)total;
                batch.IsComplete = true; // What comes before it is sent first, then it goes by itself.
                return true;
            }
            batch.Length += (int)total;
            if (type is FrontendMessage.Sync or FrontendMessage.Flush)
            {
                batch.IsComplete = true;
                batch.EndsInSync = type == FrontendMessage.Sync;
                batch.EndsInFlush = !batch.EndsInSync;
                return true;
            }
        }
        batch.Needed = batch.Length + MessageHeader.Size;
        return true;
    }

    private bool ScanMessage(byte type, ReadOnlySpan<byte> body, ref BatchScan batch, out Step step)
    {
        step = Step.Continue;
        var reader = new MessageReader(body);
        switch (type)
        {
            case FrontendMessage.Parse:
                if (!reader.TryReadCString(out var name) || !reader.TryReadCString(out var sql) || !HasExactTypes(reader))
                    return false;
                if (Identity.IsConsole)
                {
                    batch.HasLocal = true;
                    return true;
                }
                if (FindInfo(sql, batch.Length) is not { } info)
                {
                    step = AskParser(batch.Length, batch.Length + MessageHeader.Size + name.Length + 1, sql.Length);
                    return false;
                }
                batch.Add(info, Judge(info, batch.Effects));
                _knowsOwn |= info.IsOwnSetting;
                batch.Marks |= MarksOf(info, sql);
                batch.HasNames |= HasNames(info);
                batch.NeedsNoServer &= name.Length > 0 && !batch.HasNames && info.LocalCommand is null && IsKnownGood(body[(name.Length + 1)..]);
                batch.DefinesNames |= name.Length > 0;
                batch.UsesNames |= name.Length > 0;
                batch.Rewrites |= name.Length > 0 || batch.HasNames || info.BoundPidCalls is not null || info.IsOwnSetting;
                if (name.Length == 0)
                {
                    batch.UnnamedParses++;
                    batch.UnnamedInfo = info;
                }
                return true;
            case FrontendMessage.Bind:
                if (!reader.TryReadCString(out _) || !reader.TryReadCString(out var bound))
                    return false;
                batch.OnlyPrepares = false;
                ScanStatementName(bound, ref batch);
                return true;
            case FrontendMessage.Describe or FrontendMessage.Close:
                if (!reader.TryReadByte(out var kind) || !reader.TryReadCString(out var target))
                    return false;
                batch.OnlyPrepares &= kind == (byte)'S';
                if (kind == (byte)'S')
                    ScanStatementName(target, ref batch, isClose: type == FrontendMessage.Close);
                else
                    batch.NeedsNoServer &= type == FrontendMessage.Close && kind == (byte)'P';
                return reader.Remaining == 0;
            case FrontendMessage.Execute:
                batch.NeedsNoServer = batch.OnlyPrepares = false;
                batch.Rewrites |= _knowsOwn;
                return reader.TryReadCString(out _) && reader.Remaining == sizeof(int);
            default:
                return body.IsEmpty;
        }
    }

    /// <summary>The end of Parse: a count and as many parameter types.</summary>
    private static bool HasExactTypes(MessageReader reader) =>
        reader.TryReadInt16(out var count) && reader.Remaining == count * sizeof(int);

    /// <summary>A name that Bind, Describe or Close uses: what it stands for counts like the text itself.</summary>
    private void ScanStatementName(ReadOnlySpan<byte> name, ref BatchScan batch, bool isClose = false)
    {
        if (name.Length > 0)
        {
            batch.Rewrites = batch.UsesNames = true;
            batch.DefinesNames |= isClose;
            var known = _statements?.Find(name);
            batch.HasUnknownNames |= known is null && !isClose && !batch.DefinesNames;
            if (known is { } statement && !isClose)
            {
                batch.Add(statement.Info, Judge(statement.Info, batch.Effects));
                batch.Marks |= MarksOf(statement);
                batch.IsStale |= statement.SchemaVersion != _services.Statements.SchemaVersion;
            }
        }
        else if (batch.UnnamedParses == 0 && !isClose)
        {
            batch.Rewrites = true; // The unnamed statement of an earlier batch: it may have to be made again.
            if (_unnamed.Info is { } info)
            {
                batch.Add(info, Judge(info, batch.Effects));
                batch.Marks |= MarksOf(info, UpToZero(_unnamed.Body[Math.Min(1, _unnamed.Body.Length)..]));
            }
        }
        batch.NeedsNoServer &= isClose;
    }

    /// <summary>
    /// A server has taken this text for this user and database since the last change of schema: Parse can be answered without one. A client that
    /// prepares many statements while others hold all servers does not wait for them (pgbench -M prepared blocks a whole thread in it).
    /// </summary>
    private bool IsKnownGood(ReadOnlySpan<byte> definition) =>
        _lease is null && _services.Statements.Find(definition, NameScope)?.KnownGoodFor == Identity.PoolName;

    private static bool IsExtended(byte type) =>
        type is FrontendMessage.Parse or FrontendMessage.Bind or FrontendMessage.Describe or FrontendMessage.Execute or FrontendMessage.Close
            or FrontendMessage.Sync or FrontendMessage.Flush;

    /// <summary>Only Close, Flush, Sync and Parse of what is known to be good, while no server is held: nothing a server would need to know.</summary>
    private Step IsAnsweredWithoutServer(ReadOnlySpan<byte> batch, out int used)
    {
        used = batch.Length;
        var writer = new MessageWriter();
        var failed = false;
        while (!batch.IsEmpty && MessageHeader.TryRead(batch, out var type, out var length))
        {
            var body = batch[MessageHeader.Size..(length + 1)];
            if (type == FrontendMessage.Sync)
            {
                failed = _skipToSync = false;
                WriteReady(writer);
            }
            else if (!failed && type == FrontendMessage.Close)
            {
                if (body[0] == (byte)'S')
                    CloseStatement(body[1..]);
                writer.WriteBytes(CloseComplete);
            }
            else if (!failed && type == FrontendMessage.Parse)
            {
                failed = !ParseWithoutServer(body, writer);
                if (failed && _block == Block.Begun)
                    _block = Block.Failed;
            }
            batch = batch[(length + 1)..];
        }
        _skipToSync |= failed;
        SendToClient(writer.WrittenSpan);
        EndRequest();
        return Step.Continue;
    }

    private bool ParseWithoutServer(ReadOnlySpan<byte> body, MessageWriter writer)
    {
        var reader = new MessageReader(body);
        reader.TryReadCString(out var name);
        _counters.ClientParses++;
        _statements ??= new StatementMap(_services.Statements);
        if (RefusalOf(name, reader.Remaining) is { } refusal)
            return Refuse(writer, refusal);
        var known = _services.Statements.Find(reader.Rest, NameScope);
        _statements.Add(name.ToArray(), _services.Statements.Acquire(reader.Rest, known?.Info ?? TooLarge, NameScope));
        writer.WriteBytes(ParseComplete);
        return true;
    }

    private void SendBatch(Span<byte> bytes, in BatchScan batch)
    {
        var server = _lease!.Server;
        var info = batch.First ?? NothingAtAll;
        NoteRequest(server, info, batch.Class, bytes, mayRetain: (batch.EndsInSync || batch.SyncsForFlush) && !_unsynced && batch.Class <= StatementClass.Read);
        if (batch.SyncsForFlush)
            bytes[^MessageHeader.Size] = FrontendMessage.Sync;
        if (batch.Rewrites)
            SendRewritten(server, bytes, batch);
        else
            SendAsItIs(server, bytes, batch);
        if (batch.EndsInSync)
        {
            _unsynced = false;
            _skipToSync = false;
        }
        else
        {
            _unsynced = !batch.SyncsForFlush;
            _isFlushing = batch.SyncsForFlush;
        }
        EndRequest();
        if (!batch.EndsInSync) // Else they go in one send with what the server says.
            EmitLocalReplies(server);
    }

    /// <summary>Nothing to exchange: the bytes go as they came, the plan gets one entry per message.</summary>
    private void SendAsItIs(ServerConnection server, Span<byte> bytes, in BatchScan batch)
    {
        for (var position = 0; position < bytes.Length;)
        {
            MessageHeader.TryRead(bytes[position..], out var type, out var length);
            Plan(server, type, bytes.Slice(position + MessageHeader.Size, length - 4), position, batch);
            position += length + 1;
        }
        SendToServer(server, bytes);
    }

    /// <summary>The plan entry of a message that is forwarded unchanged.</summary>
    private void Plan(ServerConnection server, byte type, ReadOnlySpan<byte> body, int position, in BatchScan batch)
    {
        switch (type)
        {
            case FrontendMessage.Parse:
                RememberUnnamed(server, body, batch.UnnamedParses == 1 ? batch.UnnamedInfo : FindUnnamedInfo(body, position));
                server.Owed.Enqueue(new OwedReply(ReplyKind.Parse, Subject: _unnamed.Info is { Edits: not null } written ? written : null));
                break;
            case FrontendMessage.Bind:
                _counters.Binds++;
                NotePortal(body, _unnamed.Info);
                server.Owed.Enqueue(new OwedReply(ReplyKind.Bind, Subject: _unnamed.Info));
                break;
            case FrontendMessage.Describe:
                server.Owed.Enqueue(new OwedReply(ReplyKind.Describe));
                break;
            case FrontendMessage.Execute:
                _counters.Queries++;
                server.Owed.Enqueue(new OwedReply(ReplyKind.Execute, Subject: PortalInfo(body)));
                break;
            case FrontendMessage.Close:
                if (body[0] == (byte)'S')
                    _unnamed.Forget(); // A named one does not come here.
                server.Owed.Enqueue(new OwedReply(ReplyKind.Close));
                break;
            case FrontendMessage.Sync:
                if (batch.SyncsForFlush)
                    server.Owed.Enqueue(new OwedReply(ReplyKind.Sync, Swallow: true, Subject: FlushMark));
                else if (!_copyingIn) // During COPY the server ignores it.
                    server.Owed.Enqueue(new OwedReply(ReplyKind.Sync));
                break;
        }
    }

    /// <summary>The unnamed statement outlives its Sync: its text is kept so that it can be made again on another server.</summary>
    private void RememberUnnamed(ServerConnection server, ReadOnlySpan<byte> parseBody, StatementInfo? info)
    {
        _counters.ClientParses++;
        _counters.ServerParses++;
        _unnamed.Remember(parseBody, info, Interlocked.Increment(ref _lastUnnamed));
        server.UnnamedStatementOwner = _unnamed.Use;
    }

    private StatementInfo? FindUnnamedInfo(ReadOnlySpan<byte> parseBody, int position)
    {
        var reader = new MessageReader(parseBody);
        reader.TryReadCString(out _);
        reader.TryReadCString(out var sql);
        return FindInfo(sql, position);
    }

    private void NotePortal(ReadOnlySpan<byte> bindBody, StatementInfo? info)
    {
        var reader = new MessageReader(bindBody);
        reader.TryReadCString(out var portal);
        if (portal.IsEmpty)
            _portal = info;
        else if (info is not null)
            (_portals ??= new Dictionary<byte[], StatementInfo>(ByteArrayComparer.Instance))[portal.ToArray()] = info;
    }

    private StatementInfo? PortalInfo(ReadOnlySpan<byte> executeBody)
    {
        var reader = new MessageReader(executeBody);
        reader.TryReadCString(out var portal);
        if (portal.IsEmpty)
            return _portal;
        StatementInfo? info = null;
        _portals?.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(portal, out info);
        return info;
    }

    /// <summary>Of names that are not known here nothing is known. What a portal writes was counted when it was bound.</summary>
    private static TableSet WritesOf(in BatchScan batch) => batch.HasUnknownNames ? TableSet.All : batch.Writes ?? TableSet.Nothing;

    /// <summary>One message larger than the buffer: what it is stands in its head, the rest streams.</summary>
    private Step OnLargeMessage(Span<byte> rest, out int used)
    {
        used = 0;
        MessageHeader.TryRead(rest, out var type, out var length);
        var total = (long)length + 1;
        BeginRequest((int)Math.Min(total, int.MaxValue), endsInReadyForQuery: false);
        var info = type == FrontendMessage.Bind ? BoundInfo(rest[MessageHeader.Size..]) : TooLarge;
        // What follows up to Sync is one transaction with it, and may write.
        var step = Obtain(StatementClass.Unknown, info?.Hint, beginsReadOnly: false, SessionEffects.None);
        if (step != Step.Continue)
            return step;
        used = rest.Length;
        var server = _lease!.Server;
        NoteAllTables();
        NoteRequest(server, info ?? TooLarge, StatementClass.Unknown, rest, mayRetain: false);
        _unsynced = true;
        if (type == FrontendMessage.Bind)
            SendLargeBind(server, rest, total);
        else
            SendLargeParse(server, rest, total);
        _streaming = _skipToSync ? 0 : total - rest.Length;
        _discarding = _skipToSync ? total - rest.Length : 0;
        EndRequest();
        EmitLocalReplies(server);
        return Step.Continue;
    }

    /// <summary>The one text of a batch; empty when it is not kept.</summary>
    private ReadOnlySpan<byte> TextOfBatch(ReadOnlySpan<byte> batch)
    {
        while (MessageHeader.TryRead(batch, out var type, out var length))
        {
            var reader = new MessageReader(batch[MessageHeader.Size..(length + 1)]);
            if (type is FrontendMessage.Parse or FrontendMessage.Bind)
            {
                reader.TryReadCString(out _);
                reader.TryReadCString(out var text);
                return type == FrontendMessage.Parse ? text : TextOfStatement(text);
            }
            batch = batch[(length + 1)..];
        }
        return default;
    }

    private ReadOnlySpan<byte> TextOfStatement(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> text = name.IsEmpty ? _unnamed.Body : _statements?.Find(name)?.Definition;
        var reader = new MessageReader(text);
        if (name.IsEmpty)
            reader.TryReadCString(out _);
        return reader.TryReadCString(out text) ? text : default;
    }

    private StatementInfo? BoundInfo(ReadOnlySpan<byte> head)
    {
        var reader = new MessageReader(head);
        if (!reader.TryReadCString(out _) || !reader.TryReadCString(out var name))
            return null;
        return name.IsEmpty ? _unnamed.Info : _statements?.Find(name)?.Info;
    }

    private void CloseStatement(ReadOnlySpan<byte> nameWithOrWithoutZero)
    {
        var end = nameWithOrWithoutZero.IndexOf((byte)0);
        var name = end < 0 ? nameWithOrWithoutZero : nameWithOrWithoutZero[..end];
        if (name.IsEmpty)
            _unnamed.Forget();
        else
            _statements?.Remove(name);
    }

    /// <summary>What a look at a batch found.</summary>
    private ref struct BatchScan
    {
        /// <summary>Bytes of complete messages.</summary>
        public int Length;

        /// <summary>Bytes that must be here to know more.</summary>
        public long Needed;

        /// <summary>Ends in Sync or Flush, or another kind of message follows.</summary>
        public bool IsComplete;
        public bool EndsInSync;
        public bool EndsInFlush;

        /// <summary>Nothing but Parse, and Describe and Close of statements.</summary>
        public bool OnlyPrepares;

        /// <summary>Its Flush goes to the server as a Sync, so that it can be given back.</summary>
        public bool SyncsForFlush;

        /// <summary>Uses statement names, which differ between client and server.</summary>
        public bool Rewrites;

        /// <summary>Bytes of the malformed message that ends it, 0 = none.</summary>
        public int MalformedLength;

        /// <summary>Makes or closes named statements.</summary>
        public bool DefinesNames;

        /// <summary>Makes, closes or uses named statements.</summary>
        public bool UsesNames;

        /// <summary>Uses statements that were prepared before a change of schema.</summary>
        public bool IsStale;

        /// <summary>Has texts that name prepared statements: EXECUTE and its kind.</summary>
        public bool HasNames;

        /// <summary>Parse messages for the unnamed statement, and what the last of them is.</summary>
        public int UnnamedParses;
        public StatementInfo? UnnamedInfo;
        public bool NeedsNoServer;
        public bool HasLocal;

        /// <summary>Has a text that concerns process ids and has not been written anew.</summary>
        public bool HasPidCalls;
        public RequestBlocks Blocks;
        public bool OpensBlock;
        public StatementClass Class;
        public SessionEffects Effects;
        public RouteHint? Hint;
        public StatementInfo? First;
        public bool HasVerb;

        /// <summary>What keeps it on the primary though its class would let it run anywhere.</summary>
        public RequestMarks Marks;

        /// <summary>What its texts read and write, null as long as there is none.</summary>
        public TableSet? Reads;
        public TableSet? Writes;
        public bool ChangesSchema;

        /// <summary>Uses names that were given neither here nor by a Parse before: a server may have them.</summary>
        public bool HasUnknownNames;

        /// <summary>The texts with LISTEN; null when there is none.</summary>
        public List<StatementInfo>? OfListen;
        /// <summary>Has SET, RESET or SHOW of a setting of the router's own.</summary>
        public bool HasOwn;

        /// <summary>A text that sets one by set_config().</summary>
        public StatementInfo? SetsOwnByFunction;
        private bool _hasOthers;
        private bool _hasOthersThanOwn;

        /// <summary>Nothing but such statements.</summary>
        public readonly bool HasOnlyOwn => HasOwn && !_hasOthersThanOwn;

        /// <summary>Texts that it prepares, binds or describes.</summary>
        public int Texts;

        /// <summary>Nothing but statements that begin, shape or end a block, up to Sync.</summary>
        public readonly bool MayBeBlockOnly => EndsInSync && First is not null && !_hasOthers;

        /// <param name="info">A text of the batch.</param>
        /// <param name="verdict">What the catalog makes of it.</param>
        public void Add(StatementInfo info, TextVerdict verdict)
        {
            var statementClass = verdict.Class;
            Marks |= verdict.Marks;
            Reads = Reads?.With(verdict.Reads) ?? verdict.Reads;
            Writes = Writes?.With(verdict.Writes) ?? verdict.Writes;
            ChangesSchema |= verdict.ChangesSchema;
            Texts += ReferenceEquals(First, info) ? 0 : 1;
            First ??= info;
            HasOwn |= info.IsOwnSetting;
            if (info.NamesOwnSettings && !info.IsOwnSetting)
                SetsOwnByFunction = info;
            HasLocal |= info.LocalCommand is not null;
            HasPidCalls |= info.PidCalls is not null;
            if (statementClass > Class)
                Class = statementClass;
            Effects |= info.Effects;
            OpensBlock |= info.OpensBlock;
            HasVerb |= info.HasTransactionVerb;
            if ((info.Effects & SessionEffects.Listens) != 0)
                (OfListen ??= []).Add(info);
            Hint ??= info.Hint;
            _hasOthers |= !IsBlockStatement(info);
            _hasOthersThanOwn |= !info.IsOwnSetting;
            Blocks.Add(info, verdict.ClassForBlock);
        }
    }

    /// <summary>The client's unnamed statement: its Parse body, what it is, and which use of it this is.</summary>
    private struct UnnamedStatement
    {
        private byte[]? _body;
        private int _length;

        public StatementInfo? Info { get; private set; }

        /// <summary>See <see cref="PreparedStatement.Uses"/>.</summary>
        public IReadOnlyList<PreparedStatement>? Uses { get; set; }

        /// <summary>Number of the Parse that made it, unique in the process; 0 = there is none.</summary>
        public long Use { get; private set; }

        public readonly ReadOnlySpan<byte> Body => _body.AsSpan(0, _length);

        public void Remember(ReadOnlySpan<byte> body, StatementInfo? info, long use)
        {
            if (_body is null || _body.Length < body.Length)
                _body = new byte[Math.Max(128, body.Length)];
            body.CopyTo(_body);
            _length = body.Length;
            Info = info;
            Uses = null;
            Use = use;
        }

        /// <summary>A Parse too large to be kept: it can be used on the server that has it, and nowhere else.</summary>
        public void RememberLarge(long use)
        {
            _length = 0;
            Info = TooLarge;
            Use = use;
        }

        public void Forget()
        {
            _length = 0;
            Info = null;
            Use = 0;
        }
    }
}
