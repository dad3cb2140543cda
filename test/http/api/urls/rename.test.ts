import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { type ProblemType, problemUri } from '../../../../src/http/problems/problem-types.ts';
import { createUrlCleanupStore } from '../../../../src/urls/store/cleanup-store.ts';
import type { Client } from '../../../support/http/client.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { startWeb, type TestProcess } from '../../../support/processes/processes.ts';
import { storeSettings } from '../../../support/resources.ts';
import { connectExternalClient, type ExternalClient } from '../../../support/urls/external-client.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useWeb({ RETENTION_DAYS: '10', RATE_LIMIT_NOT_FOUND_PER_IP: '100000', METRICS_PUBLIC: 'true' });
const urls = '/api/v1/urls';
const page = 'https://example.com/page';
const problem = (name: ProblemType) => problemUri(name, web.baseUrl());

let maker: Client;
let otherKey: Client;
let external: ExternalClient;
let other: TestProcess & { baseUrl: string };
beforeAll(async () => {
  const apiKeys = createApiKeys(web.database.db());
  const keyOf = async (...given: Parameters<typeof apiKeys.create>) => (await apiKeys.create(...given)).key;
  const scopes = ['urls:read', 'urls:write', 'stats:read'] as const;
  maker = web.client(await keyOf('maker', { scopes: [...scopes], ownUrlsOnly: true }));
  otherKey = web.client(await keyOf('otherKey', { scopes: [...scopes], ownUrlsOnly: true }));
  external = await connectExternalClient(web.database.url());
  other = await startWeb({
    ...storeSettings(web.database, web.redis),
    CLICK_ACK_MS: '10000',
    RATE_LIMIT_NOT_FOUND_PER_IP: '100000',
  });
});
afterAll(async () => {
  await external.close();
  await other.stop();
});

let count = 0;
const nextCode = (begin: string) => `${begin}-${++count}`;
async function create(body: object = {}) {
  const custom_code = nextCode('code');
  const answer = await maker.post(urls, { original_url: page, custom_code, ...body });
  expect(answer.status).toBe(201);
  return { code: custom_code, id: Number(answer.body['id']) };
}
const rename = async (code: string, short_code: string, more: object = {}) =>
  await maker.patch(`${urls}/${code}`, { short_code, ...more });
const createAs = async (client: Client, custom_code: string, more: object = {}) =>
  await client.post(urls, { original_url: `${page}/2`, custom_code, ...more });
const visitAt = async (baseUrl: string, code: string) => {
  const { status, headers } = await fetch(`${baseUrl}/${code}`, { redirect: 'manual' });
  return `${status} ${headers.get('location') ?? ''}`.trim();
};
const visit = async (code: string) => await visitAt(web.baseUrl(), code);
const found = `301 ${page}`;
/** Resolves when both web processes give this answer for each code. */
const seen = async (codes: string[], answer: string) =>
  await waitUntil(`${codes.join(', ')} answer ${answer}`, async () => {
    const answers = await Promise.all(codes.flatMap((code) => [visit(code), visitAt(other.baseUrl, code)]));
    return answers.every((one) => one === answer);
  });

