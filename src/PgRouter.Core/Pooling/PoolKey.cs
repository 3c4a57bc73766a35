namespace PgRouter.Core.Pooling;

/// <summary>What servers of one pool have in common.</summary>
internal readonly record struct PoolKey(int NodeId, string Database, string User);
