using System.Runtime.InteropServices;

namespace PgRouter.Core.Transport;

/// <summary>io_uring's numbers and structures, as linux/io_uring.h has them. Source: io_uring_setup(2), io_uring_enter(2), io_uring_register(2).</summary>
internal static class Uring
{
    public const int SetupCall = 425;
    public const int EnterCall = 426;
    public const int RegisterCall = 427;

    public const uint SetupClamp = 1u << 4;
    public const uint SetupCompletionSize = 1u << 3;
    public const uint SetupDisabled = 1u << 6;
    public const uint SetupSubmitAll = 1u << 7;
    public const uint SetupSingleIssuer = 1u << 12;
    public const uint SetupDeferTaskRun = 1u << 13;

    public const uint FeatureSingleMap = 1u << 0;
    public const uint FeatureNoDrop = 1u << 1;
    public const uint FeatureExtendedArgument = 1u << 8;

    public const uint EnterGetEvents = 1u << 0;
    public const uint EnterExtendedArgument = 1u << 3;

    public const uint RegisterEnableRings = 12;
    public const uint RegisterBufferRing = 22;

    public const long OffsetOfRings = 0;
    public const long OffsetOfEntries = 0x10000000;

    public const byte PollAdd = 6;
    public const byte AcceptOperation = 13;
    public const byte CancelOperation = 14;
    public const byte SendOperation = 26;
    public const byte ReceiveOperation = 27;

    /// <summary>The buffer of a receive is taken from a group.</summary>
    public const byte EntryBufferSelect = 1 << 5;

    /// <summary>No completion is posted when it succeeds.</summary>
    public const byte EntrySkipSuccess = 1 << 6;

    public const ushort ReceiveMultishot = 1 << 1;
    public const ushort AcceptMultishot = 1 << 0;
    public const uint PollMultishot = 1u << 0;

    /// <summary>The completion names a buffer, in the upper half of its flags.</summary>
    public const uint CompletionHasBuffer = 1u << 0;

    /// <summary>The operation goes on: more completions follow.</summary>
    public const uint CompletionHasMore = 1u << 1;

    public const int BufferShift = 16;

    /// <summary>struct io_uring_params.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Parameters
    {
        public uint SubmissionEntries;
        public uint CompletionEntries;
        public uint Flags;
        public uint SqThreadCpu;
        public uint SqThreadIdle;
        public uint Features;
        public uint WqFd;
        public uint Reserved0;
        public uint Reserved1;
        public uint Reserved2;
        public SubmissionOffsets Submission;
        public CompletionOffsets Completion;
    }

    /// <summary>struct io_sqring_offsets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SubmissionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint RingMask;
        public uint RingEntries;
        public uint Flags;
        public uint Dropped;
        public uint Array;
        public uint Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_cqring_offsets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CompletionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint RingMask;
        public uint RingEntries;
        public uint Overflow;
        public uint Entries;
        public uint Flags;
        public uint Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_uring_sqe.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct SubmissionEntry
    {
        public byte Operation;
        public byte Flags;
        public ushort Priority;
        public int Fd;
        public ulong Offset;
        public ulong Address;
        public uint Length;
        public uint OperationFlags;
        public ulong UserData;
        public ushort BufferGroup;
        public ushort Personality;
        public int FileIndex;
    }

    /// <summary>struct io_uring_cqe.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CompletionEntry
    {
        public ulong UserData;
        public int Result;
        public uint Flags;
    }

    /// <summary>struct io_uring_getevents_arg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct GetEventsArgument
    {
        public ulong SignalMask;
        public uint SignalMaskSize;
        public uint MinWaitMicroseconds;
        public ulong Time;
    }

    /// <summary>struct __kernel_timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>struct io_uring_buf; in the first of a ring the field <see cref="Tail"/> is the ring's tail.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Buffer
    {
        public ulong Address;
        public uint Length;
        public ushort Id;
        public ushort Tail;
    }

    /// <summary>struct io_uring_buf_reg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BufferRingRegistration
    {
        public ulong RingAddress;
        public uint RingEntries;
        public ushort Group;
        public ushort Flags;
        public ulong Reserved0;
        public ulong Reserved1;
        public ulong Reserved2;
    }
}