describe('a renamed short URL', () => {
  test('redirects under the new and the old code', async () => {
    const { code, id } = await create();
    expect(await visit(code)).toBe(found);
    expect(await visitAt(other.baseUrl, code)).toBe(found);
    const to = nextCode('new');
    expect(await visit(to)).toBe('404');
    const renamed = await rename(code, to, { title: 'Renamed' });
    expect(renamed).toMatchObject({
      status: 200,
      body: { id, short_code: to, aliases: [code], title: 'Renamed' },
    });
    expect(await visit(code)).toBe(found);
    expect(await visit(to)).toBe(found);
    await seen([code, to], found);
    for (const path of [code, to]) {
      const read = await maker.get(`${urls}/${path}`);
      expect(read.status).toBe(200);
      expect(read.body['short_code']).toBe(to);
      expect(read.body['aliases']).toEqual([code]);
      expect((await maker.get(`${urls}/${path}/stats`)).body['short_code']).toBe(to);
    }
    const list = await maker.get(`${urls}?q=${to}`);
    expect(list.body['items']).toMatchObject([{ short_code: to, aliases: [code] }]);
  });

  test('without keep_old_code answers 404 under the old code, which stays reserved', async () => {
    const { code } = await create();
    expect(await visit(code)).toBe(found);
    const to = nextCode('new');
    expect((await rename(code, to, { keep_old_code: false })).body).toMatchObject({ aliases: [] });
    expect(await visit(code)).toBe('404');
    expect(await visit(to)).toBe(found);
    await seen([code], '404');
    expect((await maker.get(`${urls}/${code}`)).status).toBe(404);
    expect((await createAs(otherKey, code)).body['type']).toBe(problem('code-taken'));
    expect((await createAs(maker, code)).status).toBe(201);
    await seen([code], `301 ${page}/2`);
  });

  test('can be updated, disabled, deleted and restored by every code', async () => {
    const { code } = await create();
    const [second, third] = [nextCode('new'), nextCode('new')];
    await rename(code, second);
    expect((await rename(code, third)).body['aliases']).toEqual([code, second]);
    const codes = [code, second, third];
    await seen(codes, found);
    const changed = await maker.patch(`${urls}/${code}`, { original_url: `${page}/changed` });
    expect(changed.body['short_code']).toBe(third);
    expect(await Promise.all(codes.map(visit))).toEqual(codes.map(() => `301 ${page}/changed`));
    await seen(codes, `301 ${page}/changed`);
    await maker.patch(`${urls}/${third}`, { is_active: false });
    await seen(codes, '404');
    await maker.patch(`${urls}/${second}`, { is_active: true });
    await seen(codes, `301 ${page}/changed`);
    expect((await maker.delete(`${urls}/${second}`)).status).toBe(204);
    expect(await Promise.all(codes.map(visit))).toEqual(['404', '404', '404']);
    await seen(codes, '404');
    const refused = await createAs(maker, code);
    expect(refused.status).toBe(409);
    expect(refused.body['type']).toBe(problem('code-deleted'));
    expect(refused.body['detail']).not.toContain('restore_deleted');
    expect((await maker.post(String(refused.body['restore_path']))).body['aliases']).toEqual([code, second]);
    await seen(codes, `301 ${page}/changed`);
  });

  test('can get an old code back repeatedly', async () => {
    const { code } = await create();
    const to = nextCode('new');
    for (let i = 0; i < 3; i += 1) {
      expect((await rename(code, to)).body).toMatchObject({ short_code: to, aliases: [code] });
      expect((await rename(to, code)).body).toMatchObject({ short_code: code, aliases: [to] });
      await seen([code, to], found);
    }
    expect((await rename(code, code)).body).toMatchObject({ short_code: code, aliases: [to] });
    expect((await rename(code, to, { keep_old_code: false })).body['aliases']).toEqual([]);
    await seen([code], '404');
    expect((await rename(to, code, { keep_old_code: false })).body).toMatchObject({ short_code: code });
    await seen([code], found);
    await seen([to], '404');
  });

  test('expires under every code', async () => {
    const { code } = await create({ expires_in_hours: 1 });
    const to = nextCode('new');
    await rename(code, to);
    await seen([code, to], found);
    await external.run('update urls set expires_at = $1 where short_code = $2', [
      new Date(Date.now() - 1_000),
      to,
    ]);
    await seen([code, to], '410');
    const ended = await createUrlCleanupStore(web.database.db()).disableExpired(new Date(), 10);
    expect(ended).toMatchObject([{ shortCode: to, aliases: [code] }]);
    await seen([code, to], '410');
  });

  test('that is purged frees every code for its API key', async () => {
    const { code, id } = await create();
    const to = nextCode('new');
    await rename(code, to);
    await seen([code, to], found);
    expect((await maker.delete(`${urls}/${code}?purge=true`)).status).toBe(204);
    expect(await visit(code)).toBe('404');
    expect(await visit(to)).toBe('404');
    await seen([code, to], '404');
    expect(await web.database.db()('url_aliases').where({ url_id: id })).toEqual([]);
    for (const freed of [code, to]) {
      expect((await createAs(otherKey, freed)).status).toBe(409);
      expect((await createAs(maker, freed)).status).toBe(201);
      await seen([freed], `301 ${page}/2`);
    }
  });
});

