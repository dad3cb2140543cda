import { Cluster, type Redis } from 'ioredis';

/** A connection to a single Redis, or the connections to all nodes of a Redis Cluster. */
export type RedisClient = Redis | Cluster;

/** Emitted by a cluster when another node, or a restarted one, has some of its slots. */
export const nodesReplaced = 'nodes replaced';

/** The connections that together reach every key: one without Redis Cluster. */
export const primariesOf = (redis: RedisClient): Redis[] =>
  redis instanceof Cluster ? redis.nodes('master') : [redis];
