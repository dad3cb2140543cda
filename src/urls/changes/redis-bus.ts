import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import { isRedisUnreachable } from '../../storage/redis/errors.ts';
import { decodeChanges } from './change.ts';

/** The channel for changed short URLs: "version:short code", separated by spaces. */
export const channelOf = (prefix: string) => `${prefix}:urls:changed`;

/** Pings detect a half-open connection, which would receive nothing without failing. */
const pingEveryMs = 1_000;

/** Subscribes to changed short URLs; logs when Redis rejects the subscription. `redis` must have the connection role
 *  "subscriber". Returns a function that unsubscribes. */
export function subscribeToChanges(
  redis: RedisClient,
  prefix: string,
  listener: {
    /** A short URL has this version now. */
    onChange: (shortCode: string, version: number) => void;
    /** Invalidations arrive from now on. */
    onConnected: () => void;
    /** Invalidations may be missed from now on. */
    onDisconnected: () => void;
  },
  log: Log,
): () => void {
  let isConnected = false;
  const warnings = repeatedWarningsOf(log);
  const setConnected = (connected: boolean) => {
    if (isConnected === connected) return;
    isConnected = connected;
    if (connected) listener.onConnected();
    else listener.onDisconnected();
  };
  const onSubscribed = () => {
    warnings.end('invalidation bus', {}, 'reconnected to the invalidation bus');
    setConnected(true);
  };
  const onError = (error: unknown) => {
    // The connection itself reports an unreachable Redis.
    if (!isRedisUnreachable(error))
      warnings.warn('invalidation bus', { err: error }, 'failed to subscribe to the invalidation bus');
    setConnected(false);
  };
  const subscribe = () => {
    redis.subscribe(channelOf(prefix)).then(() => {
      if (redis.status === 'ready') onSubscribed();
      else setConnected(false);
    }, onError);
  };
  redis.on('ready', subscribe);
  redis.on('close', () => setConnected(false));
  redis.on('message', (_channel, message: string) => {
    for (const { shortCode, version } of decodeChanges(message)) listener.onChange(shortCode, version);
  });
  if (redis.status === 'ready') subscribe();
  /** A ping without an answer closes the connection by its timeout. An error reply leaves it open, for instance of a
   *  Redis that cannot save. */
  const ping = () => void redis.ping().then(() => isConnected || subscribe(), onError);
  const timer = setInterval(ping, pingEveryMs);
  return () => clearInterval(timer);
}
