import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

export async function killPostgres(stack: Stack): Promise<void> {
  stack.say('PostgreSQL: killed');
  await stack.restart('postgres');
}

const stopPostgres = (seconds: number) => async (stack: Stack) => {
  stack.say(`PostgreSQL: stopped for ${seconds} s`);
  stack.postgres.hang();
  await pause(stack, seconds * 1_000, seconds * 1_000);
  stack.postgres.goOn();
};

const downMs = 60_000;
const createEveryMs = 1_000;
/** Failed redirects of warm short URLs, and how long a create may wait to be refused. */
const toleratedShare = 0.001;
const refusedWithinMs = 3_000;

/** Takes PostgreSQL away for long, with every short URL in the cache, and notes what users are not promised to see. */
async function takePostgresAway(stack: Stack): Promise<void> {
  const { tally, webs, problems, delays } = stack;
  const client = stack.client(webs[0]);
  const codes = await stack.db('urls').pluck<string[]>('short_code');
  for (const code of codes) await client.head(`/${code}`);
  stack.say(`PostgreSQL: away for ${downMs / 1_000} s`);
  const before = { answered: tally.latenciesMs.length, failed: tally.failures.length };

  const create = async () => {
    const start = performance.now();
    const { status, headers } = await client.post('/api/v1/urls', { original_url: 'https://example.com/' });
    return { isRefused: status === 503 && headers.has('retry-after'), ms: performance.now() - start };
  };
  const creates: Awaited<ReturnType<typeof create>>[] = [];
  await stack.restart('postgres', async () => {
    const end = performance.now() + downMs;
    while (performance.now() < end) {
      creates.push(await create());
      await delay(createEveryMs);
    }
  });
  const failed = tally.failures.length - before.failed;
  const visits = tally.latenciesMs.length - before.answered + failed;
  const longestMs = Math.round(Math.max(...creates.map(({ ms }) => ms)));
  const done = creates.filter(({ isRefused }) => !isRefused).length;
  stack.say(
    `${failed} of ${visits} redirects failed; ${creates.length} creates, the longest ${longestMs} ms`,
  );
  if (failed > visits * toleratedShare) problems.push(`${failed} of ${visits} redirects failed`);
  if (done > 0) problems.push(`${done} creates were not told to try again`);
  if (longestMs > refusedWithinMs) delays.push(`a create was answered after ${longestMs} ms`);
}

export const postgresKilled: Fault = {
  name: 'postgres-killed',
  does: 'all processes of PostgreSQL get a SIGKILL; it is started again and recovers',
  times: 4,
  inject: killPostgres,
};

export const postgresStopped10: Fault = {
  name: 'postgres-stopped-10',
  does: 'all processes of PostgreSQL get a SIGSTOP, and a SIGCONT 10 s later',
  times: 1,
  inject: stopPostgres(10),
};

export const postgresStopped30: Fault = {
  name: 'postgres-stopped-30',
  does: 'all processes of PostgreSQL get a SIGSTOP, and a SIGCONT 30 s later',
  times: 1,
  inject: stopPostgres(30),
};

export const postgresDown60: Fault = {
  name: 'postgres-down-60',
  does: 'PostgreSQL gets a SIGKILL and is started 60 s later; 999 of 1,000 redirects of warm short URLs must succeed meanwhile, and creates be told to try again within 3 s',
  times: 1,
  inject: takePostgresAway,
};
