import type { Log } from '../../log.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { probeRedis, type RedisProblems } from './probe.ts';
import { closeRedis, openRedis } from './redis.ts';

const probeEveryMs = 5_000;
/** How long a start waits for the first answer of Redis: a process starts without Redis too. */
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

/** Reports what is wrong with Redis as conditions, now and every 5 s. Where waiting cannot help, and only at the start, it ends
 *  the process with 1: a refused login, a certificate that is not trusted, a cluster node, a Redis that is too old. Resolves
 *  within about a second, to what stops it. */
export async function watchRedis(deps: {
  url: string;
  prefix: string;
  /** A channel that the user must be allowed to publish on and to subscribe to. */
  channel: string;
  conditions: Conditions;
  log: Log;
}): Promise<() => Promise<void>> {
  const { url, prefix, channel, conditions, log } = deps;
  const redis = openRedis('probe', url, log);
  let connectionError: unknown;
  redis.on('error', (error) => (connectionError = error));

  const probe = async () =>
    await probeRedis(redis, { prefix, channel, connectionError: () => connectionError });
  const report = (problems: RedisProblems) => {
    // Without a connection the rest is not known, and stays as it was.
    const isKnown = problems.redis_unavailable === undefined && problems.redis_login_refused === undefined;
    if (isKnown) connectionError = undefined;
    for (const code of codes) {
      if (isKnown || problems[code] !== undefined || connectionCodes.has(code))
        conditions.update(code, problems[code]);
    }
  };

  await withDeadline(firstContact(redis), startMs, () => undefined);
  const problems = await withDeadline<RedisProblems>(probe(), startMs, () => ({}));
  const hopeless = problems.redis_unsupported ?? problems.redis_login_refused;
  if (hopeless !== undefined) {
    log.fatal({ err: connectionError }, hopeless);
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