describe('an external write', () => {
  test('takes effect under old codes too', async () => {
    const { code, id } = await create();
    const to = nextCode('new');
    await rename(code, to);
    await seen([code, to], found);
    await external.run('update urls set original_url = $1 where id = $2', [`${page}/other`, id]);
    await seen([code, to], `301 ${page}/other`);
    await external.run('delete from urls where id = $1', [id]);
    await seen([code, to], '404');
    const last = await create();
    await rename(last.code, nextCode('new'));
    await seen([last.code], found);
    await external.run('truncate urls cascade');
    expect(await web.database.db()('url_aliases')).toEqual([]);
  });

  test('cannot take an old code', async () => {
    const { code } = await create();
    await rename(code, nextCode('new'));
    const taking = [
      external.run(`insert into urls (short_code, original_url) values ($1, $2)`, [code, page]),
      create().then(async ({ id }) =>
        external.run('update urls set short_code = $1 where id = $2', [code, id]),
      ),
    ];
    for (const result of await Promise.allSettled(taking))
      expect(result).toMatchObject({ status: 'rejected', reason: { constraint: 'urls_short_code_free' } });
    await seen([code], found);
  });
});

describe('a rename is rejected', () => {
  test('for a code or old code of another short URL', async () => {
    const [one, two] = [await create(), await create()];
    const to = nextCode('new');
    await rename(one.code, to);
    for (const taken of [one.code, to]) {
      const refused = await rename(two.code, taken, { title: 'No' });
      expect(refused.status).toBe(409);
      expect(refused.body['type']).toBe(problem('code-taken'));
      expect((await createAs(maker, taken)).body['type']).toBe(problem('code-taken'));
    }
    expect((await maker.get(`${urls}/${two.code}`)).body).toMatchObject({ title: null, aliases: [] });
    await maker.delete(`${urls}/${to}`);
    const deleted = await rename(two.code, to);
    expect(deleted.status).toBe(409);
    expect(deleted.body['type']).toBe(problem('code-deleted'));
    expect(deleted.body['detail']).not.toContain('restore_deleted');
  });

  test.each([
    [{ short_code: 'api' }, 'short_code'],
    [{ short_code: 'a b' }, 'short_code'],
    [{ short_code: null }, 'short_code'],
    [{ short_code: 'fine-code', keep_old_code: 'no' }, 'keep_old_code'],
    [{ keep_old_code: false }, 'keep_old_code'],
  ])('for %j', async (body, field) => {
    const { code } = await create();
    const refused = await maker.patch(`${urls}/${code}`, body);
    expect(refused.status).toBe(422);
    expect(refused.body['errors']).toMatchObject([{ field }]);
  });

  test('in bulk, for another API key, and for an outdated version', async () => {
    const { code } = await create();
    const changes = { short_code: nextCode('new') };
    expect((await maker.post(`${urls}/bulk/change`, { short_codes: [code], changes })).status).toBe(422);
    expect((await otherKey.patch(`${urls}/${code}`, changes)).status).toBe(404);
    const late = await maker.patch(`${urls}/${code}`, changes, { 'if-match': '"1"' });
    expect(late.status).toBe(412);
    expect(late.body['type']).toBe(problem('version-mismatch'));
    expect(await visit(code)).toBe(found);
  });

  test('after 100 old codes', async () => {
    const { code, id } = await create();
    await external.run(
      `insert into url_aliases (short_code, url_id) select $1 || n, $2 from generate_series(1, 100) as n`,
      [`${code}-`, id],
    );
    const refused = await rename(code, nextCode('new'));
    expect(refused.status).toBe(422);
    expect(refused.body['errors']).toMatchObject([{ field: 'short_code' }]);
    expect((await rename(code, `${code}-7`)).status).toBe(200);
  });
});

