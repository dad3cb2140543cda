import { expect, test } from 'vitest';
import { useWeb } from '../support/http/web-app.ts';
import { insertUrls } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const web = useWeb({ RATE_LIMIT_NOT_FOUND_PER_IP: '3', TRUSTED_PROXY_HOPS: '1' });
const visit = async (address: string, code: string) =>
  (await web.client(null).get(`/${code}`, { 'x-forwarded-for': address })).status;

test('look-ups of a throttled client do not block the look-ups of other clients', async () => {
  await insertUrls(web.database.db(), { begin: 'cold-', count: 2 });
  const [throttled, other] = ['192.0.2.1', '192.0.2.2'];
  for (let i = 0; i < 4; i++) await visit(throttled, `unknown-${i}`);
  const table = await web.database.db().transaction();
  let rejected: Promise<number[]>;
  let visited: Promise<number[]>;
  try {
    await table.raw('lock table urls in access exclusive mode');
    rejected = Promise.all(
      Array.from({ length: 300 }, async (_, i) => await visit(throttled, `guessed-${i}`)),
    );
    const waiting = async () => {
      const { rows } = await table.raw<{ rows: unknown[] }>(
        `select from pg_locks where relation = 'urls'::regclass and not granted`,
      );
      return rows.length;
    };
    await waitUntil('its look-ups wait for the lock', async () => (await waiting()) >= 2);
    visited = Promise.all([visit(other, 'cold-0'), visit(throttled, 'cold-1')]);
    await waitUntil('the look-up of the other client waits too', async () => (await waiting()) >= 3);
    expect(await waiting()).toBe(3);
  } finally {
    await table.rollback();
  }
  expect(await visited).toEqual([301, 301]);
  expect(new Set(await rejected)).toEqual(new Set([429]));
});
