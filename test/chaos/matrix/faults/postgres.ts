import { setTimeout as delay } from 'node:timers/promises';
import { administer } from '../../../support/services/databases.ts';
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

const databaseOf = ({ databaseUrl }: Stack) => new URL(databaseUrl).pathname.slice(1);

/** Ends the connections of every process but this one. */
const disconnectAll = async (stack: Stack) =>
  await administer(
    stack.postgres.url,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = '${databaseOf(stack)}' and application_name <> 'linkmill-test'`,
  );

const refusedMs = 5_000;

/** Refuses every connection to the database for some seconds. */
async function closeDatabase(stack: Stack): Promise<void> {
  const database = databaseOf(stack);
  stack.say(`PostgreSQL: refuses connections for ${refusedMs / 1_000} s`);
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

const foreignSettings = {
  DateStyle: 'German',
  TimeZone: 'Pacific/Chatham',
  IntervalStyle: 'sql_standard',
  default_transaction_isolation: 'serializable',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  statement_timeout: '5ms',
};

/** Gives the database other session settings, which all connections that follow would have. */
async function changeSettings(stack: Stack): Promise<void> {
  stack.say('PostgreSQL: other session settings');
  for (const [name, value] of Object.entries(foreignSettings))
    await administer(stack.postgres.url, `alter database ${databaseOf(stack)} set ${name} = '${value}'`);
  await disconnectAll(stack);
  const client = stack.client(stack.webs[0]);
  const startsAt = new Date(Date.now() + 3_600_000).toISOString();
  const created = await client.post('/api/v1/urls', {
    original_url: 'https://example.com/',
    starts_at: startsAt,
  });
  if (created.body['starts_at'] !== startsAt) {
    stack.problems.push(`a create was answered with ${created.status} under other session settings`);
    return;
  }
  const { status } = await client.get(`/${String(created.body['short_code'])}`);
  if (status !== 404) stack.problems.push(`a short URL that has not begun was answered with ${status}`);
}

export const postgresRefuses: Fault = {
  name: 'postgres-refuses',
  does: 'the database refuses connections (55000) and ends those that it has; it accepts them again 5 s later',
  times: 2,
  inject: closeDatabase,
};

export const postgresSettings: Fault = {
  name: 'postgres-settings',
  does: 'the database gets other session settings (date style, isolation, time zone …) and ends its connections; a short URL that begins later must not redirect',
  times: 1,
  inject: changeSettings,
};
