import { beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createSessionStore } from '../../src/sessions/session-store.ts';
import { hashOf } from '../../src/sessions/token.ts';
import { runProcess } from '../support/processes/processes.ts';
import { useDatabase } from '../support/resources.ts';

const { db, url } = useDatabase();

beforeEach(async () => {
  await db().raw('truncate api_keys restart identity cascade');
});

const run = async (...args: string[]) =>
  await runProcess('src/cli/sign-in.js', { DATABASE_URL: url(), BASE_URL: 'https://sho.rt/go/' }, args);

/** The API key with which a printed link signs in. */
async function apiKeyOf(output: string): Promise<string | undefined> {
  const [, token = ''] = /^https:\/\/sho\.rt\/go\/admin\/#t=([\w-]{43})\n$/.exec(output) ?? [];
  const store = createSessionStore(db());
  const session = { tokenHash: hashOf('session'), userAgent: null, replacedHash: hashOf('session') };
  await db()('sessions').del();
  await store.createWithToken(hashOf(token), session);
  return (await store.find(session.tokenHash))?.apiKey.name;
}

test('without --key the link belongs to the oldest valid API key with the scope admin', async () => {
  const apiKeys = createApiKeys(db());
  await apiKeys.revoke((await apiKeys.create('revoked')).id);
  await apiKeys.create('expired', { expiresAt: new Date(Date.now() - 1_000) });
  await apiKeys.create('reader', { scopes: ['urls:read'] });
  await apiKeys.create('oldest', { expiresAt: new Date(Date.now() + 60_000) });
  await apiKeys.create('other');
  const { code, stdout, stderr } = await run();
  expect([code, stderr, await apiKeyOf(stdout)]).toEqual([0, '', 'oldest']);
});

test('without any such API key it creates one and says so', async () => {
  await createApiKeys(db()).create('reader', { scopes: ['urls:read'] });
  const { code, stdout, stderr } = await run();
  expect([code, await apiKeyOf(stdout)]).toEqual([0, 'admin']);
  expect(stderr).toContain('Created the API key "admin" (ID 2)');
  expect(await createApiKeys(db()).list({ after: 1 })).toMatchObject([{ name: 'admin', scopes: ['admin'] }]);
});

test('with --key the link belongs to the API key with this name', async () => {
  const apiKeys = createApiKeys(db());
  await apiKeys.create('admin');
  await apiKeys.revoke((await apiKeys.create('shop')).id);
  await apiKeys.create('shop', { scopes: ['urls:write'], ownUrlsOnly: true });
  const { code, stdout } = await run('--key', 'shop');
  expect([code, await apiKeyOf(stdout)]).toEqual([0, 'shop']);
});

test('an unknown or ambiguous name prints the reason and no link', async () => {
  const apiKeys = createApiKeys(db());
  for (const name of ['twin', 'twin']) await apiKeys.create(name);
  const unknown = await run('--key', 'unknown');
  expect(unknown).toEqual({ code: 1, stdout: '', stderr: 'No valid API key has the name "unknown".\n' });
  const twin = await run('--key', 'twin');
  expect(twin).toEqual({ code: 1, stdout: '', stderr: '2 valid API keys have the name "twin".\n' });
  expect(await db()('sign_in_tokens')).toEqual([]);
});

test.each([[['--id', '1']], [['shop']], [['--key']]])('the arguments %j print the usage', async (args) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('Usage: npm run sign-in');
});
