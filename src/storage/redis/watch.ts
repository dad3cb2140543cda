import type { Log } from '../../log.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { causeOf } from './cluster.ts';
import type { RedisProblems } from './probe-problems.ts';
import { probeRedis } from './probe.ts';
import { closeRedis, openRedis } from './redis.ts';
import { requiredCommands, requiredOfCache } from './required-commands.ts';

const probeEveryMs = 5_000;
/** How long a process waits for Redis when it starts; it also starts without Redis. */
const startMs = 1_000;

const codes = [
  'redis_unavailable',
  'redis_login_refused',
  'redis_unsupported',
  'redis_refuses_writes',
  'redis_rights_missing',
  'redis_evicts',
] as const satisfies (keyof RedisProblems)[];

const connectionCodes = new Set<keyof RedisProblems>(['redis_unavailable', 'redis_login_refused']);

/** A Redis that is watched: the one of everything, or one for the cache alone. */
interface WatchedRedis {
  setting: 'REDIS_URL' | 'REDIS_CACHE_URL';
  commands: Record<string, string[]>;
}

const main: WatchedRedis = { setting: 'REDIS_URL', commands: requiredCommands };
const ofCache: WatchedRedis = { setting: 'REDIS_CACHE_URL', commands: requiredOfCache };

interface WatchDeps {
  prefix: string;
  /** A channel that the user must be able to publish to and subscribe to. */
  channel: string;
  conditions: Conditions;
  log: Log;
}

/** Watches the Redis of `REDIS_URL`, and that of `REDIS_CACHE_URL` if it is set: see `watchOne`. */
export async function watchRedis(
  urls: { REDIS_URL: string; REDIS_CACHE_URL?: string | undefined },
  deps: WatchDeps,
): Promise<() => Promise<void>> {
  const { REDIS_URL, REDIS_CACHE_URL } = urls;
  const stops = await Promise.all([
    watchOne({ ...deps, ...main, url: REDIS_URL, report: reportEach(deps.conditions) }),
    ...(REDIS_CACHE_URL === undefined
      ? []
      : [watchOne({ ...deps, ...ofCache, url: REDIS_CACHE_URL, report: reportCache(deps.conditions) })]),
  ]);
  return async () => void (await Promise.all(stops.map(async (stop) => await stop())));
}

/** Sets one condition for each problem. */
const reportEach = (conditions: Conditions) => (problems: RedisProblems) => {
  // Without a connection the other conditions are unknown and do not change.
  const isKnown = hasConnection(problems);
  for (const code of codes) {
    if (isKnown || problems[code] !== undefined || connectionCodes.has(code))
      conditions.update(code, problems[code]);
  }
};

/** Sets one condition for all problems of the cache, which may be evicted. */
const reportCache = (conditions: Conditions) => (problems: RedisProblems) => {
  const first = codes.find((code) => code !== 'redis_evicts' && problems[code] !== undefined);
  conditions.update('redis_cache_unusable', first && problems[first]);
};

const hasConnection = ({ redis_unavailable, redis_login_refused }: RedisProblems) =>
  redis_unavailable === undefined && redis_login_refused === undefined;

/** Probes Redis and reports its problems, now and every 5 s. At the start, a problem of the Redis of `REDIS_URL` that a retry cannot solve ends
 *  the process with exit code 1: a rejected login, an untrusted certificate, a node of a cluster that the URL does not name as such, or an
 *  old version. Resolves within about a second to a function that stops it. */
async function watchOne(
  deps: WatchDeps & WatchedRedis & { url: string; report: (problems: RedisProblems) => void },
): Promise<() => Promise<void>> {
  const { url, setting, prefix, channel, commands, report, log } = deps;
  const redis = openRedis('probe', url, log);
  let connectionError: unknown;
  // A cluster reports why its nodes fail by another event. "Connection is closed" hides the reason before it.
  for (const event of ['error', 'node error'])
    redis.on(event, (error: Error) => {
      const cause = causeOf(error);
      if (!cause.message.startsWith('Connection is closed')) connectionError = cause;
    });

  const probe = async () => {
    const problems = await probeRedis(redis, {
      prefix,
      channel,
      commands,
      connectionError: () => connectionError,
    });
    if (hasConnection(problems)) connectionError = undefined;
    return Object.fromEntries(
      Object.entries(problems).map(([code, reason]) => [code, reason.replaceAll('REDIS_URL', setting)]),
    ) as RedisProblems;
  };

  await withDeadline(firstContact(redis), startMs, () => undefined);
  const problems = await withDeadline<RedisProblems>(probe(), startMs, () => ({}));
  const fatal = problems.redis_unsupported ?? problems.redis_login_refused;
  // Without the cache everything works.
  if (fatal !== undefined && setting === 'REDIS_URL') {
    log.fatal({ err: connectionError }, fatal);
    process.exit(1);
  }
  report(problems);

  const poller = createPoller({
    everyMs: probeEveryMs,
    run: async () => report(await probe()),
    onFailure: (error) => log.error({ err: error }, 'failed to probe Redis'),
  });
  return async () => {
    void poller.stop();
    await closeRedis(redis);
  };
}

async function firstContact(redis: ReturnType<typeof openRedis>): Promise<void> {
  await new Promise<void>((resolve) => {
    redis.once('ready', resolve);
    redis.once('error', () => resolve());
  });
}
