import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import { createSearchTextStore } from '../../../src/urls/search-text/search-text-store.ts';
import { conditionsOf } from '../../../src/urls/search/filter.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { fillSearchTexts } from '../../../workers/jobs/urls/fill-search-texts.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { createJobContext } from '../../support/job-context.ts';
import { connectExternalClient, type ExternalClient } from '../../support/urls/external-client.ts';
import { createUrl, insertUrls } from '../../support/urls/urls.ts';

const web = useWeb();
const searchTexts = () => createSearchTextStore(web.database.db());
const fill = async () => await fillSearchTexts(searchTexts(), createJobContext());

let external: ExternalClient;
beforeAll(async () => {
  external = await connectExternalClient(web.database.url());
  await createUrl(web.client(), {
    original_url: 'https://bücher.example/straße?ort=Köln&q=new+york',
    title: 'ÜBER uns',
    tags: ['Größe', 'sale'],
  });
});
afterAll(async () => await external.close());

async function find(q: string): Promise<unknown[]> {
  const { status, body } = await web.client().get(`/api/v1/urls?q=${encodeURIComponent(q)}&sort=created`);
  expect(status).toBe(200);
  return (body['items'] as Record<string, unknown>[]).map((item) => item['original_url']);
}
const stored = 'https://xn--bcher-kva.example/stra%C3%9Fe?ort=K%C3%B6ln&q=new+york';

test.each([
  'bücher',
  'BÜCHER',
  'straße',
  'Straße',
  'Köln',
  'köln',
  'xn--bcher',
  'stra%C3%9Fe',
  'bücher.example/stra%C3%9Fe',
  'https://bücher.example/straße',
  'new york',
  'über',
  'größe',
  'GRÖ',
])('a search for %s finds a short URL by its displayed text', async (q) => {
  expect(await find(q)).toEqual([stored]);
});

test('a changed short URL is found by its new text only', async () => {
  const code = await createUrl(web.client(), { original_url: 'https://example.com/alt', title: 'Früher' });
  const path = `/api/v1/urls/${code}`;
  await web.client().patch(path, { title: 'Später', tags: ['Мо́сква'] });
  expect(await find('früher')).toEqual([]);
  expect(await find('SPÄTER')).toEqual(['https://example.com/alt']);
  expect(await find('мо́СКВА')).toEqual(['https://example.com/alt']);
  expect(await searchTexts().countMissing()).toBe(0);
});

test('concurrent changes leave the search text of the last one', async () => {
  const code = await createUrl(web.client(), { title: 'Wechsel' });
  const path = `/api/v1/urls/${code}`;
  const titles = Array.from({ length: 12 }, (_, i) => `Wechsel ${i}`);
  await Promise.all(titles.map(async (title) => await web.client().patch(path, { title })));
  await fill();
  const { body } = await web.client().get(path);
  const { rows } = await web.database
    .db()
    .raw<{ rows: { text: string }[] }>('select search_text as text from urls where short_code = ?', [code]);
  expect(rows[0]?.text.split('\n')).toContain(String(body['title']).toLowerCase());
});

test('an external write is searchable as stored at once, and decoded after the job', async () => {
  await external.run(
    `insert into urls (short_code, original_url, title) values ('external1', 'https://xn--mnchen-3ya.example/stra%C3%9Fenbahn', 'MÜNCHEN')`,
  );
  const url = 'https://xn--mnchen-3ya.example/stra%C3%9Fenbahn';
  expect(await find('xn--mnchen')).toEqual([url]);
  await fill();
  expect(await find('münchen.example')).toEqual([url]);
  expect(await find('straßenbahn')).toEqual([url]);
  await external.run(`update urls set title = 'Zürich' where short_code = 'external1'`);
  await fill();
  expect(await find('zürich')).toEqual([url]);
  expect(await find('münchen.example/')).toEqual([url]);
});

test('filling a search text changes neither version nor update time', async () => {
  const code = await createUrl(web.client(), { title: 'Stand' });
  const read = async () => (await web.client().get(`/api/v1/urls/${code}`)).body;
  await web.database.db()('urls').where({ short_code: code }).update({ search_text: null });
  const before = await read();
  expect((await fill()).filled).toBe(1);
  expect(await read()).toEqual(before);
});

test('a row that has changed since it was read is not filled with its old text', async () => {
  const code = await createUrl(web.client(), { title: 'Vorher' });
  await web.database.db()('urls').where({ short_code: code }).update({ search_text: null });
  const [row] = await searchTexts().findMissing(0, 10);
  await web.database.db()('urls').where({ short_code: code }).update({ title: 'Nachher' });
  expect(await searchTexts().fillMany([row!])).toBe(0);
  await fill();
  expect(await find('vorher')).toHaveLength(0);
  expect(await find('nachher')).toHaveLength(1);
});

test('the job fills rows in slices, reports progress, and resumes after a stop', async () => {
  await insertUrls(web.database.db(), { begin: 'slice-', count: 1_200 });
  const context = createJobContext();
  const report = context.reportProgress;
  const stopping = {
    ...context,
    reportProgress: async (percent: number) => {
      await report(percent);
      context.stop();
    },
  };
  expect(await fillSearchTexts(searchTexts(), stopping)).toEqual({ filled: 500, interrupted: true });
  expect(context.reported).toEqual([41]);
  expect(await fill()).toEqual({ filled: 700, interrupted: false });
  expect(await fill()).toEqual({ filled: 0, status: 'nothing to fill' });
});

test('a search uses the indexes, including that of rows without a search text', async () => {
  await insertUrls(web.database.db(), { begin: 'stored-', count: 3_000 });
  await web.database.db().raw('analyze urls');
  const { sql, bindings } = conditionsOf({ search: 'bücher' }, new Date());
  const trx = await web.database.db().transaction();
  // With few rows, the planner would otherwise scan all rows without a search text.
  await trx.raw('set local enable_seqscan = off; drop index urls_without_search_text');
  const { rows } = await trx.raw<{ rows: Record<string, string>[] }>(
    `explain select id from urls u where ${sql}`,
    bindings as Knex.ValueDict,
  );
  await trx.rollback();
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('urls_search_text');
  expect(plan).toContain('urls_stored_search_text');
});

test('a short URL that is overwritten on restore is found by its new text', async () => {
  const code = await createUrl(web.client(), { custom_code: 'restored-1', title: 'Gestern' });
  await web.client().delete(`/api/v1/urls/${code}`);
  const body = {
    original_url: 'https://example.com/neu',
    custom_code: code,
    title: 'Heute',
    restore_deleted: true,
  };
  expect((await web.client().post('/api/v1/urls', body)).status).toBe(200);
  expect(await find('gestern')).toHaveLength(0);
  expect(await find('heute')).toEqual(['https://example.com/neu']);
  expect(await createUrlStore(web.database.db()).findByCode(code)).toMatchObject({ title: 'Heute' });
});
