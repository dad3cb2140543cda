import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { scopes } from '../../../src/api-keys/scopes.ts';
import { operations as declared } from '../../../src/http/api/api.ts';
import type { Operation } from '../../../src/http/api/operation.ts';
import { publicRoutes } from '../../../src/http/public-routes.ts';
import { type Answer, textOf } from '../../support/http/client.ts';
import { useWeb } from '../../support/http/web-app.ts';

const web = useWeb();
const operations = Object.entries<Operation>(declared).map(([name, operation]) => ({ name, operation }));
const ofOneUrl = operations.filter(({ operation }) => operation.path.includes('{short_code}'));

/** A nonexistent value for each path parameter. */
const unknown: Record<string, string> = { short_code: 'unknown-1', id: '999999999', name: 'unknown' };

const fillIn = (path: string, values: Record<string, string>) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'unknown');

const typeOf = (answer: Answer) => String(answer.body['type']).replace(/^.*#/, '');

interface Holder {
  who: string;
  key: string | null;
  /** Its scopes; undefined for an unauthenticated client. */
  allowed?: readonly string[];
}
const holders: Holder[] = [];

beforeAll(async () => {
  const apiKeys = createApiKeys(web.database.db());
  const past = new Date(Date.now() - 1_000);
  const withoutAdmin = scopes.filter((scope) => scope !== 'admin');
  const ofOwn = withoutAdmin.filter((scope) => scope !== 'jobs:run');
  for (const scope of scopes) {
    const { key } = await apiKeys.create(scope, { scopes: [scope] });
    holders.push({ who: scope, key, allowed: scope === 'admin' ? scopes : [scope] });
  }
  for (const scope of ofOwn) {
    const { key } = await apiKeys.create(scope, { scopes: [scope], ownUrlsOnly: true });
    holders.push({ who: `${scope}, own URLs only`, key, allowed: [scope] });
  }
  const { key: many } = await apiKeys.create('many', { scopes: withoutAdmin });
  const { key: expired } = await apiKeys.create('expired', { expiresAt: past });
  const { key: revoked, id } = await apiKeys.create('revoked');
  await apiKeys.revoke(id);
  holders.push({ who: 'all but admin', key: many, allowed: withoutAdmin });
  holders.push(
    { who: 'expired', key: expired },
    { who: 'revoked', key: revoked },
    { who: 'no key', key: null },
  );
});

function answerFor({ scope }: Operation, { allowed }: Holder): string {
  if (scope === 'none') return 'answered';
  if (allowed === undefined) return '401 unauthorized, Bearer realm="linkmill"';
  if (scope === 'any' || allowed.includes(scope)) return 'answered';
  return `403 insufficient-scope, Bearer realm="linkmill", error="insufficient_scope", scope="${scope}"`;
}

function outcomeOf(answer: Answer): string {
  const { status, headers } = answer;
  if (status >= 500) return String(status);
  return status === 401 || status === 403
    ? `${status} ${typeOf(answer)}, ${headers.get('www-authenticate')}`
    : 'answered';
}

test('every route below /api/ is an operation with a scope', () => {
  expect(Object.values(publicRoutes).filter(({ path }) => path.startsWith('/api'))).toEqual([]);
  const known = new Set<string>([...scopes, 'any', 'none']);
  expect(operations.filter(({ operation }) => !known.has(operation.scope))).toEqual([]);
});

test('only the sign-in needs no API key', () => {
  const open = operations.filter(({ operation }) => operation.scope === 'none');
  expect(open.map(({ name }) => name)).toEqual(['signIn']);
});

test('read scopes do not permit changes, and API keys require admin', () => {
  const reading = new Set<string>(['urls:read', 'stats:read', 'any']);
  // The scope urls:read also permits exports of short URLs, every key ends its own sessions, and a list of short codes is in a body.
  const changing = operations.filter(
    ({ operation: { tag, method, path, isUnsafe } }) =>
      tag !== 'Exports' &&
      tag !== 'Sessions' &&
      path !== '/api/v1/analytics/urls' &&
      (method !== 'get' || isUnsafe),
  );
  expect(changing.filter(({ operation }) => reading.has(operation.scope))).toEqual([]);
  const ofKeys = operations.filter(({ operation }) => operation.path.startsWith('/api/v1/api-keys'));
  expect(
    new Set(ofKeys.map(({ name, operation }) => `${name === 'getCurrentApiKey'} ${operation.scope}`)),
  ).toEqual(new Set(['true any', 'false admin']));
});

test.each(operations)('$name requires its scope', async ({ operation }) => {
  const expected = holders.map((holder) => `${holder.who}: ${answerFor(operation, holder)}`);
  const send = async ({ who, key }: Holder, i: number) => {
    // A missing permission is reported before the body is validated.
    const body = operation.body && (expected[i]!.endsWith('answered') ? {} : '{ malformed');
    const path = fillIn(operation.path, unknown);
    return `${who}: ${outcomeOf(await web.client(key).request(operation.method.toUpperCase(), path, body))}`;
  };
  expect(await Promise.all(holders.map(send))).toEqual(expected);
});

test('unknown, wrong, revoked and expired keys get the same answer', async () => {
  const { key } = await createApiKeys(web.database.db()).create('right');
  const wrong = [`lm_${'0'.repeat(12)}_${'a'.repeat(43)}`, `${key.slice(0, -2)}__`, 'secret'];
  const ended = holders
    .filter(({ who }) => who === 'expired' || who === 'revoked')
    .map((holder) => holder.key!);
  const answers = await Promise.all(
    [...wrong, ...ended].map(async (one) => await web.client(one).get('/api/v1/urls/unknown-1')),
  );
  expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body])))).toHaveLength(1);
});