describe('concurrently', () => {
  test('a rename and creates of the same code have one winner', async () => {
    for (let i = 0; i < 8; i += 1) {
      const [{ code }, contested] = [await create(), nextCode('contested')];
      const answers = await Promise.all([
        createAs(otherKey, contested),
        rename(code, contested),
        createAs(maker, contested),
      ]);
      expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
      const isRenamed = answers[1].status === 200;
      await seen([contested], isRenamed ? found : `301 ${page}/2`);
      await seen([code], found);
    }
  });

  test.each([
    ['keeps', 'insert into url_aliases (short_code, url_id) select $1, id from urls where short_code = $2'],
    [
      'reserves',
      `insert into reserved_keys (short_code, api_key_id, reserved_until)
       select $1, created_by, now() + interval '1 day' from urls where short_code = $2`,
    ],
  ])('a create that waited for a rename that %s the code is rejected', async (_what, keep) => {
    const [{ code }, to] = [await create(), nextCode('new')];
    await external.run('begin');
    await external.run('update urls set short_code = $1 where short_code = $2', [to, code]);
    await external.run(keep, [code, to]);
    const creates = ['a', 'b'].map(async (title) => await createAs(otherKey, code, { title }));
    await waitUntil('a create waits', async () => {
      const { rows } = await web.database
        .db()
        .raw(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
      return rows.length > 0;
    });
    await external.run('commit');
    for (const { status, body } of await Promise.all(creates)) {
      expect(status).toBe(409);
      expect(body['type']).toBe(problem('code-taken'));
    }
  });

  test('renames of a short URL keep every code, and swaps of codes do not fail', async () => {
    const [one, two] = [await create(), await create()];
    const codes = Array.from({ length: 6 }, () => nextCode('new'));
    const renamed = await Promise.all(codes.map(async (code) => await rename(one.code, code)));
    expect(renamed.map(({ status }) => status)).toEqual(codes.map(() => 200));
    const { body } = await maker.get(`${urls}/${one.code}`);
    const aliases = body['aliases'] as string[];
    expect(new Set([body['short_code'], ...aliases])).toEqual(new Set([one.code, ...codes]));
    await seen([one.code, ...codes], found);
    const current = String(body['short_code']);
    const swapped = await Promise.all([rename(current, two.code), rename(two.code, current)]);
    expect(swapped.map(({ status }) => status)).toEqual([409, 409]);
  });

  test('an old code never answers 404, and redirects follow each rename within 2 s', async () => {
    const { code } = await create();
    const known = [code];
    const renaming = new AbortController();
    const missed: string[] = [];
    const visitAll = async (baseUrl: string) => {
      while (!renaming.signal.aborted)
        for (const one of known) {
          const answer = await visitAt(baseUrl, one);
          if (!answer.startsWith(found)) missed.push(`${one} ${answer}`);
        }
    };
    const visitors = [web.baseUrl(), other.baseUrl].map(visitAll);
    for (let i = 0; i < 10; i += 1) {
      const to = i % 4 === 3 ? known[i - 2]! : nextCode('new');
      expect((await rename(known.at(-1)!, to)).status).toBe(200);
      await seen([to], found);
      known.push(to);
    }
    renaming.abort();
    await Promise.all(visitors);
    expect(missed).toEqual([]);
    await maker.patch(`${urls}/${code}`, { original_url: `${page}/last` });
    await waitUntil(
      'every code follows the last change',
      async () => {
        const answers = await Promise.all(known.map(async (one) => await visitAt(other.baseUrl, one)));
        return answers.every((answer) => answer === `301 ${page}/last`);
      },
      2_000,
    );
  });
});
