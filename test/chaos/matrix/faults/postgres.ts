import { setTimeout as delay } from 'node:timers/promises';
import { administer } from '../../../support/services/databases.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

export async function killPostgres(stack: Stack): Promise<void> {
  stack.print('PostgreSQL: killed');
  await stack.restart('postgres');
}

const stopPostgres = (seconds: number) => async (stack: Stack) => {
  stack.print(`PostgreSQL: stopped for ${seconds} s`);
  stack.postgres.hang();
  await pause(stack, seconds * 1_000, seconds * 1_000);
  stack.postgres.resume();
};

const downMs = 60_000;
const createEveryMs = 1_000;
/** Tolerated share of failed redirects of cached short URLs, and time within which a create must be rejected. */
const toleratedShare = 0.001;
const refusedWithinMs = 3_000;

/** Stops PostgreSQL for a minute while all short URLs are cached, and records violations of the guarantees. */
async function stopPostgresForAMinute(stack: Stack): Promise<void> {
  const { tally, webs, problems, delays } = stack;
  const client = stack.client(webs[0]);
  const codes = await stack.db('urls').pluck<string[]>('short_code');
  for (const code of codes) await client.head(`/${code}`);
  stack.print(`PostgreSQL: down for ${downMs / 1_000} s`);
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
  const slowestMs = Math.round(Math.max(...creates.map(({ ms }) => ms)));
  const accepted = creates.filter(({ isRefused }) => !isRefused).length;
  stack.print(
    `${failed} of ${visits} redirects failed; ${creates.length} creates, the longest ${slowestMs} ms`,
  );
  if (failed > visits * toleratedShare) problems.push(`${failed} of ${visits} redirects failed`);
  if (accepted > 0) problems.push(`${accepted} creates were not rejected with Retry-After`);
  if (slowestMs > refusedWithinMs) delays.push(`a create was answered after ${slowestMs} ms`);
}

export const postgresKilled: Fault = {
  name: 'postgres-killed',
  description: 'all processes of PostgreSQL get SIGKILL; PostgreSQL restarts and recovers',
  times: 4,
  inject: killPostgres,
};

export const postgresStopped10: Fault = {
  name: 'postgres-stopped-10',
  description: 'all processes of PostgreSQL get SIGSTOP, and SIGCONT 10 s later',
  times: 1,
  inject: stopPostgres(10),
};

export const postgresStopped30: Fault = {
  name: 'postgres-stopped-30',
  description: 'all processes of PostgreSQL get SIGSTOP, and SIGCONT 30 s later',
  times: 1,
  inject: stopPostgres(30),
};

export const postgresDown60: Fault = {
  name: 'postgres-down-60',
  description:
    'PostgreSQL gets SIGKILL and restarts 60 s later; meanwhile 999 of 1,000 redirects of cached short URLs must succeed, and creates must get 503 with Retry-After within 3 s',
  times: 1,
  inject: stopPostgresForAMinute,
};

const databaseOf = ({ databaseUrl }: Stack) => new URL(databaseUrl).pathname.slice(1);

/** Terminates the connections of all other processes. */
const disconnectAll = async (stack: Stack) =>
  await administer(
    stack.postgres.url,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = '${databaseOf(stack)}' and application_name <> 'linkmill-test'`,
  );

const refusedMs = 5_000;

/** Rejects all connections to the database for some seconds. */
async function closeDatabase(stack: Stack): Promise<void> {
  const database = databaseOf(stack);
  stack.print(`PostgreSQL: refuses connections for ${refusedMs / 1_000} s`);
  await administer(stack.postgres.url, `alter database ${database} allow_connections false`);
  try {
    await disconnectAll(stack);
    const answer = await stack.client(stack.webs[0]).get('/a-code-that-no-cache-has');
    if (answer.status !== 503 || !answer.headers.has('retry-after'))
      stack.problems.push(`a look-up was answered with ${answer.status} while connections were refused`);
    await delay(refusedMs);
  } finally {
    await administer(stack.postgres.url, `alter database ${database} allow_connections true`);
  }
}

const otherSettings = {
  DateStyle: 'German',
  TimeZone: 'Pacific/Chatham',
  IntervalStyle: 'sql_standard',
  default_transaction_isolation: 'serializable',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  statement_timeout: '5ms',
};

/** Changes the default session settings of the database for new connections. */
async function changeSettings(stack: Stack): Promise<void> {
  stack.print('PostgreSQL: other session settings');
  for (const [name, value] of Object.entries(otherSettings))
    await administer(stack.postgres.url, `alter database ${databaseOf(stack)} set ${name} = '${value}'`);
  await disconnectAll(stack);
  const client = stack.client(stack.webs[0]);
  const startsAt = new Date(Date.now() + 3_600_000).toISOString();
  // A create whose connection is terminated is answered with 503 and Retry-After.
  const created = await waitUntil('a create is answered', async () => {
    const answer = await client.post('/api/v1/urls', {
      original_url: 'https://example.com/',
      starts_at: startsAt,
    });
    return answer.status !== 503 && answer;
  });
  if (created.body['starts_at'] !== startsAt) {
    stack.problems.push(`a create was answered with ${created.status} under other session settings`);
    return;
  }
  const { status } = await client.get(`/${String(created.body['short_code'])}`);
  if (status !== 404) stack.problems.push(`a short URL with a future start was answered with ${status}`);
}

export const postgresRefuses: Fault = {
  name: 'postgres-refuses-connections',
  description:
    'the database rejects connections (55000) and terminates the existing ones; it accepts connections again 5 s later',
  times: 2,
  inject: closeDatabase,
};

export const postgresSettings: Fault = {
  name: 'postgres-settings',
  description:
    'the session settings of the database change (date style, isolation, time zone …) and its connections are terminated; a short URL with a future start must not redirect',
  times: 1,
  inject: changeSettings,
};
