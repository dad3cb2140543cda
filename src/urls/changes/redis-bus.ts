import type { Redis } from 'ioredis';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { isRedisUnreachable } from '../../storage/redis/errors.ts';
import { readChanges } from './change.ts';

/** The channel on which changed short URLs are announced, as "version:short code", several separated by spaces. */
export const channelOf = (prefix: string) => `${prefix}:urls:changed`;

/** How often the connection is asked whether it is still there: a half-open one hears nothing and looks well. */
const pingEveryMs = 1_000;

/** Listens to announcements of changed short URLs; that Redis refuses to tell is logged. `redis` is a connection of the role
 *  "subscriber". Returns what stops it. */
export function subscribeToChanges(
  redis: Redis,
  prefix: string,
  listener: {
    /** A short URL has this version now. */
    onChange: (shortCode: string, version: number) => void;
    /** Announcements are heard from now on. */
    onConnected: () => void;
    /** Announcements are missed from now on. */
    onDisconnected: () => void;
  },
  log: Log,
): () => void {
  let heard = false;
  const warnings = repeatedWarningsOf(log);
  const become = (hears: boolean) => {
    if (heard === hears) return;
    heard = hears;
    if (hears) listener.onConnected();
    else listener.onDisconnected();
  };
  const onHeard = () => {
    warnings.end('invalidation bus', {}, 'connected to the invalidation bus again');
    become(true);
  };
  const onRefused = (error: unknown) => {
    // The connection reports an unreachable Redis.
    if (!isRedisUnreachable(error))
      warnings.warn('invalidation bus', { err: error }, 'failed to subscribe to the invalidation bus');
    become(false);
  };
  const subscribe = () => {
    redis.subscribe(channelOf(prefix)).then(() => {
      if (redis.status === 'ready') onHeard();
      else become(false);
    }, onRefused);
  };
  redis.on('ready', subscribe);
  redis.on('close', () => become(false));
  redis.on('message', (_channel, message: string) => {
    for (const { shortCode, version } of readChanges(message)) listener.onChange(shortCode, version);
  });
  if (redis.status === 'ready') subscribe();
  /** The time-outs of the connection end it when no answer comes, and that closes it. One that is a refusal leaves it open, of a
   *  Redis that cannot save for instance. */
  const ping = () => void redis.ping().then(() => heard || subscribe(), onRefused);
  const timer = setInterval(ping, pingEveryMs);
  return () => clearInterval(timer);
}
