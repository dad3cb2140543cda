import { strict as assert } from 'node:assert';
import { type Client, createClient } from '../http/client.ts';
import { fromOwnPage, signIn } from '../http/session.ts';
import { waitUntil } from '../wait-until.ts';

export interface WalkResult {
  /** The names of all checks. */
  checks: string[];
  /** What failed, with the reason. */
  failed: string[];
  /** The requests that were sent, such as `GET /api/v1/urls`. */
  requested: Set<string>;
}

interface Context {
  /** Clients of two web processes: what one changes, the other one must know at once. */
  one: Client;
  other: Client;
  visitor: Client;
  /** Signs a browser in on the first process; resolves to its requests to the other one. */
  signIn: () => Promise<Client['request']>;
}

type Check = (context: Context) => Promise<void>;

const target = 'https://example.com/walk';
const v1 = '/api/v1';

/** Walks through the whole API of a service with two web processes and a worker. Each check runs, also after one that failed. */
export async function walk(baseUrls: [string, string], apiKey: string): Promise<WalkResult> {
  const requested = new Set<string>();
  const open = (baseUrl: string, key?: string) => recording(createClient(baseUrl, key), requested);
  const context = {
    one: open(baseUrls[0], apiKey),
    other: open(baseUrls[1], apiKey),
    visitor: open(baseUrls[1]),
    signIn: async () => {
      const { cookie } = await signIn(baseUrls[0], { api_key: apiKey });
      requested.add(`POST ${v1}/sessions`);
      const request: Client['request'] = async (method, path, body) =>
        await open(baseUrls[1]).request(method, path, body, { ...fromOwnPage, cookie });
      return request;
    },
  };
  const failed: string[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(context);
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  return { checks: Object.keys(checks), failed, requested };
}

/** A client that notes each request. */
function recording(client: Client, requested: Set<string>): Client {
  const request: Client['request'] = async (method, path, ...rest) => {
    requested.add(`${method} ${path.split('?')[0]}`);
    return await client.request(method, path, ...rest);
  };
  return {
    get: async (path, headers) => await request('GET', path, undefined, headers),
    head: async (path) => await request('HEAD', path),
    post: async (path, body, headers) => await request('POST', path, body, headers),
    patch: async (path, body, headers) => await request('PATCH', path, body, headers),
    delete: async (path) => await request('DELETE', path),
    request,
  };
}

async function create({ one }: Context, fields: object = {}): Promise<string> {
  const { status, body } = await one.post(`${v1}/urls`, { original_url: target, ...fields });
  assert.equal(status, 201);
  return String(body['short_code']);
}

async function answers(client: Client, expected: number, method: string, path: string, body?: unknown) {
  const answer = await client.request(method, path, body);
  assert.equal(answer.status, expected, `${method} ${path} answered ${answer.status}`);
  return answer;
}

const itemsOf = (body: Record<string, unknown>) => body['items'] as Record<string, unknown>[];

/** Follows a short URL on the other web process. */
async function locationOf({ visitor }: Context, code: string): Promise<string | null> {
  return (await visitor.get(`/${code}`)).headers.get('location');
}

async function untilClicked({ other }: Context, code: string, clicks: number): Promise<void> {
  await waitUntil('the clicks are counted', async () => {
    const { body } = await other.get(`${v1}/urls/${code}/stats`);
    return body['clicks'] === clicks;
  });
}

const checks: Record<string, Check> = {
  'a new short URL redirects in another process': async (context) => {
    assert.equal(await locationOf(context, await create(context)), target);
  },
  'HEAD answers as GET does and is no click': async (context) => {
    const code = await create(context);
    assert.equal((await context.visitor.head(`/${code}`)).headers.get('location'), target);
    await locationOf(context, code);
    await untilClicked(context, code, 1);
  },
  'an unknown code answers 404': async ({ visitor }) => {
    await answers(visitor, 404, 'GET', '/unknown-code');
  },
  'a preview shows the destination': async (context) => {
    await answers(context.visitor, 200, 'GET', `/${await create(context)}+`);
  },
  'a custom code is taken once': async (context) => {
    const code = `walk-${Date.now()}`;
    await create(context, { custom_code: code });
    await answers(context.other, 409, 'POST', `${v1}/urls`, { original_url: target, custom_code: code });
    const { body } = await context.other.get(`${v1}/codes/${code}`);
    assert.equal(body['state'], 'taken');
  },
  'an idempotency key creates once': async ({ one, other }) => {
    const headers = { 'idempotency-key': `walk-${Date.now()}` };
    const first = await one.post(`${v1}/urls`, { original_url: target }, headers);
    const second = await other.post(`${v1}/urls`, { original_url: target }, headers);
    assert.equal(first.body['short_code'], second.body['short_code']);
  },
  'invalid input is rejected': async ({ one }) => {
    await answers(one, 422, 'POST', `${v1}/urls`, { original_url: 'javascript:alert(1)' });
  },
  'a request without a key is rejected': async ({ visitor }) => {
    await answers(visitor, 401, 'GET', `${v1}/urls`);
  },
  'an update takes effect in another process': async (context) => {
    const code = await create(context);
    assert.equal(await locationOf(context, code), target);
    const changed = `${target}/changed`;
    await answers(context.one, 200, 'PATCH', `${v1}/urls/${code}`, { original_url: changed });
    await waitUntil('the change is effective', async () => (await locationOf(context, code)) === changed);
  },
  'an outdated version is not changed': async (context) => {
    const code = await create(context);
    const { headers } = await context.other.get(`${v1}/urls/${code}`);
    const version = { 'if-match': headers.get('etag')! };
    const change = async () => await context.one.patch(`${v1}/urls/${code}`, { title: 'x' }, version);
    assert.deepEqual([(await change()).status, (await change()).status], [200, 412]);
  },
  'an unchanged short URL answers 304': async (context) => {
    const path = `${v1}/urls/${await create(context)}`;
    const { headers } = await context.one.get(path);
    const again = await context.other.get(path, { 'if-none-match': headers.get('etag')! });
    assert.equal(again.status, 304);
  },
  'a renamed short URL redirects from both codes': async (context) => {
    const code = await create(context);
    const renamed = `${code}-renamed`;
    await answers(context.one, 200, 'PATCH', `${v1}/urls/${code}`, { short_code: renamed });
    assert.deepEqual([await locationOf(context, code), await locationOf(context, renamed)], [target, target]);
  },
  'a disabled short URL does not redirect': async (context) => {
    const code = await create(context);
    await answers(context.one, 200, 'PATCH', `${v1}/urls/${code}`, { is_active: false });
    await waitUntil('it does not redirect', async () => (await locationOf(context, code)) === null);
  },
  'a password is asked for': async (context) => {
    const code = await create(context, { password: 'open sesame' });
    await answers(context.visitor, 200, 'GET', `/${code}`);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const opened = await context.visitor.post(`/${code}`, 'password=open+sesame', form);
    assert.equal(opened.headers.get('location'), target);
  },
  'a one-time short URL opens once': async (context) => {
    const code = await create(context, { is_one_time: true });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const open = async () => (await context.visitor.post(`/${code}`, '', form)).headers.get('location');
    assert.deepEqual([await open(), await open()], [target, null]);
  },
  'a click limit ends a short URL': async (context) => {
    const code = await create(context, { max_clicks: 2 });
    const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' };
    const visit = async () => (await context.visitor.get(`/${code}`, browser)).headers.get('location');
    assert.deepEqual([await visit(), await visit(), await visit()], [target, target, null]);
  },
  'a deleted short URL is gone and can be restored': async (context) => {
    const code = await create(context);
    await answers(context.one, 204, 'DELETE', `${v1}/urls/${code}`);
    await waitUntil('it is gone', async () => (await locationOf(context, code)) === null);
    await answers(context.one, 200, 'POST', `${v1}/urls/${code}/restore`);
    await waitUntil('it redirects again', async () => (await locationOf(context, code)) === target);
  },
  'bulk requests create, change and delete': async ({ one }) => {
    const urls = [{ original_url: target }, { original_url: 'no URL' }];
    const { body } = await answers(one, 200, 'POST', `${v1}/urls/bulk`, { urls });
    const results = body['results'] as { status: number; url?: { short_code: string } }[];
    assert.deepEqual(
      results.map(({ status }) => status),
      [201, 422],
    );
    const short_codes = [results[0]!.url!.short_code];
    await answers(one, 200, 'POST', `${v1}/urls/bulk/change`, { short_codes, changes: { title: 'bulk' } });
    await answers(one, 200, 'POST', `${v1}/urls/bulk/delete`, { short_codes });
  },
  'short URLs are searched, listed and counted': async (context) => {
    const title = `title-${Date.now()}`;
    const code = await create(context, { title });
    const { body } = await answers(context.other, 200, 'GET', `${v1}/urls?q=${title}&sort=-clicks&limit=5`);
    assert.deepEqual(
      itemsOf(body).map(({ short_code }) => short_code),
      [code],
    );
    const counted = await answers(context.other, 200, 'GET', `${v1}/url-count?q=${title}`);
    assert.equal(counted.body['count'], 1);
  },
  'tags are listed, renamed and removed': async (context) => {
    const [tag, name] = [`tag-${Date.now()}`, `name-${Date.now()}`];
    await create(context, { tags: [tag] });
    const listed = async (wanted: string) =>
      itemsOf((await context.other.get(`${v1}/tags?limit=200`)).body).some(({ name: one }) => one === wanted);
    await waitUntil('the tag is listed', async () => await listed(tag));
    await answers(context.one, 200, 'PATCH', `${v1}/tags/${tag}`, { name });
    await waitUntil('the new name is listed', async () => await listed(name));
    await answers(context.one, 200, 'DELETE', `${v1}/tags/${name}`);
  },
  'hosts are listed': async ({ other }) => {
    const { body } = await answers(other, 200, 'GET', `${v1}/hosts`);
    assert.ok(itemsOf(body).some(({ host, name }) => (host ?? name) === 'example.com'));
  },
  'each visit is counted once': async (context) => {
    const code = await create(context);
    for (let i = 0; i < 10; i++) await locationOf(context, code);
    await untilClicked(context, code, 10);
  },
  'analytics add up': async (context) => {
    const code = await create(context, { tags: ['analytics'] });
    for (let i = 0; i < 4; i++) await locationOf(context, code);
    await untilClicked(context, code, 4);
    const { body } = await answers(context.other, 200, 'GET', `${v1}/urls/${code}/analytics`);
    assert.equal(body['clicks'] ?? (body['total'] as { clicks: number } | undefined)?.clicks, 4);
    const daily = { short_codes: [code], interval: 'day' };
    await answers(context.other, 200, 'POST', `${v1}/analytics/urls`, daily);
    await answers(context.other, 200, 'GET', `${v1}/analytics?tag=analytics&group_by=browser`);
    await answers(context.other, 200, 'GET', `${v1}/analytics/top-urls`);
    await answers(context.other, 200, 'GET', `${v1}/analytics/unknown-codes`);
  },
  'the clicks of a short URL are erased': async (context) => {
    const code = await create(context);
    await locationOf(context, code);
    await untilClicked(context, code, 1);
    await answers(context.one, 204, 'DELETE', `${v1}/urls/${code}/clicks?totals=clear`);
    await untilClicked(context, code, 0);
  },
  'live clicks are streamed': async (context) => {
    const { headers } = await answers(context.one, 200, 'GET', `${v1}/clicks/stream`);
    assert.match(headers.get('content-type')!, /^text\/event-stream/);
  },
  'a QR code is drawn': async (context) => {
    await answers(context.other, 200, 'GET', `${v1}/urls/${await create(context)}/qr?format=png`);
  },
  'codes are reserved, used and released': async (context) => {
    const { body } = await answers(context.one, 201, 'POST', `${v1}/codes/reservations`, { count: 3 });
    const codes = body['codes'] as string[];
    await create(context, { custom_code: codes[0] });
    await answers(context.other, 200, 'POST', `${v1}/codes/return`, { codes: codes.slice(1) });
    await answers(context.other, 200, 'GET', `${v1}/codes?count=1`);
  },
  'an import creates its rows': async ({ one, other, visitor }) => {
    const code = `imported-${Date.now()}`;
    const file = `short_code,original_url\n${code},${target}\n,no URL\n`;
    const created = await one.request('POST', `${v1}/imports`, file, { 'content-type': 'text/csv' });
    assert.equal(created.status, 202);
    const path = new URL(created.headers.get('location')!, 'http://localhost').pathname;
    await waitUntil(
      'the import is complete',
      async () => (await other.get(path)).body['state'] === 'completed',
      20_000,
    );
    assert.equal((await visitor.get(`/${code}`)).headers.get('location'), target);
    await answers(other, 200, 'GET', `${path}/errors`);
    await answers(other, 200, 'GET', `${path}/warnings`);
    await answers(other, 200, 'GET', `${v1}/imports`);
    await answers(one, 200, 'DELETE', path);
  },
  'an export has all short URLs': async ({ one, other }) => {
    const created = await answers(one, 202, 'POST', `${v1}/exports`, { format: 'csv' });
    const path = new URL(created.headers.get('location')!, 'http://localhost').pathname;
    await waitUntil(
      'the export is complete',
      async () => (await other.get(path)).body['state'] === 'completed',
      20_000,
    );
    await answers(other, 200, 'GET', `${path}/file`);
    await answers(other, 200, 'GET', `${v1}/exports`);
    await answers(one, 200, 'DELETE', path);
  },
  'a job is run and its result read': async ({ one, other }) => {
    const { body } = await answers(one, 202, 'POST', `${v1}/jobs/warm-cache`, {});
    const path = `${v1}/jobs/warm-cache/${String(body['id'] ?? body['job_id'])}`;
    await waitUntil('the job is complete', async () => (await other.get(path)).body['state'] === 'completed');
  },
  'queues are listed with their failures': async ({ other }) => {
    const { body } = await answers(other, 200, 'GET', `${v1}/queues`);
    assert.ok(itemsOf(body).length > 10);
    await answers(other, 200, 'GET', `${v1}/queues/flush-clicks/failures`);
  },
  'the state of the service is read and streamed': async ({ other }) => {
    const { body } = await answers(other, 200, 'GET', `${v1}/operations`);
    assert.equal(body['status'], 'healthy');
    await answers(other, 200, 'GET', `${v1}/operations/stream`);
  },
  'API keys are created, changed, rotated and revoked': async ({ one, other }) => {
    const fields = { name: 'walk', scopes: ['urls:read'] };
    const { body } = await answers(one, 201, 'POST', `${v1}/api-keys`, fields);
    const path = `${v1}/api-keys/${String(body['id'])}`;
    await answers(other, 200, 'GET', path);
    await answers(other, 200, 'GET', `${v1}/api-keys`);
    await answers(other, 200, 'GET', `${v1}/api-keys/current`);
    await answers(other, 200, 'PATCH', path, { name: 'walked' });
    await answers(one, 200, 'POST', `${path}/rotate`, {});
    await answers(other, 204, 'DELETE', path);
  },
  'browsers sign in and out': async ({ signIn: signInAgain }) => {
    const [first, second] = [await signInAgain(), await signInAgain()];
    const current = await second('GET', `${v1}/sessions/current`);
    const { body } = await first('GET', `${v1}/sessions`);
    assert.ok(itemsOf(body).length >= 2);
    const ended = await first('DELETE', `${v1}/sessions/${String(current.body['id'])}`);
    assert.equal(ended.status, 204);
    assert.equal((await first('DELETE', `${v1}/sessions/current`)).status, 204);
    const third = await signInAgain();
    assert.equal((await third('DELETE', `${v1}/sessions`)).status, 204);
    await waitUntil(
      'the session has ended',
      async () => (await third('GET', `${v1}/sessions/current`)).status === 401,
    );
  },
  'hosts are blocked and unblocked': async ({ one, other }) => {
    const hosts = ['blocked.example'];
    const create = async () =>
      (await other.post(`${v1}/urls`, { original_url: 'https://blocked.example/' })).status;
    await answers(one, 200, 'POST', `${v1}/blocked-hosts`, { hosts });
    await waitUntil('the host is blocked', async () => (await create()) === 422);
    await answers(other, 200, 'GET', `${v1}/blocked-hosts`);
    await answers(one, 204, 'DELETE', `${v1}/blocked-hosts/blocked.example`);
    await waitUntil('the host is allowed again', async () => (await create()) === 201);
  },
  'a report is sent and closed': async (context) => {
    const report = { short_code: await create(context), reason: 'spam' };
    const json = { accept: 'application/json' };
    assert.equal((await context.visitor.post('/report', report, json)).status, 202);
    const { body } = await answers(context.other, 200, 'GET', `${v1}/reports`);
    const id = itemsOf(body).find(({ short_code }) => short_code === report.short_code)!['id'];
    await answers(context.one, 200, 'POST', `${v1}/reports/${String(id)}/close`, { disable_url: true });
  },
  'the public pages and documents are shown': async ({ visitor }) => {
    const paths = [
      '/',
      '/report',
      '/robots.txt',
      '/openapi.json',
      '/docs',
      '/docs/problems',
      '/docs/runbook',
    ];
    for (const path of [...paths, '/health', '/health/live', '/health/ready'])
      await answers(visitor, 200, 'GET', path);
    await answers(visitor, 404, 'GET', '/metrics');
  },
  'the service describes itself': async ({ other }) => {
    await answers(other, 200, 'GET', `${v1}/service`);
  },
};
