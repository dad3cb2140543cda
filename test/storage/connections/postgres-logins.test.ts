import { expect, test } from 'vitest';
import { describeFailure } from '../../../src/storage/postgres/errors.ts';
import { isPostgresUnavailable, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { logins, message, startRefusingPostgres } from '../../support/services/postgres-login-replies.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The error of a query on a server that answers the start of a session with this message. */
async function refusedBy(answer: Buffer | undefined, hasPassword = true): Promise<Error> {
  const server = await startRefusingPostgres(answer);
  const db = openPostgres({
    url: hasPassword ? server.url : server.url.replace(':secret', ''),
    poolMax: 1,
    queryTimeoutMs: 60_000,
    name: 'test',
  });
  try {
    const error: unknown = await db.raw('select 1').catch((reason: unknown) => reason);
    await waitUntil('no connection is left open', () => server.open() === 0);
    expect(isPostgresUnavailable(error)).toBe(true);
    return error as Error;
  } finally {
    await db.destroy();
    await server.stop();
  }
}

test.each([
  ['a password in cleartext', message('R', 3)],
  ['an MD5 password', message('R', 5, 'salt')],
  ['SCRAM-SHA-256', message('R', 10, 'SCRAM-SHA-256\0\0')],
])('a server that requires %s is reported when none is set', async (_what, answer) => {
  const error = await refusedBy(answer, false);
  expect(error.message).toContain('set DATABASE_PASSWORD');
  expect(describeFailure(error)).toContain('set DATABASE_PASSWORD');
});

test.each(Object.entries(logins))(
  'a login that fails with %s leaves no socket open',
  async (_what, answer) => {
    expect((await refusedBy(answer)).message).not.toBe('');
  },
);

test.each(['GSSAPI', 'SSPI', 'SASL without SCRAM-SHA-256', 'an unknown method'])(
  'a server that requires %s is reported as unsupported',
  async (what) => {
    expect(describeFailure(await refusedBy(logins[what]))).toContain('scram-sha-256');
  },
);