/** Two short URLs, one of an API key and one without an owner, and a function that reads what must not change. */
async function makeUrls(name: string, operation: Operation, owner: number) {
  const db = web.database.db();
  const [own, foreign] = [`own-${name}`, `not-${name}`].map((code) => code.slice(0, 32)) as [string, string];
  const isDeleted = operation.path.endsWith('/restore');
  for (const [code, createdBy] of [
    [own, owner],
    [foreign, null],
  ] as const) {
    const [row] = await db('urls')
      .insert({
        short_code: code,
        original_url: `https://example.com/${code}`,
        code_is_generated: false,
        created_by: createdBy,
        is_active: !isDeleted,
        deleted_at: isDeleted ? new Date() : null,
      })
      .returning('id');
    await db('url_stats').insert({ url_id: row.id });
  }
  const read = async (code: string): Promise<unknown> =>
    await db('urls').join('url_stats', 'url_stats.url_id', 'urls.id').where({ short_code: code }).first();
  return { own, foreign, read };
}

/** Everything in an answer that a client can observe, with its own code replaced by a constant. */
const shown = ({ status, headers, body }: Answer, code: string) =>
  JSON.stringify([status, [...headers].filter(([name]) => name !== 'date'), body]).replaceAll(code, '…');

test.each(ofOneUrl)(
  '$name of a restricted key treats other short URLs as unknown',
  async ({ name, operation }) => {
    const owner = await createApiKeys(web.database.db()).create(name, {
      scopes: ['urls:read', 'urls:write', 'stats:read'],
      ownUrlsOnly: true,
    });
    const { own, foreign, read } = await makeUrls(name, operation, owner.id);
    const before = await read(foreign);
    const body = operation.body && (operation.method === 'patch' ? { title: 'Changed' } : {});
    const send = async (code: string) =>
      await web
        .client(owner.key)
        .request(operation.method.toUpperCase(), fillIn(operation.path, { short_code: code }), body);

    const answer = await send(foreign);
    expect(answer).toBeProblem('not-found');
    expect(shown(answer, foreign)).toBe(shown(await send('unknown-1'), 'unknown-1'));
    expect(await read(foreign)).toEqual(before);
    // The same request succeeds for an own short URL.
    expect(Math.floor((await send(own)).status / 100), own).toBe(2);
  },
);

const lists = operations.filter(
  ({ operation }) => operation.method === 'get' && !operation.path.includes('{short_code}'),
);

test.each(lists)('$name of a restricted key shows nothing of other short URLs', async ({ operation }) => {
  const { key } = await createApiKeys(web.database.db()).create('lister', {
    scopes: ['urls:read', 'urls:write', 'stats:read', 'keys:reserve'],
    ownUrlsOnly: true,
  });
  await web
    .client()
    .post('/api/v1/urls', { original_url: 'https://foreign.example/', custom_code: 'foreign-1' });
  await web.database
    .db()('urls')
    .where({ short_code: 'foreign-1' })
    .update({ title: 'foreign', tags: ['foreign'] });
  const response = await fetch(`${web.baseUrl()}${fillIn(operation.path, unknown)}`, {
    headers: { 'x-api-key': key },
  });
  expect(await textOf(response)).not.toContain('foreign');
});
