import type { Log } from '../../log.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { causeOf } from './cluster.ts';
import type { RedisProblems } from './probe-problems.ts';
import { probeRedis } from './probe.ts';
import { closeRedis, openRedis } from './redis.ts';

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

/** Sets the conditions of Redis, now and every 5 s. At the start, a problem that a retry cannot solve ends the process with exit code 1: a
 *  rejected login, an untrusted certificate, a node of a cluster that the URL does not name as such, or an old version. Resolves within about a second to a function that stops
 *  it. */
export async function watchRedis(deps: {
  url: string;
  prefix: string;
  /** A channel that the user must be able to publish to and subscribe to. */
  channel: string;
  conditions: Conditions;
  log: Log;
}): Promise<() => Promise<void>> {
  const { url, prefix, channel, conditions, log } = deps;
  const redis = openRedis('probe', url, log);
  let connectionError: unknown;
  // A cluster reports why its nodes fail by another event. "Connection is closed" hides the reason before it.
  for (const event of ['error', 'node error'])
    redis.on(event, (error: Error) => {
      const cause = causeOf(error);
      if (!cause.message.startsWith('Connection is closed')) connectionError = cause;
    });

  const probe = async () =>
    await probeRedis(redis, { prefix, channel, connectionError: () => connectionError });
  const report = (problems: RedisProblems) => {
    // Without a connection the other conditions are unknown and do not change.
    const isKnown = problems.redis_unavailable === undefined && problems.redis_login_refused === undefined;
    if (isKnown) connectionError = undefined;
    for (const code of codes) {
      if (isKnown || problems[code] !== undefined || connectionCodes.has(code))
        conditions.update(code, problems[code]);
    }
  };

  await withDeadline(firstContact(redis), startMs, () => undefined);
  const problems = await withDeadline<RedisProblems>(probe(), startMs, () => ({}));
  const fatal = problems.redis_unsupported ?? problems.redis_login_refused;
  if (fatal !== undefined) {
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
