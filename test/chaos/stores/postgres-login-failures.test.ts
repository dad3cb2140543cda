import { expect, test } from 'vitest';
import { runProcess } from '../../support/processes/processes.ts';
import { useRedis } from '../../support/resources.ts';
import { message, logins, startRefusingPostgres } from '../../support/services/postgres-login-replies.ts';

const redis = useRedis();
const commands: [string, ...string[]][] = [
  ['src/cli/api-key.js', 'list'],
  ['src/cli/migrate.js'],
  ['src/cli/reconcile.js'],
  ['src/cli/restore-complete.js'],
  ['workers/run-job.js', 'maintain-analytics'],
];

test.each([...Object.entries(logins), ['a password that is not set', message('R', 10, 'SCRAM-SHA-256\0\0')]])(
  'every command fails with a message when PostgreSQL answers the login with %s',
  async (what, answer) => {
    const server = await startRefusingPostgres(answer);
    try {
      const url = what.startsWith('a password') ? server.url.replace(':secret', '') : server.url;
      const ends = await Promise.all(
        commands.map(async ([file, ...args]) => {
          const env = { DATABASE_URL: url, REDIS_URL: redis.url(), REDIS_PREFIX: redis.prefix };
          const { code, stderr } = await runProcess(file, env, args);
          return { file, hasFailed: typeof code === 'number' && code > 0, hasMessage: stderr.trim() !== '' };
        }),
      );
      expect(ends).toEqual(commands.map(([file]) => ({ file, hasFailed: true, hasMessage: true })));
    } finally {
      await server.stop();
    }
  },
);
